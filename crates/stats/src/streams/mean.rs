//! The mean of the values so far.

use serde::{Deserialize, Serialize};

/// A running mean; the order of its operations decides at which value a detector alarms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mean {
    pub(super) count: u64,
    pub(super) value: f64,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1;
        self.value += (value - self.value) / self.size();
    }

    /// The count as a number.
    #[expect(clippy::cast_precision_loss, reason = "counts of values are far below 2^53")]
    pub(super) fn size(&self) -> f64 {
        self.count as f64
    }
}
