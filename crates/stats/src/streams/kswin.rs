//! The windowed test of Kolmogorov and Smirnov: the newest values against some of those before them.
//!
//! C. Raab, M. Heusinger and F. Schleif, "Reactive soft prototype computing for concept drift streams" (Neurocomputing 416, 2020).
//! Which of the older values are drawn follows from the number of values seen, so that a stream has one answer.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Detector, Signal};
use crate::{
    drift::{Sample, kolmogorov_smirnov},
    random::Random,
};

/// Smaller distances do not matter, however certain they are.
const DISTANCE: f64 = 0.1;

/// The detector with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kswin {
    /// Level of each test.
    pub level: f64,
    /// Values in the window.
    pub window: usize,
    /// Values on each side of a test, at most half of the window.
    pub side: usize,
    /// Seed of the draws.
    pub seed: u64,
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    values: VecDeque<f64>,
    seen: u64,
}

impl Default for Kswin {
    fn default() -> Self {
        Self { level: 0.005, window: 100, side: 30, seed: 0, state: State::default() }
    }
}

impl Detector for Kswin {
    /// It keeps the newest values by itself.
    fn has_detected(&self) -> bool {
        false
    }

    fn forget(&mut self) {
        self.state = State::default();
    }

    fn is_ready(&self) -> bool {
        self.state.values.len() >= self.window
    }

    fn take(&mut self, value: f64) -> Signal {
        let state = &mut self.state;
        state.seen += 1;
        state.values.push_back(value);
        if state.values.len() > self.window {
            state.values.pop_front();
        }
        if state.values.len() < self.window {
            return Signal::Stable;
        }
        let (older, newest) = self.sides();
        let tested = kolmogorov_smirnov(&Sample::of(older), &Sample::of(newest.clone()));
        let is_drift =
            tested.is_some_and(|tested| tested.p_value <= self.level && tested.statistic > DISTANCE);
        if is_drift {
            self.state.values = newest.into();
            return Signal::Drift;
        }
        Signal::Stable
    }
}

impl Kswin {
    /// Some of the older values, drawn without putting back, and the newest.
    fn sides(&self) -> (Vec<f64>, Vec<f64>) {
        let values: Vec<f64> = self.state.values.iter().copied().collect();
        let (older, newest) = values.split_at(self.window - self.side);
        let mut older = older.to_vec();
        let mut random = Random::new(self.seed ^ self.state.seen);
        let mut drawn = vec![];
        while drawn.len() < self.side && !older.is_empty() {
            drawn.push(older.swap_remove(random.below(older.len())));
        }
        (drawn, newest.to_vec())
    }
}
