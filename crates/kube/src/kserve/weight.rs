//! Giving a version a share. Pure.

use serde_json::json;
use tagship_domain::{Version, traffic::Weight};
use tagship_ports::{PortError, Problem, target::Done};

use super::{
    manifest::{INSIDE, VISIBILITY},
    moves::{Decided, Move, lead, loaded, refused, share},
    view::View,
};

/// Gives a version this share.
pub(super) fn set_weight(operation: &str, view: &View, version: &Version, weight: Weight) -> Decided {
    loaded(operation, view, version)?;
    let memory = view.memory.clone();
    let wanted = weight.get();
    if wanted > view.wanted(version) && !view.is_ready(version) {
        if let Some(why) = view.failure().filter(|_| view.is_newest(version)) {
            return Err(refused(Problem::Invalid, operation, why.to_owned()));
        }
        let message = format!("{version} is not ready to take {wanted}% of the traffic");
        return Err(refused(Problem::Unreachable, operation, message));
    }
    let Some(stable) = memory.stable.clone().filter(|stable| stable != version) else {
        return alone(operation, view, version, weight);
    };
    if view.wanted(version) == wanted && (wanted == 0 || view.is_newest(version)) {
        refuse_other_keeper(operation, view, version)?;
        let in_force = view.share(version) == Some(wanted) && view.share(&stable) == Some(100 - wanted);
        return Ok(Move::none(memory, if in_force { Done::AlreadyThere } else { Done::Pending }));
    }
    if !view.is_newest(version) {
        let message =
            format!("{version} is no longer the newest version, and KServe shares traffic with that alone");
        return Err(refused(Problem::Conflict, operation, message).hint("prepare it again"));
    }
    refuse_other_keeper(operation, view, version)?;
    let keeper = view.service.as_ref().and_then(|service| service.rolled_out.as_deref());
    if keeper == view.newest_revision() && weight != Weight::ALL {
        let message = format!(
            "{version} has all traffic already, and KServe would lead the rest to the version before"
        );
        return Err(refused(Problem::Conflict, operation, message).hint("roll back instead"));
    }
    Ok(Move::change(memory, share(Some(wanted)), Done::Pending))
}

/// A share of the only version that counts: all or nothing.
fn alone(operation: &str, view: &View, version: &Version, weight: Weight) -> Decided {
    let is_hidden = view.service.as_ref().is_some_and(|service| service.hidden);
    match weight {
        Weight::NONE if is_hidden => Ok(Move::none(view.memory.clone(), Done::AlreadyThere)),
        Weight::NONE if view.memory.stable.is_none() => {
            let change = json!({ "metadata": { "labels": { VISIBILITY: INSIDE } } });
            Ok(Move::change(view.memory.clone(), change, Done::Pending))
        }
        Weight::ALL => lead(operation, view, view.memory.clone(), version),
        _ => {
            let message = "no other version is stable and could keep the rest".to_owned();
            Err(refused(Problem::Unsupported, operation, message))
        }
    }
}

/// `KServe` may lead the rest to the version before the stable one, when it looks before there is a new revision
/// (kserve/kserve#1968, #2130).
pub(super) fn refuse_other_keeper(operation: &str, view: &View, version: &Version) -> Result<(), PortError> {
    let Some(service) = view.service.as_ref().filter(|service| service.percent.is_some()) else {
        return Ok(());
    };
    let stable = view.memory.stable.as_ref().filter(|stable| *stable != version);
    let expected = stable.and_then(|stable| view.memory.versions.get(stable)?.revision.as_deref());
    let Some((stable, expected)) = stable.zip(expected) else { return Ok(()) };
    match service.rolled_out.as_deref() {
        // Everything was given to the version itself.
        found if found == view.newest_revision() => Ok(()),
        Some(found) if found != expected => {
            let message = format!(
                "KServe leads the rest of the traffic to revision {found} instead of {expected}, which is {stable}'s"
            );
            Err(refused(Problem::Conflict, operation, message).hint("roll back; then try again"))
        }
        _ => Ok(()),
    }
}
