//! Journals as chains of commits under `refs/tagship/`, one ref per journal.
//!
//! The tree of a commit holds the entry's files, the message its one readable line, the only parent the entry
//! before. Times are whole seconds, as git keeps them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use git2::{
    ErrorCode, FileMode, ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult, build::TreeUpdateBuilder,
};
use tagship_domain::{CommitId, Timestamp};
use tagship_ports::{
    PortError, Problem, StateStore,
    state_store::{AppendError, Entry, Files, NewEntry},
};

use crate::{
    error::at,
    publish::Pushed,
    read::{commit_id, read_blob},
    refname::{JOURNALS, journal_of, journal_ref},
    repository::{GitRepo, identity},
    write::refused,
};

/// The most that the files of one entry may hold, in bytes. Whoever can push can write a journal.
const MAX_ENTRY: usize = 64 * 1024 * 1024;

#[async_trait]
impl StateStore for GitRepo {
    async fn tip(&self, journal: &str) -> Result<Option<Entry>, PortError> {
        Ok(self.history(journal, 1).await?.pop())
    }

    async fn append(
        &self,
        journal: &str,
        expected: Option<&CommitId>,
        entry: &NewEntry,
    ) -> Result<CommitId, AppendError> {
        let lost = || AppendError::Lost { journal: journal.to_owned() };
        let operation = format!("append to journal {journal}");
        let reference = journal_ref(journal)?;
        let expected = expected.map(|id| Oid::from_str(id.as_str()).map_err(at(&operation))).transpose()?;
        // A tip that this clone does not even have is not the tip it read.
        let Some(id) = self.write_entry(expected, entry, &operation)? else { return Err(lost()) };
        let Some(remote) = &self.remote else {
            let moved = self.swap(&reference, expected, id).await?;
            return if moved { Ok(commit_id(id)?) } else { Err(lost()) };
        };
        if let Pushed::Rejected(reason) = self.push(remote, id, &reference, expected).await? {
            self.fetch_journals().await?;
            let unmoved = self.target(&reference) == expected && !is_busy(&reason);
            return Err(if unmoved { refused(&operation, remote, &reason).into() } else { lost() });
        }
        // The remote has it. This clone's copy of the ref is fetched before each reading, so that a neighbour who
        // holds its lock just now takes nothing away.
        let _ = self.lock().reference(&reference, id, true, "tagship: append");
        Ok(commit_id(id)?)
    }

    async fn history(&self, journal: &str, limit: usize) -> Result<Vec<Entry>, PortError> {
        self.fetch_journals().await?;
        let operation = format!("read journal {journal}");
        let reference = journal_ref(journal)?;
        let repository = self.lock();
        let mut next = match repository.refname_to_id(&reference) {
            Ok(id) => Some(id),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(at(&operation)(error)),
        };
        let mut entries = Vec::new();
        while let Some(id) = next.filter(|_| entries.len() < limit) {
            let commit = repository.find_commit(id).map_err(at(&operation))?;
            entries.push(read_entry(&repository, &commit, &operation)?);
            next = commit.parent_id(0).ok();
        }
        Ok(entries)
    }

    async fn shorten(
        &self,
        journal: &str,
        expected: &CommitId,
        keep: usize,
    ) -> Result<Option<CommitId>, AppendError> {
        let lost = || AppendError::Lost { journal: journal.to_owned() };
        let operation = format!("shorten journal {journal}");
        let reference = journal_ref(journal)?;
        let tip = Oid::from_str(expected.as_str()).map_err(at(&operation))?;
        self.fetch_journals().await?;
        if self.target(&reference) != Some(tip) {
            return Err(lost());
        }
        let Some(id) = self.write_again(tip, keep, &operation)? else { return Ok(None) };
        if let Some(remote) = &self.remote {
            if let Pushed::Rejected(reason) = self.push(remote, id, &reference, Some(tip)).await? {
                self.fetch_journals().await?;
                let unmoved = self.target(&reference) == Some(tip) && !is_busy(&reason);
                return Err(if unmoved { refused(&operation, remote, &reason).into() } else { lost() });
            }
            let _ = self.lock().reference(&reference, id, true, "tagship: shorten");
        } else if !self.swap(&reference, Some(tip), id).await? {
            return Err(lost());
        }
        Ok(Some(commit_id(id)?))
    }

