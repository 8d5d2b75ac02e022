//! How each story ends: traffic, registry, deployment and what people read agree.

use tagship_domain::{
    Exit,
    rollout::{DeploymentState, Phase, Reason},
};
use tagship_ports::Problem;

use super::stage::{End, Stage, Story};
use crate::Never;

async fn play(story: Story) -> (Stage, End, Exit) {
    let stage = story.stage().await;
    let tick = story.play(&stage, &Never).await.unwrap();
    let end = stage.end().await;
    (stage, end, tick.exit())
}

#[tokio::test]
async fn a_good_version_takes_over() {
    let (stage, end, exit) = play(Story::Deploys).await;
    assert_eq!((end.phase, exit), (Phase::Succeeded, Exit::Done));
    assert_eq!(end.weights, ["v1.1.0 100%"], "the old version is unloaded");
    assert_eq!(end.records, ["+v1.0.0", "+v1.1.0"]);
    assert_eq!(end.deployments[0].1, DeploymentState::Success);
    assert_eq!(stage.runner.runs(), 1, "golden cases run once");
    let (phase, message, timeline) = end.shown.unwrap();
    assert_eq!(
        (phase, message.as_str()),
        (Phase::Succeeded, "v1.1.0 serves production; it took over from v1.0.0")
    );
    let expected = [
        Phase::Pending,
        Phase::Validating,
        Phase::Validating,
        Phase::Progressing,
        Phase::Promoting,
        Phase::Finalising,
        Phase::Succeeded,
    ];
    assert_eq!(timeline, expected);
}

#[tokio::test]
async fn a_first_version_needs_no_predecessor() {
    let (_, end, exit) = play(Story::DeploysFirst).await;
    assert_eq!((end.phase, exit), (Phase::Succeeded, Exit::Done));
    assert_eq!((end.weights, end.records), (vec!["v1.1.0 100%".to_owned()], vec!["+v1.1.0".to_owned()]));
}

#[tokio::test]
async fn a_rollback_leaves_the_bad_version() {
    let (_, end, exit) = play(Story::RollsBack).await;
    assert_eq!((end.phase, exit), (Phase::Succeeded, Exit::Done));
    assert_eq!(end.records, ["+v1.0.0", "-v1.0.0", "+v1.1.0"]);
    assert_eq!(
        (end.weights, end.holds.unwrap().to_string()),
        (vec!["v1.1.0 100%".to_owned()], "v1.1.0".to_owned())
    );
}

#[tokio::test]
async fn a_wrong_answer_never_gets_traffic() {
    let (_, end, exit) = play(Story::FailsItsGoldenCases).await;
    assert_eq!((end.phase, end.reason, exit), (Phase::Failed, Reason::ValidationFailed, Exit::Negative));
    assert_eq!((end.weights, end.traffic), (vec!["v1.0.0 100%".to_owned()], vec!["v1.0.0".to_owned()]));
    assert_eq!((end.records.len(), end.deployments[0].1), (1, DeploymentState::Failure));
    assert!(end.message.contains("2 of 2 golden cases failed"), "{}", end.message);
}

#[tokio::test]
async fn a_target_that_refuses_gets_its_traffic_back() {
    let (_, end, exit) = play(Story::IsRefusedByTheTarget).await;
    assert_eq!((end.phase, end.reason, exit), (Phase::RolledBack, Reason::TargetFailed, Exit::Negative));
    assert_eq!((end.weights, end.records.len()), (vec!["v1.0.0 100%".to_owned()], 1));
    assert_eq!(end.traffic, ["v1.0.0", "v1.1.0", "v1.0.0"]);
    assert!(
        end.message.starts_with("v1.0.0 serves again: could not make the candidate stable"),
        "{}",
        end.message
    );
}

#[tokio::test]
async fn a_registry_that_refuses_takes_traffic_back() {
    let (_, end, _) = play(Story::IsRefusedByTheRegistry).await;
    assert_eq!((end.phase, end.reason), (Phase::RolledBack, Reason::RegistryFailed));
    assert_eq!((end.weights, end.records), (vec!["v1.0.0 100%".to_owned()], vec!["+v1.0.0".to_owned()]));
}

#[tokio::test]
async fn a_first_version_that_fails_leaves_nothing() {
    let (_, end, _) = play(Story::FirstIsRefusedByTheTarget).await;
    assert_eq!((end.phase, end.weights, end.holds), (Phase::RolledBack, vec![], None));
}

#[tokio::test]
async fn an_abort_goes_back() {
    let (_, end, exit) = play(Story::IsAborted).await;
    assert_eq!((end.phase, end.reason, exit), (Phase::RolledBack, Reason::ManualAbort, Exit::Negative));
    assert_eq!(
        (end.weights, end.message.as_str()),
        (vec!["v1.0.0 100%".to_owned()], "v1.0.0 serves again: bob stopped it")
    );
}

#[tokio::test]
async fn a_rollback_that_cannot_work_keeps_the_lock() {
    let (stage, end, exit) = play(Story::GetsStuck).await;
    assert_eq!((end.phase, exit), (Phase::RollbackFailed, Exit::RollbackFailed));
    assert_eq!(end.deployments[0].1, DeploymentState::Error);
    let mut driver = stage.driver(&Never);
    let next = stage.begin(&mut driver, tagship_domain::rollout::Kind::Deploy, &super::sample::plan()).await;
    let error = next.unwrap_err();
    assert_eq!(error.exit(), Exit::RollbackFailed);
    assert!(error.to_string().contains("production-v1.1.0-1 of alice holds production"), "{error}");
}

/// A release that is not signed although it has to be, or is damaged, comes back from its source as invalid.
#[tokio::test]
async fn bytes_that_are_not_handed_out_get_no_traffic_in_any_story() {
    for story in Story::ALL {
        let stage = story.stage().await;
        stage.releases.faults.always("fetch", Problem::Invalid);
        let tick = story.play(&stage, &Never).await.unwrap();
        assert!(stage.releases.faults.calls("fetch") > 0, "{story:?}");
        assert_eq!(stage.target.faults.calls("prepare"), 0, "{story:?}");
        let end = stage.end().await;
        assert!(end.traffic.iter().all(|version| version == "v1.0.0"), "{story:?}: {:?}", end.traffic);
        assert_eq!((end.phase, tick.exit()), (Phase::Failed, Exit::Negative), "{story:?}: {}", end.message);
    }
}
