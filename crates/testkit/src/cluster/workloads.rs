//! What a server demands of workloads beyond the shape of their fields.

use serde_json::Value;

use super::{
    check::{Fault, Misfit},
    kinds::Resource,
};

/// What a Deployment or a `ReplicaSet` lacks: pods that its selector finds, and images.
pub(super) fn misfits(resource: &Resource, object: &Value) -> Vec<Misfit> {
    if resource.group != "apps" || !["deployments", "replicasets"].contains(&resource.plural.as_str()) {
        return Vec::new();
    }
    let template = &object["spec"]["template"];
    let mut found = Vec::new();
    let mut add = |path: String, what: &str| {
        found.push(Misfit { path, what: what.to_owned(), fault: Fault::Value });
    };
    let wanted = object["spec"]["selector"]["matchLabels"].as_object();
    let labels = &template["metadata"]["labels"];
    let matches = wanted.is_some_and(|wanted| wanted.iter().all(|(name, value)| labels[name] == *value));
    if !matches {
        let what = "Invalid value: `selector` does not match template `labels`";
        add(".spec.template.metadata.labels".to_owned(), what);
    }
    for (at, container) in template["spec"]["containers"].as_array().into_iter().flatten().enumerate() {
        if container["image"].as_str().is_none_or(str::is_empty) {
            add(format!(".spec.template.spec.containers[{at}].image"), "Required value");
        }
    }
    found
}
