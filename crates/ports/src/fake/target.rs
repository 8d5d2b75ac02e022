//! A target in memory that remembers every version that ever had traffic.

use std::{collections::BTreeMap, path::Path, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::{
    Digest, ModelName, Version,
    routing::Routing,
    traffic::{Arm, Counters, TargetState, Weight},
};

use super::{Faults, lock::held};
use crate::{
    PortError, Problem, Target,
    target::{Capabilities, Done, Order},
};

/// A target in memory.
#[derive(Debug, Default)]
pub struct FakeTarget {
    /// What goes wrong in `observe`, `prepare`, `set_weight`, `route`, `promote`, `rollback` and `cleanup`.
    pub faults: Faults,
    models: Mutex<BTreeMap<ModelName, Served>>,
}

#[derive(Debug, Default)]
struct Served {
    fence: u64,
    routing: Routing,
    stable: Option<Version>,
    arms: BTreeMap<Version, Arm>,
    /// Versions in the order in which they got traffic, with their digests.
    traffic: Vec<(Version, Digest)>,
    starts_ready: Option<bool>,
    load: Option<Load>,
}

/// Requests that reach a target between two looks at it.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// How many, over all versions by weight.
    pub requests: u64,
    /// Of a thousand answers of a version, those to copies too, how many are errors and how many are right; versions that are not named
    /// make no errors and are always right.
    pub quality: BTreeMap<Version, (u64, u64)>,
}

/// Of a hundred requests, how many carry the header that leads them to one version, where one does.
const MATCHED: u64 = 20;

impl FakeTarget {
    /// Puts a version in place as stable with all traffic, whatever was there.
    pub fn serve(&self, model: &ModelName, version: &Version, digest: &Digest) {
        self.change(model, |served| {
            served.put(version, digest);
            served.give_all(Some(version));
        });
    }

    /// Whether versions that are prepared from now on are ready at once; they are by default.
    pub fn starts_ready(&self, model: &ModelName, ready: bool) {
        self.change(model, |served| served.starts_ready = Some(ready));
    }

    /// Makes a loaded version ready or not ready.
    pub fn set_ready(&self, model: &ModelName, version: &Version, ready: bool) {
        self.change(model, |served| {
            if let Some(arm) = served.arms.get_mut(version) {
                arm.ready = ready;
            }
        });
    }

    /// Exchanges the bytes of a loaded version behind everyone's back.
    pub fn tamper(&self, model: &ModelName, version: &Version, digest: &Digest) {
        self.change(model, |served| {
            if let Some(arm) = served.arms.get_mut(version) {
                arm.digest = digest.clone();
            }
        });
    }

    /// Lets requests come: every look at the target finds that this many more were answered since the one before.
    pub fn load(&self, model: &ModelName, load: Load) {
        self.change(model, |served| served.load = Some(load));
    }

    /// Loses a version, as a crash would.
    pub fn lose(&self, model: &ModelName, version: &Version) {
        self.change(model, |served| {
            served.arms.remove(version);
        });
    }

    /// Versions in the order in which they got traffic, with the digests they had then.
    pub fn traffic(&self, model: &ModelName) -> Vec<(Version, Digest)> {
        held(&self.models).get(model).map(|served| served.traffic.clone()).unwrap_or_default()
    }

    /// The version that serves by default.
    pub fn stable(&self, model: &ModelName) -> Option<Version> {
        held(&self.models).get(model).and_then(|served| served.stable.clone())
    }

    /// How requests are routed beside weights.
    pub fn routing(&self, model: &ModelName) -> Routing {
        held(&self.models).get(model).map(|served| served.routing.clone()).unwrap_or_default()
    }

    fn change(&self, model: &ModelName, change: impl FnOnce(&mut Served)) {
        change(held(&self.models).entry(model.clone()).or_default());
    }

    async fn order(
        &self,
        call: &'static str,
        order: &Order,
        act: impl FnOnce(&mut Served) -> Result<(), PortError> + Send,
    ) -> Result<Done, PortError> {
        let body = || {
            let mut models = held(&self.models);
            let served = models.entry(order.model.clone()).or_default();
            if order.fence < served.fence {
                let message = format!("order {} came after {}", order.fence, served.fence);
                return Err(PortError::new(Problem::Fenced, call, message));
            }
            served.fence = order.fence;
            let now = |served: &Served| (served.stable.clone(), served.arms.clone(), served.routing.clone());
            let before = now(served);
            act(served)?;
            let changed = before != now(served);
            Ok(if changed { Done::Applied } else { Done::AlreadyThere })
        };
        self.faults.around(call, body).await
    }
}

impl Served {
    fn put(&mut self, version: &Version, digest: &Digest) {
        let arm = Arm {
            version: version.clone(),
            digest: digest.clone(),
            ready: self.starts_ready.unwrap_or(true),
            weight: Weight::NONE,
            counters: Counters::default(),
        };
        self.arms.insert(version.clone(), arm);
    }

