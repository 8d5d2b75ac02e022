//! What a metric needs at one share of traffic: observations of the candidate, and time.

use tagship_domain::{
    Duration,
    analysis::{Analysis, Bound, Metric, MetricKind},
    forecast::{Comparison, Cost, Figure, Need, Stretch},
    traffic::Weight,
};
use tagship_stats::sequential::{
    detection::{Detection, n_detect, n_detect_fixed},
    planner::{n_promote, n_promote_fixed},
};

use super::known::{Known, Told};
use crate::analysis::{Against, alternatives, speed};

/// What holds for all metrics of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) known: &'a Known,
    pub(super) interval: Duration,
    /// The analysis, whose metrics share the error rate.
    pub(super) analysis: &'a Analysis,
}

/// Stable's share of bad answers, as it is compared with and as a bound has it.
pub(super) struct Shares {
    beside: Told,
    bound: Told,
}

impl Shares {
    /// The one that a reader looks for.
    pub(super) fn shown(&self) -> Option<Figure> {
        self.beside.as_ref().or(self.bound.as_ref()).ok().copied()
    }
}

pub(super) fn shares(metric: &Metric, terms: &Terms<'_>) -> Shares {
    let share = |against| terms.known.share(metric, against);
    Shares { beside: share(Comparison::Stable), bound: share(Comparison::Bound) }
}

/// Whether it is measured on labelled requests only.
pub(super) fn needs_labels(metric: &Metric) -> bool {
    matches!(metric.kind, MetricKind::LabelledAccuracy | MetricKind::PairedAccuracy | MetricKind::Score)
}

/// The share of bad answers that is to be seen as a regression.
pub(super) fn regressed(metric: &Metric, stable: f64, known: &Known) -> f64 {
    let worse = match metric.kind {
        MetricKind::LabelledAccuracy | MetricKind::PairedAccuracy => stable + known.given.accuracy_loss,
        MetricKind::ErrorRatio
        | MetricKind::Latency
        | MetricKind::Disagreement
        | MetricKind::ScoreDistance
        | MetricKind::PredictionDrift
        | MetricKind::Value
        | MetricKind::Score => stable * known.given.regression,
    };
    worse.min(1.0)
}

/// One entry per share of traffic at which the metric is measured, in the order of the way.
pub(super) fn needs(metric: &Metric, way: &[Stretch], terms: &Terms<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = vec![];
    if metric.threshold.is_some() || metric.scoring.is_some() || metric.kayenta.is_some() {
        return needs;
    }
    for stretch in way.iter().filter(|stretch| !stretch.matched) {
        let Some(against) = stretch.against.filter(|against| applies(metric, *against)) else { continue };
        let weight = stretch.answered();
        if needs.iter().any(|need| need.weight == weight && need.against == against) {
            continue;
        }
        let cost = |n: Option<f64>| n.filter(|n| n.is_finite()).map(|n| cost(metric, n, weight, terms));
        let see = cost(to_see(metric, weight, against, terms));
        let promote = cost(to_promote(metric, weight, against, terms));
        needs.push(Need { weight, against, see, promote });
    }
    needs
}

/// Whether the metric is measured at all in this comparison.
pub(super) fn applies(metric: &Metric, against: Comparison) -> bool {
    let against = match against {
        Comparison::Stable => Against::Stable,
        Comparison::Bound => Against::Bound,
        Comparison::Shadow => Against::Shadow,
    };
    metric.decides() && against.applies(metric)
}

/// Observations to promote a candidate that is as good as stable; infinite where it never is, absent where unknown.
pub(super) fn to_promote(
    metric: &Metric,
    weight: Weight,
    against: Comparison,
    terms: &Terms<'_>,
) -> Option<f64> {
    let share = terms.known.share(metric, against).ok()?.value;
    let n = match (against, metric.bound) {
        (Comparison::Stable | Comparison::Shadow, _) => {
            n_promote(share, part(weight, against), metric.promote_margin)
        }
        (Comparison::Bound, Some(bound)) => n_promote_fixed(share, worst(bound)),
        (Comparison::Bound, None) => return None,
    };
    Some(n.max(least(metric)))
}

fn to_see(metric: &Metric, weight: Weight, against: Comparison, terms: &Terms<'_>) -> Option<f64> {
    let share = terms.known.share(metric, against).ok()?.value;
    let regressed = regressed(metric, share, terms.known);
    let test = Detection {
        speed: speed(metric),
        alternatives: alternatives(metric),
        tolerance: metric.tolerance,
        part: terms.analysis.part(metric),
        bounds: if metric.kind == MetricKind::Latency && against != Comparison::Bound {
            terms.known.bounds()
        } else {
            1
        },
        per_look: per_second(metric, weight, terms).map(|rate| rate * terms.interval.as_secs_f64()),
    };
    let n = match (against, metric.bound) {
        (Comparison::Stable | Comparison::Shadow, _) => {
            n_detect(share, regressed, part(weight, against), &test)
        }
        (Comparison::Bound, Some(bound)) => n_detect_fixed(regressed, worst(bound), &test),
        (Comparison::Bound, None) => return None,
    };
    Some(n.max(least(metric)))
}

/// Observations of the candidate per second; absent where that is unknown, or nothing comes.
pub(super) fn per_second(metric: &Metric, weight: Weight, terms: &Terms<'_>) -> Option<f64> {
    let observed = if needs_labels(metric) { terms.known.labelled().ok()?.value } else { 1.0 };
    Some(terms.known.rate()?.value * fraction(weight) * observed).filter(|rate| *rate > 0.0)
}

fn cost(metric: &Metric, n: f64, weight: Weight, terms: &Terms<'_>) -> Cost {
    let lasts = per_second(metric, weight, terms)
        .map(|rate| in_looks(n / rate, terms.interval).plus(metric.label_delay));
    Cost { observations: whole(n), lasts }
}

/// A time in seconds, up to the end of its look.
pub(super) fn in_looks(seconds: f64, interval: Duration) -> Duration {
    let looks = (seconds / interval.as_secs_f64().max(1e-3)).ceil();
    Duration::from_millis(whole(looks * interval.as_secs_f64() * 1000.0))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count above 0; one that is too large for the type stays the largest"
)]
fn whole(n: f64) -> u64 {
    n.ceil() as u64
}

/// The candidate's part of all answers: stable answers the requests too of which there are copies.
fn part(weight: Weight, against: Comparison) -> f64 {
    let answered = fraction(weight);
    if against == Comparison::Shadow { answered / (1.0 + answered) } else { answered }
}

fn fraction(weight: Weight) -> f64 {
    f64::from(weight.get()) / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
fn least(metric: &Metric) -> f64 {
    metric.min_samples as f64
}

/// The share of bad answers that a bound allows.
fn worst(bound: Bound) -> f64 {
    match bound {
        Bound::MaxErrorRatio(share) | Bound::MaxDisagreement(share) | Bound::ScoreDistance { share, .. } => {
            share
        }
        Bound::MinAccuracy(share) => 1.0 - share,
        Bound::Latency { quantile, .. } => 1.0 - quantile,
    }
}
