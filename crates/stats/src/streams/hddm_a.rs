//! The drift detection method of Hoeffding's inequality over averages: the mean so far against the mean up to the point where
//! its bound was best.
//!
//! I. Frias-Blanco et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds" (IEEE Transactions on
//! Knowledge and Data Engineering 27, 2015), test A. Values lie between 0 and 1.

use serde::{Deserialize, Serialize};

use super::{Detector, Signal, mean::Mean};

/// The detector with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HddmA {
    /// Probability of a false alarm at a comparison.
    pub drift: f64,
    /// The same of a warning.
    pub warning: f64,
    /// Whether a smaller mean matters too.
    pub two_sided: bool,
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    all: Mean,
    /// Where the mean was surely smallest.
    low: Mean,
    /// Where it was surely largest.
    high: Mean,
    detected: bool,
}

/// Values after which its silence means something; it may alarm earlier.
const WARM_UP: u64 = 30;

impl Default for HddmA {
    fn default() -> Self {
        Self { drift: 0.001, warning: 0.005, two_sided: false, state: State::default() }
    }
}

impl Detector for HddmA {
    fn has_detected(&self) -> bool {
        self.state.detected
    }

    fn forget(&mut self) {
        self.state = State::default();
    }

    fn is_ready(&self) -> bool {
        self.state.all.count >= WARM_UP
    }

    fn take(&mut self, value: f64) -> Signal {
        self.state.all.add(value);
        self.move_cuts();
        let State { all, low, high, .. } = &self.state;
        let is_beyond = |confidence: f64| {
            let rises = low.count < all.count && all.value - low.value >= error(low, all, confidence);
            let falls = high.count < all.count && high.value - all.value >= error(high, all, confidence);
            rises || (self.two_sided && falls)
        };
        let signal = if is_beyond(self.drift) {
            Signal::Drift
        } else if is_beyond(self.warning) {
            Signal::Warning
        } else {
            Signal::Stable
        };
        self.state.detected = signal == Signal::Drift;
        signal
    }
}

impl HddmA {
    fn move_cuts(&mut self) {
        let logarithm = (1.0 / self.drift).ln();
        let bound = |mean: &Mean| (1.0 / (2.0 * mean.size()) * logarithm).sqrt();
        let State { all, low, high, .. } = &mut self.state;
        if low.count == 0 || low.value + bound(low) >= all.value + bound(all) {
            *low = *all;
        }
        if high.count == 0 || high.value - bound(high) <= all.value - bound(all) {
            *high = *all;
        }
    }
}

/// How far the mean of all may lie from that of its beginning by chance.
fn error(beginning: &Mean, all: &Mean, confidence: f64) -> f64 {
    let share = (all.size() - beginning.size()) / beginning.size() * (1.0 / all.size());
    (share / 2.0 * (2.0 / confidence).ln()).sqrt()
}
