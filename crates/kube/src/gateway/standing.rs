//! The route as it stands: what is written, and what the gateways say about it.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_ports::{PortError, Problem};

use super::memory::{Memory, STATE};
use crate::object::text;

/// The route.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// As it was read.
    pub(super) object: Value,
    pub(super) memory: Memory,
    /// Weights that are written, by the name of the Service; those of the rule without a header.
    pub(super) backends: BTreeMap<String, u64>,
    /// Whether every gateway has said that it takes what is written.
    pub(super) settled: bool,
    /// What a gateway says against it.
    pub(super) objection: Option<String>,
}

impl Route {
    /// Reads it.
    ///
    /// # Errors
    /// For a route that Tagship did not make.
    pub(super) fn read(object: Value) -> Result<Self, PortError> {
        let name = text(&object, "/metadata/name");
        let foreign = |why: &str| {
            PortError::new(
                Problem::Conflict,
                format!("read HTTPRoute {name}"),
                format!("it is not Tagship's: {why}"),
            )
            .hint("give `route` a name of its own; Tagship makes the route and owns it whole")
        };
        let written = object["metadata"]["annotations"][STATE].as_str();
        let written = written.ok_or_else(|| foreign(&format!("it has no annotation {STATE}")))?;
        let memory = serde_json::from_str(written).map_err(|error| foreign(&format!("{STATE}: {error}")))?;
        let standing = Standing::of(&object);
        Ok(Self {
            memory,
            backends: backends(&object),
            settled: standing.settled,
            objection: standing.objection,
            object,
        })
    }

    /// Whether its whole specification is already this one, defaults of the cluster aside.
    pub(super) fn is(&self, spec: &Value) -> bool {
        let live = &self.object["spec"];
        // What is no longer said has to go: an apply takes it away.
        let is_left = |field: &str| live.get(field).is_some() && spec.get(field).is_none();
        covers(live, spec) && !["hostnames"].into_iter().any(is_left)
    }
}

/// Whether an object says all that is said; lists have to be as long.
pub(super) fn covers(live: &Value, said: &Value) -> bool {
    match (live, said) {
        (Value::Object(live), Value::Object(said)) => {
            said.iter().all(|(field, said)| live.get(field).is_some_and(|live| covers(live, said)))
        }
        (Value::Array(live), Value::Array(said)) => {
            live.len() == said.len() && live.iter().zip(said).all(|(live, said)| covers(live, said))
        }
        (live, said) => live == said,
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

/// What the gateways say of a route.
pub(crate) struct Standing {
    /// Whether each of them has taken what is written.
    pub(crate) settled: bool,
    /// Whether each of them has taken it as it is written, or as it was before.
    pub(crate) was_taken: bool,
    /// What one says against it.
    pub(crate) objection: Option<String>,
}

impl Standing {
    pub(crate) fn of(route: &Value) -> Self {
        let generation = &route["metadata"]["generation"];
        let home = text(route, "/metadata/namespace");
        let wanted = route["spec"]["parentRefs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let told = route["status"]["parents"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_led = !wanted.is_empty();
        let mut standing = Self { settled: is_led, was_taken: is_led, objection: None };
        for parent in wanted {
            let said = told.iter().find(|told| is_same_parent(&told["parentRef"], parent, home));
            for kind in ["Accepted", "ResolvedRefs"] {
                let conditions = said.and_then(|said| said["conditions"].as_array()).into_iter().flatten();
                let conditions = conditions.filter(|condition| condition["type"] == kind);
                // The first generation has number one.
                standing.was_taken &= conditions.clone().any(|condition| {
                    condition["status"] == "True" && condition["observedGeneration"].as_u64() > Some(0)
                });
                // What is said of an older generation says nothing of this one.
                let condition =
                    conditions.clone().find(|condition| condition["observedGeneration"] == *generation);
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

/// A parent without a namespace is in the route's, `home`; some controllers write that out and some leave it out.
fn is_same_parent(told: &Value, wanted: &Value, home: &str) -> bool {
    let namespace = |parent: &Value| parent["namespace"].as_str().unwrap_or(home).to_owned();
    namespace(told) == namespace(wanted)
        && ["name", "sectionName"].iter().all(|field| told[*field] == wanted[*field])
}
