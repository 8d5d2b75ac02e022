//! The time of a look. Runs come from machines whose clocks need not agree, so a rollout goes by the latest time that
//! anyone who led it has seen: by a clock that is behind, time stands still until it has caught up, and what has to be held
//! is held longer, never shorter. A clock that is ahead cannot be told from time that has passed.

use tagship_domain::{Timestamp, rollout::RolloutState};
use tagship_ports::Clock;

/// What the clock says, but never before what the state has seen.
pub(crate) fn moment(clock: &dyn Clock, state: &RolloutState) -> Timestamp {
    let looked = state.looked.as_ref().map(|looked| looked.at);
    let seen = [state.settled, looked].into_iter().flatten();
    seen.fold(clock.now().max(state.since), Timestamp::max)
}
