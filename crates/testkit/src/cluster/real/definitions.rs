//! Kinds that a server does not know yet, added to it.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::link::Link;
use crate::cluster::kinds;

const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// Looks at a fresh definition before a test gives up.
const LOOKS: u32 = 600;
/// Files with definitions of the projects themselves, in the folder that `TAGSHIP_CRDS` names.
const OF_PROJECTS: [&str; 4] = [
    "gateway-api-httproutes.yaml",
    "kserve-inferenceservices.full.yaml",
    "argo-rollout.yaml",
    "argo-analysis-run.yaml",
];

/// Definitions that this process has seen to.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Sees to it that the server knows the kinds of the tests: as their projects define them where a folder has them, else
/// by the small definitions of our own.
pub(super) fn demand(link: &Link, folder: Option<&Path>) {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if !seen.is_empty() {
        return;
    }
    let files = folder.iter().flat_map(|folder| OF_PROJECTS.map(|file| folder.join(file)));
    let texts = files.map(|file| {
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    });
    let texts: Vec<String> = texts.collect();
    let own = kinds::OWN.iter().map(|text| (*text).to_owned());
    for definition in texts.into_iter().chain(own).flat_map(|text| documents(&text)) {
        let definition = completed(definition);
        let name = definition["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if !seen.contains(&name) {
            keep(link, &definition, false);
            seen.insert(name);
        }
    }
}

/// Adds the kinds of a file, instead of those that are there under the same names.
pub(super) fn define(link: &Link, text: &str) {
    for definition in documents(text) {
        keep(link, &completed(definition), true);
    }
}

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|document| Value::deserialize(document).expect("definitions are YAML")).collect()
}

/// What a server asks of a definition, and the small ones of the tests leave out.
fn completed(mut definition: Value) -> Value {
    let spec = &definition["spec"];
    let name = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    let list = format!("{}List", text(&spec["names"]["kind"]));
    definition["apiVersion"] = json!("apiextensions.k8s.io/v1");
    definition["kind"] = json!("CustomResourceDefinition");
    if definition["metadata"]["name"].is_null() {
        definition["metadata"] = json!({
            "name": name,
            "annotations": { "api-approved.kubernetes.io": "unapproved, for tests" },
        });
        definition["spec"]["scope"] = json!("Namespaced");
        definition["spec"]["names"]["listKind"] = json!(list);
    }
    if let Some(fields) = definition.as_object_mut() {
        fields.remove("status");
    }
    definition
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Makes a definition, or puts it in the place of the one that is there. Not by applying: servers before 1.21 lose the
/// default `""` on the way.
fn keep(link: &Link, definition: &Value, replaces: bool) {
    let name = text(&definition["metadata"]["name"]);
    let target = format!("{PATH}/{name}");
    let (status, there) = link.ask("GET", &target, &[], Vec::new());
    let headers = [("content-type", "application/json".to_owned())];
    let mut sent = definition.clone();
    if status == 404 || replaces {
        let there: Value = serde_json::from_slice(&there).unwrap_or_default();
        sent["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
        let (method, path) = if status == 404 { ("POST", PATH) } else { ("PUT", target.as_str()) };
        let (status, answer) = link.ask(method, path, &headers, sent.to_string().into_bytes());
        assert!(status < 300, "{name}: {}", String::from_utf8_lossy(&answer));
    }
    for _ in 0..LOOKS {
        let (_, answer) = link.ask("GET", &target, &[], Vec::new());
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let conditions = answer["status"]["conditions"].as_array().into_iter().flatten();
        let is_established =
            |condition: &&Value| condition["type"] == "Established" && condition["status"] == "True";
        if conditions.filter(is_established).count() > 0 {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    panic!("{name} is not established");
}
