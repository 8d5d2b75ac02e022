//! What each phase does with what it sees.

use tagship_domain::{
    Duration,
    analysis::MetricPhase,
    rollout::{
        DeploymentState, Effect, EffectOutcome, EffectResult, Kind, Observation, Observed, PersonCommand,
        Phase, Reason, RolloutState, Unlocked,
    },
    traffic::Weight,
    validation::{GoldenReport, Status},
};

mod bake;
mod canary;
mod failure;
mod freezing;
mod going_back;
mod kayenta;
mod own_source;
mod promotion;
mod scores;
mod strategies;
mod values;

use super::{Transition, step};
use crate::tests::sample::{
    abort, all, arm, at, failed, in_phase, look, passed, pending, pending_over, ready_only, release, version,
};

fn effects(state: &RolloutState) -> Vec<&Effect> {
    state.intended.iter().map(|intended| &intended.effect).collect()
}

fn done(state: &RolloutState, look: Observation) -> Observation {
    Observation { outcomes: all(state, &EffectResult::Applied), ..look }
}

/// What became of the first effect that is not a report.
fn outcome(state: &RolloutState, result: EffectResult) -> Vec<EffectOutcome> {
    let intended = state.intended.iter().find(|intended| !super::is_report(&intended.effect)).unwrap();
    vec![EffectOutcome { seq: intended.seq, result }]
}

fn unreachable() -> Observation {
    Observation { target: Observed::Unreachable("connection refused".to_owned()), ..look(&[]) }
}

fn prepared() -> RolloutState {
    let state = in_phase(Kind::Deploy, Phase::Validating);
    let next = step(&state, &done(&state, look(&[arm("v1.0.0", 100), arm("v1.1.0", 0)]))).state;
    assert_eq!((next.phase, next.intended.len()), (Phase::Validating, 0));
    next
}

const BOTH_BEFORE: [(&str, u8); 2] = [("v1.0.0", 100), ("v1.1.0", 0)];
const BOTH_AFTER: [(&str, u8); 2] = [("v1.0.0", 0), ("v1.1.0", 100)];

fn seen(arms: [(&str, u8); 2]) -> Observation {
    look(&arms.map(|(version, weight)| arm(version, weight)))
}

#[test]
fn a_deploy_goes_through_every_phase() {
    let mut story = vec![];
    for phase in
        [Phase::Validating, Phase::Progressing, Phase::Promoting, Phase::Finalising, Phase::Succeeded]
    {
        let state = in_phase(Kind::Deploy, phase);
        story.push((phase, effects(&state).into_iter().cloned().collect::<Vec<_>>()));
    }
    let set = |state| Effect::SetDeployment { state };
    let expected = vec![
        (Phase::Validating, vec![set(DeploymentState::InProgress), Effect::Publish, Effect::Prepare]),
        (Phase::Progressing, vec![Effect::SetWeight { weight: Weight::ALL }]),
        (Phase::Promoting, vec![Effect::Promote]),
        (Phase::Finalising, vec![Effect::AssignStage { version: version("v1.1.0") }]),
        (
            Phase::Succeeded,
            vec![
                Effect::Cleanup { version: version("v1.0.0") },
                set(DeploymentState::Success),
                Effect::Publish,
            ],
        ),
    ];
    assert_eq!(story, expected);
    let end = in_phase(Kind::Deploy, Phase::Succeeded);
    assert_eq!(end.message, "v1.1.0 serves production; it took over from v1.0.0");
    assert_eq!((end.reason, end.deadline, end.cause), (Reason::Completed, None, None));
    assert_eq!(end.judges["smoke"].message, "2 of 2 golden cases passed (largest difference 0.0e0)");
}

#[test]
fn a_rollback_leaves_the_bad_version_before_it_assigns_the_good_one() {
    let state = in_phase(Kind::Rollback, Phase::Finalising);
    let (left, back) = (version("v1.0.0"), version("v1.1.0"));
    let expected = [&Effect::UnassignStage { version: left }, &Effect::AssignStage { version: back }];
    assert_eq!(effects(&state), expected);
}

#[test]
fn nothing_moves_while_the_target_does_not_answer() {
    for phase in
        [Phase::Validating, Phase::Progressing, Phase::Promoting, Phase::Finalising, Phase::RollingBack]
    {
        let state = if phase == Phase::RollingBack { going_back() } else { in_phase(Kind::Deploy, phase) };
        let next = step(&state, &Observation { smoke: Some(passed()), ..done(&state, unreachable()) }).state;
        assert_eq!(next.phase, phase, "unknown is not good");
        assert!(next.message.contains("connection refused"), "{}", next.message);
        let late = Observation { now: at(1000), ..unreachable() };
        let late = step(&next, &late).state;
        assert!(late.phase != phase, "{phase} ends at its deadline");
        assert!(late.message.contains("no progress within 10m"), "{}", late.message);
    }
}

