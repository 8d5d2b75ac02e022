//! How the values of both sides are spread, for a picture: exact counts in few bins or categories.

use std::{cmp::Reverse, collections::BTreeMap};

use tagship_domain::drift::Histogram;
use tagship_stats::drift::{Sample, bins::counted};

use super::column::Pair;

/// Bins of numbers.
const BINS: u32 = 24;
/// Categories that are named.
const NAMED: usize = 10;
/// Longest name of a category, in characters.
const LONGEST: usize = 60;
/// Share of values that may lie in the tail of a side.
const TAIL: f64 = 0.005;
/// Where the whole range is so many times wider than what lies between the tails, bins would show nothing but those.
const FAR: f64 = 2.0;

/// Absent where neither side has a value, or the range is beyond what a number can say.
pub(super) fn of(pair: &Pair<'_>) -> Option<Histogram> {
    match pair {
        Pair::Numbers(reference, current) => {
            let edges = edges(reference, current)?;
            let counts = counted(reference, current, &edges);
            Some(Histogram::Bins { edges, counts })
        }
        Pair::Categories(reference, current) => categories(reference, current),
    }
}

fn edges(reference: &Sample, current: &Sample) -> Option<Vec<f64>> {
    let both = |of: fn(&Sample) -> Option<(f64, f64)>| {
        [reference, current]
            .into_iter()
            .filter_map(of)
            .reduce(|(low, high), (least, most)| (low.min(least), high.max(most)))
    };
    let (least, most) = both(Sample::range)?;
    let (low, high) = both(|sample| Some((sample.quantile(TAIL)?, sample.quantile(1.0 - TAIL)?)))?;
    let whole = most - least;
    if !whole.is_finite() {
        return None;
    }
    let is_narrow = high > low && whole > FAR * (high - low);
    let (low, high) = if is_narrow { (low, high) } else { (least, most) };
    if high <= low {
        return Some(vec![least, most]);
    }
    let width = (high - low) / f64::from(BINS);
    let inner = (1..BINS).map(|at| f64::from(at).mul_add(width, low));
    let mut edges: Vec<f64> = [least].into_iter().chain(inner).chain([most]).collect();
    // Where numbers lie closer than they can be told apart, neighbouring edges are the same.
    edges.dedup_by(|one, other| *one <= *other);
    Some(edges)
}

fn categories(reference: &BTreeMap<String, u64>, current: &BTreeMap<String, u64>) -> Option<Histogram> {
    let count = |name: &str| [reference, current].map(|side| side.get(name).copied().unwrap_or(0));
    let mut all: Vec<(&String, [u64; 2])> = reference.keys().map(|name| (name, count(name))).collect();
    let new = current.keys().filter(|name| !reference.contains_key(*name));
    all.extend(new.map(|name| (name, count(name))));
    if all.is_empty() {
        return None;
    }
    all.sort_by_key(|(name, [one, other])| (Reverse(one.saturating_add(*other)), *name));
    let rest = all.split_off(NAMED.min(all.len()));
    let other = rest.iter().fold([0, 0], |[one, other], (_, [n, m])| [one + n, other + m]);
    let (names, counts) = all.into_iter().map(|(name, counts)| (cut(name), counts)).unzip();
    Some(Histogram::Categories { names, counts, other })
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(reference: Vec<f64>, current: Vec<f64>) -> (Vec<f64>, Vec<[u64; 2]>) {
        match of(&Pair::Numbers(&Sample::of(reference), &Sample::of(current))) {
            Some(Histogram::Bins { edges, counts }) => (edges, counts),
            other => panic!("no bins: {other:?}"),
        }
    }

    fn totals(counts: &[[u64; 2]]) -> [u64; 2] {
        counts.iter().fold([0, 0], |[n, m], [one, other]| [n + one, m + other])
    }

    #[test]
    fn bins_hold_every_value_once() {
        let (edges, counts) = bins((0..480).map(f64::from).collect(), (240..720).map(f64::from).collect());
        assert_eq!((edges.len(), edges[0], edges[24], counts.len()), (25, 0.0, 719.0, 24));
        assert_eq!((totals(&counts), counts[0], counts[23]), ([480, 480], [30, 0], [0, 30]));
        let (edges, counts) = bins(vec![7.0; 5], vec![7.0; 3]);
        assert_eq!((edges, counts), (vec![7.0, 7.0], vec![[5, 3]]));
        let (_, counts) = bins(vec![1.0, 1.0_f64.next_up()], vec![1.0]);
        assert_eq!(totals(&counts), [2, 1]);
    }

    #[test]
    fn one_value_far_out_does_not_flatten_the_picture() {
        let near: Vec<f64> = (0..1000).map(f64::from).collect();
        let far = near.iter().copied().chain([1e9]).collect();
        let (edges, counts) = bins(near, far);
        assert!(edges[24] >= 1e9 && edges[23] < 1001.0, "{edges:?}");
        assert_eq!(totals(&counts), [1000, 1001]);
        let endless = Pair::Numbers(&Sample::of(vec![-1.7e308]), &Sample::of(vec![1.7e308]));
        assert_eq!(of(&endless), None);
    }

    #[test]
    fn categories_beyond_the_most_frequent_are_one() {
        let side = |count: u64| (0..15).map(|at| (format!("c{at:02}"), count + at)).collect();
        let (reference, mut current): (BTreeMap<String, u64>, BTreeMap<String, u64>) = (side(10), side(20));
        current.insert("n".repeat(100_000), 900);
        let found = of(&Pair::Categories(&reference, &current));
        let Some(Histogram::Categories { names, counts, other }) = found else { panic!("{found:?}") };
        assert_eq!((names.len(), names[1].as_str(), counts[1]), (NAMED, "c14", [24, 34]));
        assert_eq!((names[0].chars().count(), counts[0]), (LONGEST, [0, 900]));
        assert_eq!(other, [10 + 11 + 12 + 13 + 14 + 15, 20 + 21 + 22 + 23 + 24 + 25]);
        assert_eq!(of(&Pair::Categories(&BTreeMap::new(), &BTreeMap::new())), None);
    }
}
