//! Carries out orders: the one place where versions appear, get traffic and go.
//!
//! Orders run one after the other, on a blocking thread. Each makes the next state, writes it to disk, and only then
//! swaps the routing table: after a crash the server comes back with every order that was answered. Readers take the
//! current table and never wait for an order.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use tagship_domain::{
    ModelName, Version,
    routing::Routing,
    serving::{LoadOrder, ModelStatus, Outcome},
    traffic::Weight,
};
use tokio::sync::Semaphore;

use super::{
    ServeError,
    artifact_store::ArtifactStore,
    metrics::ArmMetrics,
    refused::Refused,
    state::{ModelState, ServerState, StoredVersion},
    state_file::StateFile,
    table::{Arm, Arms, Routes, Table},
};
use crate::Loader;

/// The versions of a server and who gets traffic.
#[derive(Debug)]
pub(super) struct Control {
    table: RwLock<Arc<Table>>,
    inner: Mutex<Inner>,
    artifacts: ArtifactStore,
    loader: Arc<dyn Loader>,
    workers: usize,
}

#[derive(Debug)]
struct Inner {
    file: StateFile,
    state: ServerState,
    arms: BTreeMap<ModelName, Arms>,
}

impl Control {
    /// Takes over a state directory: reads the state, verifies and loads every version. A version that is damaged or
    /// does not load stays, not ready, with the reason; the others serve. Each runs at most `workers` inferences at once.
    pub(super) fn open(
        directory: &Path,
        loader: Arc<dyn Loader>,
        workers: usize,
    ) -> Result<Self, ServeError> {
        let (file, state) = StateFile::open(directory)?;
        let artifacts = ArtifactStore::open(directory, &state)?;
        let mut arms: BTreeMap<ModelName, Arms> = BTreeMap::new();
        for (model, here) in &state.models {
            for (version, stored) in &here.versions {
                let path = artifacts.verify(stored);
                let loaded = path.and_then(|path| loader.load(&path).map_err(|error| error.to_string()));
                let arm = Arm {
                    model: model.clone(),
                    version: version.clone(),
                    digest: stored.digest.clone(),
                    loaded,
                    metrics: Arc::default(),
                    workers: Arc::new(Semaphore::new(workers)),
                    copies: Arc::new(Semaphore::new(copies(workers))),
                };
                arms.entry(model.clone()).or_default().insert(version.clone(), Arc::new(arm));
            }
        }
        let inner = Inner { file, state, arms };
        let table = RwLock::new(Arc::new(inner.table()));
        Ok(Self { table, inner: Mutex::new(inner), artifacts, loader, workers })
    }

    /// The current routing table.
    pub(super) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where uploads go.
    pub(super) fn artifacts(&self) -> &ArtifactStore {
        &self.artifacts
    }

    /// What is known about a model; an unknown one has no versions.
    pub(super) fn status(&self, model: &ModelName) -> ModelStatus {
        let unknown =
            || ModelStatus { model: model.clone(), fence: 0, routing: Routing::default(), arms: Vec::new() };
        self.table().models.get(model).map_or_else(unknown, |routes| routes.status(model))
    }

    /// Loads a version at weight 0. One that is here but not ready is loaded again.
    pub(super) fn load(
        &self,
        model: &ModelName,
        version: &Version,
        order: LoadOrder,
    ) -> Result<Outcome, Refused> {
        let stored = StoredVersion { digest: order.digest, files: order.files };
        self.change(model, order.fence, |state, arms| {
            let outcome = state.add(version, stored.clone())?;
            let before = arms.get(version);
            if outcome == Outcome::AlreadyThere && before.is_some_and(|arm| arm.loaded.is_ok()) {
                return Ok(outcome);
            }
            let path = self.artifacts.install(&stored)?;
            let loaded = self
                .loader
                .load(&path)
                .map_err(|source| Refused::Engine { version: version.clone(), source })?;
            let arm = Arm {
                model: model.clone(),
                version: version.clone(),
                digest: stored.digest.clone(),
                loaded: Ok(loaded),
                metrics: before.map_or_else(Arc::<ArmMetrics>::default, |arm| Arc::clone(&arm.metrics)),
                workers: Arc::new(Semaphore::new(self.workers)),
                copies: Arc::new(Semaphore::new(copies(self.workers))),
            };
            arms.insert(version.clone(), Arc::new(arm));
            Ok(Outcome::Applied)
        })
        .inspect_err(|_| self.discard(&stored))
    }

