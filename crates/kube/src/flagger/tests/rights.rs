//! What the account may do: read, and nothing else.

use tagship_ports::{Problem, Target, target::Needs};
use tagship_testkit::cluster::actors::Flagger;

use super::{super::access, stage::Stage};
use crate::played::{Orders as _, granted};

#[tokio::test]
async fn the_role_grants_reading_and_nothing_else() {
    let stage = Stage::sharing(Flagger::default()).await;
    let role = access("ml", "churn").role();
    stage.cluster.grant(&role);
    stage.target.check(Needs::default()).await.unwrap();
    stage.prepare(1, 2).await.unwrap();
    assert_eq!(stage.cluster.uses(), granted(&role));
    let read = |kind: &str| ("get".to_owned(), kind.to_owned());
    assert_eq!(granted(&role), [read("canaries.flagger.app"), read("deployments.apps")]);
    assert_eq!(role["rules"][0]["resourceNames"][0], "churn");
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_before_a_rollout_begins() {
    for kind in ["canaries.flagger.app", "deployments.apps"] {
        let stage = Stage::serving(Flagger::default());
        stage.cluster.deny("get", kind);
        let error = stage.target.check(Needs::default()).await.unwrap_err();
        assert_eq!(error.problem, Problem::Denied, "{error}");
        assert!(error.to_string().contains("tagship init --target flagger --rbac"), "{error}");
    }
}
