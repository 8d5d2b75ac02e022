//! Telling people elsewhere what a rollout came to.

use async_trait::async_trait;
use tagship_domain::notice::Notice;

use crate::PortError;

/// Where people are told.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends one notice. What fails is for a warning, and never holds a rollout up; an error never shows the address,
    /// which is a secret.
    async fn notify(&self, notice: &Notice) -> Result<(), PortError>;
}
