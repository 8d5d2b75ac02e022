//! The fast Hoeffding drift detection method: the share of correct predictions in a window against its best.
//!
//! A. Pesaranghader and H. Viktor, "Fast Hoeffding drift detection method for evolving data streams" (ECML PKDD 2016). Values are
//! 1 for a prediction that was right; with errors as ones it alarms when the model gets better.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Detector, Signal};

/// The detector with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fhddm {
    /// Values in the window.
    pub window: usize,
    /// Values in a shorter window beside it, where one is wanted.
    pub short_window: Option<usize>,
    /// Probability of a false alarm at a comparison.
    pub confidence: f64,
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    values: VecDeque<f64>,
    best: f64,
    best_short: f64,
    detected: bool,
}

impl Default for Fhddm {
    fn default() -> Self {
        Self { window: 100, short_window: None, confidence: 1e-6, state: State::default() }
    }
}

impl Detector for Fhddm {
    fn has_detected(&self) -> bool {
        self.state.detected
    }

    fn forget(&mut self) {
        self.state = State::default();
    }

    fn is_ready(&self) -> bool {
        self.state.values.len() + 1 >= self.window
    }

    fn take(&mut self, value: f64) -> Signal {
        let state = &mut self.state;
        state.values.push_back(value);
        if state.values.len() < self.window {
            return Signal::Stable;
        }
        let long = falls(&state.values, self.window, &mut state.best, self.confidence);
        let short = self
            .short_window
            .is_some_and(|size| falls(&state.values, size, &mut state.best_short, self.confidence));
        state.values.pop_front();
        state.detected = long || short;
        if state.detected { Signal::Drift } else { Signal::Stable }
    }
}

/// Whether the mean of the last `size` values is below the best one by more than chance.
#[expect(clippy::cast_precision_loss, reason = "a window is small")]
fn falls(values: &VecDeque<f64>, size: usize, best: &mut f64, confidence: f64) -> bool {
    let mean = values.iter().rev().take(size).sum::<f64>() / size as f64;
    *best = best.max(mean);
    *best - mean > ((1.0 / confidence).ln() / (2.0 * size as f64)).sqrt()
}
