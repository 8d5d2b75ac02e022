//! Orders as short as tests want them, and what came of them.

use std::path::Path;

use tagship_domain::{Version, traffic::Weight};
use tagship_ports::{
    PortError,
    target::{Done, Order},
};

use super::{Played, digest, version};

/// Orders to a target about the versions that [`version`] numbers.
pub(crate) trait Orders: Played {
    fn order(&self, fence: u64) -> Order {
        Order::new(self.model().clone(), fence)
    }

    async fn prepare(&self, fence: u64, number: u8) -> Result<Done, PortError> {
        let (version, digest) = (version(u64::from(number)), digest(number));
        self.target().prepare(&self.order(fence), &version, &digest, Path::new("")).await
    }

    async fn weight(&self, fence: u64, number: u64, percent: u8) -> Result<Done, PortError> {
        let weight = Weight::percent(percent).unwrap();
        self.target().set_weight(&self.order(fence), &version(number), weight).await
    }

    async fn promote(&self, fence: u64, number: u64) -> Result<Done, PortError> {
        self.target().promote(&self.order(fence), &version(number)).await
    }

    async fn rollback(&self, fence: u64, number: u64) -> Result<Done, PortError> {
        self.target().rollback(&self.order(fence), Some(&version(number))).await
    }

    async fn cleanup(&self, fence: u64, number: u64) -> Result<Done, PortError> {
        self.target().cleanup(&self.order(fence), &version(number)).await
    }

    /// Major version, share in force, and whether it is ready.
    async fn shares(&self) -> Vec<(u64, u8, bool)> {
        let state = self.target().observe(self.model()).await.unwrap();
        let major = |version: &Version| version.to_string()[1..].split('.').next().unwrap().parse().unwrap();
        state.arms.iter().map(|arm| (major(&arm.version), arm.weight.get(), arm.ready)).collect()
    }
}

impl<S: Played> Orders for S {}
