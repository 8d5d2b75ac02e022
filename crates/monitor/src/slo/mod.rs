//! Objectives: burn rates over several windows for shares of requests, and bounds for values.
//!
//! Multi-window, multi-burn-rate alerts as in chapter 5 of Google's "The Site Reliability Workbook" (2018). What has no data is
//! a state of its own, and nothing that could not be judged is kept.

mod burn;
mod limit;
#[cfg(test)]
mod tests;

use tagship_domain::slo::{ObjectiveReport, SloState};

pub use burn::{BURN_RULES, BurnRule, LEAST_EVENTS, Look, Seen, Share, instants, judge as judge_share};
pub use limit::{Limit, Missed, judge as judge_values};

/// Whether all objectives are kept.
#[must_use]
pub fn together(objectives: &[ObjectiveReport]) -> Option<bool> {
    if objectives.iter().any(|objective| objective.state == SloState::Burning) {
        return Some(false);
    }
    let kept = objectives.iter().all(|objective| objective.state == SloState::Kept);
    (kept && !objectives.is_empty()).then_some(true)
}
