//! What a phase is believed about, and what it is not.

use serde_json::json;
use tagship_domain::traffic::TargetState;
use tagship_ports::{Problem, Target, target::Done};
use tagship_testkit::cluster::actors::Flagger;

use super::stage::{CANARY, Stage, open, settings};
use crate::played::{Orders as _, Played as _, digest, version};

#[tokio::test]
async fn a_run_that_saw_nothing_before_knows_a_failure_by_its_time() {
    let stage = Stage::serving(Flagger::failing(digest(2).hex()));
    stage.ship(2);
    stage.passes(6);
    assert_eq!(stage.phase(), "Failed");
    let error = stage.prepare(1, 2).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    assert!(error.message.contains("is Failed with 2 failed checks"), "{error}");
    // The same failure is older than what is written next.
    stage.ship(3);
    let fresh = open(&stage.cluster, &settings()).unwrap();
    for target in [&stage.target, &fresh] {
        let order = stage.order(2);
        let waits = target.prepare(&order, &version(3), &digest(3), "".as_ref()).await.unwrap_err();
        assert_eq!(waits.problem, Problem::Unreachable, "{waits}");
    }
}

#[tokio::test]
async fn a_success_of_the_version_before_is_not_that_of_the_next() {
    let stage = Stage::serving(Flagger::default());
    stage.ship(2);
    stage.passes(8);
    assert_eq!(stage.phase(), "Succeeded");
    stage.ship(3);
    assert_eq!(stage.shares().await, [(2, 100, true)]);
    for result in [stage.prepare(1, 3).await, stage.weight(2, 3, 100).await, stage.promote(3, 3).await] {
        assert_eq!(result.unwrap_err().problem, Problem::Unreachable);
    }
    assert_eq!(stage.promote(4, 2).await.unwrap(), Done::AlreadyThere, "it still serves");
}

#[tokio::test]
async fn nothing_is_a_success_before_flagger_is_done() {
    let stage = Stage::sharing(Flagger::default()).await;
    let mut phases = vec![];
    while stage.phase() != "Succeeded" {
        assert_eq!(stage.promote(1, 2).await.unwrap_err().problem, Problem::Unreachable, "{}", stage.phase());
        phases.push(stage.phase());
        stage.passes(1);
    }
    assert_eq!(phases, ["Progressing", "Progressing", "Promoting", "Finalising"]);
    assert_eq!(stage.promote(1, 2).await.unwrap(), Done::AlreadyThere);
}

#[tokio::test]
async fn shares_that_the_status_does_not_say_are_not_made_up() {
    let stage = Stage::sharing(Flagger::default()).await;
    stage.passes(2);
    assert_eq!(stage.phase(), "Promoting");
    let error = stage.target.observe(stage.model()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable, "{error}");
    stage.passes(1);
    assert_eq!((stage.phase().as_str(), stage.shares().await), ("Finalising", vec![(2, 100, true)]));
}

#[tokio::test]
async fn the_way_back_is_done_when_flagger_has_gone_it() {
    let stage = Stage::sharing(Flagger::failing(digest(2).hex())).await;
    let waits = stage.rollback(1, 1).await.unwrap_err();
    assert_eq!(waits.problem, Problem::Unreachable, "{waits}");
    assert!(waits.to_string().contains("revert the commit"), "{waits}");
    stage.passes(3);
    assert_eq!(stage.phase(), "Failed");
    assert_eq!(stage.rollback(2, 1).await.unwrap(), Done::AlreadyThere);
    assert_eq!(stage.cleanup(3, 2).await.unwrap(), Done::AlreadyThere);
    assert_eq!(stage.cleanup(4, 1).await.unwrap_err().problem, Problem::Conflict, "it serves");
}

#[tokio::test]
async fn what_flagger_promoted_meanwhile_is_not_called_back() {
    let stage = Stage::sharing(Flagger::default()).await;
    stage.passes(5);
    assert_eq!(stage.phase(), "Succeeded");
    let error = stage.rollback(1, 1).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict);
    assert!(error.to_string().contains("Flagger has promoted v2.0.0 meanwhile"), "{error}");
    assert!(error.to_string().contains("tagship rollout --version v2.0.0 --retry"), "{error}");
}

#[tokio::test]
async fn before_flagger_has_made_the_primary_deployment_nothing_is_known_to_serve() {
    let stage = Stage::new(Flagger::default());
    assert_eq!(stage.target.observe(stage.model()).await.unwrap(), TargetState::default());
    assert_eq!(stage.prepare(1, 1).await.unwrap_err().problem, Problem::Unreachable);
    stage.passes(2);
    assert_eq!((stage.phase().as_str(), stage.shares().await), ("Initialized", vec![(1, 100, true)]));
    assert_eq!(stage.prepare(1, 1).await.unwrap(), Done::AlreadyThere, "Flagger took it as it was");
}

#[tokio::test]
async fn a_canary_that_is_going_says_nothing_about_what_serves() {
    for phase in ["Terminating", "Terminated"] {
        let stage = Stage::sharing(Flagger::default()).await;
        stage.change(&format!("{CANARY}/status"), &json!({ "status": { "phase": phase } }));
        for result in [stage.prepare(1, 2).await, stage.weight(2, 2, 100).await, stage.promote(3, 2).await] {
            assert_eq!(result.unwrap_err().problem, Problem::Unreachable, "{phase}");
        }
        let error = stage.target.observe(stage.model()).await.unwrap_err();
        assert!(error.message.contains("what Flagger leaves behind is not known"), "{error}");
        assert_eq!(stage.cleanup(4, 2).await.unwrap_err().problem, Problem::Unreachable, "{phase}");
    }
}
