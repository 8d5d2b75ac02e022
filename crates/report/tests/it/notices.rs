//! Which phases are worth a notice, and what it says.

use tagship_domain::{
    notice::NoticeKind,
    rollout::{Kind, Phase},
};
use tagship_report::notice;

use crate::samples::canary;

#[test]
fn people_are_told_when_it_begins_waits_and_ends() {
    let mut state = canary::running().rollout.unwrap();
    let mut kind_of = |previous, phase| {
        state.phase = phase;
        notice(previous, &state).map(|notice| notice.kind)
    };
    for (previous, phase, kind) in [
        (None, Phase::Pending, None),
        (Some(Phase::Pending), Phase::Validating, Some(NoticeKind::Start)),
        (None, Phase::Validating, Some(NoticeKind::Start)),
        (Some(Phase::Validating), Phase::Progressing, None),
        (Some(Phase::Progressing), Phase::Progressing, None),
        (Some(Phase::Progressing), Phase::Paused, Some(NoticeKind::Pause)),
        (Some(Phase::Paused), Phase::Paused, None),
        (Some(Phase::Paused), Phase::Progressing, None),
        (Some(Phase::Finalising), Phase::Succeeded, Some(NoticeKind::Promotion)),
        (Some(Phase::Progressing), Phase::RollingBack, None),
        (Some(Phase::RollingBack), Phase::RolledBack, Some(NoticeKind::Rollback)),
        (Some(Phase::RollingBack), Phase::RollbackFailed, Some(NoticeKind::Rollback)),
        (Some(Phase::Validating), Phase::Failed, Some(NoticeKind::Rollback)),
        (Some(Phase::RollingBack), Phase::Superseded, None),
    ] {
        assert_eq!(kind_of(previous, phase), kind, "{previous:?} to {phase}");
    }
}

#[test]
fn going_back_by_hand_is_told_as_going_back() {
    let mut state = canary::promoted().rollout.unwrap();
    state.kind = Kind::Rollback;
    assert_eq!(notice(Some(Phase::Finalising), &state).unwrap().kind, NoticeKind::Rollback);
}

#[test]
fn a_notice_says_what_happened_and_what_to_do() {
    let state = canary::rolled_back_on_accuracy().rollout.unwrap();
    let notice = notice(Some(Phase::RollingBack), &state).unwrap();
    assert_eq!(
        (notice.candidate.to_string(), notice.stable.unwrap().to_string()),
        ("v1.1.0".into(), "v1.0.0".into())
    );
    assert!(notice.sentence.contains("accuracy"), "{}", notice.sentence);
    let advice = notice.advice.unwrap();
    assert!(advice.contains("tagship rollout --retry --model"), "{advice}");
    let paused = canary::paused_for_no_data().rollout.unwrap();
    let advice = tagship_report::notice(Some(Phase::Progressing), &paused).unwrap().advice.unwrap();
    assert!(
        advice.contains("It waits for") && advice.contains("--promote") && advice.contains("--abort"),
        "{advice}"
    );
}
