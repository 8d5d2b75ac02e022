//! Journals as chains of commits under `refs/tagship/`, one ref per journal, through the API: the same refs and
//! commits that a run with a clone and a push credential writes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use tagship_domain::CommitId;
use tagship_ports::{
    PortError, StateStore,
    journal_ref::{JOURNALS, journal_of, journal_ref},
    state_store::{AppendError, Entry, NewEntry},
};

use crate::{
    GitHub,
    error::{CallError, Reason},
    objects::commit_id,
    refs::Moved,
};

/// How far back an entry of ours is looked for whose answer got lost.
const LOST_DEPTH: usize = 50;

/// The newest entries of our own, with their parents: reads may lag behind what we have written.
#[derive(Debug, Default)]
pub(crate) struct OwnTips {
    tips: Mutex<HashMap<String, (Option<CommitId>, CommitId)>>,
}

impl OwnTips {
    pub(crate) fn wrote(&self, reference: &str, parent: Option<&CommitId>, id: &CommitId) {
        let mut tips = self.tips.lock().unwrap_or_else(PoisonError::into_inner);
        tips.insert(reference.to_owned(), (parent.cloned(), id.clone()));
    }

    /// The newer one of what was read and what we wrote.
    fn newer(&self, reference: &str, read: Option<CommitId>) -> Option<CommitId> {
        let tips = self.tips.lock().unwrap_or_else(PoisonError::into_inner);
        match tips.get(reference) {
            Some((parent, own)) if *parent == read => Some(own.clone()),
            _ => read,
        }
    }
}

#[async_trait]
impl StateStore for GitHub {
    async fn tip(&self, journal: &str) -> Result<Option<Entry>, PortError> {
        let about = format!("read journal {journal}");
        match self.tip_id(&journal_ref(journal)?, &about).await? {
            Some(id) => Ok(Some(self.entry(&id, &about).await?.0)),
            None => Ok(None),
        }
    }

    async fn append(
        &self,
        journal: &str,
        expected: Option<&CommitId>,
        entry: &NewEntry,
    ) -> Result<CommitId, AppendError> {
        let lost = || AppendError::Lost { journal: journal.to_owned() };
        let about = format!("append to journal {journal}");
        let reference = journal_ref(journal)?;
        let tree = self.write_tree(&entry.files, &about).await?;
        let id = match self.write_commit(&tree, expected, &entry.message, entry.at, &about).await {
            Ok(id) => id,
            // A parent that the repository does not even have is not the tip.
            Err(error)
                if matches!(error.reason, Reason::Unprocessable | Reason::Missing) && expected.is_some() =>
            {
                return if self.tip_id(&reference, &about).await?.as_ref() == expected {
                    Err(error.into())
                } else {
                    Err(lost())
                };
            }
            Err(error) => return Err(error.into()),
        };
        let moved = match expected {
            None => self.create_reference(&reference, id.as_str(), &about).await?,
            Some(_) => self.move_reference(&reference, id.as_str(), &about).await?,
        };
        if let Moved::Elsewhere(tip) = moved
            && !self.is_after(tip, &id, expected, &about).await?
        {
            return Err(lost());
        }
        self.own_tips.wrote(&reference, expected, &id);
        Ok(id)
    }

    async fn history(&self, journal: &str, limit: usize) -> Result<Vec<Entry>, PortError> {
        let about = format!("read journal {journal}");
        let mut next = self.tip_id(&journal_ref(journal)?, &about).await?;
        let mut entries = Vec::new();
        while let Some(id) = next.filter(|_| entries.len() < limit) {
            let (entry, parent) = self.entry(&id, &about).await?;
            entries.push(entry);
            next = parent;
        }
        Ok(entries)
    }

    async fn shorten(
        &self,
        journal: &str,
        expected: &CommitId,
        keep: usize,
    ) -> Result<Option<CommitId>, AppendError> {
        let reference = journal_ref(journal)?;
        self.shorten_journal((journal, &reference), expected, keep).await
    }

    async fn list(&self, below: &str) -> Result<Vec<String>, PortError> {
        let below = below.trim_matches('/');
        let about = format!("list journals below {below:?}");
        let prefix = if below.is_empty() { JOURNALS.to_owned() } else { journal_ref(below)? + "/" };
        let references = self.references(&prefix, &about).await?;
        let mut names: Vec<String> =
            references.iter().filter_map(|reference| journal_of(&reference.name)).collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn tips(&self, below: &str) -> Result<BTreeMap<String, Entry>, PortError> {
        let below = below.trim_matches('/');
        let about = format!("read the newest entries below {below:?}");
        let prefix = if below.is_empty() { JOURNALS.to_owned() } else { journal_ref(below)? + "/" };
        let mut tips = BTreeMap::new();
        for reference in self.references(&prefix, &about).await? {
            let Some(name) = journal_of(&reference.name) else { continue };
            let read = Some(commit_id(&reference.object.sha, &about)?);
            let Some(id) = self.own_tips.newer(&reference.name, read) else { continue };
            tips.insert(name, self.entry(&id, &about).await?.0);
        }
        Ok(tips)
    }
}

impl GitHub {
    pub(crate) async fn tip_id(&self, reference: &str, about: &str) -> Result<Option<CommitId>, CallError> {
        let read = self.reference(reference, about).await?;
        let read = read.map(|reference| commit_id(&reference.object.sha, about)).transpose()?;
        Ok(self.own_tips.newer(reference, read))
    }

    /// An entry and the one before it.
    async fn entry(&self, id: &CommitId, about: &str) -> Result<(Entry, Option<CommitId>), CallError> {
        let object = self.read_commit(id.as_str(), about).await?;
        let files = self.read_tree(&object.tree, about).await?;
        let commit = object.commit;
        let parent = commit.parents.into_iter().next();
        Ok((Entry { id: commit.id, at: commit.committer.time, message: commit.message, files }, parent))
    }

    /// Whether an entry that could not be appended now was appended before: its answer got lost, and another run has
    /// gone on from it since. Before its parent it cannot be.
    async fn is_after(
        &self,
        tip: Option<String>,
        id: &CommitId,
        parent: Option<&CommitId>,
        about: &str,
    ) -> Result<bool, CallError> {
        let mut next = tip;
        for _ in 0..LOST_DEPTH {
            let Some(there) = next.filter(|there| Some(there.as_str()) != parent.map(CommitId::as_str))
            else {
                return Ok(false);
            };
            if there == id.as_str() {
                return Ok(true);
            }
            let object = self.read_commit(&there, about).await?;
            next = object.commit.parents.first().map(|parent| parent.as_str().to_owned());
        }
        Ok(false)
    }
}