#[test]
fn loading_that_is_refused_fails_without_a_trace_of_traffic() {
    let state = in_phase(Kind::Deploy, Phase::Validating);
    let refused = outcome(&state, EffectResult::Refused("the bytes have another digest".to_owned()));
    let end = step(&state, &Observation { outcomes: refused, ..look(&[arm("v1.0.0", 100)]) }).state;
    assert_eq!((end.phase, end.reason), (Phase::Failed, Reason::ValidationFailed));
    let message = "v1.1.0 got no traffic, v1.0.0 still serves: could not load the candidate: the bytes have another digest";
    assert_eq!(end.message, message);
    let cleanup = Effect::Cleanup { version: version("v1.1.0") };
    let deployment = Effect::SetDeployment { state: DeploymentState::Failure };
    assert_eq!(effects(&end), [&cleanup, &deployment, &Effect::Publish]);
}

#[test]
fn other_bytes_than_released_fail() {
    let mut wrong = arm("v1.1.0", 0);
    wrong.digest = release("v9.9.9").digest;
    let state = prepared();
    let end = step(&state, &Observation { smoke: Some(passed()), ..look(&[wrong]) }).state;
    assert_eq!((end.phase, end.reason), (Phase::Failed, Reason::ValidationFailed));
    assert!(end.message.contains("other bytes"), "{}", end.message);
}

#[test]
fn a_wrong_answer_fails_and_half_an_answer_waits() {
    let state = prepared();
    let with =
        |report: GoldenReport| step(&state, &Observation { smoke: Some(report), ..seen(BOTH_BEFORE) }).state;
    let end = with(failed());
    assert_eq!(end.phase, Phase::Failed);
    assert!(end.message.contains("1 of 2 golden cases failed, first \"two\": output"), "{}", end.message);

    let fewer = GoldenReport { cases: passed().cases[..1].to_vec(), ..passed() };
    let cut = GoldenReport { status: Status::Incomplete, message: Some("no Foo".to_owned()), ..passed() };
    let none = GoldenReport { cases: vec![], ..passed() };
    for report in [fewer, cut, none] {
        let next = with(report.clone());
        assert_eq!(next.phase, Phase::Validating, "{report:?}");
        assert_eq!(next.judges["smoke"].phase, MetricPhase::Inconclusive);
    }
    let broken = GoldenReport { status: Status::Error, ..passed() };
    assert_eq!(with(broken).judges["smoke"].phase, MetricPhase::Error);
    assert_eq!(step(&state, &seen(BOTH_BEFORE)).state.phase, Phase::Validating, "no report is no pass");
}

#[test]
fn without_golden_cases_readiness_is_checked_and_said() {
    let state = pending_over(Kind::Deploy, None, &ready_only());
    let state = step(&state, &look(&[])).state;
    let mut unready = arm("v1.1.0", 0);
    unready.ready = false;
    let waits = step(&state, &done(&state, look(&[unready]))).state;
    assert_eq!((waits.phase, waits.message.as_str()), (Phase::Validating, "v1.1.0 is not ready"));
    let next = step(&waits, &look(&[arm("v1.1.0", 0)])).state;
    assert_eq!(next.phase, Phase::Progressing);
    assert_eq!(next.message, "no golden cases: only readiness was checked; giving v1.1.0 all traffic");
    assert_eq!((next.judges["smoke"].phase, next.judges["smoke"].n), (MetricPhase::Inconclusive, 0));
}

#[test]
fn traffic_moves_only_when_the_target_shows_it() {
    let state = in_phase(Kind::Deploy, Phase::Progressing);
    let next = step(&state, &done(&state, seen(BOTH_BEFORE))).state;
    assert_eq!(
        (next.phase, next.weight.desired, next.weight.applied),
        (Phase::Progressing, Weight::ALL, Weight::NONE)
    );
    assert_eq!(next.message, "v1.1.0 has 0% of the traffic, 100% was ordered");
    assert_eq!(step(&next, &seen(BOTH_AFTER)).state.phase, Phase::Promoting);
}

#[test]
fn who_puts_another_version_in_its_place_ends_it_with_nothing_to_undo() {
    let superseded = |state: &RolloutState, look: Observation| {
        let outcomes = outcome(state, EffectResult::Superseded("v9.9.9 is there".to_owned()));
        step(state, &Observation { outcomes, ..look }).state
    };
    let loading = in_phase(Kind::Deploy, Phase::Validating);
    for (state, seen) in [
        (loading, look(&[arm("v1.0.0", 100)])),
        (in_phase(Kind::Deploy, Phase::Progressing), seen(BOTH_BEFORE)),
        (going_back(), look(&[arm("v1.0.0", 90), arm("v9.9.9", 10)])),
    ] {
        let end = superseded(&state, seen);
        assert_eq!((end.phase, end.reason), (Phase::Superseded, Reason::NewerVersion), "{}", end.message);
        assert!(
            end.message.contains("gave way") && end.message.contains("v9.9.9 is there"),
            "{}",
            end.message
        );
        let deployment = Effect::SetDeployment { state: DeploymentState::Inactive };
        assert!(effects(&end).contains(&&deployment));
        assert!(!effects(&end).iter().any(|effect| matches!(effect, Effect::Rollback)));
    }
}