    /// Answers the requests that came since the last look.
    fn answer(&mut self) {
        let Some(load) = &self.load else { return };
        let shadow = self.routing.shadow.as_ref();
        let matched = self.routing.matched.as_ref().map(|matched| matched.version.clone());
        for arm in self.arms.values_mut() {
            let share = match &matched {
                Some(version) if *version == arm.version => MATCHED,
                Some(_) => u64::from(arm.weight.get()) * (100 - MATCHED) / 100,
                None => u64::from(arm.weight.get()),
            };
            let requests = load.requests * share / 100;
            let (errors, right) = load.quality.get(&arm.version).copied().unwrap_or((0, 1000));
            let counters = &mut arm.counters;
            counters.requests += requests;
            // From totals, so that shares are kept however few requests one look sees.
            counters.errors = counters.requests * errors / 1000;
            counters.correct = counters.requests * right / 1000;
            counters.incorrect = counters.requests - counters.correct;
            if let Some(shadow) = shadow.filter(|shadow| shadow.version == arm.version) {
                let copied = counters.shadow.get_or_insert_default();
                let copies =
                    copied.compared + copied.failed + load.requests * u64::from(shadow.share.get()) / 100;
                copied.failed = copies * errors / 1000;
                copied.compared = copies - copied.failed;
            }
        }
    }

    fn loaded(&self, call: &str, version: &Version) -> Result<(), PortError> {
        if self.arms.contains_key(version) {
            return Ok(());
        }
        Err(PortError::new(Problem::NotFound, call, format!("{version} is not loaded")))
    }

    /// Gives one version this share and stable the rest.
    fn share(&mut self, version: &Version, weight: Weight) {
        let rest = Weight::percent(100 - weight.get()).unwrap_or_default();
        let stable = self.stable.clone();
        for arm in self.arms.values_mut() {
            let new = if arm.version == *version {
                weight
            } else if stable.as_ref() == Some(&arm.version) {
                rest
            } else {
                Weight::NONE
            };
            if arm.weight == Weight::NONE && new > Weight::NONE {
                self.traffic.push((arm.version.clone(), arm.digest.clone()));
            }
            arm.weight = new;
        }
        self.end_shadow();
    }

    /// A shadow version that is gone or has traffic is none any more.
    fn end_shadow(&mut self) {
        let arms = &self.arms;
        self.routing
            .shadow
            .take_if(|shadow| arms.get(&shadow.version).is_none_or(|arm| arm.weight > Weight::NONE));
    }

    fn is_matched(&self, version: &Version) -> bool {
        self.routing.matched.as_ref().is_some_and(|matched| matched.version == *version)
    }

    fn give_all(&mut self, to: Option<&Version>) {
        self.routing.matched = None;
        self.stable = to.cloned();
        match to {
            Some(version) => self.share(version, Weight::ALL),
            None => self.arms.values_mut().for_each(|arm| arm.weight = Weight::NONE),
        }
    }
}

#[async_trait]
impl Target for FakeTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { weights: true, sticky: true, shadow: true, matches: true }
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        let look = || {
            let mut models = held(&self.models);
            let arms = models.get_mut(model).map(|served| {
                served.answer();
                served.arms.values().cloned().collect()
            });
            Ok(TargetState { arms: arms.unwrap_or_default() })
        };
        self.faults.around("observe", look).await
    }

    async fn prepare(
        &self,
        order: &Order,
        version: &Version,
        digest: &Digest,
        _bytes: &Path,
    ) -> Result<Done, PortError> {
        let load = |served: &mut Served| match served.arms.get(version) {
            Some(arm) if arm.digest == *digest => Ok(()),
            Some(arm) => {
                let message = format!("{version} is loaded with {}, not {digest}", arm.digest);
                Err(PortError::new(Problem::Conflict, "prepare", message))
            }
            None => {
                served.put(version, digest);
                Ok(())
            }
        };
        self.order("prepare", order, load).await
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let share = |served: &mut Served| {
            served.loaded("set_weight", version)?;
            served.share(version, weight);
            Ok(())
        };
        self.order("set_weight", order, share).await
    }

    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError> {
        let route = |served: &mut Served| {
            if let Some(shadow) = &routing.shadow {
                served.loaded("route", &shadow.version)?;
                if served.arms.get(&shadow.version).is_some_and(|arm| arm.weight > Weight::NONE) {
                    let message = format!("{} has traffic", shadow.version);
                    return Err(PortError::new(Problem::Conflict, "route", message));
                }
            }
            if let Some(matched) = &routing.matched {
                served.loaded("route", &matched.version)?;
                if served.routing.matched.as_ref() != Some(matched)
                    && let Some(arm) = served.arms.get(&matched.version)
                {
                    served.traffic.push((arm.version.clone(), arm.digest.clone()));
                }
            }
            served.routing = routing.clone();
            Ok(())
        };
        self.order("route", order, route).await
    }

    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let promote = |served: &mut Served| {
            served.loaded("promote", version)?;
            served.give_all(Some(version));
            Ok(())
        };
        self.order("promote", order, promote).await
    }

    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError> {
        let back = |served: &mut Served| {
            if let Some(version) = to {
                served.loaded("rollback", version)?;
            }
            served.give_all(to);
            Ok(())
        };
        self.order("rollback", order, back).await
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let unload = |served: &mut Served| match served.arms.get(version) {
            Some(arm) if arm.weight > Weight::NONE => {
                let message = format!("{version} has {} of the traffic", arm.weight);
                Err(PortError::new(Problem::Conflict, "cleanup", message))
            }
            Some(_) if served.is_matched(version) => {
                let message = format!("requests are led to {version} by a header");
                Err(PortError::new(Problem::Conflict, "cleanup", message))
            }
            _ => {
                served.arms.remove(version);
                served.end_shadow();
                Ok(())
            }
        };
        self.order("cleanup", order, unload).await
    }
}
