//! What an order means in Standard mode. Pure.
//!
//! The stable version is the predictor and the candidate a canary beside it, with pods of its own. Both stay until one is unloaded:
//! so a promotion and the way back are each a share, and start no pod. Unloading the stable one puts the canary in its place.
//!
//! A canary is refused its first share unless the route carries its share of nothing: otherwise nobody would split the traffic,
//! whatever the status says.

use serde_json::{Value, json};
use tagship_domain::{Version, traffic::Weight};
use tagship_ports::{PortError, Problem, target::Done};

use super::{
    load::refuse_busy,
    manifest::{INSIDE, VISIBILITY},
    memory::{Known, Memory},
    moves::{Decided, Move, Write, loaded, refused},
    split::{Canary, PATIENCE},
    view::View,
};
use crate::{digests::refuse_other_bytes, merge::difference};

/// Loads a version as the canary, without traffic. `service` is the `InferenceService` of it.
pub(super) fn prepare(
    operation: &str,
    view: &View,
    version: &Version,
    known: &Known,
    service: &Value,
) -> Decided {
    refuse_other_bytes(operation, view.memory.digests(), version, &known.digest)?;
    if view.memory.versions.contains_key(version) {
        return loading(operation, view, version);
    }
    let mut memory = view.memory.clone();
    (memory.unlisted, memory.proven, memory.before) = (None, None, 0);
    memory.versions.insert(version.clone(), known.clone());
    if view.service.is_none() {
        return Ok(Move { memory, write: Some(Write::Create(service.clone())), done: Done::Pending });
    }
    if let Some((other, _)) = view.canary() {
        let message = format!("{other} is loaded beside the stable version, and there is room for one");
        return Err(refused(Problem::Conflict, operation, message).hint("unload it first"));
    }
    let Some(stable) = view.memory.stable.as_ref() else {
        let message = "a version is loaded that was never made stable".to_owned();
        return Err(refused(Problem::Conflict, operation, message).hint("unload it first"));
    };
    if view.share(stable) != Some(100) {
        let message = format!("{stable} does not yet have all traffic");
        return Err(refused(Problem::Unreachable, operation, message));
    }
    let change = canary(&known.predictor, 0);
    Ok(Move { memory, write: Some(Write::Replace(change)), done: Done::Pending })
}

/// How far a version is.
fn loading(operation: &str, view: &View, version: &Version) -> Decided {
    if let Some(why) = view.failure_of(version) {
        return Err(refused(Problem::Invalid, operation, why.to_owned()));
    }
    let mut memory = view.memory.clone();
    if view.is_ready(version) {
        (memory.unlisted, memory.proven) = (None, Some(version.clone()));
        return Ok(Move::none(memory, Done::AlreadyThere));
    }
    let Some(split) = view.split.as_ref().filter(|split| view.is_unsplit(split, version)) else {
        memory.unlisted = None;
        return Ok(Move::none(memory, Done::Pending));
    };
    // The route is written after the status; whoever looks often, or beside another run, waits as long as anybody else.
    // A time that is still to come is of a machine whose clock is ahead.
    let since = memory.unlisted.filter(|since| *since <= split.now).unwrap_or(split.now);
    memory.unlisted = Some(since);
    if split.now.since(since) < PATIENCE {
        return Ok(Move::none(memory, Done::Pending));
    }
    let message = format!(
        "KServe calls the canary {version} ready, but after {PATIENCE} no HTTPRoute carries its share: its traffic would be split by nobody, \
         whatever the status says (kserve/kserve#4074, #5335)"
    );
    Err(refused(Problem::Unsupported, operation, message).hint(
        "use target gateway-api, or `mode: knative`; or a KServe whose routes carry canaries, with `enableGatewayApi: true`",
    ))
}

/// The canary, as a merge writes it.
fn canary(predictor: &Value, percent: u8) -> Value {
    json!({ "spec": { "canary": [{ "trafficPercent": percent, "predictor": predictor }] } })
}

/// Gives a version this share.
pub(super) fn set_weight(operation: &str, view: &View, version: &Version, weight: Weight) -> Decided {
    loaded(operation, view, version)?;
    let memory = view.memory.clone();
    let wanted = weight.get();
    let other = memory.stable.clone().filter(|stable| stable != version);
    if other.is_none() && weight == Weight::ALL {
        return lead(operation, view, memory, version);
    }
    let Some(there) = view.canary().filter(|(there, _)| *there == version).map(|(_, canary)| canary) else {
        return alone(operation, view, version, weight);
    };
    if there.percent == wanted {
        let is_in_force = view.share(version) == Some(wanted);
        return Ok(Move::none(memory, if is_in_force { Done::AlreadyThere } else { Done::Pending }));
    }
    refuse_unready(operation, view, version, wanted)?;
    Ok(shared(memory, version, there, wanted))
}