#[test]
fn what_the_registry_may_name_does_not_just_give_way() {
    let mut state = going_back();
    state.assigned = true;
    let outcomes = outcome(&state, EffectResult::Superseded("v9.9.9 is there".to_owned()));
    let end = step(&state, &Observation { outcomes, ..seen(BOTH_BEFORE) }).state;
    assert_eq!(end.phase, Phase::RollbackFailed, "{}", end.message);
}

fn going_back() -> RolloutState {
    let state = in_phase(Kind::Deploy, Phase::Progressing);
    let refused = outcome(&state, EffectResult::Refused("weights are frozen".to_owned()));
    let state = step(&state, &Observation { outcomes: refused, ..seen(BOTH_AFTER) }).state;
    assert_eq!(state.phase, Phase::RollingBack);
    state
}

/// A kind of trouble with the look that shows it.
type Trouble<'a> = (&'a str, &'a dyn Fn(&RolloutState) -> Observation);

#[test]
fn trouble_after_traffic_moved_goes_back() {
    let refused = |state: &RolloutState| Observation {
        outcomes: outcome(state, EffectResult::Refused("no".to_owned())),
        ..seen(BOTH_AFTER)
    };
    let unready = |_: &RolloutState| {
        let mut arm = arm("v1.1.0", 100);
        arm.ready = false;
        look(&[arm])
    };
    let tampered = |_: &RolloutState| {
        let mut arm = arm("v1.1.0", 100);
        arm.digest = release("v9.9.9").digest;
        look(&[arm])
    };
    let gone = |_: &RolloutState| look(&[arm("v1.0.0", 100)]);
    let late = |_: &RolloutState| Observation { now: at(1000), ..seen(BOTH_AFTER) };
    let abort = |_: &RolloutState| Observation { commands: vec![abort()], ..seen(BOTH_AFTER) };
    let troubles: [Trouble<'_>; 6] = [
        ("refused", &refused),
        ("not ready", &unready),
        ("other bytes", &tampered),
        ("gone", &gone),
        ("late", &late),
        ("aborted", &abort),
    ];
    for phase in [Phase::Progressing, Phase::Promoting, Phase::Finalising] {
        for (what, observe) in troubles {
            let state = in_phase(Kind::Deploy, phase);
            let next = step(&state, &observe(&state)).state;
            assert_eq!(next.phase, Phase::RollingBack, "{phase}, {what}");
            assert_eq!(effects(&next), [&Effect::Publish, &Effect::Rollback], "{phase}, {what}");
            assert!(next.cause.is_some() && next.weight.desired == Weight::NONE);
        }
    }
}

#[test]
fn an_abort_before_traffic_only_cleans_up() {
    for state in [pending(Kind::Deploy), in_phase(Kind::Deploy, Phase::Validating), prepared()] {
        let commands = vec![abort()];
        let end = step(&state, &Observation { commands, smoke: Some(passed()), ..seen(BOTH_BEFORE) }).state;
        assert_eq!((end.phase, end.reason), (Phase::Failed, Reason::ManualAbort));
        assert_eq!(end.message, "v1.1.0 got no traffic, v1.0.0 still serves: bob stopped it");
    }
}

#[test]
fn going_back_ends_when_stable_has_all_traffic() {
    let state = going_back();
    let half = step(&state, &done(&state, seen(BOTH_AFTER))).state;
    assert_eq!((half.phase, half.message.as_str()), (Phase::RollingBack, "v1.0.0 has 0% of the traffic"));
    let end = step(&half, &seen(BOTH_BEFORE)).state;
    assert_eq!((end.phase, end.reason), (Phase::RolledBack, Reason::TargetFailed));
    let cause = "could not give the candidate 100% of the traffic: weights are frozen";
    assert_eq!(end.message, format!("v1.0.0 serves again: {cause}"));
    let cleanup = Effect::Cleanup { version: version("v1.1.0") };
    let deployment = Effect::SetDeployment { state: DeploymentState::Failure };
    assert_eq!(effects(&end), [&cleanup, &deployment, &Effect::Publish]);
}

