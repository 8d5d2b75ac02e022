//! How far a candidate had come when it was stopped: at which share of traffic, after how many requests.

use tagship_domain::{
    analysis::MetricKind,
    plan::Step,
    rollout::{Phase, RolloutState},
    series::MetricSeries,
    traffic::Weight,
};

use crate::measure;

/// One sentence about a candidate that is or was taken back; absent where it never had traffic, or nobody knows.
pub(crate) fn exposure(state: &RolloutState, series: &[MetricSeries]) -> Option<String> {
    if !matches!(
        state.phase,
        Phase::RollingBack | Phase::RolledBack | Phase::RollbackFailed | Phase::Superseded
    ) {
        return None;
    }
    let share = stopped_at(state, series).filter(|weight| *weight > Weight::NONE);
    let version = &state.candidate.version;
    let answered = requests(state)
        .map(|requests| format!("{version} had answered {} requests", measure::count(requests)));
    let count = state.plan.steps().len();
    let step =
        if state.step < count { format!(" (step {} of {count})", state.step + 1) } else { String::new() };
    match (share, answered) {
        (Some(share), Some(answered)) => {
            Some(format!("Stopped at {share} of the traffic{step}, after {answered}"))
        }
        (Some(share), None) => Some(format!("Stopped at {share} of the traffic{step}")),
        (None, Some(answered)) => Some(format!("Stopped after {answered}")),
        (None, None) => None,
    }
}

/// The share of traffic at the newest look, else what the plan says about the step that ran.
fn stopped_at(state: &RolloutState, series: &[MetricSeries]) -> Option<Weight> {
    let last = series.iter().filter_map(|series| series.points.last());
    let seen = last.max_by_key(|point| point.at).and_then(|point| point.weight);
    seen.or_else(|| {
        let reached = state.plan.steps().iter().take(state.step + 1);
        state.settled.and(reached.rev().find_map(|step| match step {
            Step::SetWeight(weight) => Some(*weight),
            Step::Mirror(_) | Step::Pause(_) => None,
        }))
    })
}

/// Requests that the candidate answered up to the newest look: as a metric over requests counted them, else as the
/// target counted them.
fn requests(state: &RolloutState) -> Option<u64> {
    let metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let over_requests =
        metrics.filter(|metric| matches!(metric.kind, MetricKind::ErrorRatio | MetricKind::Latency));
    let measured = over_requests.filter_map(|metric| state.judges.get(&metric.name)?.measurement.as_ref());
    let counted =
        || state.looked.as_ref()?.counters.get(&state.candidate.version).map(|counters| counters.requests);
    measured.map(|numbers| numbers.n[1]).max().or_else(counted).filter(|requests| *requests > 0)
}