    /// Gives a loaded version a share of traffic.
    pub(super) fn set_weight(
        &self,
        model: &ModelName,
        fence: u64,
        version: &Version,
        weight: Weight,
    ) -> Result<Outcome, Refused> {
        self.change(model, fence, |state, arms| {
            let outcome = state.set_weight(version, weight)?;
            if weight == Weight::NONE { Ok(outcome) } else { must_answer(arms, version).map(|()| outcome) }
        })
    }

    /// Routes requests so, beside sharing them by weight.
    pub(super) fn route(&self, model: &ModelName, fence: u64, routing: &Routing) -> Result<Outcome, Refused> {
        self.change(model, fence, |state, arms| {
            let outcome = state.route(routing.clone())?;
            let shadow = routing.shadow.as_ref().map(|shadow| &shadow.version);
            let matched = routing.matched.as_ref().map(|matched| &matched.version);
            shadow.into_iter().chain(matched).try_for_each(|version| must_answer(arms, version))?;
            Ok(outcome)
        })
    }

    /// Makes a loaded version stable, with all traffic.
    pub(super) fn promote(
        &self,
        model: &ModelName,
        fence: u64,
        version: &Version,
    ) -> Result<Outcome, Refused> {
        self.change(model, fence, |state, arms| {
            let outcome = state.promote(version)?;
            must_answer(arms, version).map(|()| outcome)
        })
    }

    /// Gives all traffic to a loaded version, or to none.
    pub(super) fn rollback(
        &self,
        model: &ModelName,
        fence: u64,
        to: Option<&Version>,
    ) -> Result<Outcome, Refused> {
        self.change(model, fence, |state, arms| {
            let outcome = state.rollback(to)?;
            to.map_or(Ok(()), |version| must_answer(arms, version)).map(|()| outcome)
        })
    }

    /// Unloads a version without traffic and removes its bytes, where no other version has the same.
    pub(super) fn unload(
        &self,
        model: &ModelName,
        fence: u64,
        version: &Version,
    ) -> Result<Outcome, Refused> {
        let mut removed = None;
        let outcome = self.change(model, fence, |state, arms| {
            removed = state.versions.get(version).cloned();
            let outcome = state.remove(version)?;
            arms.remove(version);
            Ok(outcome)
        })?;
        if let Some(stored) = removed {
            self.discard(&stored);
        }
        Ok(outcome)
    }

    /// Lets an order in, lets it make the next state and arms of its model, and puts them in force. A refused order
    /// leaves nothing but its fence.
    fn change(
        &self,
        model: &ModelName,
        fence: u64,
        order: impl FnOnce(&mut ModelState, &mut Arms) -> Result<Outcome, Refused>,
    ) -> Result<Outcome, Refused> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut admitted = inner.state.models.get(model).cloned().unwrap_or_default();
        admitted.admit(fence)?;
        let mut next = admitted.clone();
        let mut arms = inner.arms.get(model).cloned().unwrap_or_default();
        let result = order(&mut next, &mut arms);
        if result.is_ok() {
            next.count_moves(&admitted);
            inner.put(model, next, Some(arms))?;
        } else if inner.state.models.contains_key(model) {
            inner.put(model, admitted, None)?;
        }
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(inner.table());
        result
    }

    /// Removes the bytes of a version, unless some version still has them. Failing to is no failure of an order: the
    /// next start removes what is left.
    fn discard(&self, stored: &StoredVersion) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.state.uses(&stored.digest) {
            let _ = self.artifacts.remove(&stored.digest);
        }
    }
}

impl Inner {
    /// Writes the next state of a model to disk, then takes it and its arms over.
    fn put(&mut self, model: &ModelName, next: ModelState, arms: Option<Arms>) -> Result<(), ServeError> {
        if self.state.models.get(model) != Some(&next) {
            let mut state = self.state.clone();
            state.models.insert(model.clone(), next);
            self.file.save(&state)?;
            self.state = state;
        }
        if let Some(arms) = arms {
            self.arms.insert(model.clone(), arms);
        }
        Ok(())
    }

    fn table(&self) -> Table {
        let routes = |(model, state): (&ModelName, &ModelState)| {
            let arms = self.arms.get(model).cloned().unwrap_or_default();
            (model.clone(), Routes::new(state.clone(), arms))
        };
        Table { models: self.state.models.iter().map(routes).collect() }
    }
}

/// Copies that a version answers at once: fewer than requests, whose CPU time they share.
fn copies(workers: usize) -> usize {
    (workers / 2).max(1)
}

fn must_answer(arms: &Arms, version: &Version) -> Result<(), Refused> {
    match arms.get(version).map(|arm| &arm.loaded) {
        Some(Ok(_)) => Ok(()),
        Some(Err(message)) => Err(Refused::NotReady { version: version.clone(), message: message.clone() }),
        None => Err(Refused::NotLoaded { version: version.clone() }),
    }
}
