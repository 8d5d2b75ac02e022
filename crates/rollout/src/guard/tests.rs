//! When monitoring may undo a promotion, and when a person's word stands against it.

use tagship_domain::{Duration, plan::RolloutPlan, rollout::Reason};

use super::*;
use crate::{
    StartRequest, start,
    tests::{
        sample::{at, by, noon, plan, release},
        walk::Walk,
    },
};

const HOUR: Duration = Duration::from_secs(3600);

fn promoted(guard: Duration, serves: bool) -> RolloutState {
    let mut walk = Walk::begin(&RolloutPlan { guard, ..plan() }, serves);
    walk.until(Phase::Succeeded, 100).clone()
}

fn lock(locked: bool, since: Timestamp) -> Lock {
    let environment = "production".parse().unwrap();
    Lock { environment, locked, reason: "incident".to_owned(), by: by("carol"), since }
}

#[test]
fn within_its_guard_a_promotion_leads_back_to_what_served_before() {
    let state = promoted(HOUR, true);
    let until = state.guarded_until.unwrap();
    assert_eq!(until.since(state.since), HOUR);
    assert_eq!(guarded(Some(&state), None, until).unwrap(), &release("v1.0.0"));
    let late = guarded(Some(&state), None, until.after(Duration::from_millis(1))).unwrap_err();
    assert!(matches!(late, GuardRefusal::Over { .. }), "{late}");
    let never = guarded(Some(&promoted(Duration::default(), true)), None, noon()).unwrap_err();
    assert!(matches!(never, GuardRefusal::Unguarded { .. }), "{never}");
    let first = guarded(Some(&promoted(HOUR, false)), None, noon()).unwrap_err();
    assert!(matches!(first, GuardRefusal::Unguarded { .. }), "nothing served before: {first}");
    assert!(guarded(None, None, noon()).is_err());
}

#[test]
fn what_a_person_decided_stands() {
    let state = promoted(HOUR, true);
    let refused = |lock: &Lock| guarded(Some(&state), Some(lock), state.since).unwrap_err().to_string();
    let later = state.since.after(Duration::from_secs(60));
    assert!(refused(&lock(true, later)).contains("production was locked by carol"));
    assert!(refused(&lock(false, later)).contains("unlocked by carol"), "somebody has looked since");
    assert!(refused(&lock(true, noon())).contains("locked by carol"));
    assert!(guarded(Some(&state), Some(&lock(false, noon())), state.since).is_ok(), "that was before it");

    let mut taken_on = state.clone();
    taken_on.waived = Some(by("bob"));
    let why = guarded(Some(&taken_on), None, state.since).unwrap_err().to_string();
    assert!(why.starts_with("bob promoted v1.1.0"), "{why}");
    let mut back = state.clone();
    back.kind = Kind::Rollback;
    assert!(guarded(Some(&back), None, state.since).unwrap_err().to_string().contains("is a rollback"));
}

#[test]
fn a_guard_that_fired_is_the_reason_to_the_end() {
    let state = promoted(HOUR, true);
    let mut back = start(&StartRequest {
        kind: Kind::Rollback,
        environment: &state.environment,
        candidate: &release("v1.1.0"),
        stable: Some(&release("v1.0.0")),
        plan: &RolloutPlan { guard: HOUR, ..plan() },
        previous: Some(&state),
        now: at(100),
        by: &by("monitor"),
        fired: Some("accuracy fell to 71%"),
    })
    .unwrap();
    let opening =
        "monitor rolls production back from v1.0.0 to v1.1.0, for its guard fired: accuracy fell to 71%";
    assert_eq!((back.reason, back.message.as_str()), (Reason::GuardFired, opening));
    let mut walk = Walk::begin(&plan(), true);
    (walk.now, walk.state) = (at(100), std::mem::replace(&mut back, state));
    let end = walk.until(Phase::Succeeded, 100);
    assert_eq!((end.kind, end.reason), (Kind::Rollback, Reason::GuardFired));
    assert_eq!(end.cause.as_deref(), Some("accuracy fell to 71%"));
    assert_eq!(end.guarded_until, None, "what is gone back to is not guarded against");
    assert_eq!(end.judges["smoke"].message, "2 of 2 golden cases passed (largest difference 0.0e0)");
}
