//! What the account may do: exactly what is needed, and what is missing is named before anything is written.

use serde_json::Value;
use tagship_ports::{Problem, Target, conformance, target::Needs};
use tagship_testkit::cluster::actors::Rollouts;

use super::{
    super::access,
    stage::{Stage, loadable},
};
use crate::played::{Orders as _, ask, granted, without};

fn needs() -> Needs {
    Needs { weights: true, endpoints: true, ..Needs::default() }
}

fn role() -> Value {
    access("ml", "churn", true).role()
}

#[tokio::test]
async fn the_role_grants_what_is_done_and_nothing_else() {
    let stage = Stage::new(Rollouts::slow(1));
    stage.cluster.grant(&role());
    stage.target.check(needs()).await.unwrap();
    conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    // Numbers of orders go on where the suite ended.
    stage.until(|| stage.prepare(20, 1)).await;
    ask(&stage, &stage.target, 1).await;
    let mut used = stage.cluster.uses();
    used.retain(|(_, kind)| !kind.starts_with("selfsubjectaccessreviews"));
    assert_eq!(used, granted(&role()));
}

#[tokio::test]
async fn every_right_that_is_missing_is_named() {
    for (verb, kind) in granted(&role()) {
        let stage = Stage::new(Rollouts::default());
        let plural = kind.split('.').next().unwrap();
        stage.cluster.grant(&without(role(), &verb, plural));
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
        ask(&stage, &stage.target, number).await;
        let requests = stage.cluster.requests();
        let asked = format!("services/http:{service}:80/proxy/v2/models/churn/infer");
        assert!(requests.iter().any(|request| request.contains(&asked)), "{requests:?}");
    }
}
