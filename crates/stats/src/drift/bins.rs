//! Bins of numbers: equally wide ones by the rule of Sturges, and those that hold equal shares of the reference.

use super::sample::{Sample, pooled, real};

/// Most bins; so many equally wide ones come from more rows than fit in memory.
const MOST: usize = 4096;

/// Edges of equally wide bins over the range of both samples, as many as the rule of H. Sturges ("The choice of a class
/// interval", 1926) asks for: `1 + log2(rows)` in the range, rounded up, as `numpy.histogram_bin_edges(bins="sturges")`.
/// Bins hold their left edge, the last one both. Empty where there is no value.
#[must_use]
pub fn sturges(reference: &Sample, current: &Sample) -> Vec<f64> {
    equal_width(reference, current, reference.count() + current.count())
}

/// As [`sturges`], with the number of distinct values in place of the number of rows.
#[must_use]
pub fn sturges_of_distinct(reference: &Sample, current: &Sample) -> Vec<f64> {
    equal_width(reference, current, pooled(reference, current).count())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number of bins"
)]
fn equal_width(reference: &Sample, current: &Sample, rows: usize) -> Vec<f64> {
    let Some((low, high)) = range(reference, current) else { return Vec::new() };
    if low >= high {
        return vec![low - 0.5, high + 0.5];
    }
    let width = (high - low) / (real(rows).log2() + 1.0);
    let bins = (((high - low) / width).ceil() as usize).clamp(1, MOST);
    let step = (high - low) / real(bins);
    let mut edges: Vec<f64> = (0..bins).map(|at| real(at) * step + low).collect();
    edges.push(high);
    edges
}

fn range(reference: &Sample, current: &Sample) -> Option<(f64, f64)> {
    match (reference.range(), current.range()) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

/// Inner edges of bins that hold about equal shares of the reference: its quantiles (linear), equal ones once, without the
/// smallest and the largest value, for the outermost bins have no end.
#[must_use]
pub fn reference_quantiles(reference: &Sample, bins: usize) -> Vec<f64> {
    // As numpy.linspace makes them, so that a quantile which is a value lies on the same side of it.
    let step = 1.0 / real(bins);
    let all = (0..=bins).filter_map(|at| reference.quantile((real(at) * step).min(1.0)));
    let mut edges: Vec<f64> = all.collect();
    edges.dedup_by(|one, other| *one <= *other);
    edges.pop();
    if !edges.is_empty() {
        edges.remove(0);
    }
    edges
}

/// How many values of the reference and of the current sample lie in each bin between neighbouring edges; left-closed, the
/// last one closed.
#[must_use]
pub fn counted(reference: &Sample, current: &Sample, edges: &[f64]) -> Vec<[u64; 2]> {
    let of = |sample: &Sample| -> Vec<usize> {
        let last = edges.len().saturating_sub(1);
        let up_to =
            |(at, edge): (usize, &f64)| if at == last { sample.at_most(*edge) } else { sample.below(*edge) };
        edges.iter().enumerate().map(up_to).collect()
    };
    between(&of(reference), &of(current))
}

/// The same in the bins around inner edges; each edge belongs to the bin above it.
#[must_use]
pub fn counted_around(reference: &Sample, current: &Sample, inner: &[f64]) -> Vec<[u64; 2]> {
    let of = |sample: &Sample| -> Vec<usize> {
        let inside = inner.iter().map(|edge| sample.below(*edge));
        std::iter::once(0).chain(inside).chain(std::iter::once(sample.count())).collect()
    };
    between(&of(reference), &of(current))
}

/// Differences of neighbouring cumulative counts.
fn between(reference: &[usize], current: &[usize]) -> Vec<[u64; 2]> {
    let steps = |cumulative: &[usize]| -> Vec<u64> {
        cumulative.windows(2).map(|pair| (pair[1] - pair[0]) as u64).collect()
    };
    steps(reference).into_iter().zip(steps(current)).map(|(one, other)| [one, other]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: impl IntoIterator<Item = f64>) -> Sample {
        Sample::of(values.into_iter().collect())
    }

    #[test]
    fn edges_are_those_of_numpy() {
        // numpy.histogram_bin_edges(range(16), "sturges")
        let edges = sturges(&sample((0..10).map(f64::from)), &sample((10..16).map(f64::from)));
        assert_eq!(edges, [0.0, 3.0, 6.0, 9.0, 12.0, 15.0]);
        assert_eq!(sturges(&sample([4.0; 9]), &sample([4.0])), [3.5, 4.5]);
        assert!(sturges(&sample([]), &sample([])).is_empty());
    }

    #[test]
    fn every_value_is_in_one_bin() {
        let (one, other) = (sample((0..100).map(f64::from)), sample((50..90).map(|x| f64::from(x) / 2.0)));
        let all = |bins: Vec<[u64; 2]>| bins.into_iter().fold([0, 0], |[n, m], [a, b]| [n + a, m + b]);
        assert_eq!(all(counted(&one, &other, &sturges(&one, &other))), [100, 40]);
        assert_eq!(all(counted_around(&one, &other, &reference_quantiles(&one, 10))), [100, 40]);
    }

    #[test]
    fn quantile_bins_share_the_reference() {
        let reference = sample((0..1000).map(f64::from));
        let counts = counted_around(&reference, &reference, &reference_quantiles(&reference, 10));
        assert!(counts.iter().all(|pair| *pair == [100, 100]), "{counts:?}");
        assert!(reference_quantiles(&sample([1.0; 50]), 10).is_empty());
        assert!(reference_quantiles(&sample([]), 10).is_empty());
    }
}
