//! The controller of a gateway: says of every route whether its parents take it and its backends exist, with their ports.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Actor, Deed, Scene, generation, text, with_status};

/// Plays a gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Gateways that take routes, by name; other parents are not this controller's.
    pub gateways: Vec<String>,
    /// Whether routes are accepted.
    pub accepts: bool,
    /// Steps until a generation is noticed.
    pub delay: u32,
    /// It says that all is well, but of the generation before.
    pub lies: bool,
    /// It writes a parent's namespace out where the route leaves it out, as NGINX Gateway Fabric does.
    pub writes_namespaces: bool,
    /// Steps that were taken, by route and generation.
    taken: BTreeMap<(String, u64), u32>,
}

impl Gateway {
    /// A prompt and honest one.
    pub fn named(name: &str) -> Self {
        Self {
            gateways: vec![name.to_owned()],
            accepts: true,
            delay: 0,
            lies: false,
            writes_namespaces: false,
            taken: BTreeMap::new(),
        }
    }

    fn tend(&mut self, scene: &Scene<'_>, route: &Value) -> Option<Deed> {
        let key = (text(route, "/metadata/uid").to_owned(), generation(route));
        let taken = self.taken.entry(key).or_default();
        *taken = taken.saturating_add(1);
        if *taken <= self.delay {
            return None;
        }
        let observed = if self.lies { generation(route).saturating_sub(1) } else { generation(route) };
        let parents = route["spec"]["parentRefs"].as_array().into_iter().flatten();
        let ours = parents.filter(|parent| self.gateways.iter().any(|name| parent["name"] == name.as_str()));
        let missing = missing_backend(scene, route);
        let parents: Vec<Value> = ours
            .map(|parent| self.standing(&self.told(parent, route), missing.as_deref(), observed))
            .collect();
        with_status(route, json!({ "parents": parents }))
    }

    /// The parent as this controller names it.
    fn told(&self, parent: &Value, route: &Value) -> Value {
        let mut parent = parent.clone();
        if self.writes_namespaces && parent["namespace"].is_null() {
            parent["namespace"] = route["metadata"]["namespace"].clone();
        }
        parent
    }

    fn standing(&self, parent: &Value, missing: Option<&str>, observed: u64) -> Value {
        let condition = |kind: &str, holds: bool, reason: &str, message: &str| {
            json!({
                "type": kind, "status": if holds { "True" } else { "False" }, "reason": reason, "message": message,
                "observedGeneration": observed, "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let accepted = if self.accepts { "Accepted" } else { "NotAllowedByListeners" };
        let resolved = match missing {
            None => condition("ResolvedRefs", true, "ResolvedRefs", ""),
            Some(missing) => condition("ResolvedRefs", false, "BackendNotFound", missing),
        };
        json!({
            "parentRef": parent, "controllerName": "example.org/gateway-controller",
            "conditions": [condition("Accepted", self.accepts, accepted, ""), resolved],
        })
    }
}

impl Actor for Gateway {
    fn name(&self) -> &'static str {
        "gateway-controller"
    }

    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed> {
        let routes: Vec<&Value> = scene.all("httproutes.gateway.networking.k8s.io").collect();
        routes.into_iter().filter_map(|route| self.tend(scene, route)).collect()
    }
}

/// What is missing of the first backend of a route that leads nowhere: the Service, or its port.
fn missing_backend(scene: &Scene<'_>, route: &Value) -> Option<String> {
    let namespace = text(route, "/metadata/namespace");
    let rules = route["spec"]["rules"].as_array().into_iter().flatten();
    let mut backends = rules.flat_map(|rule| rule["backendRefs"].as_array().into_iter().flatten());
    backends.find_map(|backend| {
        let name = text(backend, "/name");
        let Some(service) = scene.one("services", namespace, name) else {
            return Some(format!("service {name} not found"));
        };
        let mut ports = service["spec"]["ports"].as_array().into_iter().flatten();
        let has_port = ports.any(|port| port["port"] == backend["port"]);
        (!has_port).then(|| format!("service {name} has no port {}", backend["port"]))
    })
}