#[test]
fn going_back_corrects_a_registry_that_may_name_the_candidate() {
    let state = in_phase(Kind::Rollback, Phase::Finalising);
    let commands = vec![abort()];
    let state = step(&state, &Observation { commands, ..seen(BOTH_AFTER) }).state;
    let state = step(&state, &done(&state, seen(BOTH_BEFORE))).state;
    let unassign = Effect::UnassignStage { version: version("v1.1.0") };
    let assign = Effect::AssignStage { version: version("v1.0.0") };
    assert_eq!((state.phase, effects(&state)), (Phase::RollingBack, vec![&unassign, &assign]));
    let half = Observation { outcomes: outcome(&state, EffectResult::Applied), ..seen(BOTH_BEFORE) };
    let state = step(&state, &half).state;
    assert_eq!((state.phase, effects(&state)), (Phase::RollingBack, vec![&assign]));
    let end = step(&state, &done(&state, seen(BOTH_BEFORE))).state;
    assert_eq!(end.phase, Phase::RolledBack);
}

#[test]
fn a_first_version_that_fails_is_taken_out_of_service() {
    let state = pending_over(Kind::Deploy, None, &ready_only());
    let state = step(&state, &look(&[])).state;
    let state = step(&state, &done(&state, look(&[arm("v1.1.0", 0)]))).state;
    let state = step(&state, &done(&state, look(&[]))).state;
    assert_eq!(state.phase, Phase::RollingBack, "it is gone after traffic was ordered");
    let waits = step(&state, &done(&state, look(&[arm("v1.1.0", 100)]))).state;
    assert_eq!(waits.message, "v1.1.0 still has 100% of the traffic");
    for arms in [vec![], vec![arm("v1.1.0", 0)]] {
        let end = step(&waits, &look(&arms)).state;
        assert_eq!(end.phase, Phase::RolledBack);
        assert!(end.message.starts_with("v1.1.0 was taken out of service: "), "{}", end.message);
    }
}

#[test]
fn a_rollback_that_fails_keeps_the_lock_and_says_why_it_began() {
    let state = going_back();
    let refused = outcome(&state, EffectResult::Refused("v1.0.0 is not loaded".to_owned()));
    let end = step(&state, &Observation { outcomes: refused, ..seen(BOTH_AFTER) }).state;
    assert_eq!((end.phase, end.reason), (Phase::RollbackFailed, Reason::TargetFailed));
    assert!(end.holds_lock() && end.message.starts_with("a person is needed"));
    assert!(end.message.contains("v1.0.0 is not loaded") && end.message.contains("weights are frozen"));
    assert!(effects(&end).contains(&&Effect::SetDeployment { state: DeploymentState::Error }));
    let late = step(&going_back(), &Observation { now: at(2000), ..seen(BOTH_AFTER) }).state;
    assert_eq!(late.phase, Phase::RollbackFailed);
}

#[test]
fn what_people_are_told_never_decides() {
    let state = in_phase(Kind::Deploy, Phase::Validating);
    let mut next = state.clone();
    for round in 0..5 {
        let reports = next.intended.iter().filter(|intended| super::is_report(&intended.effect));
        let outcomes: Vec<_> = reports
            .map(|report| EffectOutcome { seq: report.seq, result: EffectResult::Retry("502".to_owned()) })
            .collect();
        assert_eq!(outcomes.len(), 2, "still tried in round {round}");
        next = step(&next, &Observation { outcomes, ..seen(BOTH_BEFORE) }).state;
        assert_eq!(next.phase, Phase::Validating);
    }
    assert_eq!(effects(&next), [&Effect::Prepare], "given up after five attempts");

    let end = in_phase(Kind::Deploy, Phase::Succeeded);
    let refused = all(&end, &EffectResult::Refused("403".to_owned()));
    let settled = step(&end, &Observation { outcomes: refused, ..seen(BOTH_AFTER) }).state;
    assert!(settled.is_settled() && settled.phase == Phase::Succeeded);
    assert!(settled.message.contains("could not publish the report: 403"), "{}", settled.message);
}

#[test]
fn waiting_needs_no_journal_entry() {
    let state = in_phase(Kind::Deploy, Phase::Progressing);
    let retry = outcome(&state, EffectResult::Retry("time-out".to_owned()));
    let Transition { state: next, changed } =
        step(&state, &Observation { outcomes: retry, ..seen(BOTH_BEFORE) });
    assert!(!changed, "attempts are counted between entries");
    let message = "could not give the candidate 100% of the traffic in 1 attempts so far: time-out";
    assert_eq!((next.intended[0].attempts, next.message.as_str()), (1, message));
    assert!(step(&next, &done(&next, seen(BOTH_AFTER))).changed);
}

#[test]
fn deadlines_start_anew_with_each_phase() {
    let state = in_phase(Kind::Deploy, Phase::Promoting);
    assert_eq!(state.deadline.unwrap().since(state.since), Duration::from_secs(600));
    let validating = in_phase(Kind::Deploy, Phase::Validating);
    assert!(state.since > validating.since, "even where the clock stood still");
}
