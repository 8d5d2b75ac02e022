//! The test of Page and Hinkley: the sum of distances from the mean, and how far it is from its extreme.
//!
//! E. Page, "Continuous inspection schemes" (Biometrika 41, 1954). The threshold is in the unit of the values, so that the
//! stream must be standardised first, or the threshold chosen for it.

use serde::{Deserialize, Serialize};

use super::{Detector, Signal, mean::Mean};

/// Which changes of the mean matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Larger values.
    Up,
    /// Smaller values.
    Down,
    /// Either.
    #[default]
    Both,
}

/// The detector with its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    /// Which changes matter.
    pub direction: Direction,
    /// Distance from the mean that does not count, in the unit of the values.
    pub delta: f64,
    /// How far the sum may be from its extreme, in the unit of the values.
    pub threshold: f64,
    /// How much of the sum is kept with each value, just below 1.
    pub forgetting: f64,
    /// Values before the first verdict.
    pub warm_up: u64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    mean: Mean,
    rise: f64,
    fall: f64,
    lowest: Option<f64>,
    highest: f64,
    detected: bool,
}

impl Default for PageHinkley {
    fn default() -> Self {
        Self {
            direction: Direction::Both,
            delta: 0.005,
            threshold: 50.0,
            forgetting: 1.0 - 0.0001,
            warm_up: 30,
            state: State::new(),
        }
    }
}

impl State {
    /// The highest sum begins below zero, as river has it.
    fn new() -> Self {
        Self { mean: Mean::default(), rise: 0.0, fall: 0.0, lowest: None, highest: -1.0, detected: false }
    }
}

impl Detector for PageHinkley {
    fn has_detected(&self) -> bool {
        self.state.detected
    }

    fn forget(&mut self) {
        self.state = State::new();
    }

    fn is_ready(&self) -> bool {
        self.state.mean.count >= self.warm_up
    }

    fn take(&mut self, value: f64) -> Signal {
        let state = &mut self.state;
        state.mean.add(value);
        let distance = value - state.mean.value;
        state.rise = self.forgetting * state.rise + distance - self.delta;
        state.fall = self.forgetting * state.fall + distance + self.delta;
        let lowest = state.lowest.map_or(state.rise, |lowest| lowest.min(state.rise));
        state.lowest = Some(lowest);
        state.highest = state.highest.max(state.fall);
        let up = state.rise - lowest > self.threshold;
        let down = state.highest - state.fall > self.threshold;
        let beyond = match self.direction {
            Direction::Up => up,
            Direction::Down => down,
            Direction::Both => up || down,
        };
        state.detected = state.mean.count >= self.warm_up && beyond;
        if state.detected { Signal::Drift } else { Signal::Stable }
    }
}
