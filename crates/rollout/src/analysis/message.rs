//! Sentences about metrics, each with its numbers.

use std::fmt::Write as _;

use serde_json::Value;
use tagship_domain::{
    analysis::{Bound, JudgeState, Margin, Measurement, Metric, MetricKind, MetricPhase, OnNoData},
    evidence::Test,
    scoring::Scoring,
    threshold::Threshold,
};
use tagship_stats::sequential::bucket;

use super::quantile::{self, real};

/// What was measured, what it is compared with, and what the evidence says.
pub(super) fn measured(
    metric: &Metric,
    test: Option<&Test>,
    measurement: &Measurement,
    state: &JudgeState,
) -> String {
    let mut text = values(metric, test, measurement);
    let evidence = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), number);
    let (against, fails_at) = (evidence(measurement.e_value), evidence(measurement.fails_at));
    let worse = if metric.decides() { "a regression" } else { "drift" };
    if state.n < metric.min_samples {
        let _ = write!(text, "; no verdict below {} observations", metric.min_samples);
        return text;
    }
    let _ = write!(text, "; evidence of {worse} {against}, fails at {fails_at}");
    if !metric.decides() {
        text.push_str(" (advisory)");
        return text;
    }
    if state.looks.failed > 0 && state.phase != MetricPhase::Failed {
        let _ =
            write!(text, " ({} failed looks of {} are tolerated)", state.looks.failed, metric.failure_limit);
    }
    let margin = margin(metric, test);
    let (good, succeeds_at) = (evidence(measurement.promotion_e_value), evidence(measurement.succeeds_at));
    let _ = write!(text, "; evidence of {margin} {good}, succeeds at {succeeds_at}");
    if state.phase == MetricPhase::Successful && measurement.promotion_e_value < measurement.succeeds_at {
        text.push_str(" (reached at an earlier look)");
    }
    text
}

/// What the values of a metric were, what its conditions say of them, and how many looks there were of each kind.
pub(super) fn valued(metric: &Metric, threshold: &Threshold, saw: &str, state: &JudgeState) -> String {
    let looks = &state.looks;
    let mut text = format!("{saw}; asked for is {}", threshold.words());
    match (threshold.consecutive_success_limit, threshold.count) {
        (Some(limit), _) => {
            let _ =
                write!(text, "; {} good looks in a row of {limit}", looks.consecutive_successes.min(limit));
        }
        (None, Some(count)) => {
            let _ = write!(text, "; {} looks of {count}", looks.counted.min(count));
        }
        (None, None) => {
            let _ = write!(text, "; {} looks", looks.measured);
        }
    }
    let limits = [
        (looks.failed, "failed", metric.failure_limit),
        (looks.inconclusive, "inconclusive", metric.inconclusive_limit),
    ];
    for (looks, what, limit) in limits.into_iter().filter(|(looks, ..)| *looks > 0) {
        let most = if limit == Metric::NO_LIMIT { "any number".to_owned() } else { limit.to_string() };
        let _ = write!(text, "; {looks} {what}, {most} tolerated");
    }
    if !metric.decides() {
        text.push_str(" (advisory)");
    }
    text
}

/// How many labelled predictions there are, while a score waits for its horizon.
pub(super) fn before_horizon(scoring: &Scoring, found: [u64; 2]) -> String {
    format!(
        "{} labelled predictions of the candidate so far, {} of stable; {} is {}, looks before that decide nothing",
        found[1],
        found[0],
        scoring.score.as_str(),
        scoring.horizon
    )
}

/// A value that a condition read.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        None => "missing".to_owned(),
        Some(value) => value.as_f64().map_or_else(|| value.to_string(), significant),
    }
}

