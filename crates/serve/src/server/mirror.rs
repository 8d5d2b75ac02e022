//! Copies of requests for a shadow version.
//!
//! A copy is taken when the real answer is complete, and answered beside it: it delays or fails no request. Copies have
//! workers of their own and little room; what finds none is dropped and counted, as is what waits too long or longer than
//! the shadow lasts.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use tagship_domain::ModelName;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    agreement::agree, context::Server, distance::distance, feedback::pair, inference_protocol::Answer,
    metrics::CopyEnding, predictions::labels, table::Arm,
};
use crate::engine::Tensor;

/// Room for all copies that wait, in KiB of their requests and answers as JSON.
const ROOM: usize = 64 << 10;
/// What the smallest copy takes of it: no more than a thousand copies wait.
const LEAST: usize = 64;

/// Where copies wait.
#[derive(Debug)]
pub(super) struct Mirror {
    room: Arc<Semaphore>,
}

/// A request that was answered, to be answered by another version too.
#[derive(Debug)]
pub(super) struct Mirrored {
    arm: Arc<Arm>,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    took: Duration,
    _room: OwnedSemaphorePermit,
}

/// Which prediction a copy belongs to.
#[derive(Debug)]
pub(super) struct Original {
    pub(super) model: ModelName,
    pub(super) id: String,
    pub(super) number: u64,
}

impl Mirror {
    pub(super) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM)) }
    }

    /// Copies a request of this many bytes, answer included, for a version; nothing where there is no room.
    pub(super) fn copy(&self, arm: Arc<Arm>, answer: &Answer, bytes: usize) -> Option<Mirrored> {
        let cost = u32::try_from(bytes.div_ceil(1024).max(LEAST)).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(cost) else {
            arm.metrics.shadow.ended(CopyEnding::Dropped);
            return None;
        };
        let (inputs, outputs) = (answer.inputs.clone(), answer.outputs.clone());
        Some(Mirrored { arm, inputs, outputs, took: answer.took, _room: room })
    }
}

impl Mirrored {
    /// Lets the shadow version answer, compares, and counts.
    pub(super) async fn answer(mut self, server: Arc<Server>, original: Original) {
        let shadow = &Arc::clone(&self.arm.metrics).shadow;
        let outputs = match self.run(&server).await {
            Run::Answered(outputs, took) => {
                shadow.took(self.took, took);
                outputs
            }
            Run::Failed => return shadow.ended(CopyEnding::Failed),
            Run::Dropped => return shadow.ended(CopyEnding::Dropped),
        };
        if let Some(distance) = distance(&self.outputs, &outputs) {
            shadow.distances.record(distance);
        }
        shadow.ended(if agree(&self.outputs, &outputs) { CopyEnding::Agreed } else { CopyEnding::Disagreed });
        let judged = server.predictions.copy_answered(&original, &self.arm.metrics, labels(&outputs));
        if let Some(pair) = judged.and_then(|(judgement, labels)| pair(&judgement, &labels)) {
            shadow.judged(pair);
        }
    }

    async fn run(&mut self, server: &Server) -> Run {
        let patience = server.limits.request_timeout;
        let turn = timeout(patience, Arc::clone(&self.arm.copies).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Run::Dropped };
        let table = server.control.table();
        let is_shadow = table.models.get(&self.arm.model).is_some_and(|routes| routes.is_shadow(&self.arm));
        if !is_shadow || server.is_draining() {
            return Run::Dropped;
        }
        let Ok(loaded) = &self.arm.loaded else { return Run::Failed };
        let (loaded, inputs) = (Arc::clone(loaded), mem::take(&mut self.inputs));
        // The turn goes with the work: a version that hangs keeps its own turns, and no others.
        let work = move || {
            let _turn = turn;
            let begun = Instant::now();
            loaded.infer(&inputs).map(|outputs| (outputs, begun.elapsed()))
        };
        match timeout(patience, spawn_blocking(work)).await {
            Ok(Ok(Ok((outputs, took)))) => Run::Answered(outputs, took),
            _ => Run::Failed,
        }
    }
}

enum Run {
    Answered(Vec<Tensor>, Duration),
    Failed,
    Dropped,
}
