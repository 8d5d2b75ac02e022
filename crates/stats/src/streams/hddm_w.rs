//! The drift detection method of `McDiarmid`'s inequality over weighted averages: test W of the paper that `hddm_a` names. Newer
//! values count more, so that it sees slow changes.

use serde::{Deserialize, Serialize};

use super::{Detector, Signal};

/// The detector with its state; values lie between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HddmW {
    /// Probability of a false alarm at a comparison.
    pub drift: f64,
    /// The same of a warning.
    pub warning: f64,
    /// The weight of the newest value, between 0 and 1.
    pub weight: f64,
    /// Whether a smaller mean matters too.
    pub two_sided: bool,
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    all: Average,
    rise: Cut,
    fall: Cut,
    count: u64,
    detected: bool,
}

/// A weighted average, and the sum of the squares of its weights, which bounds how far it strays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Average {
    value: Option<f64>,
    squares: f64,
}

impl Default for Average {
    fn default() -> Self {
        Self { value: None, squares: 1.0 }
    }
}

/// The stream cut in two where its beginning was surely best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cut {
    /// The bound at the cut.
    best: Option<f64>,
    before: Average,
    after: Average,
}

/// Values after which its silence means something; it may alarm earlier.
const WARM_UP: u64 = 30;

impl Default for HddmW {
    fn default() -> Self {
        Self { drift: 0.001, warning: 0.005, weight: 0.05, two_sided: false, state: State::default() }
    }
}

impl Detector for HddmW {
    fn has_detected(&self) -> bool {
        self.state.detected
    }

    fn forget(&mut self) {
        self.state = State::default();
    }

    fn is_ready(&self) -> bool {
        self.state.count >= WARM_UP
    }

    fn take(&mut self, value: f64) -> Signal {
        self.state.count += 1;
        let State { all, rise, fall, .. } = &mut self.state;
        all.add(value, self.weight);
        let (mean, error) = (all.value.unwrap_or(value), all.error(self.drift));
        rise.take(value, self.weight, *all, mean + error);
        // The same upside down: the highest lower bound.
        fall.take(value, self.weight, *all, -(mean - error));
        let is_beyond =
            |confidence: f64| rise.change(confidence) || (self.two_sided && fall.turned().change(confidence));
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

impl Average {
    fn add(&mut self, value: f64, weight: f64) {
        let rest = 1.0 - weight;
        self.value = Some(self.value.map_or(value, |mean| weight * value + rest * mean));
        self.squares = weight * weight + rest * rest * self.squares;
    }

    fn error(&self, confidence: f64) -> f64 {
        bound(self.squares, confidence)
    }
}

impl Cut {
    /// Cuts after the value where the bound is smaller than it ever was, else counts the value to the end.
    fn take(&mut self, value: f64, weight: f64, all: Average, bound: f64) {
        if self.best.is_none_or(|best| bound < best) {
            *self = Self { best: Some(bound), before: all, after: Average::default() };
        } else {
            self.after.add(value, weight);
        }
    }

    fn turned(self) -> Self {
        Self { before: self.after, after: self.before, ..self }
    }

    /// Whether the end is larger than the beginning by more than chance.
    fn change(&self, confidence: f64) -> bool {
        let (Some(before), Some(after)) = (self.before.value, self.after.value) else { return false };
        after - before > bound(self.before.squares + self.after.squares, confidence)
    }
}

fn bound(squares: f64, confidence: f64) -> f64 {
    (squares * (1.0 / confidence).ln() / 2.0).sqrt()
}
