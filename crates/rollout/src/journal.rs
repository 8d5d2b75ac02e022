//! A rollout as journal entries, and back.
//!
//! An entry holds `rollout.json`, the whole state, and `measurements.jsonl`, the looks since the entry before. Its
//! message tells the story: one readable line, then the state's own sentence.

use std::fmt::Write as _;

use tagship_domain::{
    Environment, ModelName, Timestamp,
    rollout::{Kind, Look, Phase, RolloutState},
    schema::{self, DocumentError},
    traffic::Weight,
};
use tagship_ports::{
    journal_ref::part,
    state_store::{Entry, Files, NewEntry},
};

/// File of the state.
const STATE: &str = "rollout.json";
/// File of the looks, one per line.
pub(crate) const LOOKS: &str = "measurements.jsonl";

/// Trailer that names the run which wrote an entry.
const RUN: &str = "Tagship-Run";

/// Why an entry is no rollout that this build can read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The entry has no state.
    #[error("entry {entry} has no readable {STATE}; another program may write to this journal")]
    NoState {
        /// Id of the entry.
        entry: String,
    },
    /// The state is of another version, or broken.
    #[error("entry {entry}: {source}; use the tagship version that wrote it")]
    Unreadable {
        /// Id of the entry.
        entry: String,
        /// What the reader met.
        source: DocumentError,
    },
    /// The state is about something else: another program wrote to this journal.
    #[error("it holds a rollout of {found}, not of {expected}")]
    Foreign {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// A state could not be written as JSON.
    #[error("write the state: {0}")]
    Unwritable(DocumentError),
}

/// Path of all journals of rollouts.
pub const ROLLOUTS: &str = "rollouts";

/// Name of the journal of an environment and model. A `/` inside either becomes `+`, which no name holds, so that
/// every journal has one reading and none lies below another.
pub fn journal_name(environment: &Environment, model: &ModelName) -> String {
    format!("{ROLLOUTS}/{}/{}", part(environment.as_str()), part(model.as_str()))
}

/// Where a journal of a rollout belongs, by its name; absent for a name that [`journal_name`] never gives.
pub fn place_of(journal: &str) -> Option<(Environment, ModelName)> {
    let (environment, model) = journal.strip_prefix(ROLLOUTS)?.strip_prefix('/')?.split_once('/')?;
    let name = |part: &str| part.replace('+', "/");
    Some((Environment::new(name(environment)).ok()?, ModelName::new(name(model)).ok()?))
}

/// The state that an entry holds.
///
/// # Errors
/// When the entry was not written by a rollout, or by a newer tagship.
pub fn state_of(entry: &Entry) -> Result<RolloutState, JournalError> {
    let id = || entry.id.short().to_owned();
    let text = entry.files.get(STATE).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| JournalError::NoState { entry: id() })?;
    schema::from_json(text).map_err(|source| JournalError::Unreadable { entry: id(), source })
}

/// The entry that holds a state and the looks that led to it.
///
/// # Errors
/// Never for a state that [`crate::start`] and [`crate::step`] made.
pub fn entry(state: &RolloutState, looks: &[Look], at: Timestamp) -> Result<NewEntry, JournalError> {
    let mut lines = String::new();
    for look in looks {
        lines.push_str(&schema::to_json_line(look).map_err(JournalError::Unwritable)?);
        lines.push('\n');
    }
    let document = schema::to_json(state).map_err(JournalError::Unwritable)?;
    let files = [(STATE, document), (LOOKS, lines)];
    let files: Files = files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect();
    Ok(NewEntry { message: format!("{}\n\n{}\n", headline(state), state.message), files, at })
}

/// The entry with the run that writes it, as a trailer of its message.
pub(crate) fn written_by(mut entry: NewEntry, run: Option<&str>) -> NewEntry {
    if let Some(run) = run {
        let _ = write!(entry.message, "\n{RUN}: {}\n", one_line(run));
    }
    entry
}

/// The run that wrote an entry; absent where the entry does not say. What stands in the state's own sentence does not
/// count, for that may hold anything.
pub(crate) fn run_of(entry: &Entry, state: &RolloutState) -> Option<String> {
    let told = format!("{}\n\n{}", headline(state), state.message);
    let run = entry.message.strip_prefix(told.trim_end())?.trim().strip_prefix(RUN)?.strip_prefix(": ")?;
    (!run.is_empty() && !run.contains('\n')).then(|| run.to_owned())
}

/// One readable line: `production/churn v1.1.0: Progressing, 0% -> 100% (deploy by alice)`.
pub fn headline(state: &RolloutState) -> String {
    let RolloutState { environment, model, candidate, phase, by, .. } = state;
    let kind = match state.kind {
        Kind::Deploy => "deploy",
        Kind::Rollback => "rollback",
    };
    let actor = one_line(&by.actor);
    format!("{environment}/{model} {}: {phase}, {} ({kind} by {actor})", candidate.version, standing(state))
}

/// What is special about this entry of its phase.
fn standing(state: &RolloutState) -> String {
    let (applied, desired) = (state.weight.applied, state.weight.desired);
    if state.is_settled() {
        return "all done".to_owned();
    }
    match state.phase {
        Phase::Pending => "holds the lock".to_owned(),
        Phase::Validating if crate::step::is_prepared(state) => "loaded without traffic".to_owned(),
        Phase::Validating => "loading".to_owned(),
        Phase::Failed | Phase::RolledBack | Phase::RollbackFailed | Phase::Superseded => {
            state.reason.to_string()
        }
        Phase::Paused | Phase::Waiting => format!("{} at {applied}", state.reason),
        _ => format!("{}{}", step(state), share(applied, desired)),
    }
}

/// Which step of a canary runs, where one does.
fn step(state: &RolloutState) -> String {
    let count = state.plan.steps().len();
    if state.phase == Phase::Progressing && state.step < count {
        format!("step {} of {count}, ", state.step + 1)
    } else {
        String::new()
    }
}

fn share(applied: Weight, desired: Weight) -> String {
    if applied == desired { applied.to_string() } else { format!("{applied} -> {desired}") }
}

/// A name in one line, whatever someone put into it.
pub(crate) fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
