//! Time. The only way to know what time it is or to wait.

use async_trait::async_trait;
use tagship_domain::{Duration, Timestamp};

/// A clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, length: Duration);
}
