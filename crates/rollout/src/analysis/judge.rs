//! Which test judges which metric.

use std::collections::BTreeMap;

use tagship_domain::{
    analysis::{Bound, Judge, Metric, MetricKind, Share, Window},
    evidence::{FixedEvidence, Pairs, Test},
    traffic::Histogram,
};
use tagship_stats::sequential::{
    Alternatives, LogEvidence, Speed,
    boundary::{self, BoundaryTest},
    bucket::{self, BucketTest, OtherBounds},
    fixed::{self, FixedTest, FixedWindow},
    multinomial,
    paired::{self, PairedTest},
};

use super::Against;

/// What became of a window.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// It counts.
    Data,
    /// It is empty; for whom.
    Nothing(&'static str),
    /// It cannot be judged; why, and what to do.
    Unusable(String),
}

const NO_CANDIDATE: Taken = Taken::Nothing("the candidate");
const NO_STABLE: Taken = Taken::Nothing("stable");

/// Adds a window to the test of a metric; the test starts anew where it has to be another one.
pub(super) fn take(metric: &Metric, against: Against, test: &mut Option<Test>, window: &Window) -> Taken {
    match (metric.kind, against, window) {
        (
            MetricKind::ErrorRatio | MetricKind::LabelledAccuracy,
            Against::Stable | Against::Shadow,
            Window::Shares { stable, candidate },
        ) => {
            let Some(stable) = stable else { return without_stable() };
            shares(metric, test, *stable, *candidate)
        }
        (
            MetricKind::ErrorRatio | MetricKind::LabelledAccuracy,
            Against::Bound,
            Window::Shares { candidate, .. },
        )
        | (
            MetricKind::Disagreement | MetricKind::ScoreDistance,
            Against::Shadow,
            Window::Shares { candidate, .. },
        ) => {
            let Share { n, bad } = *candidate;
            fixed(metric, test, FixedWindow { n, bad, at_most_bad: bad }, None)
        }
        (
            MetricKind::Latency,
            Against::Stable | Against::Shadow,
            Window::Histograms { stable, candidate },
        ) => {
            let Some(stable) = stable else { return without_stable() };
            histograms(metric, test, stable, candidate)
        }
        (MetricKind::Latency, Against::Bound, Window::Histograms { candidate, .. }) => {
            let Some(Bound::Latency { within_ms, .. }) = metric.bound else { return other_bound(metric) };
            fixed(metric, test, fixed::longer_than(candidate, within_ms), Some(candidate))
        }
        (MetricKind::ScoreDistance, Against::Shadow, Window::Histograms { candidate, .. }) => {
            let Some(Bound::ScoreDistance { beyond, .. }) = metric.bound else { return other_bound(metric) };
            fixed(metric, test, fixed::longer_than(candidate, beyond), None)
        }
        (MetricKind::PairedAccuracy, Against::Shadow, Window::Pairs(window)) => pairs(metric, test, *window),
        (MetricKind::PredictionDrift, Against::Stable, Window::Classes { stable, candidate }) => {
            classes(test, stable, candidate)
        }
        _ => Taken::Unusable(format!("what was counted is not what {} needs", metric.kind.as_str())),
    }
}

/// What the test's windows so far say. Drift has no promotion.
pub(super) fn log_evidence(metric: &Metric, test: &Test) -> LogEvidence {
    match test {
        Test::Boundary(state) => boundary::log_evidence(state, speed(metric)),
        Test::Buckets(state) => bucket::log_evidence(state),
        Test::Paired(state) => paired::log_evidence(state),
        Test::Fixed(state) => fixed::log_evidence(state, speed(metric)),
        Test::Multinomial(state) => {
            LogEvidence { rollback: multinomial::log_evidence(state), promotion: 0.0 }
        }
        // What is judged once is no evidence that grows.
        Test::Horizon(_) | Test::Kayenta(_) => LogEvidence { rollback: 0.0, promotion: 0.0 },
    }
}

fn shares(metric: &Metric, test: &mut Option<Test>, stable: Share, candidate: Share) -> Taken {
    if stable.bad > stable.n || candidate.bad > candidate.n {
        return inconsistent();
    }
    if candidate.n == 0 {
        return NO_CANDIDATE;
    }
    if stable.n == 0 {
        return NO_STABLE;
    }
    let settings = BoundaryTest {
        speed: speed(metric),
        alternatives: alternatives(metric),
        tolerance: metric.tolerance,
        margin: metric.promote_margin,
    };
    let mut state = match test.take() {
        Some(Test::Boundary(state)) => state,
        _ => <_>::default(),
    };
    boundary::update(&mut state, &settings, stable, candidate);
    *test = Some(Test::Boundary(state));
    Taken::Data
}

