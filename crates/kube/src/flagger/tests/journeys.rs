//! Whole rollouts that Flagger leads and the real driver follows: the right end in bounded time, whatever happens on the way, and
//! nothing written.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::json;
use tagship_domain::{
    plan::Strategy,
    rollout::{Phase, Reason, RolloutState},
};
use tagship_testkit::cluster::{Fault, actors::Flagger};

use super::stage::Stage;
use crate::played::{Journey, Orders as _, Runs, digest, is_at};

/// The first version serves, and was recorded.
async fn journey(flagger: Flagger) -> Journey<Stage> {
    Journey::new(Stage::new(flagger)).await
}

/// Follows what the team has shipped; something may happen on the way.
async fn follow(
    journey: &Journey<Stage>,
    number: u8,
    happens: impl Fn(&Stage, &RolloutState),
) -> RolloutState {
    journey.lead(number, Strategy::AllAtOnce, happens).await
}

fn only_reads(stage: &Stage) {
    let requests = stage.cluster.requests();
    assert!(requests.iter().all(|request| request.starts_with("GET ")), "{requests:?}");
}

/// The failing version's text in its template.
fn second() -> String {
    digest(2).hex().to_owned()
}

#[tokio::test]
async fn what_flagger_promotes_is_promoted_with_its_shares_on_the_way_and_few_reads() {
    let journey = journey(Flagger::default()).await;
    journey.stage.ship(2);
    journey.stage.cluster.forget_requests();
    let shares = RefCell::new(vec![]);
    let end = follow(&journey, 2, |stage, state| {
        shares.borrow_mut().push((state.phase, state.weight.applied.get()));
        let requests = stage.cluster.requests();
        // Three for each order and each look; a run that passes a phase gives and takes several.
        assert!(requests.len() <= 24 && requests.len().is_multiple_of(3), "{requests:?}");
        only_reads(stage);
        stage.cluster.forget_requests();
    });
    let end = end.await;
    assert_eq!((end.phase, end.reason), (Phase::Succeeded, Reason::Completed), "{}", end.message);
    let shares = shares.into_inner();
    for seen in [(Phase::Validating, 0), (Phase::Progressing, 25), (Phase::Progressing, 50)] {
        assert!(shares.contains(&seen), "{seen:?} in {shares:?}");
    }
    assert_eq!(journey.stage.phase(), "Succeeded", "not before Flagger is done");
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
    only_reads(&journey.stage);
}

#[tokio::test]
async fn what_flagger_fails_is_rolled_back_with_its_reason_and_the_next_one_goes_on() {
    let mut journey = journey(Flagger::failing(&second())).await;
    journey.stage.ship(2);
    let end = follow(&journey, 2, |_, _| {}).await;
    assert_eq!((end.phase, end.reason), (Phase::RolledBack, Reason::TargetFailed), "{}", end.message);
    assert!(end.message.contains("v1.0.0 serves again"), "{}", end.message);
    let why = "Canary ml/churn is Failed with 2 failed checks: The analysis failed";
    assert!(end.message.contains(why), "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);

    journey.stage.ship(3);
    let end = follow(&journey, 3, |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    journey.now_stable(3);
    // What had failed is written again. Flagger tries it again.
    journey.stage.ship(2);
    let end = follow(&journey, 2, |_, _| {}).await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(3, 100, true)]);
    only_reads(&journey.stage);
}

