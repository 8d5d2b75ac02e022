//! How much of the host's budget a client has used.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests that count against the rate limit.
    pub counted: u64,
    /// Reads that were answered with "not modified", which do not count.
    pub not_modified: u64,
    /// How many of all these were repetitions.
    pub repeated: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Meter {
    counted: AtomicU64,
    not_modified: AtomicU64,
    repeated: AtomicU64,
}

impl Meter {
    pub(crate) fn sent(&self, not_modified: bool, attempt: u32) {
        let which = if not_modified { &self.not_modified } else { &self.counted };
        which.fetch_add(1, Ordering::Relaxed);
        if attempt > 1 {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn spent(&self) -> Spent {
        Spent {
            counted: self.counted.load(Ordering::Relaxed),
            not_modified: self.not_modified.load(Ordering::Relaxed),
            repeated: self.repeated.load(Ordering::Relaxed),
        }
    }
}
