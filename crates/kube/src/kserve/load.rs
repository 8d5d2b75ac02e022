//! Loading a version as the newest, and unloading one. Pure.

use serde_json::Value;
use tagship_domain::Version;
use tagship_ports::{PortError, Problem, target::Done};

use super::{
    memory::{Known, Memory},
    moves::{Decided, Move, Write, lead, loaded, refused, replace},
    view::View,
    weight::refuse_other_keeper,
};
use crate::digests::refuse_other_bytes;

/// Loads a version as the newest, without traffic. `service` is the `InferenceService` of it.
pub(super) fn prepare(
    operation: &str,
    view: &View,
    version: &Version,
    known: &Known,
    service: &Value,
) -> Decided {
    refuse_other_bytes(operation, view.memory.digests(), version, &known.digest)?;
    if view.is_newest(version) {
        return loading(operation, view, version);
    }
    let Some(there) = &view.service else {
        let mut memory = view.memory.clone();
        memory.versions.insert(version.clone(), known.clone());
        return Ok(Move { memory, write: Some(Write::Create(service.clone())), done: Done::Pending });
    };
    let Some(stable) = view.memory.stable.as_ref() else {
        let message = "a version is loaded that was never made stable".to_owned();
        return Err(refused(Problem::Conflict, operation, message).hint("unload it first"));
    };
    // Whoever keeps the rest must be known before there is a rest.
    let is_kept = view.is_at_rest() && there.percent.is_none_or(|percent| percent == 100)
        || there.percent == Some(0) && view.share(stable) == Some(100) && view.newest_revision().is_some();
    if view.share(stable) != Some(100) || !is_kept {
        let message = format!(
            "{stable} does not yet have all traffic at rest, so that nobody would keep the rest of it"
        );
        return Err(refused(Problem::Unreachable, operation, message));
    }
    Ok(replace(view, view.memory.clone(), version, known))
}

/// How far the newest version is.
fn loading(operation: &str, view: &View, version: &Version) -> Decided {
    if let Some(why) = view.failure() {
        return Err(refused(Problem::Invalid, operation, why.to_owned()));
    }
    refuse_other_keeper(operation, view, version)?;
    let done = if view.is_newest_ready() { Done::AlreadyThere } else { Done::Pending };
    Ok(Move::none(view.memory.clone(), done))
}

/// Unloads a version. The newest one makes room for the stable one, as on the way back; what is left of that is done by whichever
/// order comes next, for the revision that was kept has everything meanwhile.
pub(super) fn cleanup(operation: &str, view: &View, version: &Version) -> Decided {
    let mut memory = view.memory.clone();
    if !memory.versions.contains_key(version) {
        return Ok(settle(operation, view, memory, Done::AlreadyThere));
    }
    refuse_busy(operation, view, version)?;
    if !view.is_newest(version) {
        memory.versions.remove(version);
        return Ok(settle(operation, view, memory, Done::Applied));
    }
    let Some(stable) = memory.stable.clone().filter(|stable| stable != version) else {
        return Ok(Move { memory, write: Some(Write::Delete), done: Done::Applied });
    };
    if view.newest_revision().is_none() && view.failure().is_none() {
        return Ok(Move::none(memory, Done::Pending));
    }
    let known = loaded(operation, view, &stable)?;
    Ok(replace(view, view.memory.clone(), &stable, known))
}

/// Goes on to where no share is written any more, as far as that is possible now.
fn settle(operation: &str, view: &View, memory: Memory, done: Done) -> Move {
    let Some(stable) = memory.stable.clone().filter(|stable| view.is_newest(stable)) else {
        return Move::none(memory, done);
    };
    let led = lead(operation, view, memory.clone(), &stable).unwrap_or_else(|_| Move::none(memory, done));
    let done = if led.write.is_some() { Done::Applied } else { done };
    Move { done, ..led }
}

/// Refuses to unload a version that has traffic, or may still have.
pub(super) fn refuse_busy(operation: &str, view: &View, version: &Version) -> Result<(), PortError> {
    match (view.wanted(version), view.share(version)) {
        (0, Some(0)) => Ok(()),
        (0, had) => {
            let had = had.map_or_else(|| "its share".to_owned(), |had| format!("its {had}%"));
            let message = format!("KServe has not yet confirmed that {version} lost {had} of the traffic");
            Err(refused(Problem::Unreachable, operation, message))
        }
        (has, _) => {
            Err(refused(Problem::Conflict, operation, format!("{version} has {has}% of the traffic")))
        }
    }
}
