//! What people can tell a running rollout.

use tagship_domain::{
    event::Command,
    rollout::{Observation, Phase, Reason, RolloutState},
};

use super::transition::Judgement;

/// An abort, where someone asked for one and it is not on its way back already. The other commands start rollouts
/// and mean nothing to a running one.
pub(super) fn abort(state: &RolloutState, observation: &Observation) -> Option<Judgement> {
    if state.phase == Phase::RollingBack {
        return None;
    }
    let command = observation.commands.iter().find(|asked| asked.command == Command::Abort)?;
    Some(Judgement::Bad(Reason::ManualAbort, format!("{} stopped it", command.by.actor)))
}
