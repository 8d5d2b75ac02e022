//! A repository in memory: a line of commits, and tags.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::{
    CommitId, Timestamp,
    tag::{Ident, Tag},
};

use super::{Faults, lock::held};
use crate::{
    PortError, Problem, Repo,
    repo::{Commit, NewTag},
};

/// Shortest beginning of an id that names a commit, as in git.
const SHORTEST_ID: usize = 4;

/// A repository in memory with one branch.
#[derive(Debug)]
pub struct FakeRepo {
    /// What goes wrong in `resolve`, `commit`, `tags`, `refresh`, `file_at`, `create_tag` and `uncommitted`.
    pub faults: Faults,
    branch: String,
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    commits: Vec<(Commit, BTreeMap<String, Vec<u8>>)>,
    tags: BTreeMap<String, Tag>,
    uncommitted: Vec<String>,
}

impl FakeRepo {
    /// An empty repository whose one branch has this name.
    pub fn new(branch: &str) -> Self {
        Self { faults: Faults::default(), branch: branch.to_owned(), content: Mutex::default() }
    }

    /// Adds a commit on top of the branch that has exactly these files.
    ///
    /// # Errors
    /// Never in practice: ids count up.
    pub fn add_commit(&self, files: &[(&str, &[u8])], at: Timestamp) -> Result<CommitId, PortError> {
        let mut content = held(&self.content);
        let id: CommitId = format!("{:08x}{:032x}", content.commits.len() + 1, 0)
            .parse()
            .map_err(|error| PortError::new(Problem::Invalid, "number a commit", format!("{error}")))?;
        let parents = content.commits.last().map(|(commit, _)| commit.id.clone()).into_iter().collect();
        let (author, committer) = (ident(at), ident(at));
        let message = format!("Commit {}", content.commits.len() + 1);
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
        content.commits.push((Commit { id: id.clone(), author, committer, message, parents }, files));
        Ok(id)
    }

    /// Adds a commit that is not on the branch, as those of a journal are.
    pub fn add_commit_beside(&self, id: &CommitId, at: Timestamp) {
        let (author, committer) = (ident(at), ident(at));
        let message = "Beside the branch".to_owned();
        let commit = Commit { id: id.clone(), author, committer, message, parents: vec![] };
        held(&self.content).commits.insert(0, (commit, BTreeMap::new()));
    }

    /// Puts a tag in place that was not made by [`Repo::create_tag`].
    pub fn add_tag(&self, tag: Tag) {
        held(&self.content).tags.insert(tag.name.clone(), tag);
    }

    /// Says which paths have uncommitted changes.
    pub fn set_uncommitted(&self, paths: &[&str]) {
        held(&self.content).uncommitted = paths.iter().map(|path| (*path).to_owned()).collect();
    }
}

impl Content {
    fn find(&self, id: &CommitId) -> Result<&(Commit, BTreeMap<String, Vec<u8>>), PortError> {
        self.commits.iter().find(|(commit, _)| commit.id == *id).ok_or_else(|| no_such("commit", id.as_str()))
    }

    fn resolve(&self, branch: &str, revision: &str) -> Result<CommitId, PortError> {
        if revision == "HEAD" || revision == branch {
            let head = self.commits.last().map(|(commit, _)| commit.id.clone());
            return head.ok_or_else(|| no_such("revision", revision));
        }
        if let Some(commit) = self.tags.get(revision).and_then(|tag| tag.target.clone()) {
            return Ok(commit);
        }
        let mut named = self
            .commits
            .iter()
            .filter(|(commit, _)| revision.len() >= SHORTEST_ID && commit.id.as_str().starts_with(revision));
        match (named.next(), named.next()) {
            (Some((commit, _)), None) => Ok(commit.id.clone()),
            _ => Err(no_such("revision", revision)),
        }
    }
}

#[async_trait]
impl Repo for FakeRepo {
    async fn resolve(&self, revision: &str) -> Result<CommitId, PortError> {
        self.faults.around("resolve", || held(&self.content).resolve(&self.branch, revision)).await
    }

    async fn commit(&self, id: &CommitId) -> Result<Commit, PortError> {
        self.faults.around("commit", || Ok(held(&self.content).find(id)?.0.clone())).await
    }

    async fn tags(&self) -> Result<Vec<Tag>, PortError> {
        self.faults.around("tags", || Ok(held(&self.content).tags.values().cloned().collect())).await
    }

    async fn refresh(&self) -> Result<(), PortError> {
        self.faults.around("refresh", || Ok(())).await
    }

    async fn file_at(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        let read = || Ok(held(&self.content).find(commit)?.1.get(path).cloned());
        self.faults.around("file_at", read).await
    }

    async fn create_tag(&self, tag: &NewTag) -> Result<(), PortError> {
        let create = || {
            let mut content = held(&self.content);
            content.find(&tag.commit)?;
            if content.tags.contains_key(&tag.name) {
                let operation = format!("create tag {}", tag.name);
                return Err(PortError::new(Problem::Conflict, operation, "it exists"));
            }
            let object = Tag {
                name: tag.name.clone(),
                target: Some(tag.commit.clone()),
                tagger: Some(ident(tag.at)),
                message: tag.message.clone(),
                annotated: true,
            };
            content.tags.insert(tag.name.clone(), object);
            Ok(())
        };
        self.faults.around("create_tag", create).await
    }

    async fn uncommitted(&self, path: &str, limit: usize) -> Result<Vec<String>, PortError> {
        let below = |changed: &&String| {
            path.is_empty()
                || changed.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let read = || Ok(held(&self.content).uncommitted.iter().filter(below).take(limit).cloned().collect());
        self.faults.around("uncommitted", read).await
    }
}

fn ident(at: Timestamp) -> Ident {
    Ident { name: "Ada".to_owned(), email: "ada@example.com".to_owned(), time: at, offset_minutes: 0 }
}

fn no_such(what: &str, name: &str) -> PortError {
    PortError::new(Problem::NotFound, format!("look up {what} {name}"), "there is none")
}
