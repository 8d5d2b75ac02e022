//! What became of effects: done ones leave the list of intentions, refused ones decide.

use tagship_domain::rollout::{Effect, EffectOutcome, EffectResult, Intended, Reason, RolloutState};

use super::{
    change::{is_optional, is_registry, name},
    transition::Judgement,
};

/// How often an effect that the rollout can do without is tried.
const OPTIONAL_ATTEMPTS: u32 = 5;

/// Takes outcomes into the state. Answers what the first refusal of an effect that is needed means.
pub(super) fn settle(state: &mut RolloutState, outcomes: &[EffectOutcome]) -> Option<Judgement> {
    let mut refusal = None;
    for outcome in outcomes {
        let Some(at) = state.intended.iter().position(|intended| intended.seq == outcome.seq) else {
            continue;
        };
        match &outcome.result {
            EffectResult::Applied | EffectResult::AlreadyThere => {
                let done = state.intended.remove(at);
                completed(state, &done.effect);
            }
            EffectResult::Pending => tried_in_vain(state, at, None),
            EffectResult::Retry(why) => tried_in_vain(state, at, Some(why)),
            EffectResult::Refused(why) => {
                let refused = state.intended.remove(at);
                if is_optional(&refused.effect) {
                    do_without(state, &refused, why);
                } else {
                    refusal.get_or_insert_with(|| refused_judgement(&refused.effect, why));
                }
            }
            EffectResult::Superseded(why) => {
                let dropped = state.intended.remove(at);
                if is_optional(&dropped.effect) {
                    do_without(state, &dropped, why);
                } else {
                    refusal.get_or_insert_with(|| Judgement::Superseded(why.clone()));
                }
            }
        }
    }
    refusal
}

fn completed(state: &mut RolloutState, effect: &Effect) {
    match effect {
        Effect::UnassignStage { version } if *version == state.candidate.version => state.assigned = false,
        Effect::Route { routing } => state.routing = routing.clone(),
        _ => {}
    }
}

fn tried_in_vain(state: &mut RolloutState, at: usize, error: Option<&String>) {
    let intended = &mut state.intended[at];
    intended.attempts = intended.attempts.saturating_add(1);
    intended.error = error.cloned();
    if is_optional(&intended.effect) && intended.attempts >= OPTIONAL_ATTEMPTS {
        let given_up = state.intended.remove(at);
        let why = given_up.error.as_deref().unwrap_or("it was accepted, but never confirmed");
        do_without(state, &given_up, why);
    }
}

/// Says that something was left undone, in the one place where people look.
fn do_without(state: &mut RolloutState, intended: &Intended, why: &str) {
    state.message = format!("{}; could not {}: {why}", state.message, name(&intended.effect));
}

fn refused_judgement(effect: &Effect, why: &str) -> Judgement {
    let reason = match effect {
        Effect::Prepare => Reason::ValidationFailed,
        effect if is_registry(effect) => Reason::RegistryFailed,
        _ => Reason::TargetFailed,
    };
    Judgement::Bad(reason, format!("could not {}: {why}", name(effect)))
}
