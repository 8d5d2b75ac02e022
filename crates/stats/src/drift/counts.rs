//! How often each category is in the reference and in the current rows, and the tests of whether its share has changed.

use std::f64::consts::SQRT_2;

use super::{
    Tested,
    sample::{Pooled, real},
};
use crate::{binomial::ln_factorial, gamma::chi_squared_survival, normal};

/// The counts of each category, reference first, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(Vec<[u64; 2]>);

impl FromIterator<[u64; 2]> for Counts {
    /// Categories that are in neither are left out.
    fn from_iter<I: IntoIterator<Item = [u64; 2]>>(pairs: I) -> Self {
        Self(pairs.into_iter().filter(|[reference, current]| reference + current > 0).collect())
    }
}

impl Counts {
    /// The distinct values of two samples as categories.
    pub fn of_values(pooled: impl Iterator<Item = Pooled>) -> Self {
        pooled.map(|at| [at.reference as u64, at.current as u64]).collect()
    }

    /// The counts, reference first.
    #[must_use]
    pub fn pairs(&self) -> &[[u64; 2]] {
        &self.0
    }

    /// How many categories there are.
    #[must_use]
    pub fn categories(&self) -> usize {
        self.0.len()
    }

    /// All rows of the reference and of the current side.
    #[must_use]
    pub fn totals(&self) -> [u64; 2] {
        self.0.iter().fold([0, 0], |[n, m], [one, other]| [n + one, m + other])
    }

    fn sizes(&self) -> Option<[f64; 2]> {
        let totals = self.totals();
        (totals[0] > 0 && totals[1] > 0).then(|| totals.map(float))
    }

    /// The test of goodness of fit: are the current counts those that the reference's shares lead to, as if these were known
    /// exactly? They are not, so that it alarms too often. Unseen categories give an infinite statistic. `None` where there
    /// is one category or a side is empty.
    #[must_use]
    pub fn goodness_of_fit(&self) -> Option<Tested> {
        let [n, m] = self.sizes()?;
        let statistic = self.sum(|[reference, current]| {
            let expected = reference * m / n;
            (current - expected).powi(2) / expected
        });
        self.with_degrees(statistic)
    }

    /// Pearson's test of the 2 x k table, without Yates' correction. `None` where there is one category or a side is empty.
    #[must_use]
    pub fn contingency(&self) -> Option<Tested> {
        let [n, m] = self.sizes()?;
        let statistic = self.sum(|[reference, current]| {
            let all = (reference + current) / (n + m);
            (reference - all * n).powi(2) / (all * n) + (current - all * m).powi(2) / (all * m)
        });
        self.with_degrees(statistic)
    }

    /// The likelihood ratio (G) of the 2 x k table. `None` where there is one category or a side is empty.
    #[must_use]
    pub fn likelihood_ratio(&self) -> Option<Tested> {
        let [n, m] = self.sizes()?;
        let part =
            |count: f64, expected: f64| if count > 0.0 { count * (count / expected).ln() } else { 0.0 };
        let statistic = 2.0
            * self.sum(|[reference, current]| {
                let all = (reference + current) / (n + m);
                part(reference, all * n) + part(current, all * m)
            });
        self.with_degrees(statistic)
    }

    /// Cramer's V of a 2 x k table in which both sides weigh the same, without its bias, 0 to 1. `None` where there is one
    /// category or a side is empty.
    ///
    /// V of the counts as they are shrinks where one side has many more rows than the other, however much has changed; and
    /// it grows with the number of categories where nothing has. What is expected then is taken off, as by W. Bergsma ("A
    /// bias-correction for Cramer's V and Tschuprow's T", Journal of the Korean Statistical Society 42, 2013), here for sides
    /// of any size: a share of `a` rows and one of `b` differ by chance by `share (1/a + 1/b)` in the square.
    #[must_use]
    pub fn balanced_v(&self) -> Option<f64> {
        let [n, m] = self.sizes().filter(|_| self.categories() > 1)?;
        let squared = self.sum(|[reference, current]| {
            let (one, other) = (reference / n, current / m);
            (one - other).powi(2) / (one + other) / 2.0
        });
        let by_chance = (real(self.categories()) - 1.0) * (1.0 / n + 1.0 / m) / 4.0;
        Some((squared - by_chance).max(0.0).sqrt())
    }

