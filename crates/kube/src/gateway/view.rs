//! What the cluster has: the versions that are loaded, the route's weights, and whether they are in force. Everything is
//! decided from this, and reading it writes nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tagship_domain::{
    Digest, ModelName, Version,
    routing::Matched,
    traffic::{Arm, Counters, TargetState, Weight},
};
use tagship_ports::{PortError, Problem};

use super::workload::{DIGEST, MODEL, VERSION};

/// Where the route keeps what weights do not tell.
pub(super) const STATE: &str = "tagship/state";

/// What a route remembers. It changes together with the weights, in one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Memory {
    /// The model that is served.
    pub(super) model: ModelName,
    /// Highest fence that was seen.
    pub(super) fence: u64,
    /// The version that keeps what a candidate does not get.
    #[serde(default)]
    pub(super) stable: Option<Version>,
    /// The version that requests with a header are led to.
    #[serde(default, rename = "match")]
    pub(super) matched: Option<Matched>,
    /// Weights in force when the route was written, until the gateway has taken over the new ones.
    #[serde(default)]
    pub(super) before: BTreeMap<Version, u8>,
}

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
}

/// The route.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) resource_version: String,
    pub(super) memory: Memory,
    /// Weights that are written, by the name of the Service; those of the rule without a header.
    pub(super) backends: BTreeMap<String, u64>,
    /// Whether every gateway has said that it takes what is written.
    pub(super) settled: bool,
    /// What a gateway says against it.
    pub(super) objection: Option<String>,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) route: Option<Route>,
    pub(super) loaded: Vec<Loaded>,
}

impl View {
    pub(super) fn read(route: Option<&Value>, deployments: &[Value]) -> Result<Self, PortError> {
        let route = route.map(Route::read).transpose()?;
        let loaded: Result<Vec<Loaded>, PortError> = deployments.iter().map(Loaded::read).collect();
        let mut loaded = loaded?;
        loaded.sort_by(|one, other| one.version.cmp(&other.version));
        Ok(Self { route, loaded })
    }

    pub(super) fn version(&self, version: &Version) -> Option<&Loaded> {
        self.loaded.iter().find(|loaded| loaded.version == *version)
    }

    /// Weights that are written, in percent.
    pub(super) fn desired(&self) -> BTreeMap<Version, u8> {
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

    /// Weights in force: those that are written, once the gateways have taken them, else those of before.
    pub(super) fn applied(&self) -> BTreeMap<Version, u8> {
        match &self.route {
            Some(route) if !route.settled => route.memory.before.clone(),
            _ => self.desired(),
        }
    }

    pub(super) fn state(&self) -> TargetState {
        let applied = self.applied();
        let weight = |version: &Version| applied.get(version).and_then(|share| Weight::percent(*share));
        let arm = |loaded: &Loaded| Arm {
            version: loaded.version.clone(),
            digest: loaded.digest.clone(),
            ready: loaded.ready,
            weight: weight(&loaded.version).unwrap_or_default(),
            counters: Counters::default(),
        };
        TargetState { arms: self.loaded.iter().map(arm).collect() }
    }
}

impl Loaded {
    fn read(deployment: &Value) -> Result<Self, PortError> {
        let name = text(deployment, "/metadata/name").to_owned();
        let mark =
            |key: &str| deployment["metadata"]["annotations"][key].as_str().unwrap_or_default().to_owned();
        let unmarked = |key: &str| {
            let message = format!("Deployment {name} has no usable annotation {key}, which Tagship writes");
            PortError::new(Problem::Invalid, "read what is loaded", message)
                .hint("if nothing of value runs in it, delete the Deployment; Tagship makes it again")
        };
        let version = mark(VERSION).parse().map_err(|_unreadable| unmarked(VERSION))?;
        let digest = Digest::try_from(mark(DIGEST)).map_err(|_unreadable| unmarked(DIGEST))?;
        let _: ModelName = ModelName::new(mark(MODEL)).map_err(|_unreadable| unmarked(MODEL))?;
        Ok(Self { ready: is_complete(deployment), failure: failure(deployment), name, version, digest })
    }
}

/// Whether all pods are of the newest generation and answer.
fn is_complete(deployment: &Value) -> bool {
    let (spec, status) = (&deployment["spec"], &deployment["status"]);
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let wanted = spec["replicas"].as_u64().unwrap_or(1);
    let counts = ["updatedReplicas", "replicas", "availableReplicas"];
    wanted > 0
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

impl Route {
    fn read(route: &Value) -> Result<Self, PortError> {
        let name = text(route, "/metadata/name");
        let foreign = |why: &str| {
            PortError::new(
                Problem::Conflict,
                format!("read HTTPRoute {name}"),
                format!("it is not Tagship's: {why}"),
            )
            .hint("give `route` a name of its own; Tagship makes the route and owns it whole")
        };
        let written = route["metadata"]["annotations"][STATE].as_str();
        let written = written.ok_or_else(|| foreign(&format!("it has no annotation {STATE}")))?;
        let memory = serde_json::from_str(written).map_err(|error| foreign(&format!("{STATE}: {error}")))?;
        let standing = Standing::of(route);
        Ok(Self {
            resource_version: text(route, "/metadata/resourceVersion").to_owned(),
            memory,
            backends: backends(route),
            settled: standing.settled,
            objection: standing.objection,
        })
    }
}

/// The backends of the last rule: the one that shares by weight.
fn backends(route: &Value) -> BTreeMap<String, u64> {
    let rule = route["spec"]["rules"].as_array().and_then(|rules| rules.last());
    let backends = rule.and_then(|rule| rule["backendRefs"].as_array()).into_iter().flatten();
    backends
        .map(|backend| (text(backend, "/name").to_owned(), backend["weight"].as_u64().unwrap_or(1)))
        .collect()
}

/// What the gateways say.
struct Standing {
    settled: bool,
    objection: Option<String>,
}

impl Standing {
    fn of(route: &Value) -> Self {
        let generation = &route["metadata"]["generation"];
        let wanted = route["spec"]["parentRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let told = route["status"]["parents"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut standing = Self { settled: !wanted.is_empty(), objection: None };
        for parent in wanted {
            let said = told.iter().find(|told| is_same_parent(&told["parentRef"], parent));
            for kind in ["Accepted", "ResolvedRefs"] {
                let conditions = said.and_then(|said| said["conditions"].as_array()).into_iter().flatten();
                // What is said of an older generation says nothing of this one.
                let condition = conditions
                    .filter(|condition| condition["observedGeneration"] == *generation)
                    .find(|condition| condition["type"] == kind);
                standing.settled &= condition.is_some_and(|condition| condition["status"] == "True");
                if let Some(condition) = condition.filter(|condition| condition["status"] == "False") {
                    let (reason, message) = (text(condition, "/reason"), text(condition, "/message"));
                    let gateway = text(parent, "/name");
                    standing.objection.get_or_insert_with(|| {
                        format!("gateway {gateway} says {kind} is False: {reason} {message}")
                            .trim_end()
                            .to_owned()
                    });
                }
            }
        }
        standing
    }
}

fn is_same_parent(told: &Value, wanted: &Value) -> bool {
    ["name", "namespace", "sectionName"].iter().all(|field| told[*field] == wanted[*field])
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
