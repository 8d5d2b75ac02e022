//! What the account may do: exactly what is needed, and what is missing is named before anything is written.

use serde_json::{Value, json};
use tagship_domain::golden::{GoldenCases, Tolerance};
use tagship_ports::{
    ModelRunner, Problem, Target, conformance,
    model_runner::{GoldenBounds, Subject},
    target::Needs,
};
use tagship_testkit::cluster::actors::Rollouts;

use super::{
    super::access,
    stage::{Stage, loadable, version},
};

fn needs() -> Needs {
    Needs { weights: true, endpoints: true, ..Needs::default() }
}

fn role() -> Value {
    access("ml", "churn", true).role()
}

/// Verbs and kinds of a Role, sorted.
fn granted(role: &Value) -> Vec<(String, String)> {
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

async fn ask(stage: &Stage, number: u64) -> tagship_domain::validation::GoldenReport {
    let case = json!({ "cases": [{ "name": "one", "inputs": [], "outputs": [], "expected": [] }] });
    let cases: GoldenCases = serde_json::from_value(case).unwrap();
    let bounds = GoldenBounds { tolerance: Tolerance { absolute: 0.0, relative: 0.0 }, max_latency: None };
    let subject = Subject::Endpoint { model: stage.model.clone(), version: version(number) };
    stage.target.run(&subject, &cases, bounds).await
}

#[tokio::test]
async fn the_role_grants_what_is_done_and_nothing_else() {
    let stage = Stage::new(Rollouts::slow(1));
    stage.cluster.grant(&role());
    stage.target.check(needs()).await.unwrap();
    conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    // Numbers of orders go on where the suite ended.
    stage.until(|| stage.prepare(20, 1)).await;
    ask(&stage, 1).await;
    let mut used = stage.cluster.uses();
    used.retain(|(_, kind)| !kind.starts_with("selfsubjectaccessreviews"));
    assert_eq!(used, granted(&role()));
}

#[tokio::test]
async fn every_right_that_is_missing_is_named() {
    for (verb, kind) in granted(&role()) {
        let stage = Stage::new(Rollouts::default());
        let plural = kind.split('.').next().unwrap();
        let mut poor = role();
        for rule in poor["rules"].as_array_mut().unwrap() {
            if rule["resources"][0] == plural {
                rule["verbs"].as_array_mut().unwrap().retain(|there| *there != verb.as_str());
            }
        }
        stage.cluster.grant(&poor);
        let error = stage.target.check(needs()).await.unwrap_err();
        assert_eq!(error.problem, Problem::Denied);
        assert!(error.message.contains(&format!("{verb} {plural}")), "{error}");
        assert!(error.to_string().contains("tagship init --target argo-rollouts --rbac"), "{error}");
    }
}

#[tokio::test]
async fn golden_cases_ask_the_service_that_leads_to_the_version() {
    let stage = Stage::sharing(Rollouts::default(), 25).await;
    for (number, service) in [(1, "churn-stable"), (2, "churn-canary")] {
        stage.cluster.forget_requests();
        ask(&stage, number).await;
        let requests = stage.cluster.requests();
        let asked = format!("services/http:{service}:80/proxy/v2/models/churn/infer");
        assert!(requests.iter().any(|request| request.contains(&asked)), "{requests:?}");
    }
}
