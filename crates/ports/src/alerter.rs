//! Telling people elsewhere of incidents.

use async_trait::async_trait;
use tagship_domain::incident::IncidentNotice;

use crate::PortError;

/// Where people are told of incidents.
#[async_trait]
pub trait Alerter: Send + Sync {
    /// Tells that an incident was opened, goes on or is over. Told again, it is the same incident by its fingerprint. An error
    /// never shows the address, which is a secret.
    async fn alert(&self, notice: &IncidentNotice) -> Result<(), PortError>;
}
