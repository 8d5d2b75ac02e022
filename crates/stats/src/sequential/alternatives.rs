//! Which regressions the tests are on the look-out for.

/// Ratios of failure shares, candidate over stable, that a test puts equal weight on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternatives {
    /// Errors are rare and regressions of any size matter.
    Errors,
    /// Wrong answers are common, so small ratios matter.
    Accuracy,
    /// Slow answers.
    Latency,
}

/// Of the smallest alternative to what is tolerated; closer ones would gain nothing in any realistic time.
const ROUNDING: f64 = 1e-9;

impl Alternatives {
    fn base(self) -> &'static [f64] {
        match self {
            Self::Errors => &[1.1, 1.25, 1.5, 2.0, 3.0, 6.0],
            Self::Accuracy => &[1.05, 1.125, 1.25, 1.5, 2.0],
            Self::Latency => &[1.1, 1.25, 1.5, 2.0, 4.0],
        }
    }

    /// The ratios that lie clearly beyond what is tolerated. Where a tolerance leaves fewer than three, the list is
    /// scaled by it instead.
    pub(super) fn beyond(self, tolerance: f64) -> Vec<f64> {
        let base = self.base();
        let least = base[0] * tolerance - ROUNDING;
        let beyond: Vec<f64> = base.iter().copied().filter(|ratio| *ratio >= least).collect();
        if beyond.len() >= 3 { beyond } else { base.iter().map(|ratio| ratio * tolerance).collect() }
    }
}

/// Ratios for the test of gross failures, over its own null.
pub(super) const GROSS: [f64; 3] = [1.5, 2.5, 5.0];
/// How many times worse than stable is gross, or what is tolerated, where that is more.
pub(super) const GROSSLY: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_drops_the_alternatives_that_it_allows() {
        assert_eq!(Alternatives::Errors.beyond(1.0), [1.1, 1.25, 1.5, 2.0, 3.0, 6.0]);
        assert_eq!(Alternatives::Errors.beyond(1.25), [1.5, 2.0, 3.0, 6.0]);
        assert_eq!(Alternatives::Accuracy.beyond(1.0).len(), 5);
        assert!(Alternatives::Latency.beyond(3.0).iter().all(|ratio| *ratio > 3.2));
    }
}
