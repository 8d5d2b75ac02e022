//! What every handler works with, and the door that requests come in by.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use tagship_ports::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    control::Control, draw::Draw, mirror::Mirror, prediction_log::PredictionLog, predictions::Predictions,
    reply::Problem, settings::Limits,
};

/// One running server.
pub(super) struct Server {
    pub(super) control: Control,
    pub(super) predictions: Predictions,
    pub(super) mirror: Mirror,
    pub(super) log: Option<PredictionLog>,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    entrance: Arc<Semaphore>,
    turned_away: AtomicU64,
    draining: AtomicBool,
    requests: AtomicU64,
    chance: RandomState,
}

impl Server {
    pub(super) fn new(
        control: Control,
        log: Option<PredictionLog>,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            control,
            predictions: Predictions::new(limits.predictions),
            mirror: Mirror::new(),
            log,
            clock,
            entrance: Arc::new(Semaphore::new(limits.in_flight)),
            turned_away: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            chance: RandomState::new(),
            limits,
        }
    }

    /// Lets a request in, until the permit is dropped.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.entrance).try_acquire_owned().map_err(|_full| {
            self.turned_away.fetch_add(1, Relaxed);
            Problem::unavailable(format!(
                "{} requests are in progress, which is all this server takes; try again later",
                self.limits.in_flight
            ))
        })
    }

    /// Requests in progress.
    pub(super) fn in_flight(&self) -> usize {
        self.limits.in_flight.saturating_sub(self.entrance.available_permits())
    }

    /// Requests that were not let in.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Relaxed)
    }

    /// Tells everyone who asks that this server is going away.
    pub(super) fn start_draining(&self) {
        self.draining.store(true, Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// A point that no client can foresee or steer: a keyed hash of the request's number. Taking turns instead would
    /// split clients that take turns themselves.
    pub(super) fn draw(&self) -> Draw {
        Draw::new(self.chance.hash_one(self.next_number()))
    }

    /// An id for a request that brought none; unique across restarts.
    pub(super) fn new_id(&self) -> String {
        format!("{:016x}-{:x}", self.chance.hash_one("id"), self.next_number())
    }

    fn next_number(&self) -> u64 {
        self.requests.fetch_add(1, Relaxed)
    }
}