    /// The smallest count that the 2 x k table expects in a cell; `None` where a side is empty.
    #[must_use]
    pub fn smallest_expected(&self) -> Option<f64> {
        let [n, m] = self.sizes()?;
        let smaller = n.min(m) / (n + m);
        self.0.iter().map(|[one, other]| float(one + other) * smaller).reduce(f64::min)
    }

    /// Categories that expect fewer than `least` in a cell, taken together as one, with the next larger ones where they are
    /// too few even so.
    #[must_use]
    pub fn merged(&self, least: f64) -> Self {
        let Some([n, m]) = self.sizes() else { return self.clone() };
        let smaller = n.min(m) / (n + m);
        let is_rare = |[one, other]: [u64; 2]| float(one + other) * smaller < least;
        let mut by_size = self.0.clone();
        by_size.sort_by_key(|[one, other]| one + other);
        let mut rest = [0, 0];
        let mut kept = vec![];
        for pair in by_size {
            if is_rare(pair) || (rest != [0, 0] && is_rare(rest)) {
                rest = [rest[0] + pair[0], rest[1] + pair[1]];
            } else {
                kept.push(pair);
            }
        }
        kept.push(rest);
        kept.into_iter().collect()
    }

    /// The test of two proportions, by the shares of rows that are not of the first category; to two sides. Equal constants do
    /// not differ. `None` where a side is empty.
    #[must_use]
    pub fn two_proportions(&self) -> Option<Tested> {
        let [n, m] = self.totals();
        let first = self.0.first().copied().unwrap_or_default();
        two_proportions([n - first[0], n], [m - first[1], m])
    }

    /// Fisher's exact test of a 2 x 2 table, to two sides: the probability of all tables that are no likelier than this one.
    /// `None` where there are not two categories or a side is empty. The statistic is the odds ratio of the sample.
    #[must_use]
    pub fn fisher_exact(&self) -> Option<Tested> {
        let [one, other] = <[[u64; 2]; 2]>::try_from(self.0.as_slice()).ok()?;
        let [n, m] = self.totals();
        if n == 0 || m == 0 {
            return None;
        }
        let first = one[0] + one[1];
        let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
        let all = ln_choose(n + m, first);
        let probability = |x: u64| (ln_choose(n, x) + ln_choose(m, first - x) - all).exp();
        // Tables that are as likely but for rounding count as well.
        let limit = probability(one[0]) * (1.0 + 1e-7);
        let tables = first.saturating_sub(m)..=first.min(n);
        let p_value = tables.map(probability).filter(|one| *one <= limit).sum::<f64>().min(1.0);
        let statistic = float(one[0]) * float(other[1]) / (float(one[1]) * float(other[0]));
        Some(Tested { statistic, p_value })
    }

    fn sum(&self, of: impl Fn([f64; 2]) -> f64) -> f64 {
        self.0.iter().map(|pair| of(pair.map(float))).sum()
    }

    fn with_degrees(&self, statistic: f64) -> Option<Tested> {
        let degrees = u32::try_from(self.categories().checked_sub(1)?).ok().filter(|degrees| *degrees > 0)?;
        Some(Tested { statistic, p_value: chi_squared_survival(statistic, degrees) })
    }
}

