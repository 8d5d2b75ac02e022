//! The early drift detection method: the number of values between two errors against its largest so far.
//!
//! M. Baena-Garcia et al., "Early drift detection method" (IWKDDS 2006). It alarms in nearly every stream in which nothing
//! changes.

use serde::{Deserialize, Serialize};

use super::{Detector, Signal, mean::Mean};

/// The detector with its state; values are 1 for an error and 0 for none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eddm {
    /// Values, and errors, before the first verdict.
    pub warm_up: u64,
    /// Share of the largest distance below which it warns.
    pub warning: f64,
    /// Share of the largest distance below which it alarms.
    pub drift: f64,
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    values: u64,
    last_error: u64,
    distances: Mean,
    squares: f64,
    largest: Option<f64>,
    /// Stands between two errors.
    signal: Signal,
}

impl Default for Eddm {
    fn default() -> Self {
        Self { warm_up: 30, warning: 0.95, drift: 0.9, state: State::default() }
    }
}

impl Detector for Eddm {
    fn has_detected(&self) -> bool {
        self.state.signal == Signal::Drift
    }

    fn forget(&mut self) {
        self.state = State::default();
    }

    /// It compares distances between errors, so that a stream without errors tells it nothing.
    fn is_ready(&self) -> bool {
        self.state.values > self.warm_up && self.state.distances.count > self.warm_up
    }

    fn standing(&self) -> Signal {
        self.state.signal
    }

    fn take(&mut self, value: f64) -> Signal {
        let state = &mut self.state;
        state.values += 1;
        if value < 1.0 {
            return state.signal;
        }
        state.measure();
        if state.values > self.warm_up {
            let reach = state.distances.value + 2.0 * state.deviation();
            match state.largest.filter(|largest| reach <= *largest) {
                None => state.largest = Some(reach),
                Some(largest) if state.distances.count > self.warm_up => {
                    state.signal = signal(reach / largest, self.drift, self.warning);
                }
                Some(_) => {}
            }
        }
        self.state.signal
    }
}

/// Distances that are this share of the largest.
fn signal(level: f64, drift: f64, warning: f64) -> Signal {
    if level < drift {
        Signal::Drift
    } else if level < warning {
        Signal::Warning
    } else {
        Signal::Stable
    }
}

impl State {
    /// Takes the distance from the last error (B. Welford, Technometrics 4, 1962).
    #[expect(clippy::cast_precision_loss, reason = "counts of values are far below 2^53")]
    fn measure(&mut self) {
        let distance = (self.values - self.last_error) as f64;
        let before = self.distances.value;
        self.distances.add(distance);
        self.squares += (distance - before) * (distance - self.distances.value);
        self.last_error = self.values;
    }

    /// Of a sample; 0 of one distance.
    fn deviation(&self) -> f64 {
        if self.distances.count > 1 { (self.squares / (self.distances.size() - 1.0)).sqrt() } else { 0.0 }
    }
}
