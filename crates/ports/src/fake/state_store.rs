//! Journals in memory.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::CommitId;

use super::{Faults, lock::held};
use crate::{
    PortError, Problem, StateStore,
    state_store::{AppendError, Entry, NewEntry},
};

/// Journals in memory, each a list from the oldest to the newest entry.
#[derive(Debug, Default)]
pub struct FakeStateStore {
    /// What goes wrong in `tip`, `append`, `history`, `shorten`, `list` and `tips`.
    pub faults: Faults,
    journals: Mutex<BTreeMap<String, Vec<Entry>>>,
}

#[async_trait]
impl StateStore for FakeStateStore {
    async fn tip(&self, journal: &str) -> Result<Option<Entry>, PortError> {
        let read = || Ok(held(&self.journals).get(journal).and_then(|entries| entries.last().cloned()));
        self.faults.around("tip", read).await
    }

    async fn append(
        &self,
        journal: &str,
        expected: Option<&CommitId>,
        entry: &NewEntry,
    ) -> Result<CommitId, AppendError> {
        let write = || {
            let mut journals = held(&self.journals);
            let number = journals.values().map(Vec::len).sum::<usize>() + 1;
            let tip = journals.get(journal).and_then(|entries| entries.last()).map(|entry| &entry.id);
            if tip != expected {
                return Err(AppendError::Lost { journal: journal.to_owned() });
            }
            let id = entry_id(number)?;
            journals.entry(journal.to_owned()).or_default().push(Entry {
                id: id.clone(),
                at: entry.at,
                message: entry.message.clone(),
                files: entry.files.clone(),
            });
            Ok(id)
        };
        self.faults.around("append", write).await
    }

    async fn history(&self, journal: &str, limit: usize) -> Result<Vec<Entry>, PortError> {
        let read = || {
            let journals = held(&self.journals);
            Ok(journals.get(journal).into_iter().flatten().rev().take(limit).cloned().collect())
        };
        self.faults.around("history", read).await
    }

    async fn shorten(
        &self,
        journal: &str,
        expected: &CommitId,
        keep: usize,
    ) -> Result<Option<CommitId>, AppendError> {
        let write = || {
            let mut journals = held(&self.journals);
            let Some(entries) =
                journals.get_mut(journal).filter(|all| all.last().map(|e| &e.id) == Some(expected))
            else {
                return Err(AppendError::Lost { journal: journal.to_owned() });
            };
            if entries.len() <= keep.saturating_mul(2) {
                return Ok(None);
            }
            entries.drain(..entries.len() - keep);
            for entry in entries.iter_mut() {
                entry.id = other_id(&entry.id)?;
            }
            Ok(entries.last().map(|entry| entry.id.clone()))
        };
        self.faults.around("shorten", write).await
    }

    async fn list(&self, below: &str) -> Result<Vec<String>, PortError> {
        let prefix = format!("{}/", below.trim_end_matches('/'));
        let read =
            || Ok(held(&self.journals).keys().filter(|name| name.starts_with(&prefix)).cloned().collect());
        self.faults.around("list", read).await
    }

    async fn tips(&self, below: &str) -> Result<BTreeMap<String, Entry>, PortError> {
        let prefix = format!("{}/", below.trim_end_matches('/'));
        let read = || {
            let journals = held(&self.journals);
            let below = journals.iter().filter(|(name, _)| name.starts_with(&prefix));
            Ok(below.filter_map(|(name, all)| Some((name.clone(), all.last()?.clone()))).collect())
        };
        self.faults.around("tips", read).await
    }
}

/// An id that no entry had before: each time that it is kept it begins with another digit.
fn other_id(id: &CommitId) -> Result<CommitId, PortError> {
    let (first, rest) = id.as_str().split_at(1);
    let first = u8::from_str_radix(first, 16).unwrap_or_default().wrapping_add(1) % 16;
    format!("{first:x}{rest}")
        .parse()
        .map_err(|error| PortError::new(Problem::Invalid, "number a journal entry", format!("{error}")))
}

fn entry_id(number: usize) -> Result<CommitId, PortError> {
    format!("{number:040x}")
        .parse()
        .map_err(|error| PortError::new(Problem::Invalid, "number a journal entry", format!("{error}")))
}
