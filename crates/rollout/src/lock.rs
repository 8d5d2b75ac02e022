//! Locks of environments: a journal each, moved by compare-and-swap like those of rollouts.
//!
//! The newest entry says whether the environment is locked; the journal keeps who locked and unlocked it, when and why.

use tagship_domain::{
    Environment,
    lock::Lock,
    schema::{self, DocumentError},
};
use tagship_ports::{
    PortError, StateStore,
    journal_ref::part,
    state_store::{AppendError, Entry, NewEntry},
};

use crate::journal::one_line;

/// Where the journals of locks lie.
pub const LOCKS: &str = "locks";
/// File of an entry.
const FILE: &str = "lock.json";
/// How often others may write in between before a run gives up.
const RACES: usize = 10;

/// Why a lock could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The entry holds no lock that this build can read.
    #[error("read journal {journal}: {source}; use the tagship version that wrote it")]
    Unreadable {
        /// The journal.
        journal: String,
        /// What the reader met.
        source: DocumentError,
    },
    /// The store of journals failed.
    #[error(transparent)]
    Store(#[from] PortError),
    /// Others moved the journal on again and again.
    #[error("write journal {journal}: others keep writing to it; try again")]
    Overtaken {
        /// The journal.
        journal: String,
    },
}

/// What became of a lock, or of taking one away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockOutcome {
    /// It is written.
    Written,
    /// Locking: somebody's lock is there already. Unlocking: another lock than the one that was seen is there now.
    Held(Lock),
    /// Unlocking: there is no lock.
    Free,
}

/// Name of the journal of an environment's locks.
pub fn lock_journal(environment: &Environment) -> String {
    format!("{LOCKS}/{}", part(environment.as_str()))
}

/// The lock on an environment, where there is one.
///
/// # Errors
/// When it cannot be read; whether the environment is locked is unknown then.
pub async fn read_lock(
    journals: &dyn StateStore,
    environment: &Environment,
) -> Result<Option<Lock>, LockError> {
    let journal = lock_journal(environment);
    held(&journal, journals.tip(&journal).await?.as_ref())
}

/// The newest entry about locks of an environment, whether it locks or unlocks.
///
/// # Errors
/// As [`read_lock`].
pub async fn newest_lock(
    journals: &dyn StateStore,
    environment: &Environment,
) -> Result<Option<Lock>, LockError> {
    let journal = lock_journal(environment);
    journals.tip(&journal).await?.as_ref().map(|tip| read(&journal, tip)).transpose()
}

/// Locks an environment. Of two who do it at the same time one gets the other's lock as the answer.
///
/// # Errors
/// When the journal cannot be read or written.
pub async fn lock(journals: &dyn StateStore, lock: &Lock) -> Result<LockOutcome, LockError> {
    let journal = lock_journal(&lock.environment);
    for _ in 0..RACES {
        let tip = journals.tip(&journal).await?;
        if let Some(there) = held(&journal, tip.as_ref())? {
            return Ok(LockOutcome::Held(there));
        }
        if append(journals, &journal, tip.as_ref(), lock).await? {
            return Ok(LockOutcome::Written);
        }
    }
    Err(LockError::Overtaken { journal })
}

/// Unlocks an environment: takes away the lock that is there when this begins, and no later one. `by` and `since` of
/// `unlock` say who does it and when.
///
/// # Errors
/// As [`lock`].
pub async fn unlock(journals: &dyn StateStore, unlock: &Lock) -> Result<LockOutcome, LockError> {
    let journal = lock_journal(&unlock.environment);
    let mut seen = None;
    for _ in 0..RACES {
        let tip = journals.tip(&journal).await?;
        let Some(there) = held(&journal, tip.as_ref())? else { return Ok(LockOutcome::Free) };
        if *seen.get_or_insert_with(|| there.clone()) != there {
            return Ok(LockOutcome::Held(there));
        }
        if append(journals, &journal, tip.as_ref(), unlock).await? {
            return Ok(LockOutcome::Written);
        }
    }
    Err(LockError::Overtaken { journal })
}

fn held(journal: &str, tip: Option<&Entry>) -> Result<Option<Lock>, LockError> {
    let lock = tip.map(|tip| read(journal, tip)).transpose()?;
    Ok(lock.filter(|lock| lock.locked))
}

fn read(journal: &str, tip: &Entry) -> Result<Lock, LockError> {
    let text = tip.files.get(FILE).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
    schema::from_json(&text).map_err(|source| unreadable(journal, source))
}

/// Whether the entry was appended; otherwise somebody else's was.
async fn append(
    journals: &dyn StateStore,
    journal: &str,
    tip: Option<&Entry>,
    lock: &Lock,
) -> Result<bool, LockError> {
    let document = schema::to_json(lock).map_err(|source| unreadable(journal, source))?;
    let files = [(FILE.to_owned(), document.into_bytes())].into();
    let entry = NewEntry { message: format!("{}\n", one_line(&lock.sentence())), files, at: lock.since };
    match journals.append(journal, tip.map(|tip| &tip.id), &entry).await {
        Ok(_) => Ok(true),
        Err(AppendError::Lost { .. }) => Ok(false),
        Err(AppendError::Port(error)) => Err(error.into()),
    }
}

fn unreadable(journal: &str, source: DocumentError) -> LockError {
    LockError::Unreadable { journal: journal.to_owned(), source }
}

#[cfg(test)]
mod tests;
