//! Where one metric is counted, when not by the target.

use async_trait::async_trait;
use tagship_domain::{Timestamp, Version, tally::Tally};

use crate::PortError;

/// A source that counts one metric of every version.
#[async_trait]
pub trait TallySource: Send + Sync {
    /// Everything counted about a version up to `at`, series by series. What the source does not know is an error that
    /// says so, never a zero: no series, a value that is no count, an answer that may be partial.
    async fn tally(&self, version: &Version, at: Timestamp) -> Result<Tally, PortError>;

    /// Whether it can still say what was counted up to a time in the past, so that looks that nobody took can be taken
    /// later.
    fn knows_the_past(&self) -> bool {
        false
    }
}
