//! A clock that moves when someone sleeps or a test moves it.

use std::sync::Mutex;

use async_trait::async_trait;
use tagship_domain::{Duration, Timestamp};

use super::{faults::give_way, lock::held};
use crate::Clock;

/// A clock that stands still until someone sleeps.
#[derive(Debug)]
pub struct FakeClock {
    now: Mutex<Timestamp>,
}

impl FakeClock {
    /// A clock that shows this time.
    pub fn at(now: Timestamp) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, time: Timestamp) {
        *held(&self.now) = time;
    }

    /// Moves the clock forward.
    pub fn advance(&self, length: Duration) {
        let mut now = held(&self.now);
        *now = now.after(length);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *held(&self.now)
    }

    async fn sleep(&self, length: Duration) {
        give_way().await;
        self.advance(length);
    }
}
