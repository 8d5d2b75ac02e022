//! Judges recorded looks one after the other.

use std::collections::BTreeMap;

use tagship_domain::{
    Timestamp,
    analysis::{AnalysisDecision, AnalysisLook, JudgeState, MetricPhase, MetricReading, Seen},
    time::TimeError,
};

use super::{Policy, Recording};
use crate::analysis::{Standing, look};

/// What the analysis says after each look, up to the one that promotes or rolls back: a rollout looks no further, so
/// nothing can be said about what would have followed. Where the recording ends undecided, the last look is
/// inconclusive, and so is every metric that is not decided by then.
///
/// # Errors
/// For a time that no calendar has.
pub fn replay(policy: &Policy, recording: &Recording) -> Result<Vec<AnalysisLook>, TimeError> {
    let mut judges = BTreeMap::new();
    let mut said = vec![];
    let mut newest: Option<i64> = None;
    for recorded in &recording.looks {
        let at = milliseconds(recorded.t, newest);
        newest = Some(at);
        let seen = recorded
            .windows
            .iter()
            .map(|(name, window)| (name.clone(), Seen::Window(window.clone())))
            .collect();
        let at = Timestamp::from_millis(at)?;
        let standing = look(&policy.analysis, |metric| policy.against(metric), &mut judges, &seen, at);
        let decision = decision(&standing);
        said.push(AnalysisLook { t: recorded.t, metrics: readings(policy, &judges), decision });
        if matches!(decision, AnalysisDecision::Promote | AnalysisDecision::Rollback) {
            return Ok(said);
        }
    }
    if let Some(last) = said.last_mut() {
        last.decision = AnalysisDecision::Inconclusive;
        for metric in &mut last.metrics {
            if matches!(metric.phase, MetricPhase::Running | MetricPhase::Pending) {
                metric.phase = MetricPhase::Inconclusive;
            }
        }
    }
    Ok(said)
}

/// Looks that lie closer together than a millisecond are told apart by one.
#[expect(clippy::cast_possible_truncation, reason = "a recording's times are below 1e11 seconds")]
fn milliseconds(t: f64, newest: Option<i64>) -> i64 {
    let at = (t * 1e3).round() as i64;
    newest.map_or(at, |newest| at.max(newest + 1))
}

fn decision(standing: &Standing) -> AnalysisDecision {
    match standing {
        Standing::Continue(_) => AnalysisDecision::Continue,
        Standing::Promote(_) => AnalysisDecision::Promote,
        Standing::Rollback { .. } => AnalysisDecision::Rollback,
        Standing::Inconclusive { .. } => AnalysisDecision::Inconclusive,
    }
}

fn readings(policy: &Policy, judges: &BTreeMap<String, JudgeState>) -> Vec<MetricReading> {
    let reading = |name: &str| {
        let judge = judges.get(name)?;
        Some(judge.measurement.clone().unwrap_or_default().named(name, judge))
    };
    policy.analysis.names().filter_map(reading).collect()
}
