//! The drift detection method: the error ratio against its best so far.
//!
//! J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection" (SBIA 2004). It alarms falsely in about two
//! of five streams in which nothing changes; ADWIN and `HDDM_A` are better.

use serde::{Deserialize, Serialize};

use super::{Detector, Signal, mean::Mean};

/// The detector with its state; values are 1 for an error and 0 for none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ddm {
    /// Values before the first verdict.
    pub warm_up: u64,
    /// Standard deviations above the best that warn.
    pub warning: f64,
    /// Standard deviations above the best that alarm.
    pub drift: f64,
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    errors: Mean,
    /// Error ratio and its standard deviation where their sum was smallest.
    best: Option<(f64, f64)>,
    detected: bool,
}

impl Default for Ddm {
    fn default() -> Self {
        Self { warm_up: 30, warning: 2.0, drift: 3.0, state: State::default() }
    }
}

impl Detector for Ddm {
    fn has_detected(&self) -> bool {
        self.state.detected
    }

    fn forget(&mut self) {
        self.state = State::default();
    }

    fn is_ready(&self) -> bool {
        self.state.errors.count > self.warm_up
    }

    fn take(&mut self, value: f64) -> Signal {
        let state = &mut self.state;
        state.errors.add(value);
        let ratio = state.errors.value;
        let deviation = (ratio * (1.0 - ratio) / state.errors.size()).sqrt();
        if state.errors.count <= self.warm_up {
            return Signal::Stable;
        }
        let now = ratio + deviation;
        let (best, spread) = match state.best {
            Some((best, spread)) if now > best + spread => (best, spread),
            _ => (ratio, deviation),
        };
        state.best = Some((best, spread));
        state.detected = now > best + self.drift * spread;
        if state.detected {
            Signal::Drift
        } else if now > best + self.warning * spread {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }
}
