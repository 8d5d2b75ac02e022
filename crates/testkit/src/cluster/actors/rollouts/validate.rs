//! What the controller refuses before it does anything (`ValidateRollout` and `ValidateService` of Argo Rollouts).

use serde_json::Value;

use super::{HASH, MANAGED_BY};
use crate::cluster::actors::{Scene, text};

/// Why a rollout is refused.
pub(super) fn refused(scene: &Scene<'_>, rollout: &Value) -> Result<(), String> {
    let spec = &rollout["spec"];
    let labels = &spec["template"]["metadata"]["labels"];
    let selector = spec["selector"]["matchLabels"].as_object();
    if selector.is_none_or(|selector| {
        selector.is_empty() || selector.iter().any(|(key, value)| labels[key] != *value)
    }) {
        return Err("spec.selector: `selector` does not match template `labels`".to_owned());
    }
    let canary = &spec["strategy"]["canary"];
    for (index, step) in canary["steps"].as_array().into_iter().flatten().enumerate() {
        step_refused(step, canary).map_err(|why| format!("spec.strategy.steps[{index}]: {why}"))?;
    }
    let services: Vec<&str> =
        ["canaryService", "stableService"].into_iter().filter_map(|field| canary[field].as_str()).collect();
    if canary["trafficRouting"].is_object() && services.len() < 2 {
        return Err("Canary service and Stable service must to be set when using Traffic Routing".to_owned());
    }
    if services.len() == 2 && services[0] == services[1] {
        return Err("This rollout uses the same service for the stable and canary services".to_owned());
    }
    services.into_iter().try_for_each(|service| service_refused(scene, rollout, service))
}

fn step_refused(step: &Value, canary: &Value) -> Result<(), String> {
    let actions = step.as_object().map_or(0, serde_json::Map::len);
    if actions != 1 {
        return Err(
            "Step must have one of the following set: experiment, setWeight, setCanaryScale or pause"
                .to_owned(),
        );
    }
    if step.get("setWeight").is_some_and(|weight| !(0..=100).contains(&weight.as_i64().unwrap_or(-1))) {
        return Err("SetWeight needs to be between 0 and 100".to_owned());
    }
    if step.get("setCanaryScale").is_some() && !canary["trafficRouting"].is_object() {
        return Err("SetCanaryScale requires TrafficRouting to be set".to_owned());
    }
    Ok(())
}

fn service_refused(scene: &Scene<'_>, rollout: &Value, name: &str) -> Result<(), String> {
    let service = scene.one("services", text(rollout, "/metadata/namespace"), name);
    let service = service.ok_or_else(|| format!("service {name:?} not found"))?;
    let manager = &service["metadata"]["annotations"][MANAGED_BY];
    if manager.as_str().is_some_and(|manager| manager != text(rollout, "/metadata/name")) {
        return Err(format!("Service {name:?} is managed by another Rollout"));
    }
    let labels = &rollout["spec"]["template"]["metadata"]["labels"];
    let mut selector =
        service["spec"]["selector"].as_object().into_iter().flatten().filter(|(key, _)| *key != HASH);
    if selector.any(|(key, value)| labels[key] != *value) {
        return Err(format!("Service {name:?} has unmatch label in rollout"));
    }
    Ok(())
}