fn histograms(metric: &Metric, test: &mut Option<Test>, stable: &Histogram, candidate: &Histogram) -> Taken {
    if candidate.total() == 0 {
        return NO_CANDIDATE;
    }
    if stable.total() == 0 {
        return NO_STABLE;
    }
    let settings = BucketTest { tolerance: metric.tolerance, margin: metric.promote_margin };
    let mut state = match test.take() {
        Some(Test::Buckets(state)) => state,
        _ => <_>::default(),
    };
    let updated = bucket::update(&mut state, &settings, stable, candidate);
    *test = (!state.bounds.is_empty()).then_some(Test::Buckets(state));
    match updated {
        Ok(()) => Taken::Data,
        Err(OtherBounds) => Taken::Unusable(
            "the histograms of both versions and of earlier looks do not have the same bounds; \
             give every version the same bounds and start the rollout again"
                .to_owned(),
        ),
    }
}

fn pairs(metric: &Metric, test: &mut Option<Test>, window: Pairs) -> Taken {
    if window.only_stable_wrong.saturating_add(window.only_candidate_wrong) > window.n {
        return Taken::Unusable(
            "more disagreements than labelled pairs were counted; check what counts them".to_owned(),
        );
    }
    if window.n == 0 {
        return Taken::Nothing("labelled pairs");
    }
    let settings = PairedTest { tolerance: metric.tolerance, margin: metric.promote_margin };
    let mut state = match test.take() {
        Some(Test::Paired(state)) => state,
        _ => <_>::default(),
    };
    paired::update(&mut state, &settings, window);
    *test = Some(Test::Paired(state));
    Taken::Data
}

fn classes(
    test: &mut Option<Test>,
    stable: &BTreeMap<String, u64>,
    candidate: &BTreeMap<String, u64>,
) -> Taken {
    if candidate.values().all(|n| *n == 0) {
        return NO_CANDIDATE;
    }
    if stable.values().all(|n| *n == 0) {
        return NO_STABLE;
    }
    let mut state = match test.take() {
        Some(Test::Multinomial(state)) => state,
        _ => <_>::default(),
    };
    multinomial::update(&mut state, stable, candidate);
    *test = Some(Test::Multinomial(state));
    Taken::Data
}

fn fixed(
    metric: &Metric,
    test: &mut Option<Test>,
    window: FixedWindow,
    durations: Option<&Histogram>,
) -> Taken {
    let Some(bound) = metric.bound.filter(|bound| metric.kind.fits_bound(*bound)) else {
        return other_bound(metric);
    };
    if window.bad > window.n {
        return inconsistent();
    }
    if window.n == 0 {
        return NO_CANDIDATE;
    }
    let settings =
        FixedTest { speed: speed(metric), alternatives: alternatives(metric), bound: worst(bound) };
    let mut state = match test.take() {
        Some(Test::Fixed(state)) => state,
        _ => FixedEvidence::default(),
    };
    fixed::update(&mut state, &settings, window);
    if let Some(durations) = durations {
        state.durations = Some(super::quantile::added(state.durations.take(), durations));
    }
    *test = Some(Test::Fixed(state));
    Taken::Data
}

/// The failure share that a bound allows.
pub(super) fn worst(bound: Bound) -> f64 {
    match bound {
        Bound::MaxErrorRatio(share) | Bound::MaxDisagreement(share) | Bound::ScoreDistance { share, .. } => {
            share
        }
        Bound::MinAccuracy(share) => 1.0 - share,
        Bound::Latency { quantile, .. } => 1.0 - quantile,
    }
}

/// How fast the test of a metric grows sure.
pub(crate) fn speed(metric: &Metric) -> Speed {
    if metric.judge == Judge::TwoSpeed { Speed::TwoSpeed } else { Speed::Tempered }
}

/// Which regressions the test of a metric looks for.
pub(crate) fn alternatives(metric: &Metric) -> Alternatives {
    match metric.kind {
        MetricKind::Latency => Alternatives::Latency,
        MetricKind::LabelledAccuracy | MetricKind::PairedAccuracy => Alternatives::Accuracy,
        MetricKind::ErrorRatio
        | MetricKind::Disagreement
        | MetricKind::ScoreDistance
        | MetricKind::PredictionDrift
        | MetricKind::Value
        | MetricKind::Score => Alternatives::Errors,
    }
}

fn without_stable() -> Taken {
    Taken::Unusable("stable was not measured; check that the target reports counters of stable".to_owned())
}

fn inconsistent() -> Taken {
    Taken::Unusable("more bad observations than observations were counted; check what counts them".to_owned())
}

fn other_bound(metric: &Metric) -> Taken {
    Taken::Unusable(format!("no bound fits {}; give the metric one", metric.kind.as_str()))
}
