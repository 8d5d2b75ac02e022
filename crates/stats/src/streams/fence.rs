//! Anomalies by a fence around the middle half of the values before: beyond three times its width from it.
//!
//! J. Tukey, "Exploratory Data Analysis" (1977): the outer fence.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Detector, Signal};
use crate::quantile::quantile;

/// The detector with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fence {
    /// Widths of the middle half that a value may lie outside of it.
    pub widths: f64,
    /// Values that a value is compared with.
    pub window: usize,
    /// Values before the first verdict.
    pub warm_up: usize,
    values: VecDeque<f64>,
}

impl Default for Fence {
    fn default() -> Self {
        Self { widths: 3.0, window: 200, warm_up: 30, values: VecDeque::new() }
    }
}

impl Fence {
    /// The lower and the upper fence; absent where there are too few values. Where the middle half is one value, as of counts
    /// that are mostly zero, the fences are the extremes.
    #[must_use]
    pub fn fences(&self) -> Option<[f64; 2]> {
        if self.values.len() < self.warm_up {
            return None;
        }
        let mut sorted: Vec<f64> = self.values.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (quantile(&sorted, 0.25)?, quantile(&sorted, 0.75)?);
        let reach = self.widths * (high - low);
        let extremes = || Some([*sorted.first()?, *sorted.last()?]);
        if reach > 0.0 { Some([low - reach, high + reach]) } else { extremes() }
    }
}

impl Detector for Fence {
    /// It goes on with the same window.
    fn has_detected(&self) -> bool {
        false
    }

    fn forget(&mut self) {
        self.values.clear();
    }

    fn is_ready(&self) -> bool {
        self.values.len() >= self.warm_up
    }

    fn take(&mut self, value: f64) -> Signal {
        let is_out = self.fences().is_some_and(|[low, high]| value < low || value > high);
        self.values.push_back(value);
        if self.values.len() > self.window {
            self.values.pop_front();
        }
        if is_out { Signal::Drift } else { Signal::Stable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_outer_fence_are_anomalies() {
        let mut detector = Fence::default();
        assert!((0..70).all(|at| detector.update(f64::from(at % 7)) == Signal::Stable));
        assert_eq!(detector.fences(), Some([-11.0, 17.0]), "the middle half is 1 to 5 after 70 values");
        assert_eq!((detector.update(16.9), detector.update(17.1)), (Signal::Stable, Signal::Drift));
    }

    #[test]
    fn of_counts_that_are_mostly_zero_only_new_extremes_are_anomalies() {
        let mut detector = Fence::default();
        assert!((0..100).all(|at| detector.update(f64::from(u8::from(at % 5 == 0))) == Signal::Stable));
        assert_eq!((detector.update(1.0), detector.update(900.0)), (Signal::Stable, Signal::Drift));
    }
}
