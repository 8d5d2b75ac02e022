//! Non-inferiority: is the new one worse by less than what we are ready to lose?
//!
//! A test for a difference cannot show that there is none: with few rows it stays silent. So the question is
//! asked of the confidence interval of the difference (new minus old) and a margin, as in ICH E9, "Statistical
//! Principles for Clinical Trials" (1998), section 3.3.2. A two-sided 95 % interval makes it a one-sided test at
//! 2.5 %.

use crate::interval::Interval;

/// What an interval says about a margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// The whole interval lies above `-margin`: at worst a loss that was allowed.
    NonInferior,
    /// The whole interval lies below `-margin`: a loss that was not allowed, even at best.
    Inferior,
    /// The interval holds `-margin`: too few rows to tell.
    Undecided,
}

/// Judges the difference (new minus old, higher is better) whose interval is given; `margin` is the loss that
/// is allowed, not negative. A NaN anywhere is undecided.
pub fn judge(difference: &Interval, margin: f64) -> Judgement {
    if difference.low > -margin {
        Judgement::NonInferior
    } else if difference.high < -margin {
        Judgement::Inferior
    } else {
        Judgement::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(low: f64, high: f64, expect: Judgement) {
        assert_eq!(judge(&Interval { low, high, confidence: 0.95 }, 0.01), expect, "{low} {high}");
    }

    #[test]
    fn the_interval_decides_not_its_middle() {
        check(-0.009, 0.02, Judgement::NonInferior);
        check(-0.009, -0.001, Judgement::NonInferior);
        check(-0.011, 0.02, Judgement::Undecided);
        check(-0.05, -0.011, Judgement::Inferior);
        check(-0.01, -0.01, Judgement::Undecided);
        check(f64::NAN, f64::NAN, Judgement::Undecided);
    }
}
