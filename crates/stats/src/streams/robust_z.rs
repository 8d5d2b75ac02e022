//! Anomalies by the robust z-score: single values that lie far from the median of those before them.
//!
//! B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers" (1993): `0.6745 (x - median) / MAD` beyond 3.5. Where half of
//! the values are equal, so that the MAD is 0, the mean absolute deviation times 1.2533 stands in.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Detector, Signal};
use crate::quantile::quantile;

/// The detector with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RobustZ {
    /// Score from which a value is an anomaly.
    pub threshold: f64,
    /// Values that a value is compared with.
    pub window: usize,
    /// Values before the first verdict.
    pub warm_up: usize,
    values: VecDeque<f64>,
}

impl Default for RobustZ {
    fn default() -> Self {
        Self { threshold: 3.5, window: 200, warm_up: 30, values: VecDeque::new() }
    }
}

impl RobustZ {
    /// The score of a value among those before it; absent where they are too few. Among equal ones any other is infinitely far.
    #[must_use]
    pub fn score(&self, value: f64) -> Option<f64> {
        if self.values.len() < self.warm_up {
            return None;
        }
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        let median = quantile(&sorted(self.values.iter().copied().collect()), 0.5)?;
        let off = sorted(self.values.iter().map(|value| (value - median).abs()).collect());
        let spread = quantile(&off, 0.5)? / 0.6745;
        #[expect(clippy::cast_precision_loss, reason = "a window is small")]
        let mean = 1.2533 * off.iter().sum::<f64>() / off.len() as f64;
        let spread = if spread > 0.0 { spread } else { mean };
        let distance = value - median;
        Some(if distance.abs() > 0.0 { distance / spread } else { 0.0 })
    }
}

impl Detector for RobustZ {
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
        let is_far = self.score(value).is_some_and(|score| score.abs() > self.threshold);
        self.values.push_back(value);
        if self.values.len() > self.window {
            self.values.pop_front();
        }
        if is_far { Signal::Drift } else { Signal::Stable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_value_is_an_anomaly_and_constants_are_none() {
        let mut detector = RobustZ::default();
        let calm = (0..60).all(|at| detector.update(f64::from(at % 7)) == Signal::Stable);
        assert!(calm);
        // Median 3, MAD 2: 0.6745 (14 - 3) / 2 = 3.71.
        assert!((detector.score(14.0).unwrap() - 3.71).abs() < 0.01, "{:?}", detector.score(14.0));
        assert_eq!(detector.update(14.0), Signal::Drift);
        assert_eq!(detector.update(3.0), Signal::Stable);
        let mut constant = RobustZ::default();
        assert!((0..100).all(|_| constant.update(5.0) == Signal::Stable));
        assert_eq!((constant.score(9.0), constant.update(f64::NAN)), (Some(f64::INFINITY), Signal::Stable));
        assert_eq!((constant.update(900.0), constant.update(5.0)), (Signal::Drift, Signal::Stable));
    }
}
