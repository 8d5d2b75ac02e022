//! What an order means for what there is: at most one write, and what is remembered with it. Pure.
//!
//! The way back takes four steps, for a share belongs to the newest revision that is *ready*: the newest gets nothing; the
//! stable address is written while it still gets nothing; once that is ready it gets everything; the share is dropped.

use serde_json::{Value, json};
use tagship_domain::Version;
use tagship_ports::{PortError, Problem, target::Done};

use super::{
    manifest::VISIBILITY,
    memory::{Known, Memory},
    view::View,
};
use crate::merge::difference;

/// A write to the `InferenceService`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Write {
    Create(Value),
    /// A merge that puts another version in the place of the newest.
    Replace(Value),
    /// A merge that loads nothing.
    Change(Value),
    Delete,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Move {
    pub(super) memory: Memory,
    pub(super) write: Option<Write>,
    pub(super) done: Done,
}

pub(super) type Decided = Result<Move, PortError>;

impl Move {
    /// Nothing is written but what is remembered.
    pub(super) fn none(memory: Memory, done: Done) -> Self {
        Self { memory, write: None, done }
    }

    pub(super) fn change(memory: Memory, change: Value, done: Done) -> Self {
        Self { memory, write: Some(Write::Change(change)), done }
    }
}

/// A share for the newest version, or none any more.
pub(super) fn share(percent: Option<u8>) -> Value {
    json!({ "spec": { "predictor": { "canaryTrafficPercent": percent } } })
}

pub(super) fn refused(problem: Problem, operation: &str, message: String) -> PortError {
    PortError::new(problem, operation, message)
}

pub(super) fn loaded<'a>(operation: &str, view: &'a View, version: &Version) -> Result<&'a Known, PortError> {
    let known = view.memory.versions.get(version);
    known.ok_or_else(|| refused(Problem::NotFound, operation, format!("{version} is not loaded")))
}

/// Makes a version stable.
pub(super) fn promote(operation: &str, view: &View, version: &Version) -> Decided {
    loaded(operation, view, version)?;
    let mut memory = view.memory.clone();
    memory.stable = Some(version.clone());
    lead(operation, view, memory, version)
}

/// Gives everything back.
pub(super) fn rollback(operation: &str, view: &View, to: Option<&Version>) -> Decided {
    let mut memory = view.memory.clone();
    let Some(to) = to else {
        // What is remembered goes with the InferenceService, and not before.
        let write = view.service.as_ref().map(|_| Write::Delete);
        let done = if write.is_some() { Done::Applied } else { Done::AlreadyThere };
        return Ok(Move { memory, write, done });
    };
    loaded(operation, view, to)?;
    memory.stable = Some(to.clone());
    lead(operation, view, memory, to)
}

/// Leads all traffic to a version.
pub(super) fn lead(operation: &str, view: &View, memory: Memory, version: &Version) -> Decided {
    if !view.is_newest(version) {
        return back(operation, view, memory, version);
    }
    let Some(service) = &view.service else { return Ok(Move::none(memory, Done::Pending)) };
    let has_all = view.share(version) == Some(100);
    if let Some(why) = view.failure() {
        // It has everything by the revision that was kept, or nobody else could: there is no better place for the traffic.
        let is_kept = has_all && matches!(service.percent, None | Some(0));
        return if is_kept {
            Ok(Move::none(memory, Done::AlreadyThere))
        } else {
            Err(refused(Problem::Invalid, operation, why.to_owned()))
        };
    }
    if service.hidden && !view.is_newest_ready() {
        return Ok(Move::none(memory, Done::Pending));
    }
    if service.hidden {
        let shown = json!({ "metadata": { "labels": { VISIBILITY: null } } });
        return Ok(Move::change(memory, shown, Done::Pending));
    }
    match service.percent {
        // Whatever is the newest that is ready would get everything.
        Some(percent) if percent < 100 && !view.is_newest_ready() => Ok(Move::none(memory, Done::Pending)),
        Some(percent) if percent < 100 => Ok(Move::change(memory, share(Some(100)), Done::Pending)),
        Some(_) if has_all && view.is_at_rest() => Ok(Move::change(memory, share(None), Done::Applied)),
        None if has_all => Ok(Move::none(memory, Done::AlreadyThere)),
        _ => Ok(Move::none(memory, Done::Pending)),
    }
}

/// Leads all traffic back to a version that is not the newest.
fn back(operation: &str, view: &View, memory: Memory, version: &Version) -> Decided {
    let known = loaded(operation, view, version)?.clone();
    let Some(service) = &view.service else { return Ok(Move::none(memory, Done::Pending)) };
    let revision = known.revision.as_deref();
    let is = |place: &Option<String>| revision.is_some() && place.as_deref() == revision;
    // At rest, a share alone lets the version before keep the rest; that works once.
    let is_before = is(&service.previous) && view.is_at_rest();
    if is(&service.rolled_out) || is_before {
        match service.percent {
            // The stable address is written only once the newest has nothing.
            Some(0) if view.share(version) == Some(100) => {}
            Some(0) => return Ok(Move::none(memory, Done::Pending)),
            _ => return Ok(Move::change(memory, share(Some(0)), Done::Pending)),
        }
    }
    // A revision that is still to come would be taken for one of this version. Where this has everything, nobody waits for it.
    if view.newest().is_some() && view.newest_revision().is_none() && view.failure().is_none() {
        let is_back = service.percent == Some(0) && view.share(version) == Some(100);
        return Ok(Move::none(memory, if is_back { Done::AlreadyThere } else { Done::Pending }));
    }
    Ok(replace(view, memory, version, &known))
}

/// Puts a version in the place of the newest; it gets nothing, where somebody has the traffic.
pub(super) fn replace(view: &View, mut memory: Memory, version: &Version, known: &Known) -> Move {
    let service = view.service.as_ref();
    let created = service.and_then(|service| service.created.clone());
    let mut before = Value::Null;
    if let Some((newest, there)) = view.newest() {
        before = there.predictor.clone();
        // One that keeps the rest is known by the revision that does.
        let keeps =
            there.revision.is_some() && service.is_some_and(|service| service.rolled_out == there.revision);
        let revision = view.newest_revision().filter(|_| !keeps).map(str::to_owned);
        if let Some(there) = memory.versions.get_mut(newest).filter(|_| revision.is_some()) {
            there.revision = revision;
        }
    }
    let mut predictor = difference(&before, &known.predictor);
    let is_kept = service.is_some_and(|service| service.rolled_out.is_some());
    predictor["canaryTrafficPercent"] = if is_kept { json!(0) } else { Value::Null };
    let revision = memory.versions.get(version).and_then(|there| there.revision.clone());
    memory.versions.insert(version.clone(), Known { since: created, revision, ..known.clone() });
    let change = json!({ "spec": { "predictor": predictor } });
    Move { memory, write: Some(Write::Replace(change)), done: Done::Pending }
}
