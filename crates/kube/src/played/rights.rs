//! Roles, what they grant, and golden cases, which need a right of their own.

use serde_json::{Value, json};
use tagship_domain::{
    golden::{GoldenCases, Tolerance},
    validation::GoldenReport,
};
use tagship_ports::{
    ModelRunner,
    model_runner::{GoldenBounds, Subject},
};

use super::{Played, version};

/// Verbs and kinds of a Role, sorted.
pub(crate) fn granted(role: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all = Vec::new();
    for rule in role["rules"].as_array().unwrap() {
        let (group, kind) = (text(&rule["apiGroups"][0]), text(&rule["resources"][0]));
        let kind = if group.is_empty() { kind } else { format!("{kind}.{group}") };
        all.extend(rule["verbs"].as_array().unwrap().iter().map(|verb| (text(verb), kind.clone())));
    }
    all.sort();
    all.dedup();
    all
}

/// The Role without a verb on kinds of this plural.
pub(crate) fn without(mut role: Value, verb: &str, plural: &str) -> Value {
    for rule in role["rules"].as_array_mut().unwrap() {
        if rule["resources"][0] == plural {
            rule["verbs"].as_array_mut().unwrap().retain(|there| *there != verb);
        }
    }
    role
}

/// Asks the endpoint of a version one golden case.
pub(crate) async fn ask(played: &impl Played, runner: &dyn ModelRunner, number: u64) -> GoldenReport {
    let case = json!({ "cases": [{ "name": "one", "inputs": [], "outputs": [], "expected": [] }] });
    let cases: GoldenCases = serde_json::from_value(case).unwrap();
    let bounds = GoldenBounds { tolerance: Tolerance { absolute: 0.0, relative: 0.0 }, max_latency: None };
    let subject = Subject::Endpoint { model: played.model().clone(), version: version(number) };
    runner.run(&subject, &cases, bounds).await
}
