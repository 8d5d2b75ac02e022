//! The numbers of one metric after a look.

use tagship_domain::{
    analysis::{Bound, Measurement, Metric, MetricKind, Share, Window},
    evidence::{BucketEvidence, FixedEvidence, Pairs, Test},
};
use tagship_stats::sequential::{bucket::slower, interval, multinomial};

use super::quantile::{self, real};

/// Confidence of the intervals that are shown.
const CONFIDENCE: f64 = 0.95;

/// Values, interval and counts; what the evidence says is filled in by who judges.
pub(super) fn measurement(metric: &Metric, test: &Test, window: &Window) -> Measurement {
    match test {
        Test::Boundary(state) => Measurement {
            stable: value(metric.kind, state.stable),
            n: [state.stable.n, state.candidate.n],
            ..of_share(metric.kind, state.candidate, window)
        },
        Test::Buckets(state) => of_buckets(state, window),
        Test::Paired(state) => of_pairs(state.pairs, window),
        Test::Multinomial(state) => Measurement {
            value: multinomial::distance(state),
            n: multinomial::totals(state),
            ..Measurement::default()
        },
        Test::Fixed(state) => of_fixed(metric, state, window),
        // Its numbers are filled in where it is judged.
        Test::Kayenta(_) => Measurement::default(),
        Test::Horizon(judged) => Measurement {
            value: Some(judged.scores[1]),
            stable: Some(judged.scores[0]),
            n: judged.rows,
            ..Measurement::default()
        },
    }
}

/// A failure share, or of accuracy the share of right answers.
fn value(kind: MetricKind, share: Share) -> Option<f64> {
    let bad = (share.n > 0).then(|| real(share.bad) / real(share.n))?;
    Some(if kind == MetricKind::LabelledAccuracy { 1.0 - bad } else { bad })
}

fn of_share(kind: MetricKind, candidate: Share, window: &Window) -> Measurement {
    let interval = interval::share(candidate.bad, candidate.n, CONFIDENCE);
    let look = match window {
        Window::Shares { candidate, .. } => value(kind, *candidate),
        _ => None,
    };
    let ci = if kind == MetricKind::LabelledAccuracy {
        [1.0 - interval.high, 1.0 - interval.low]
    } else {
        [interval.low, interval.high]
    };
    Measurement { value: value(kind, candidate), look, ci: Some(ci), ..Measurement::default() }
}

fn of_buckets(state: &BucketEvidence, window: &Window) -> Measurement {
    let [stable, candidate] =
        [0, 1].map(|arm: usize| -> Vec<u64> { state.slower.iter().map(|counts| counts[arm]).collect() });
    let estimate = |slower: &[u64], n| quantile::estimate(&state.bounds, slower, n, quantile::SHOWN);
    let look = match window {
        Window::Histograms { candidate, .. } => {
            slower(candidate, &state.bounds).and_then(|slower| estimate(&slower, candidate.total()))
        }
        _ => None,
    };
    Measurement {
        value: estimate(&candidate, state.n[1]),
        stable: estimate(&stable, state.n[0]),
        look,
        ci: quantile::between(&state.bounds, &candidate, state.n[1], quantile::SHOWN),
        n: state.n,
        ..Measurement::default()
    }
}

fn of_pairs(pairs: Pairs, window: &Window) -> Measurement {
    let share = |count: u64, n: u64| (n > 0).then(|| real(count) / real(n));
    let interval = interval::share(pairs.only_candidate_wrong, pairs.n, CONFIDENCE);
    Measurement {
        value: share(pairs.only_candidate_wrong, pairs.n),
        stable: share(pairs.only_stable_wrong, pairs.n),
        look: match window {
            Window::Pairs(now) => share(now.only_candidate_wrong, now.n),
            _ => None,
        },
        ci: Some([interval.low, interval.high]),
        n: [pairs.n, pairs.n],
        ..Measurement::default()
    }
}

fn of_fixed(metric: &Metric, state: &FixedEvidence, window: &Window) -> Measurement {
    let n = [0, state.candidate.n];
    let (Some(durations), Some(Bound::Latency { quantile, .. })) = (&state.durations, metric.bound) else {
        return Measurement { n, ..of_share(metric.kind, state.candidate, window) };
    };
    let look = match window {
        Window::Histograms { candidate, .. } => quantile::of(candidate, quantile),
        _ => None,
    };
    let ci = slower(durations, &durations.bounds)
        .and_then(|slower| quantile::between(&durations.bounds, &slower, durations.total(), quantile));
    Measurement { value: quantile::of(durations, quantile), look, ci, n, ..Measurement::default() }
}
