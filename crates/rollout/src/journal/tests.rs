//! Journal entries, written and read back.

use tagship_domain::rollout::{EffectResult, Kind, Observation, Observed, Phase};

use super::*;
use crate::{
    step,
    tests::sample::{all, arm, at, in_phase, look, noon, passed, pending},
};

fn written(state: &RolloutState, looks: &[Look]) -> Entry {
    let new = entry(state, looks, noon()).unwrap();
    Entry { id: "e".repeat(40).parse().unwrap(), at: new.at, message: new.message, files: new.files }
}

#[test]
fn states_come_back_from_their_entries() {
    for phase in [Phase::Pending, Phase::Validating, Phase::Progressing, Phase::Finalising, Phase::Succeeded]
    {
        let state = in_phase(Kind::Deploy, phase);
        assert_eq!(state_of(&written(&state, &[])).unwrap(), state, "{phase}");
    }
}

#[test]
fn a_newer_journal_is_refused() {
    let mut newer = written(&pending(Kind::Deploy), &[]);
    let text = String::from_utf8(newer.files[STATE].clone()).unwrap();
    newer
        .files
        .insert(STATE.to_owned(), text.replace("tagship/rollout/v1", "tagship/rollout/v2").into_bytes());
    let error = state_of(&newer).unwrap_err().to_string();
    assert!(error.contains("tagship/rollout/v2") && error.contains("newer"), "{error}");
    newer.files.clear();
    assert!(matches!(state_of(&newer), Err(JournalError::NoState { .. })));
}

#[test]
fn looks_are_lines() {
    let state = pending(Kind::Deploy);
    let seen = Look {
        at: at(3),
        rollout: state.id.clone(),
        unreachable: None,
        arms: vec![arm("v1.1.0", 0)],
        metrics: vec![],
        smoke: Some(passed()),
    };
    let entry = written(&state, &[seen.clone(), seen.clone()]);
    let text = std::str::from_utf8(&entry.files[LOOKS]).unwrap();
    let back: Vec<Look> = text.lines().map(|line| schema::from_json(line).unwrap()).collect();
    assert_eq!(back, [seen.clone(), seen]);
}

#[test]
fn headlines_read_as_a_story() {
    let line =
        |state: &RolloutState| entry(state, &[], noon()).unwrap().message.lines().next().map(str::to_owned);
    let mut state = in_phase(Kind::Deploy, Phase::Progressing);
    assert_eq!(
        line(&state).as_deref(),
        Some("production/churn v1.1.0: Progressing, 0% -> 100% (deploy by alice)")
    );
    state.by.actor = "al\nice".to_owned();
    assert!(line(&state).unwrap().ends_with("(deploy by al ice)"), "one line whatever the name");
    let end = in_phase(Kind::Rollback, Phase::Succeeded);
    assert_eq!(line(&end).as_deref(), Some("production/churn v1.1.0: Succeeded, 100% (rollback by alice)"));
    let outcomes = all(&end, &EffectResult::Applied);
    let target = Observed::Unreachable(String::new());
    let settled = step(&end, &Observation { outcomes, target, ..look(&[]) }).state;
    assert_eq!(
        line(&settled).as_deref(),
        Some("production/churn v1.1.0: Succeeded, all done (rollback by alice)")
    );
}
