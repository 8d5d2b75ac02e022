//! What is told elsewhere about a rollout: when it begins, waits for a person, is promoted, or did not work out.

use tagship_domain::{
    notice::{Notice, NoticeKind},
    rollout::{Kind, Phase, RolloutState},
};

use crate::{advice::advice_for_rollout, sentence};

/// The notice that a rollout is worth on coming to where it stands, from `previous`, the phase before; nothing where
/// nobody has to know. A first phase has no previous one.
pub fn notice(previous: Option<Phase>, state: &RolloutState) -> Option<Notice> {
    if previous == Some(state.phase) {
        return None;
    }
    let kind = match (state.phase, state.kind) {
        (Phase::Validating, _) if matches!(previous, None | Some(Phase::Pending)) => NoticeKind::Start,
        // A freeze kept it from beginning.
        (Phase::Validating, _) if previous == Some(Phase::Waiting) && state.judges.is_empty() => {
            NoticeKind::Start
        }
        (Phase::Paused, _) => NoticeKind::Pause,
        (Phase::Succeeded, Kind::Deploy) => NoticeKind::Promotion,
        (Phase::Succeeded, Kind::Rollback)
        | (Phase::RolledBack | Phase::Failed | Phase::RollbackFailed, _) => NoticeKind::Rollback,
        _ => return None,
    };
    Some(Notice {
        kind,
        model: state.model.clone(),
        environment: state.environment.clone(),
        candidate: state.candidate.version.clone(),
        stable: state.stable.as_ref().map(|stable| stable.version.clone()),
        rollout: state.id.clone(),
        phase: state.phase,
        reason: state.reason,
        at: state.since,
        sentence: sentence::rollout(state).text,
        advice: advice_for_rollout(state).map(|advice| {
            let choices = advice.choices.iter().map(|choice| match choice.does.as_str() {
                "" => choice.command.clone(),
                does => format!("{does}: {}", choice.command),
            });
            let choices = choices.collect::<Vec<_>>().join("\n");
            if choices.is_empty() { advice.text } else { format!("{}:\n{choices}", advice.text) }
        }),
        run: state.by.run.clone(),
        actor: state.by.actor.clone(),
    })
}
