//! The route as it is written: always whole, for its lists have one owner, and with defaults written out, for a list
//! without them is another list.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tagship_domain::Version;
use tagship_ports::target::Order;

use super::{
    memory::{Memory, STATE},
    settings::{GatewayRef, GatewaySettings},
    standing::Route,
    view::View,
    workload::PORT,
};
use crate::{
    cluster::{Kind, MANAGER},
    notes::notes,
};

/// What is to be routed where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) memory: Memory,
    /// Weights by the name of the Service.
    pub(super) backends: BTreeMap<String, u64>,
}

impl Wanted {
    /// What is written now.
    pub(super) fn of(route: &Route) -> Self {
        Self { memory: route.memory.clone(), backends: route.backends.clone() }
    }

    /// Gives versions these shares, and all others that are loaded none.
    pub(super) fn share(&mut self, view: &View, shares: &[(&Version, u8)]) {
        // A version may be loaded and not be in the route yet, where a run died in between.
        let shared =
            view.loaded.iter().filter(|loaded| shares.iter().any(|(version, _)| **version == loaded.version));
        for loaded in shared {
            self.backends.entry(loaded.name.clone()).or_default();
        }
        for (name, weight) in &mut self.backends {
            let loaded = view.loaded.iter().find(|loaded| loaded.name == *name);
            let share =
                loaded.and_then(|loaded| shares.iter().find(|(version, _)| **version == loaded.version));
            *weight = share.map_or(0, |(_, share)| u64::from(*share));
        }
        // A gateway objects to a Service that is gone, whatever its weight.
        let is_loaded = |name: &String| view.loaded.iter().any(|loaded| loaded.name == *name);
        self.backends.retain(|name, weight| *weight > 0 || is_loaded(name));
    }

    /// The whole object, guarded by the very object that it was decided from.
    pub(super) fn object(&self, settings: &GatewaySettings, view: &View, order: &Order) -> Value {
        let mut annotations = notes(order);
        annotations[STATE] = json!(serde_json::to_string(&self.memory).unwrap_or_default());
        let mut metadata = json!({
            "name": settings.route, "namespace": settings.namespace,
            "labels": { "app.kubernetes.io/managed-by": MANAGER }, "annotations": annotations,
        });
        if let Some(route) = &view.route {
            for guard in ["uid", "resourceVersion"] {
                metadata[guard] = route.object["metadata"][guard].clone();
            }
        }
        let spec = self.spec(settings, view);
        json!({ "apiVersion": Kind::Route.api_version(), "kind": "HTTPRoute", "metadata": metadata, "spec": spec })
    }

    /// What is routed where.
    pub(super) fn spec(&self, settings: &GatewaySettings, view: &View) -> Value {
        let mut spec = json!({
            "parentRefs": settings.gateways.iter().map(parent).collect::<Vec<_>>(),
            "rules": self.rules(settings, view),
        });
        if !settings.hostnames.is_empty() {
            spec["hostnames"] = json!(settings.hostnames);
        }
        spec
    }

    /// A rule for the requests with a header comes first; the last one shares all others.
    fn rules(&self, settings: &GatewaySettings, view: &View) -> Vec<Value> {
        let path = json!({ "type": "PathPrefix", "value": settings.path });
        let backend = |(name, weight): (&String, &u64)| json!({ "group": "", "kind": "Service", "name": name, "port": PORT, "weight": weight });
        let shared: Vec<Value> = self.backends.iter().map(backend).collect();
        let mut rules = vec![json!({ "matches": [{ "path": path }], "backendRefs": shared })];
        let matched = self.memory.matched.as_ref();
        if let Some((matched, loaded)) =
            matched.and_then(|matched| Some((matched, view.version(&matched.version)?)))
        {
            let header = json!({ "type": "Exact", "name": matched.header.to_string(), "value": matched.exact.to_string() });
            let led = json!({
                "matches": [{ "path": path, "headers": [header] }], "backendRefs": [backend((&loaded.name, &1))],
            });
            rules.insert(0, led);
        }
        rules
    }
}

fn parent(gateway: &GatewayRef) -> Value {
    let mut parent = json!({ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway.name });
    for (field, value) in [("namespace", &gateway.namespace), ("sectionName", &gateway.section_name)] {
        if let Some(value) = value {
            parent[field] = json!(value);
        }
    }
    parent
}
