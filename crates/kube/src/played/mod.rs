//! What the tests of every target play with: versions, a clock with which controllers get on, and whole rollouts.

mod journey;
mod orders;
mod rights;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tagship_domain::{Digest, Duration, ModelName, Timestamp, Version};
use tagship_ports::{Clock, Target};
use tagship_testkit::cluster::{FakeCluster, actors::Actor};

pub(crate) use journey::{Journey, Runs, canary, flip, is_at};
pub(crate) use orders::Orders;
pub(crate) use rights::{ask, granted, without};

/// A target on a played cluster.
pub(crate) trait Played {
    fn target(&self) -> &dyn Target;
    fn model(&self) -> &ModelName;
    /// Lets the controllers look once.
    fn step(&self);
}

/// Time passes when somebody waits, and with it the controllers get on.
pub(crate) struct Stepping {
    pub(crate) cluster: Arc<FakeCluster>,
    pub(crate) actors: Arc<Mutex<Vec<Box<dyn Actor>>>>,
}

#[async_trait]
impl Clock for Stepping {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(0).unwrap()
    }

    async fn sleep(&self, _length: Duration) {
        self.cluster.step(&mut self.actors.lock().unwrap());
    }
}

pub(crate) fn version(number: u64) -> Version {
    Version::new(number, 0, 0)
}

pub(crate) fn digest(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}
