//! The phase of one metric: what a look does to it, within its limits.

use std::collections::BTreeMap;

use tagship_domain::{
    Timestamp,
    analysis::{JudgeState, Metric, MetricKind, MetricPhase, OnNoData, Seen, Window},
    evidence::Evidence,
};
use tagship_stats::sequential::{REJECTS, evidence};

use super::{
    Against, horizon,
    judge::{self, Taken},
    kayenta, measure, message, threshold,
};

/// A metric that was not looked at yet.
pub(super) fn pending() -> JudgeState {
    JudgeState::checked(MetricPhase::Pending, 0, "not measured yet".to_owned())
}

/// A person has taken note of what was missing: looks without data and looks that failed to measure count anew.
/// Evidence and failed looks stay.
pub fn resume(judges: &mut BTreeMap<String, JudgeState>) {
    for state in judges.values_mut() {
        state.looks.inconclusive = 0;
        state.looks.consecutive_errors = 0;
        if state.phase == MetricPhase::Inconclusive {
            (state.looks.counted, state.looks.good) = (0, 0);
        }
        if matches!(state.phase, MetricPhase::Inconclusive | MetricPhase::Error) && state.evidence.is_some() {
            state.phase = if state.looks.measured > 0 { MetricPhase::Running } else { MetricPhase::Pending };
        }
    }
    kayenta::resume(judges);
}

/// Adds what was seen in the window that ended at `at`; `part` is the metric's part of the error rate.
pub(super) fn advance(
    state: &mut JudgeState,
    metric: &Metric,
    against: Against,
    part: f64,
    seen: &Seen,
    at: Timestamp,
) {
    let has_ended = horizon::has_ended(state)
        || metric.threshold.as_ref().is_some_and(|conditions| threshold::has_ended(state, conditions));
    let known = state.evidence.get_or_insert(Evidence { since: at, end: at, strongest: 0.0, test: None });
    let is_first = state.looks == <_>::default() && state.phase == MetricPhase::Pending && known.since == at;
    if at <= known.end && !is_first {
        return;
    }
    known.end = at;
    if has_ended {
        return;
    }
    match seen {
        Seen::Error(why) => error(state, metric, why),
        Seen::Window(Window::Values { stable, result }) if metric.kayenta.is_some() => {
            kayenta::take(state, metric, stable.as_ref(), result);
        }
        Seen::Window(Window::Values { stable, result }) if metric.kind == MetricKind::Value => {
            threshold::take(state, metric, stable.as_ref(), result, at);
        }
        Seen::Window(Window::Labelled(labelled)) if metric.kind == MetricKind::Score => {
            horizon::take(state, metric, part, labelled, at);
        }
        Seen::Window(window) => match judge::take(metric, against, &mut known.test, window) {
            Taken::Data => measured(state, metric, part, window),
            Taken::Nothing(who) => no_data(state, metric, who, at),
            Taken::Unusable(why) => error(state, metric, &why),
        },
    }
}

pub(super) fn error(state: &mut JudgeState, metric: &Metric, why: &str) {
    state.looks.consecutive_errors += 1;
    state.looks.consecutive_successes = 0;
    state.message = message::error(metric, state.looks.consecutive_errors, why);
    state.phase = match &metric.threshold {
        Some(conditions) => threshold::settle(state, metric, conditions, MetricPhase::Running),
        None => settle(state, metric, state.phase),
    };
}

pub(super) fn no_data(state: &mut JudgeState, metric: &Metric, who: &str, at: Timestamp) {
    state.looks.consecutive_errors = 0;
    let waited = state.evidence.as_ref().map(|known| at.since(known.since)).unwrap_or_default();
    if state.looks.measured == 0 && waited < metric.label_delay {
        state.message = message::before_labels(metric);
        state.phase = settle(state, metric, state.phase);
        return;
    }
    match metric.on_no_data {
        OnNoData::Wait => {}
        OnNoData::Inconclusive => state.looks.inconclusive += 1,
        OnNoData::Fail => state.looks.failed += 1,
    }
    state.message = message::no_data(metric, who, state);
    let Some(conditions) = &metric.threshold else {
        state.phase = settle(state, metric, state.phase);
        return;
    };
    if metric.on_no_data != OnNoData::Wait {
        state.looks.counted += 1;
        state.looks.consecutive_successes = 0;
    }
    state.phase = threshold::settle(state, metric, conditions, MetricPhase::Running);
}

fn measured(state: &mut JudgeState, metric: &Metric, part: f64, window: &Window) {
    state.looks.measured += 1;
    state.looks.consecutive_errors = 0;
    let Some(known) = &mut state.evidence else { return };
    let Some(test) = &known.test else { return };
    let log = judge::log_evidence(metric, test);
    known.strongest = known.strongest.max(log.rollback);
    let mut measurement = measure::measurement(metric, test, window);
    let fails_at = REJECTS / part;
    measurement.e_value = Some(evidence(log.rollback));
    measurement.fails_at = Some(fails_at);
    measurement.p = Some((-known.strongest).exp().min(1.0));
    if metric.decides() {
        measurement.promotion_e_value = Some(evidence(log.promotion));
        measurement.succeeds_at = Some(REJECTS);
    }
    state.n = measurement.n[1];
    let enough = state.n >= metric.min_samples;
    let bad = enough && log.rollback >= fails_at.ln();
    let good = enough && metric.decides() && log.promotion >= REJECTS.ln();
    if bad {
        state.looks.failed += 1;
    }
    let verdict = match state.phase {
        _ if bad => MetricPhase::Running, // tolerated, or settled below
        _ if good => MetricPhase::Successful,
        MetricPhase::Successful => MetricPhase::Successful,
        _ => MetricPhase::Running,
    };
    state.phase = settle(state, metric, verdict);
    state.message = message::measured(metric, test_of(state), &measurement, state);
    state.measurement = Some(measurement.rounded());
}

fn test_of(state: &JudgeState) -> Option<&tagship_domain::evidence::Test> {
    state.evidence.as_ref().and_then(|known| known.test.as_ref())
}

/// The limits, worst first; within them the verdict stands. Phases that only limits lead to end with them.
pub(super) fn settle(state: &JudgeState, metric: &Metric, verdict: MetricPhase) -> MetricPhase {
    let looks = &state.looks;
    if looks.failed > metric.failure_limit {
        return MetricPhase::Failed;
    }
    if looks.consecutive_errors > metric.consecutive_error_limit {
        return MetricPhase::Error;
    }
    if looks.inconclusive > metric.inconclusive_limit {
        return MetricPhase::Inconclusive;
    }
    match verdict {
        MetricPhase::Successful | MetricPhase::Running | MetricPhase::Pending => verdict,
        _ if looks.measured > 0 => MetricPhase::Running,
        _ => MetricPhase::Pending,
    }
}