    async fn list(&self, below: &str) -> Result<Vec<String>, PortError> {
        self.fetch_journals().await?;
        let operation = format!("list journals below {below:?}");
        let mut names: Vec<String> =
            listed(&self.lock(), below, &operation)?.into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn tips(&self, below: &str) -> Result<BTreeMap<String, Entry>, PortError> {
        self.fetch_journals().await?;
        let operation = format!("read the newest entries below {below:?}");
        let repository = self.lock();
        let mut tips = BTreeMap::new();
        for (name, id) in listed(&repository, below, &operation)? {
            let commit = repository.find_commit(id).map_err(at(&operation))?;
            tips.insert(name, read_entry(&repository, &commit, &operation)?);
        }
        Ok(tips)
    }
}

/// Whether a neighbour holds the lock of the remote's ref, and so is about to move it.
fn is_busy(reason: &str) -> bool {
    reason.contains("cannot lock ref") || reason.contains("failed to update ref")
}

/// Journals of this clone below a path, with their newest commits.
fn listed(repository: &Repository, below: &str, operation: &str) -> Result<Vec<(String, Oid)>, PortError> {
    let below = below.trim_matches('/');
    let prefix = if below.is_empty() { JOURNALS.to_owned() } else { journal_ref(below)? + "/" };
    let mut found = Vec::new();
    for reference in repository.references_glob(&format!("{prefix}*")).map_err(at(operation))? {
        let reference = reference.map_err(at(operation))?;
        let name = journal_of(&String::from_utf8_lossy(reference.name_bytes()));
        found.extend(name.zip(reference.target()));
    }
    Ok(found)
}

impl GitRepo {
    /// Writes blobs, tree and commit; no ref moves. `None` where the parent is not in this clone.
    fn write_entry(
        &self,
        parent: Option<Oid>,
        entry: &NewEntry,
        operation: &str,
    ) -> Result<Option<Oid>, PortError> {
        // It could be written, and never be read again.
        let size: usize = entry.files.values().map(Vec::len).sum();
        if size > MAX_ENTRY {
            let message = format!("the entry has {size} bytes, and at most {MAX_ENTRY} are read");
            return Err(PortError::new(Problem::Invalid, operation, message));
        }
        let repository = self.lock();
        let parent = match parent.map(|id| repository.find_commit(id)).transpose() {
            Ok(parent) => parent,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(at(operation)(error)),
        };
        let empty =
            repository.treebuilder(None).and_then(|builder| builder.write()).map_err(at(operation))?;
        let empty = repository.find_tree(empty).map_err(at(operation))?;
        let mut update = TreeUpdateBuilder::new();
        for (name, bytes) in &entry.files {
            let blob = repository.blob(bytes).map_err(at(operation))?;
            update.upsert(name.as_str(), blob, FileMode::Blob);
        }
        let tree = update.create_updated(&repository, &empty).map_err(at(operation))?;
        let tree = repository.find_tree(tree).map_err(at(operation))?;
        let who = identity(&repository, entry.at)?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        repository.commit(None, &who, &who, &entry.message, &tree, &parents).map(Some).map_err(at(operation))
    }
}

impl GitRepo {
    /// Writes the newest `keep` commits of a chain again, the oldest of them without a parent; no ref moves. `None` where there are no
    /// more than twice as many, and between one try and the next: a host that refuses it is asked again after `keep` more.
    fn write_again(&self, tip: Oid, keep: usize, operation: &str) -> Result<Option<Oid>, PortError> {
        let repository = self.lock();
        let (mut chain, mut length, mut next) = (vec![], 0, Some(tip));
        while let Some(id) = next {
            let commit = repository.find_commit(id).map_err(at(operation))?;
            next = commit.parent_id(0).ok();
            length += 1;
            if length <= keep {
                chain.push(commit);
            }
        }
        if length <= keep.saturating_mul(2) || length % keep != 1 {
            return Ok(None);
        }
        let mut written: Option<git2::Commit<'_>> = None;
        for commit in chain.iter().rev() {
            let message = String::from_utf8_lossy(commit.message_raw_bytes()).into_owned();
            let tree = commit.tree().map_err(at(operation))?;
            let parents: Vec<&git2::Commit<'_>> = written.iter().collect();
            let id = repository
                .commit(None, &commit.author(), &commit.committer(), &message, &tree, &parents)
                .and_then(|id| repository.find_commit(id))
                .map_err(at(operation))?;
            written = Some(id);
        }
        Ok(written.map(|commit| commit.id()))
    }
}

fn read_entry(
    repository: &Repository,
    commit: &git2::Commit<'_>,
    operation: &str,
) -> Result<Entry, PortError> {
    let time = Timestamp::from_seconds(commit.time().seconds());
    Ok(Entry {
        id: commit_id(commit.id())?,
        at: time.map_err(|error| PortError::new(Problem::Invalid, operation, format!("{error}")))?,
        message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        files: read_files(repository, &commit.tree().map_err(at(operation))?, operation)?,
    })
}

fn read_files(repository: &Repository, tree: &git2::Tree<'_>, operation: &str) -> Result<Files, PortError> {
    let mut blobs = Vec::new();
    let walked = tree.walk(TreeWalkMode::PreOrder, |directory, entry| {
        if entry.kind() == Some(ObjectType::Blob) {
            blobs.push((format!("{directory}{}", String::from_utf8_lossy(entry.name_bytes())), entry.id()));
        }
        TreeWalkResult::Ok
    });
    walked.map_err(at(operation))?;
    let mut files = Files::new();
    let mut room = MAX_ENTRY;
    for (name, id) in blobs {
        let bytes = read_blob(repository, id, room, operation)?;
        room -= bytes.len();
        files.insert(name, bytes);
    }
    Ok(files)
}