/// The pooled test of two proportions, each as successes and trials, to two sides; the statistic is first minus second in
/// standard errors. Where all or none succeed there is nothing to tell apart: the p-value is 1. `None` without trials.
#[must_use]
pub fn two_proportions([x, n]: [u64; 2], [y, m]: [u64; 2]) -> Option<Tested> {
    if n == 0 || m == 0 {
        return None;
    }
    let (one, other) = (float(x) / float(n), float(y) / float(m));
    let pooled = float(x + y) / float(n + m);
    let error = (pooled * (1.0 - pooled) * (1.0 / float(n) + 1.0 / float(m))).sqrt();
    if error <= 0.0 {
        return Some(Tested { statistic: 0.0, p_value: 1.0 });
    }
    let statistic = (one - other) / error;
    Some(Tested { statistic, p_value: normal::erfc(statistic.abs() / SQRT_2) })
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pairs: &[[u64; 2]]) -> Counts {
        pairs.iter().copied().collect()
    }

    #[track_caller]
    fn close(actual: f64, expect: f64) {
        assert!((actual - expect).abs() <= 1e-9 * expect.abs(), "{actual:e} is not {expect:e}");
    }

    #[test]
    fn tables_agree_with_scipy() {
        let counts = counts(&[[30, 14], [50, 30], [20, 26]]);
        let tested = counts.contingency().unwrap();
        close(tested.statistic, 6.509_387_351_778_655);
        close(tested.p_value, 0.038_592_640_709_242_86);
        let tested = counts.likelihood_ratio().unwrap();
        close(tested.statistic, 6.470_042_193_712_892);
    }

    #[test]
    fn shares_that_agree_do_not_differ() {
        let counts = counts(&[[30, 60], [50, 100], [20, 40]]);
        assert!(counts.goodness_of_fit().unwrap().p_value > 1.0 - 1e-12);
        assert!(counts.contingency().unwrap().p_value > 1.0 - 1e-12);
        assert!(counts.balanced_v().unwrap().abs() < 1e-12);
    }

    #[test]
    fn an_effect_does_not_depend_on_how_many_rows_a_side_has() {
        // Of two categories V is the difference of shares where these are 0.5 and a little around it.
        let of = |n: u64, m: u64| counts(&[[52 * n, 48 * m], [48 * n, 52 * m]]).balanced_v().unwrap();
        assert!((of(1_000, 1_000) - 0.04).abs() < 1e-3, "{}", of(1_000, 1_000));
        assert!((of(1_000_000, 1_000) - of(1_000, 1_000)).abs() < 1e-3, "{}", of(1_000_000, 1_000));
        close(
            counts(&[[700, 0], [0, 300]]).balanced_v().unwrap().powi(2),
            1.0 - (1.0 / 700.0 + 1.0 / 300.0) / 4.0,
        );
        // Of equal sides it is Bergsma's, but for one row of all: chi squared / N - (k - 1) / (N - 1).
        let equal = counts(&[[30, 14], [50, 40], [20, 46]]);
        let bergsma = equal.contingency().unwrap().statistic / 200.0 - 2.0 / 199.0;
        assert!((equal.balanced_v().unwrap().powi(2) - bergsma).abs() < 1e-4);
    }

    #[test]
    fn one_category_and_empty_sides_have_no_answer() {
        for nothing in [counts(&[[5, 7]]), counts(&[[5, 0], [3, 0]]), counts(&[])] {
            assert_eq!((nothing.goodness_of_fit(), nothing.contingency()), (None, None), "{nothing:?}");
            assert_eq!((nothing.balanced_v(), nothing.fisher_exact()), (None, None), "{nothing:?}");
        }
        assert!(counts(&[[5, 7], [0, 2]]).goodness_of_fit().unwrap().p_value <= 0.0);
    }

    #[test]
    fn rare_categories_are_taken_together() {
        let merged = counts(&[[500, 500], [3, 2], [1, 0], [0, 9]]).merged(5.0);
        assert_eq!(merged.pairs(), [[500, 500], [4, 11]]);
        let merged = counts(&[[500, 500], [1, 0], [20, 20], [40, 40]]).merged(5.0);
        assert_eq!(merged.pairs(), [[40, 40], [500, 500], [21, 20]], "one row alone is no category");
    }

    #[test]
    fn fisher_counts_tables() {
        // The lady tasting tea, three of four right: 2 (16 + 1) / 70.
        close(counts(&[[3, 1], [1, 3]]).fisher_exact().unwrap().p_value, 34.0 / 70.0);
        assert_eq!(counts(&[[3, 1], [1, 3], [1, 1]]).fisher_exact(), None);
    }

    #[test]
    fn proportions_that_cannot_differ_do_not() {
        assert_eq!(counts(&[[9, 4]]).two_proportions(), Some(Tested { statistic: 0.0, p_value: 1.0 }));
        assert_eq!(two_proportions([0, 0], [1, 2]), None);
        close(two_proportions([32, 400], [91, 300]).unwrap().statistic.abs(), 7.683_387_358_295_77);
    }
}
