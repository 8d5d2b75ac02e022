//! A detector over standardised values: for one whose threshold is in the unit of the values.

use serde::{Deserialize, Serialize};

use super::{Detector, Signal, mean::Mean};

/// Learns mean and standard deviation from the first values and hands the later ones on in these units. After a detection it
/// learns again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standardised<D> {
    detector: D,
    mean: Mean,
    squares: f64,
}

/// Values from which mean and deviation are learnt.
const LEARNT: u64 = 100;

impl<D: Detector> Standardised<D> {
    /// Around a detector.
    pub fn new(detector: D) -> Self {
        Self { detector, mean: Mean::default(), squares: 0.0 }
    }
}

impl<D: Detector> Detector for Standardised<D> {
    fn has_detected(&self) -> bool {
        self.detector.has_detected()
    }

    fn forget(&mut self) {
        self.detector.forget();
        (self.mean, self.squares) = (Mean::default(), 0.0);
    }

    fn is_ready(&self) -> bool {
        self.mean.count >= LEARNT && self.detector.is_ready()
    }

    fn take(&mut self, value: f64) -> Signal {
        if self.mean.count < LEARNT {
            let before = self.mean.value;
            self.mean.add(value);
            self.squares += (value - before) * (value - self.mean.value);
            return Signal::Stable;
        }
        let deviation = (self.squares / (self.mean.size() - 1.0)).sqrt();
        // Of values that were all the same, any other one is infinitely far.
        let scale = if deviation > 0.0 { deviation } else { f64::EPSILON.max(self.mean.value.abs() * 1e-6) };
        self.detector.update((value - self.mean.value) / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::PageHinkley, *};
    use crate::random::Random;

    #[test]
    fn a_change_is_seen_in_any_unit_and_noise_is_none() {
        for unit in [0.001, 1.0, 1e6] {
            let mut random = Random::new(3);
            let mut detector = Standardised::new(PageHinkley::default());
            let mut noise = |middle: f64| unit * (100.0 + middle + 10.0 * (random.unit() - 0.5));
            assert!((0..600).all(|_| detector.update(noise(0.0)) == Signal::Stable), "{unit}");
            let seen = (0..100).position(|_| detector.update(noise(8.0)) == Signal::Drift);
            assert!(seen.is_some_and(|at| at < 60), "{unit} {seen:?}");
        }
    }
}
