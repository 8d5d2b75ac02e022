//! What an order comes to that Tagship does not carry out: whether Flagger has done it, is at it, or will not.

use tagship_domain::{Digest, Duration, Version, traffic::Weight};
use tagship_ports::{PortError, Problem, target::Done};

use super::view::{Standing, View};

/// How much younger than the template the first failure must be that is believed: the failure of the version before may be written
/// just after the template has come, and clocks differ. Flagger looks every ten seconds at most, and fails no version at its first look.
const PATIENCE: Duration = Duration::from_secs(30);

/// Done when Flagger has taken a version up.
pub(super) fn take_up(operation: &str, view: &View, version: &Version) -> Result<Done, PortError> {
    match view.standing(version, PATIENCE) {
        Standing::Promoted => Ok(Done::AlreadyThere),
        Standing::Tried => Ok(Done::Applied),
        Standing::Failed => Err(failed(operation, view).hint(
            "it may have had a share before Tagship looked first; revert the commit, or ship another version",
        )),
        Standing::Untouched => Err(untouched(operation, view, version)),
        Standing::Elsewhere => {
            Err(later(operation, format!("{}, and {version} is waited for", view.tried.story())))
        }
    }
}

/// Done when Flagger has promoted a version.
pub(super) fn follow(operation: &str, view: &View, version: &Version) -> Result<Done, PortError> {
    match view.standing(version, Duration::default()) {
        Standing::Promoted => Ok(Done::AlreadyThere),
        Standing::Tried => Err(later(operation, view.canary.story())),
        Standing::Failed => Err(failed(operation, view)),
        Standing::Untouched => Err(untouched(operation, view, version)),
        Standing::Elsewhere if view.tried.mark == view.primary.mark => {
            let message = format!("{} again: the change was taken back", view.tried.story());
            Err(PortError::new(Problem::Conflict, operation, message))
        }
        Standing::Elsewhere => Err(superseded(operation, view.tried.story())),
    }
}

/// Done when all traffic is with `to` again. `candidate`: the version that was tried.
pub(super) fn back(
    operation: &str,
    view: &View,
    to: Option<&Version>,
    candidate: Option<&Digest>,
) -> Result<Done, PortError> {
    let (tried, primary) = (view.tried.mark.as_ref(), view.primary.mark.as_ref());
    let is_candidate = |digest: &Digest| candidate.is_none_or(|candidate| candidate == digest);
    match (primary, to) {
        (Some(primary), Some(to)) if primary.version == *to => {}
        (Some(primary), _) if is_candidate(&primary.digest) => {
            let message =
                format!("{}: Flagger has promoted {} meanwhile", view.canary.story(), primary.version);
            return Err(PortError::new(Problem::Conflict, operation, message).hint(format!(
                "revert the commit and have going back tried again; or keep it: `tagship unlock`, then `tagship rollout \
                 --version {} --retry` records it",
                primary.version
            )));
        }
        (Some(_), _) => return Err(superseded(operation, view.primary.story())),
        (None, Some(to)) => {
            let message = format!("whether {to} serves is not known: {}", view.primary.story());
            return Err(PortError::new(Problem::Conflict, operation, message).hint(
                "write the annotations of what serves into the pod template, so that Flagger hands them on",
            ));
        }
        (None, None) => {}
    }
    if !view.canary.phase.runs() || tried == primary {
        return Ok(Done::AlreadyThere);
    }
    if tried.is_some_and(|tried| is_candidate(&tried.digest)) {
        let message = format!("Flagger is still at it; {}", view.canary.story());
        return Err(
            later(operation, message).hint("revert the commit, so that Flagger goes back to what served")
        );
    }
    Err(superseded(operation, view.tried.story()))
}

/// Done when a version has no traffic: Flagger unloads what it does not need.
pub(super) fn unload(operation: &str, view: &View, version: &Version) -> Result<Done, PortError> {
    let state = view.state(operation)?;
    match state.arm(version).filter(|arm| arm.weight > Weight::NONE) {
        None => Ok(Done::AlreadyThere),
        Some(arm) => {
            let message = format!("{version} has {} of the traffic", arm.weight);
            Err(PortError::new(Problem::Conflict, operation, message))
        }
    }
}

fn untouched(operation: &str, view: &View, version: &Version) -> PortError {
    later(operation, format!("Flagger has not taken {version} up yet; {}", view.canary.story()))
}

/// It may still come.
fn later(operation: &str, message: String) -> PortError {
    PortError::new(Problem::Unreachable, operation, message)
}

fn failed(operation: &str, view: &View) -> PortError {
    PortError::new(Problem::Conflict, operation, view.canary.story())
}

fn superseded(operation: &str, story: String) -> PortError {
    PortError::new(Problem::Superseded, operation, story)
}
