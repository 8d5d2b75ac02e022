//! What the cluster has: the versions that are loaded, the route's weights, and whether they are in force. Everything is
//! decided from this, and reading it writes nothing.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_domain::{
    Digest, Version,
    traffic::{Arm, Counters, TargetState, Weight},
};
use tagship_ports::{PortError, Problem};

use super::{
    memory::{Bounds, Memory},
    standing::Route,
    workload::FENCE,
};
use crate::{
    marks::{DIGEST, VERSION},
    object::{is_going, text},
};

/// A version that is loaded.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    /// Name of its Deployment and Service.
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) digest: Digest,
    pub(super) ready: bool,
    /// Why it will not get ready by itself.
    pub(super) failure: Option<String>,
    /// Its Deployment.
    pub(super) object: Value,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) route: Option<Route>,
    pub(super) loaded: Vec<Loaded>,
}

impl View {
    /// Deployments that neither the route nor their own marks tell of are nobody's.
    pub(super) fn new(route: Option<Route>, deployments: Vec<Value>) -> Self {
        let memory = route.as_ref().map(|route| &route.memory);
        let mut loaded: Vec<Loaded> =
            deployments.into_iter().filter_map(|deployment| Loaded::read(deployment, memory)).collect();
        loaded.sort_by(|one, other| one.version.cmp(&other.version));
        Self { route, loaded }
    }

    pub(super) fn version(&self, version: &Version) -> Option<&Loaded> {
        self.loaded.iter().find(|loaded| loaded.version == *version)
    }

    /// Weights that are written, in percent.
    fn desired(&self) -> BTreeMap<Version, u8> {
        let backends = self.route.as_ref().map(|route| &route.backends);
        let total: u64 = backends.into_iter().flat_map(BTreeMap::values).sum();
        let of =
            |name: &String| backends.and_then(|backends| backends.get(name)).copied().unwrap_or_default();
        let percent = |weight: u64| (weight * 100 + total / 2).checked_div(total).unwrap_or_default();
        let share = |loaded: &Loaded| {
            (loaded.version.clone(), u8::try_from(percent(of(&loaded.name))).unwrap_or(100))
        };
        self.loaded.iter().map(share).collect()
    }

    /// Between which shares each version's is: the one that is written, once the gateways have taken it; until then also
    /// all that were written since they had taken one.
    pub(super) fn bounds(&self) -> BTreeMap<Version, Bounds> {
        let before = self.route.as_ref().filter(|route| !route.settled).map(|route| &route.memory.before);
        let bound = |(version, share): (Version, u8)| {
            let earlier = before.map(|before| before.get(&version).copied().unwrap_or_default());
            (version, Bounds { low: share, high: share }.with(earlier))
        };
        self.desired().into_iter().map(bound).collect()
    }

    /// What a version's share may be at most.
    pub(super) fn most(&self, version: &Version) -> u8 {
        self.bounds().get(version).map_or(0, |bounds| bounds.high)
    }

    /// The share that is written for a version.
    pub(super) fn wanted(&self, version: &Version) -> u8 {
        self.desired().get(version).copied().unwrap_or_default()
    }

    /// What the target has. A share that is not known is never told as the one that is written: somebody waits for that.
    ///
    /// # Errors
    /// Where a gateway objects to what is written: then nobody knows which shares are in force.
    pub(super) fn state(&self) -> Result<TargetState, PortError> {
        if let Some(said) = self.route.as_ref().and_then(|route| route.objection.as_ref()) {
            let message = format!("which version has which share is not known: {said}");
            return Err(PortError::new(Problem::Unreachable, "look at the route", message));
        }
        let (bounds, desired) = (self.bounds(), self.desired());
        let arm = |loaded: &Loaded| {
            let bounds = bounds.get(&loaded.version).copied().unwrap_or_default();
            let wanted = desired.get(&loaded.version).copied().unwrap_or_default();
            Arm {
                version: loaded.version.clone(),
                digest: loaded.digest.clone(),
                ready: loaded.ready,
                weight: Weight::percent(bounds.told(wanted)).unwrap_or_default(),
                counters: Counters::default(),
            }
        };
        Ok(TargetState { arms: self.loaded.iter().map(arm).collect() })
    }
}

impl Loaded {
    /// The route remembers what is what; marks tell of what it has not been told yet.
    fn read(deployment: Value, memory: Option<&Memory>) -> Option<Self> {
        let name = text(&deployment, "/metadata/name").to_owned();
        let remembered = memory.and_then(|memory| memory.named(&name));
        let mark = |key: &str| deployment["metadata"]["annotations"][key].as_str().unwrap_or_default();
        let marked = || Some((mark(VERSION).parse().ok()?, Digest::try_from(mark(DIGEST).to_owned()).ok()?));
        let (version, digest) = remembered.or_else(marked)?;
        let failure = failure(&deployment);
        Some(Self { ready: is_complete(&deployment), failure, name, version, digest, object: deployment })
    }
}

/// The highest fence that an order about an object had; absent where its mark was lost.
pub(super) fn fence(object: &Value) -> Option<u64> {
    object["metadata"]["annotations"][FENCE].as_str()?.parse().ok()
}

/// Whether all pods are of the newest generation and answer.
fn is_complete(deployment: &Value) -> bool {
    let (spec, status) = (&deployment["spec"], &deployment["status"]);
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let wanted = spec["replicas"].as_u64().unwrap_or(1);
    let counts = ["updatedReplicas", "replicas", "availableReplicas"];
    wanted > 0
        && !is_going(deployment)
        && number(&status["observedGeneration"]) >= number(&deployment["metadata"]["generation"])
        && counts.iter().all(|count| number(&status[*count]) == wanted)
}

fn failure(deployment: &Value) -> Option<String> {
    let is_current =
        deployment["status"]["observedGeneration"].as_u64() >= deployment["metadata"]["generation"].as_u64();
    let conditions = deployment["status"]["conditions"].as_array().filter(|_| is_current)?;
    let failed = conditions.iter().find(|condition| {
        condition["type"] == "Progressing" && condition["reason"] == "ProgressDeadlineExceeded"
    })?;
    let name = text(deployment, "/metadata/name");
    let said = text(failed, "/message");
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    Some(format!("Deployment {name} did not get ready in its time (ProgressDeadlineExceeded){said}"))
}
