//! Where labelled predictions of both versions are read, for scores that need all of them at once.

use async_trait::async_trait;
use tagship_domain::{Timestamp, Version, scoring::Labelled};

use crate::PortError;

/// A source of labelled predictions.
#[async_trait]
pub trait LabelledSource: Send + Sync {
    /// Every prediction of the two versions that was made between the two times and has its label by the second one, in
    /// an order that does not change when more are added; at most [`Labelled::MOST`] of a version, the first ones. What the
    /// source cannot read is an error that says so, never fewer rows.
    async fn labelled(
        &self,
        stable: &Version,
        candidate: &Version,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Labelled, PortError>;
}