/// Another share of the canary.
fn shared(mut memory: Memory, version: &Version, there: &Canary, percent: u8) -> Move {
    (memory.before, memory.proven) = (there.percent, Some(version.clone()));
    Move::change(memory, canary(&there.predictor, percent), Done::Pending)
}

/// A share of the predictor itself: only nothing, before it was ever given traffic.
fn alone(operation: &str, view: &View, version: &Version, weight: Weight) -> Decided {
    let is_hidden = view.service.as_ref().is_some_and(|service| service.hidden);
    if weight == Weight::NONE && is_hidden {
        return Ok(Move::none(view.memory.clone(), Done::AlreadyThere));
    }
    if weight == Weight::NONE && view.memory.stable.is_none() {
        let change = json!({ "metadata": { "labels": { VISIBILITY: INSIDE } } });
        return Ok(Move::change(view.memory.clone(), change, Done::Pending));
    }
    let message = format!("{version} is the one that keeps the rest: shares are the canary's");
    Err(refused(Problem::Unsupported, operation, message))
}

fn refuse_unready(operation: &str, view: &View, version: &Version, wanted: u8) -> Result<(), PortError> {
    if wanted <= view.wanted(version) || view.is_ready(version) {
        return Ok(());
    }
    if let Some(why) = view.failure_of(version) {
        return Err(refused(Problem::Invalid, operation, why.to_owned()));
    }
    let message = format!("{version} is not ready to take {wanted}% of the traffic");
    Err(refused(Problem::Unreachable, operation, message))
}

/// Makes a version stable.
pub(super) fn promote(operation: &str, view: &View, version: &Version) -> Decided {
    loaded(operation, view, version)?;
    let mut memory = view.memory.clone();
    memory.stable = Some(version.clone());
    lead(operation, view, memory, version)
}

/// Leads all traffic to a version.
pub(super) fn lead(operation: &str, view: &View, mut memory: Memory, version: &Version) -> Decided {
    loaded(operation, view, version)?;
    let Some(service) = &view.service else { return Ok(Move::none(memory, Done::Pending)) };
    if service.hidden {
        if !view.is_ready(version) {
            return Ok(Move::none(memory, Done::Pending));
        }
        memory.shown = view.split.as_ref().map(|split| split.now);
        let shown = json!({ "metadata": { "labels": { VISIBILITY: null } } });
        return Ok(Move::change(memory, shown, Done::Pending));
    }
    let canaries = view.canary();
    let wanted = if canaries.is_some_and(|(there, _)| there == version) { 100 } else { 0 };
    match canaries {
        Some((canary, there)) if there.percent != wanted => {
            if wanted == 100 {
                refuse_unready(operation, view, version, wanted)?;
            }
            Ok(shared(memory, canary, there, wanted))
        }
        _ if view.share(version) == Some(100) => Ok(Move::none(memory, Done::AlreadyThere)),
        _ => Ok(Move::none(memory, Done::Pending)),
    }
}

/// Unloads a version.
pub(super) fn cleanup(operation: &str, view: &View, version: &Version) -> Decided {
    // Remembered until the spec no longer has it: the notebook is written first, and the write of the spec may be lost.
    let memory = view.memory.clone();
    if !memory.versions.contains_key(version) {
        return Ok(Move::none(memory, Done::AlreadyThere));
    }
    refuse_busy(operation, view, version)?;
    let none = json!({ "spec": { "canary": null } });
    match (view.canary(), view.newest()) {
        (Some((there, _)), _) if there == version => Ok(Move::change(memory, none, Done::Applied)),
        (Some((there, canary)), Some((_, known))) => {
            // Pods keep running under their name: the canary becomes the predictor in one write.
            if view.share(there) != Some(100) {
                let message = format!("{there} does not yet have all traffic, so that it could stay alone");
                return Err(refused(Problem::Unreachable, operation, message));
            }
            let mut change = none;
            change["spec"]["predictor"] = difference(&known.predictor, &canary.predictor);
            Ok(Move { memory, write: Some(Write::Replace(change)), done: Done::Applied })
        }
        _ => Ok(Move { memory, write: Some(Write::Delete), done: Done::Applied }),
    }
}