#[tokio::test]
async fn a_failure_of_the_version_before_is_not_that_of_the_next() {
    let journey = journey(Flagger::failing(&second())).await;
    journey.stage.ship(2);
    let end = follow(&journey, 2, |_, _| {}).await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    // Flagger is away for a while, and the Canary still says `Failed`.
    journey.stage.ship(3);
    journey.stage.rest(true);
    let looks = Cell::new(0);
    let end = follow(&journey, 3, |stage, state| {
        looks.set(looks.get() + 1);
        if looks.get() < 8 {
            assert_eq!((stage.phase().as_str(), state.phase), ("Failed", Phase::Validating));
            assert!(state.message.contains("Flagger has not taken v3.0.0 up yet"), "{}", state.message);
        } else {
            stage.rest(false);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
}

#[tokio::test]
async fn a_flagger_that_never_comes_ends_without_traffic_and_says_so() {
    let journey = journey(Flagger::default()).await;
    journey.stage.ship(2);
    journey.stage.rest(true);
    let end = follow(&journey, 2, |_, _| {}).await;
    assert_eq!((end.phase, end.reason), (Phase::Failed, Reason::ProgressDeadlineExceeded), "{}", end.message);
    assert!(end.message.contains("Flagger has not taken v2.0.0 up yet"), "{}", end.message);
}

#[tokio::test]
async fn what_nobody_applies_is_not_started() {
    let journey = journey(Flagger::default()).await;
    let end = follow(&journey, 2, |_, _| {}).await;
    assert_eq!((end.phase, end.reason), (Phase::Failed, Reason::ProgressDeadlineExceeded), "{}", end.message);
    let why = "Deployment churn carries v1.0.0, and v2.0.0 is waited for";
    assert!(end.message.contains("v2.0.0 got no traffic, v1.0.0 still serves"), "{}", end.message);
    assert!(end.message.contains(why), "{}", end.message);
}

#[tokio::test]
async fn what_never_settles_is_neither_a_success_nor_back() {
    let journey = journey(Flagger::endless(&second())).await;
    journey.stage.ship(2);
    let end = follow(&journey, 2, |_, _| {}).await;
    assert_eq!(end.phase, Phase::RollbackFailed, "{}", end.message);
    assert!(end.holds_lock());
    assert!(
        end.message.contains("Flagger is still at it; Canary ml/churn is Progressing at 25%"),
        "{}",
        end.message
    );
    assert!(end.message.contains("revert the commit"), "{}", end.message);
    only_reads(&journey.stage);
}

#[tokio::test]
async fn another_version_that_gitops_applies_meanwhile_supersedes_it() {
    let journey = journey(Flagger::default()).await;
    journey.stage.ship(2);
    let end = follow(&journey, 2, |stage, state| {
        if is_at(state, 25) {
            stage.ship(3);
        }
    });
    let end = end.await;
    assert_eq!((end.phase, end.reason), (Phase::Superseded, Reason::NewerVersion), "{}", end.message);
    assert!(end.message.contains("Deployment churn carries v3.0.0"), "{}", end.message);
    let end = follow(&journey, 3, |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(3, 100, true)]);
}

#[tokio::test]
async fn a_commit_that_is_reverted_on_the_way_is_rolled_back() {
    let journey = journey(Flagger::default()).await;
    journey.stage.ship(2);
    let end = follow(&journey, 2, |stage, state| {
        if is_at(state, 25) {
            stage.ship(1);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert!(end.message.contains("carries v1.0.0 again: the change was taken back"), "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn a_promotion_that_waits_for_an_approval_is_waited_for() {
    let gate = Arc::new(AtomicBool::new(true));
    let journey = journey(Flagger::gated(&second(), Arc::clone(&gate))).await;
    journey.stage.ship(2);
    let waited = Cell::new(0);
    let end = follow(&journey, 2, |stage, state| {
        if stage.phase() == "WaitingPromotion" {
            waited.set(waited.get() + 1);
            assert_eq!(
                (state.phase, state.weight.applied.get()),
                (Phase::Progressing, 50),
                "the last one known"
            );
        }
        gate.store(waited.get() < 5, Ordering::Relaxed);
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert!(waited.get() >= 4);
}

#[tokio::test]
async fn a_canary_that_is_deleted_on_the_way_leaves_it_to_a_person() {
    let journey = journey(Flagger::default()).await;
    journey.stage.ship(2);
    let end = follow(&journey, 2, |stage, state| {
        if is_at(state, 25) {
            stage.delete();
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RollbackFailed, "{}", end.message);
    assert!(end.message.contains("Canary ml/churn is not there"), "{}", end.message);
}

#[tokio::test]
async fn a_canary_that_is_suspended_is_waited_for_and_told() {
    let journey = journey(Flagger::default()).await;
    journey.stage.ship(2);
    let waited = Cell::new(0);
    let end = follow(&journey, 2, |stage, state| {
        if is_at(state, 25) {
            waited.set(waited.get() + 1);
            let suspends = waited.get() < 5;
            stage.change(super::stage::CANARY, &json!({ "spec": { "suspend": suspends } }));
            assert!(waited.get() < 2 || state.message.contains("and it is suspended"), "{}", state.message);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_for_a_while_changes_nothing_about_the_end() {
    for fault in [Fault::Status(500), Fault::CutBefore, Fault::TooMany(1)] {
        let journey = journey(Flagger::default()).await;
        journey.stage.ship(2);
        let tick = Cell::new(0_usize);
        let end = follow(&journey, 2, |stage, _| {
            stage.cluster.recover();
            tick.set(tick.get() + 1);
            if !tick.get().is_multiple_of(3) {
                stage.cluster.fail_next("GET", ["canaries", "primary"][tick.get() % 2], fault.clone());
            }
        });
        let end = end.await;
        assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    }
}

#[tokio::test]
async fn two_runs_at_once_follow_as_one_does() {
    let journey = journey(Flagger::default()).await;
    journey.stage.ship(2);
    let runs = Runs { in_pairs: true, ..Runs::default() };
    let end = journey.lead_by(&runs, 2, Strategy::AllAtOnce, |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    only_reads(&journey.stage);
}
