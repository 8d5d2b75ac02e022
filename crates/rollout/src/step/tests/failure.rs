//! A metric that turns out bad: the way back by itself, or a person who decides.

use tagship_domain::{
    event::Command,
    plan::{OnFailure, RolloutPlan},
};

use super::*;
use crate::tests::walk::{Walk, judged};

fn bad(on_failure: OnFailure) -> Walk {
    let plan = RolloutPlan { on_failure, ..judged() };
    let mut walk = Walk::begin(&plan, true).under(200, [10, 300]);
    walk.until(if on_failure == OnFailure::Rollback { Phase::RolledBack } else { Phase::Paused }, 900);
    walk
}

#[test]
fn each_plan_says_what_a_bad_metric_leads_to() {
    assert_eq!(bad(OnFailure::Rollback).state.reason, Reason::AnalysisFailed);
    let frozen = bad(OnFailure::Freeze).state;
    assert_eq!((frozen.reason, frozen.weight.desired.get()), (Reason::Frozen, 10));
    assert!(
        frozen.message.contains("v1.1.0 stays at 10%; waiting for alice to promote"),
        "{}",
        frozen.message
    );
    let proposed = bad(OnFailure::Propose).state;
    assert_eq!((proposed.reason, proposed.weight.desired.get()), (Reason::RollbackProposed, 10));
    assert!(proposed.message.contains("going back to v1.0.0 is proposed"), "{}", proposed.message);
    for state in [frozen, proposed] {
        assert!(state.cause.is_some_and(|cause| cause.contains("errors")) && state.deadline.is_none());
    }
}

#[test]
fn a_frozen_rollout_never_goes_on_by_itself() {
    for on_failure in [OnFailure::Freeze, OnFailure::Propose] {
        let mut walk = bad(on_failure);
        let entered = walk.state.since;
        walk.errors = [10, 0];
        for _ in 0..200 {
            walk.passes(60);
        }
        assert_eq!(
            (walk.state.phase, walk.state.since),
            (Phase::Paused, entered),
            "whatever is measured later"
        );
    }
}

#[test]
fn a_person_decides_about_a_frozen_rollout() {
    let mut back = bad(OnFailure::Freeze);
    back.told(Command::Abort);
    assert_eq!((back.state.phase, back.state.reason), (Phase::RolledBack, Reason::ManualAbort));
    let message = &back.state.message;
    assert!(
        message.starts_with("v1.0.0 serves again: bob stopped it (") && message.contains("errors"),
        "{message}"
    );

    let mut again = bad(OnFailure::Freeze);
    again.errors = [10, 10];
    again.told(Command::Resume);
    assert_eq!((again.state.phase, again.state.step), (Phase::Progressing, 1));
    again.until(Phase::Succeeded, 4000);
    assert_eq!(again.state.waived, None, "it was measured from the beginning");

    let mut worse = bad(OnFailure::Propose);
    worse.told(Command::Resume);
    worse.until(Phase::Paused, 900);
    assert_eq!(worse.state.reason, Reason::RollbackProposed, "still bad, still for a person");

    let mut taken_on = bad(OnFailure::Freeze);
    taken_on.told(Command::PromoteFull);
    let end = taken_on.until(Phase::Succeeded, 100);
    assert_eq!((end.waived.as_ref(), end.cause.as_ref()), (Some(&crate::tests::sample::by("bob")), None));
}

#[test]
fn a_candidate_that_is_gone_goes_back_whatever_the_plan_says() {
    for on_failure in [OnFailure::Freeze, OnFailure::Propose] {
        let state = bad(on_failure).state;
        let next = step(&state, &look(&[arm("v1.0.0", 90)])).state;
        assert_eq!((next.phase, next.reason), (Phase::RollingBack, Reason::TargetFailed));
    }
}
