//! Drift of a stream: has the mean of a value that comes one at a time changed?
//!
//! Each detector takes one value after the other and keeps a small state, which can be written down and read back between two
//! runs. After a detection it forgets everything with the next value. Where a paper leaves room, semantics and defaults are
//! those of river 0.26, so that the same stream alarms at the same value.

mod adwin;
mod ddm;
mod eddm;
mod fence;
mod fhddm;
mod hddm_a;
mod hddm_w;
mod kswin;
mod mean;
mod page_hinkley;
mod robust_z;
mod standardised;
#[cfg(test)]
mod tests;

pub use adwin::Adwin;
pub use ddm::Ddm;
pub use eddm::Eddm;
pub use fence::Fence;
pub use fhddm::Fhddm;
pub use hddm_a::HddmA;
pub use hddm_w::HddmW;
pub use kswin::Kswin;
pub use page_hinkley::{Direction, PageHinkley};
pub use robust_z::RobustZ;
pub use standardised::Standardised;

/// What a detector says about the stream so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Nothing has changed that could be told from chance.
    #[default]
    Stable,
    /// Something may be changing.
    Warning,
    /// It has changed.
    Drift,
}

/// Larger values count as this: no square or sum of them may overflow, for the state has to be read again.
const LARGEST: f64 = 1e100;

/// Watches a stream.
pub trait Detector {
    /// Takes the next value; one that is not finite is left out. After a detection everything before is forgotten.
    fn update(&mut self, value: f64) -> Signal {
        if !value.is_finite() {
            return self.standing();
        }
        if self.has_detected() {
            self.forget();
        }
        self.take(value.clamp(-LARGEST, LARGEST))
    }

    /// Whether it has seen enough to tell a change, so that its silence means something.
    fn is_ready(&self) -> bool;

    /// Whether the last value was a detection.
    fn has_detected(&self) -> bool;

    /// Begins again.
    fn forget(&mut self);

    /// Takes the next value, which is finite.
    fn take(&mut self, value: f64) -> Signal;

    /// What it says where a value is left out.
    fn standing(&self) -> Signal {
        Signal::Stable
    }
}
