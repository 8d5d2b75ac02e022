//! McNemar's test: do two classifiers that saw the same rows differ?
//!
//! Q. `McNemar`, "Note on the sampling error of the difference between correlated proportions or percentages"
//! (Psychometrika 12, 1947). Under the hypothesis that they are equally good, the `b + c` rows that exactly one
//! gets right fall to either with probability 1/2.

use crate::{binomial, normal, paired::Paired};

/// From so many discordant rows on, the continuity-corrected chi-squared form is used.
pub const EXACT_BELOW: u64 = 25;

/// Which form of the test was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The binomial distribution itself.
    Exact,
    /// Chi-squared with one degree of freedom and Edwards' continuity correction.
    ContinuityCorrected,
}

/// The two-sided p-value by the form that fits the number of discordant rows.
pub fn test(paired: &Paired) -> (f64, Form) {
    if paired.only_first.saturating_add(paired.only_second) < EXACT_BELOW {
        (exact(paired), Form::Exact)
    } else {
        (continuity_corrected(paired), Form::ContinuityCorrected)
    }
}

/// The exact two-sided p-value: `min(1, 2 P(X <= min(b, c)))` with X binomial of `b + c` trials and 1/2.
/// 1 where nothing is discordant.
pub fn exact(paired: &Paired) -> f64 {
    let (b, c) = (paired.only_first, paired.only_second);
    (2.0 * binomial::cdf(b.min(c), b.saturating_add(c), 0.5)).min(1.0)
}

/// The p-value of [`statistic`]; 1 where nothing is discordant.
pub fn continuity_corrected(paired: &Paired) -> f64 {
    normal::chi_squared_1_survival(statistic(paired))
}

/// The statistic with continuity correction: `(|b - c| - 1)^2 / (b + c)` (A. Edwards, Psychometrika 13, 1948);
/// 0 where `b = c = 0`.
///
/// For `b = c > 0` the formula gives `1 / (b + c)`, as the common implementations do.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub fn statistic(paired: &Paired) -> f64 {
    let (b, c) = (paired.only_first as f64, paired.only_second as f64);
    if b + c == 0.0 { 0.0 } else { ((b - c).abs() - 1.0).powi(2) / (b + c) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(actual: f64, expect: f64) {
        assert!((actual - expect).abs() <= 1e-9 * expect, "{actual} is not {expect}");
    }

    fn discordant(only_first: u64, only_second: u64) -> Paired {
        Paired { rows: 100, only_first, only_second }
    }

    #[test]
    fn both_forms_agree_with_statsmodels() {
        let case = discordant(10, 25);
        close(exact(&case), 0.016_673_847_800_120_7);
        close(statistic(&case), 5.6);
        close(continuity_corrected(&case), 0.017_960_477_526_078_8);
        let even = discordant(30, 30);
        close(exact(&even), 1.0);
        close(statistic(&even), 0.016_666_666_666_666_7);
        close(continuity_corrected(&even), 0.897_278_961_260_083);
        close(exact(&discordant(0, 0)), 1.0);
        close(continuity_corrected(&discordant(0, 0)), 1.0);
    }

    #[test]
    fn few_discordant_rows_take_the_exact_form() {
        assert_eq!(test(&discordant(4, 20)), (exact(&discordant(4, 20)), Form::Exact));
        assert_eq!(test(&discordant(4, 21)).1, Form::ContinuityCorrected);
    }

    #[test]
    fn sides_do_not_matter_and_large_counts_stay_finite() {
        close(exact(&discordant(3, 17)), exact(&discordant(17, 3)));
        let huge = exact(&Paired { rows: 3_000_000, only_first: 1_000_000, only_second: 1_002_000 });
        assert!((0.15..0.16).contains(&huge), "{huge}");
        assert!(exact(&discordant(u64::MAX, 0)).abs() < 1e-9);
    }
}
