//! The machine's clock. The only place that reads it.

use async_trait::async_trait;
use tagship_domain::{Duration, Timestamp};
use tagship_ports::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the Clock that everything else asks")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis).unwrap_or(Timestamp::LATEST)
    }

    async fn sleep(&self, length: Duration) {
        tokio::time::sleep(length.std()).await;
    }
}
