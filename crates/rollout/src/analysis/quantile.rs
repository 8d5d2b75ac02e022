//! Quantiles of durations that are known by bucket only.

use tagship_domain::traffic::Histogram;
use tagship_stats::sequential::{
    bucket::{evenly, slower},
    interval,
};

/// The quantile that latency is shown as, where no bound names another.
pub(super) const SHOWN: f64 = 0.99;

/// An estimate of a quantile in milliseconds: linear within its bucket, as monitoring systems do. Absent without
/// durations, and where the quantile lies above every bound.
pub(super) fn estimate(bounds: &[f64], slower: &[u64], n: u64, quantile: f64) -> Option<f64> {
    if n == 0 {
        return None;
    }
    let allowed = (1.0 - quantile) * real(n);
    let at = slower.iter().position(|count| real(*count) <= allowed)?;
    let (low, slower_than_low) = if at == 0 { (0.0, n) } else { (bounds[at - 1], slower[at - 1]) };
    let (high, inside) = (bounds[at], slower_than_low.saturating_sub(slower[at]));
    if inside == 0 {
        return Some(low);
    }
    Some(low + (high - low) * (real(slower_than_low) - allowed) / real(inside))
}

/// Bounds that the true quantile lies between at every look at once, with 95 % confidence. Absent where only a lower
/// one is known. Each of the two bounds next to the quantile is wrongly ruled out with probability 2.5 %.
pub(super) fn between(bounds: &[f64], slower: &[u64], n: u64, quantile: f64) -> Option<[f64; 2]> {
    let allowed = 1.0 - quantile;
    let ruled_out = |bad: u64| interval::log_evidence(bad, n, allowed) >= 40_f64.ln();
    let is_above = |bad: u64| real(bad) > allowed * real(n) && ruled_out(bad);
    let is_below = |bad: u64| real(bad) < allowed * real(n) && ruled_out(bad);
    let low = slower.iter().rposition(|bad| is_above(*bad)).map_or(0.0, |at| bounds[at]);
    let high = slower.iter().position(|bad| is_below(*bad))?;
    Some([low, bounds[high]])
}

/// The estimate of a histogram.
pub(super) fn of(histogram: &Histogram, quantile: f64) -> Option<f64> {
    let slower = slower(histogram, &histogram.bounds)?;
    estimate(&histogram.bounds, &slower, histogram.total(), quantile)
}

/// The sum of two histograms in a bounded number of buckets. Where the bounds changed, it starts anew.
pub(super) fn added(earlier: Option<Histogram>, window: &Histogram) -> Histogram {
    let thin = thinned(window);
    match earlier {
        Some(mut sum) if sum.bounds == thin.bounds && sum.counts.len() == thin.counts.len() => {
            for (total, count) in sum.counts.iter_mut().zip(&thin.counts) {
                *total = total.saturating_add(*count);
            }
            sum
        }
        _ => thin,
    }
}

fn thinned(histogram: &Histogram) -> Histogram {
    let bounds = evenly(&histogram.bounds);
    let Some(slower) = slower(histogram, &bounds) else { return Histogram::default() };
    let mut counts = vec![];
    let mut rest = histogram.total();
    for count in slower {
        counts.push(rest.saturating_sub(count));
        rest = count;
    }
    counts.push(rest);
    Histogram { bounds, counts }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
