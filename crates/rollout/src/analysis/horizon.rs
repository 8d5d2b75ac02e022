//! Metrics that are judged once, at a horizon: scores of labelled predictions.
//!
//! Their figures hold at a single look. So looks before the horizon only count rows, the figure is computed once and kept
//! with the numbers it rests on, and nothing that comes later changes it. That the horizon waits for rows is no peeking:
//! how many rows there are says nothing about the score.

use std::fmt::Write as _;

use tagship_domain::{
    Timestamp,
    analysis::{JudgeState, Measurement, Metric, MetricPhase},
    evidence::{HorizonEvidence, Test},
    scoring::{Horizon, Labelled, Scoring},
};
use tagship_stats::{
    Interval,
    non_inferiority::{self, Judgement},
    sequential::ALPHA,
};

use super::{
    message, phase,
    score::{Scored, Unscored, score},
};

/// Whether it was judged: nothing more is asked of it.
pub(crate) fn has_ended(state: &JudgeState) -> bool {
    let test = state.evidence.as_ref().and_then(|known| known.test.as_ref());
    match test {
        Some(Test::Horizon(_)) => true,
        Some(Test::Kayenta(known)) => known.judged.is_some(),
        _ => false,
    }
}

/// Adds a look that ended at `at` and found these rows; `part` is the metric's part of the error rate.
pub(super) fn take(state: &mut JudgeState, metric: &Metric, part: f64, labelled: &Labelled, at: Timestamp) {
    let Some(scoring) = &metric.scoring else {
        return phase::error(state, metric, "the metric names no score; give it `score`");
    };
    let found = labelled.rows.counts();
    state.n = found[1];
    if !is_due(state, metric, scoring, found, at) {
        state.looks.consecutive_errors = 0;
        state.measurement = Some(Measurement { n: found, ..Measurement::default() });
        state.phase = phase::settle(state, metric, MetricPhase::Running);
        state.message = message::before_horizon(scoring, found);
        return;
    }
    if found.into_iter().any(|rows| rows < metric.min_samples) {
        let least = metric.min_samples;
        let why = format!("{} of stable and {} of the candidate; at least {least} each", found[0], found[1]);
        return too_few(state, metric, scoring, &why, at);
    }
    let mut rows = labelled.rows.clone();
    if let Horizon::Rows(most) = scoring.horizon {
        rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
    // One-sided at the metric's part of the error rate, on either side.
    let confidence = 1.0 - 2.0 * ALPHA * part;
    match score(scoring, &rows, confidence) {
        Err(Unscored::TooFew(why)) => too_few(state, metric, scoring, &why, at),
        Err(Unscored::Wrong(why)) => phase::error(state, metric, &why),
        Ok(scored) => {
            let evidence = HorizonEvidence {
                at,
                rows: rows.counts(),
                paired: matches!(rows, tagship_domain::scoring::LabelledRows::Paired(_)),
                scores: scored.scores,
                gain: scored.gain.map(|gain| [gain.low, gain.high]),
                confidence,
                digest: labelled.digest.clone(),
            };
            judged(state, metric, scoring, &scored, evidence);
        }
    }
}

fn is_due(state: &JudgeState, metric: &Metric, scoring: &Scoring, found: [u64; 2], at: Timestamp) -> bool {
    match scoring.horizon {
        // Stable has most of the traffic, and still may not have its labels yet.
        Horizon::Rows(rows) => found[1] >= rows && found[0] >= metric.min_samples,
        Horizon::After(length) => {
            state.evidence.as_ref().is_some_and(|known| at >= known.since.after(length))
        }
    }
}

/// The horizon is there, and the rows are not: the metric's rule for looks without data says what that means. A figure
/// that was not computed is not looked at twice.
fn too_few(state: &mut JudgeState, metric: &Metric, scoring: &Scoring, why: &str, at: Timestamp) {
    state.measurement = None;
    phase::no_data(state, metric, "both versions", at);
    state.message =
        format!("too few labelled predictions for {}: {why}; {}", scoring.score.as_str(), scoring.horizon);
}

fn judged(
    state: &mut JudgeState,
    metric: &Metric,
    scoring: &Scoring,
    scored: &Scored,
    evidence: HorizonEvidence,
) {
    let looks = &mut state.looks;
    looks.measured += 1;
    looks.consecutive_errors = 0;
    let judgement =
        scored.gain.map_or(Judgement::Undecided, |gain| non_inferiority::judge(&gain, scoring.margin));
    let verdict = match judgement {
        Judgement::NonInferior => MetricPhase::Successful,
        Judgement::Inferior => {
            looks.failed += 1;
            MetricPhase::Running // settled below
        }
        Judgement::Undecided => {
            looks.inconclusive += 1;
            MetricPhase::Running
        }
    };
    state.n = evidence.rows[1];
    state.measurement = Some(Measurement {
        value: Some(evidence.scores[1]),
        stable: Some(evidence.scores[0]),
        n: evidence.rows,
        ..Measurement::default()
    });
    state.message = said(metric, scoring, scored, &evidence, judgement);
    if let Some(known) = &mut state.evidence {
        known.test = Some(Test::Horizon(evidence));
    }
    state.phase = phase::settle(state, metric, verdict);
}

fn said(
    metric: &Metric,
    scoring: &Scoring,
    scored: &Scored,
    evidence: &HorizonEvidence,
    judgement: Judgement,
) -> String {
    let [stable, candidate] = evidence.scores.map(message::significant);
    let [n0, n1] = evidence.rows;
    let pairs = if evidence.paired { "pairs" } else { "labelled predictions" };
    let mut text =
        format!("{} {candidate} of {n1} {pairs}, stable {stable} of {n0}; ", scoring.score.as_str());
    let margin = message::significant(scoring.margin);
    match scored.gain {
        Some(Interval { low, high, confidence }) => {
            let worse = if low < 0.0 { "worse" } else { "better" };
            let _ = write!(
                text,
                "at worst {} {worse}, at best {} {} ({}% interval)",
                message::significant(low.abs()),
                message::significant(high.abs()),
                if high < 0.0 { "worse" } else { "better" },
                message::significant(confidence * 100.0),
            );
        }
        None => text.push_str("the rows do not show how far that may be chance"),
    }
    let verdict = match judgement {
        Judgement::NonInferior => format!("at most {margin} worse, as allowed"),
        Judgement::Inferior => format!("more than {margin} worse, which is not allowed"),
        Judgement::Undecided => format!("whether that is at most {margin} worse is undecided"),
    };
    let _ = write!(text, "; {verdict}; {}", scoring.horizon);
    if !metric.decides() {
        text.push_str(" (advisory)");
    }
    text
}