/// Four digits that count.
pub(super) fn significant(value: f64) -> String {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (3.0 - magnitude).clamp(0.0, 12.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 12")]
    let text = format!("{value:.*}", decimals as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A look that could not be measured.
pub(super) fn error(metric: &Metric, errors: u64, why: &str) -> String {
    let limit = metric.consecutive_error_limit;
    format!("could not be measured ({errors} looks in a row, {limit} are tolerated): {why}")
}

/// A look without data that counts by the metric's rule.
pub(super) fn no_data(metric: &Metric, who: &str, state: &JudgeState) -> String {
    let rule = match metric.on_no_data {
        OnNoData::Wait => "it waits for more".to_owned(),
        OnNoData::Inconclusive => {
            format!("{} such looks, {} are tolerated", state.looks.inconclusive, metric.inconclusive_limit)
        }
        OnNoData::Fail => {
            format!(
                "that counts as a failed look: {}, {} are tolerated",
                state.looks.failed, metric.failure_limit
            )
        }
    };
    let seen = match metric.kind {
        MetricKind::ErrorRatio | MetricKind::Latency => "requests",
        MetricKind::LabelledAccuracy => "labels",
        MetricKind::PairedAccuracy => "data",
        MetricKind::Disagreement => "copied requests",
        MetricKind::ScoreDistance => "copied requests with scores",
        MetricKind::PredictionDrift => "predicted labels",
        MetricKind::Value => "value",
        MetricKind::Score => "labelled predictions",
    };
    format!("no {seen} of {who} in this look; {rule}; {} observations of the candidate so far", state.n)
}

/// No labels, and none can have arrived yet.
pub(super) fn before_labels(metric: &Metric) -> String {
    format!("labels arrive {} late; none was due yet", metric.label_delay)
}

/// Every metric in a phase, with its message.
pub(super) fn named(verdicts: &[(&str, &JudgeState)], phase: MetricPhase) -> String {
    named_where(verdicts, |other| other == phase)
}

/// Every metric in one of some phases, with its message.
pub(super) fn named_where(
    verdicts: &[(&str, &JudgeState)],
    is_meant: impl Fn(MetricPhase) -> bool,
) -> String {
    let meant = verdicts.iter().filter(|(_, state)| is_meant(state.phase));
    meant.map(|(name, state)| format!("{name}: {}", state.message)).collect::<Vec<_>>().join(" | ")
}

fn values(metric: &Metric, test: Option<&Test>, measurement: &Measurement) -> String {
    let [n0, n1] = measurement.n;
    let value = show(metric.kind, measurement.value);
    let stable = show(metric.kind, measurement.stable);
    let compared = match metric.bound {
        Some(bound) if matches!(test, Some(Test::Fixed(_))) => limit(bound),
        _ => format!("stable {stable} of {n0}"),
    };
    match (metric.kind, test) {
        (MetricKind::ErrorRatio, _) => format!("{value} of {n1} requests failed, {compared}"),
        (MetricKind::LabelledAccuracy, _) => format!("{value} of {n1} labelled answers right, {compared}"),
        (MetricKind::PairedAccuracy, _) => {
            format!("of {n1} labelled pairs only the candidate was wrong in {value}, only stable in {stable}")
        }
        (MetricKind::Disagreement, _) => {
            format!("{value} of {n1} copied requests answered differently from stable, {compared}")
        }
        (MetricKind::ScoreDistance, _) => {
            let beyond = match metric.bound {
                Some(Bound::ScoreDistance { beyond, .. }) => trimmed(beyond),
                _ => "the bound".to_owned(),
            };
            format!(
                "{value} of {n1} copied requests have scores more than {beyond} from stable's, {compared}"
            )
        }
        (MetricKind::Value | MetricKind::Score, _) => format!("{value} at {n1} looks"),
        (MetricKind::PredictionDrift, _) => {
            format!("predicted labels differ by {value} of {n1} requests from stable's {n0}")
        }
        (MetricKind::Latency, Some(Test::Buckets(state))) => {
            let mut text = format!("p99 {value} of {n1} requests, {compared}");
            if let Some(at) = bucket::most_telling(state) {
                let share = |arm: usize| percent(real(state.slower[at][arm]) / real(state.n[arm].max(1)));
                let bound = duration(state.bounds[at]);
                let _ = write!(text, "; {} took over {bound}, stable {}", share(1), share(0));
            }
            text
        }
        (MetricKind::Latency, _) => {
            let shown = match metric.bound {
                Some(Bound::Latency { quantile, .. }) => quantile,
                _ => quantile::SHOWN,
            };
            format!("p{} {value} of {n1} requests, {compared}", trimmed(shown * 100.0))
        }
    }
}

fn margin(metric: &Metric, test: Option<&Test>) -> String {
    match (metric.promote_margin, test) {
        (_, Some(Test::Fixed(_))) => "keeping the bound".to_owned(),
        (Margin::Ratio(most), Some(Test::Buckets(state))) => match state.tail {
            Some(at) => {
                format!("at most {}x stable's answers over {}", trimmed(most), duration(state.bounds[at]))
            }
            None => format!("at most {}x stable's slow answers", trimmed(most)),
        },
        (Margin::Ratio(most), _) => format!("at most {}x stable", trimmed(most)),
        (Margin::Absolute(most), _) => format!("at most {} more than stable", percent(most)),
    }
}

fn limit(bound: Bound) -> String {
    match bound {
        Bound::MaxErrorRatio(most)
        | Bound::MaxDisagreement(most)
        | Bound::ScoreDistance { share: most, .. } => {
            format!("at most {} allowed", percent(most))
        }
        Bound::MinAccuracy(least) => format!("at least {} required", percent(least)),
        Bound::Latency { within_ms, .. } => format!("at most {} allowed", duration(within_ms)),
    }
}

fn show(kind: MetricKind, value: Option<f64>) -> String {
    match (kind, value) {
        (MetricKind::Latency, Some(value)) => duration(value),
        (MetricKind::Latency, None) => "above every bound".to_owned(),
        (_, Some(value)) => percent(value),
        (_, None) => "unknown".to_owned(),
    }
}

fn duration(milliseconds: f64) -> String {
    format!("{} ms", trimmed(milliseconds))
}

/// With as many decimals as it takes to tell small shares apart.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let decimals = if percent >= 10.0 || percent <= 0.0 {
        1
    } else if percent >= 0.1 {
        2
    } else {
        4
    };
    format!("{percent:.decimals$}%")
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Three digits of an e-value; how many millions one has means nothing to anyone.
fn number(value: f64) -> String {
    if value >= 1e6 {
        "over a million".to_owned()
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else {
        trimmed((value * 100.0).floor() / 100.0)
    }
}
