//! What `artifacts.yaml` says about models, at one commit.

use std::collections::{BTreeMap, BTreeSet};

use tagship_config::{GtoSettings, parse_annotations};
use tagship_domain::{CommitId, annotation::Annotation};
use tagship_git::GitRepo;
use tagship_ports::{Problem, Repo as _};
use tagship_registry::{Entry, Registry};
use tagship_runner::Failure;

use crate::failure::failed;

/// The file of descriptions, and what was read of it at each commit.
pub(super) struct Annotations<'a> {
    repo: &'a GitRepo,
    file: &'a str,
}

impl<'a> Annotations<'a> {
    pub(super) fn new(repo: &'a GitRepo, settings: &'a GtoSettings) -> Self {
        Self { repo, file: &settings.annotations }
    }

    /// Adds what the commit that is checked out says. A repository without commits says nothing.
    pub(super) async fn describe(&self, registry: &mut Registry) -> Result<(), Failure> {
        let head = match self.repo.resolve("HEAD").await {
            Ok(head) => head,
            Err(error) if error.problem == Problem::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        match self.entries(&head).await? {
            Ok(entries) => registry.annotate(&head, &entries),
            Err(why) => registry.annotations_unreadable(self.file, &head, &why),
        }
        Ok(())
    }

    /// What a commit says about a model. What cannot be read says nothing; `tagship registry doctor` tells it.
    pub(super) async fn of(&self, commit: &CommitId, model: &str) -> Result<Option<Annotation>, Failure> {
        let entries = self.entries(commit).await?.unwrap_or_default();
        Ok(entries.into_iter().find(|(name, _)| name == model).and_then(|(_, entry)| entry.ok()))
    }

    /// Adds a finding for every version whose commit has a file that cannot be read, or a description of that very model that
    /// cannot be used.
    pub(super) async fn examine(&self, registry: &mut Registry) -> Result<(), Failure> {
        let mut described: BTreeMap<CommitId, BTreeSet<String>> = BTreeMap::new();
        for model in registry.models() {
            for version in model.versions() {
                described.entry(version.commit().clone()).or_default().insert(model.name().to_owned());
            }
        }
        let head = self.repo.resolve("HEAD").await.ok();
        for (commit, models) in described.iter().filter(|(commit, _)| Some(*commit) != head.as_ref()) {
            match self.entries(commit).await? {
                Err(why) => registry.annotations_unreadable(self.file, commit, &why),
                Ok(entries) => {
                    for (name, entry) in entries.iter().filter(|(name, _)| models.contains(name)) {
                        if let Err(why) = entry {
                            registry.annotation_unusable(name, commit, why);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn entries(&self, commit: &CommitId) -> Result<Result<Vec<Entry>, String>, Failure> {
        let Some(bytes) = self.repo.file_at(commit, self.file).await.map_err(failed)? else {
            return Ok(Ok(vec![]));
        };
        let text = String::from_utf8(bytes).map_err(|error| error.to_string());
        Ok(text.and_then(|text| parse_annotations(&text).map_err(|error| error.to_string())))
    }
}
