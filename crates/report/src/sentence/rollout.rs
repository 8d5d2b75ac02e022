//! Where a rollout stands and why, in one line.

use tagship_domain::{
    plan::Strategy,
    report::StepPosition,
    rollout::{Effect, Kind, Phase, Reason, RolloutState},
    traffic::Weight,
    units::Duration,
};

use super::{CAUSE_LIMIT, Headline, NAME_LIMIT};
use crate::{
    mark::{Mark, Tone},
    text::clean,
    verdict::culprits,
};

/// Longest description that forges show beside a deployment, in characters.
pub const DESCRIPTION_LIMIT: usize = 140;

/// Where a rollout stands; where an analysis is the reason, with its numbers.
pub fn rollout(state: &RolloutState) -> Headline {
    let mark = Mark::of_phase(state.phase, state.kind);
    let tone = match state.phase {
        Phase::Succeeded => Tone::Good,
        Phase::RolledBack | Phase::Failed | Phase::RollbackFailed => Tone::Bad,
        _ => mark.tone(),
    };
    let because = because(state).map(|words| format!(": {words}")).unwrap_or_default();
    Headline { symbol: mark, tone, text: words(state) + &because }
}

fn words(state: &RolloutState) -> String {
    let name = clean(state.model.as_str(), NAME_LIMIT);
    let place = clean(state.environment.as_str(), NAME_LIMIT);
    let version = &state.candidate.version;
    let share = state.weight.applied;
    let back = state.kind == Kind::Rollback;
    match state.phase {
        Phase::Pending if back => format!("{name} is about to go back to {version} in {place}"),
        Phase::Pending => format!("{name} {version} is about to roll out to {place}"),
        Phase::Waiting if state.routing.matched.is_some() => {
            format!(
                "{name} {version} keeps the requests with {} in {place} while a freeze lasts",
                matched(state)
            )
        }
        Phase::Waiting if share == Weight::NONE => {
            format!("{name} {version} waits for the end of a freeze before it rolls out to {place}")
        }
        Phase::Waiting => {
            format!("{name} {version} stays at {share} of the traffic in {place} while a freeze lasts")
        }
        Phase::Validating => format!("{name} {version} is being checked in {place}, without traffic"),
        Phase::Progressing if state.routing.matched.is_some() => {
            format!("{name} {version} answers the requests with {} in {place}", matched(state))
        }
        Phase::Progressing if state.routing.shadow.is_some() => {
            format!(
                "{name} {version} answers copies of requests in {place}, and reaches nobody{}",
                step(state)
            )
        }
        Phase::Progressing if is_preview(state) => {
            format!("{name} {version} stands ready in {place}, without traffic")
        }
        Phase::Progressing if state.weight.desired != share => {
            format!("{name} {version} is on its way to {} of the traffic in {place}", state.weight.desired)
        }
        Phase::Progressing => {
            format!("{name} {version} takes {share} of the traffic in {place}{}", step(state))
        }
        Phase::Paused => paused(state, &name, &place),
        Phase::Baking => {
            let bake = state.plan.bake;
            let bake = if bake > Duration::default() { format!(" for {bake}") } else { String::new() };
            format!("{name} {version} is watched{bake} with {share} of the traffic in {place}")
        }
        Phase::Promoting => format!("{name} {version} is becoming the stable version in {place}"),
        Phase::Finalising => format!("{name} {version} serves {place}, records are being brought in line"),
        Phase::Succeeded if back => format!("{name} is back on {version} in {place}"),
        Phase::Succeeded => format!("{name} {version} is live in {place}"),
        Phase::Failed if back => format!("{name} could not go back to {version} in {place}"),
        Phase::Failed if state.reason == Reason::PromotionFailed => {
            format!("{name} {version} serves {place} but could not be made stable")
        }
        Phase::Failed => format!("{name} {version} did not reach {place}{}", still_serving(state)),
        Phase::RollingBack if state.reason == Reason::NewerVersion => {
            format!("{name} {version} makes way for a newer version in {place}")
        }
        Phase::RollingBack => format!("{name} {version} is being taken back in {place}"),
        Phase::RolledBack => match &state.stable {
            Some(stable) => {
                format!("{name} {version} was rolled back in {place}, {} serves again", stable.version)
            }
            None => format!("{name} {version} was taken out of {place}, nothing serves there"),
        },
        Phase::RollbackFailed if state.keeps_way_back() => {
            let need = match state.unlocked {
                Some(_) => "a person has taken the lock away",
                None => "a person is needed",
            };
            match state.weight.applied {
                Weight::ALL => {
                    format!("{name} is back on {version} in {place}, but that could not be completed: {need}")
                }
                _ => format!("{name} could not go back to {version} in {place}: {need}"),
            }
        }
        Phase::RollbackFailed if state.unlocked.is_some() => {
            format!("{name} {version} could not be taken back in {place}: a person has taken the lock away")
        }
        Phase::RollbackFailed => {
            format!("{name} {version} could not be taken back in {place}: a person is needed")
        }
        Phase::Superseded => format!("{name} {version} gave way to a newer version in {place}"),
    }
}

/// Blue-green before its traffic moves.
pub(crate) fn is_preview(state: &RolloutState) -> bool {
    matches!(state.plan.strategy, Strategy::BlueGreen { .. })
        && (state.weight.desired, state.weight.applied) == (Weight::NONE, Weight::NONE)
}

/// The header that leads requests to the candidate.
fn matched(state: &RolloutState) -> String {
    let rule = state.routing.matched.as_ref().map(|matched| matched.rule().to_string());
    clean(&rule.unwrap_or_default(), NAME_LIMIT)
}

fn step(state: &RolloutState) -> String {
    StepPosition::of(state)
        .map(|step| format!(", step {} of {}", step.number, step.count))
        .unwrap_or_default()
}

fn paused(state: &RolloutState, name: &str, place: &str) -> String {
    let version = &state.candidate.version;
    let at = match state.routing.matched {
        Some(_) => format!("with the requests with {} in {place}", matched(state)),
        None => format!("at {} of the traffic in {place}", state.weight.applied),
    };
    match state.reason {
        Reason::ManualPause => format!("{name} {version} is paused {at} by a person"),
        Reason::NoData | Reason::InconclusiveAnalysis => {
            format!("{name} {version} is held {at}, a person decides")
        }
        Reason::Frozen => format!("{name} {version} has a bad metric and is held {at}, a person decides"),
        Reason::RollbackProposed => {
            format!("{name} {version} has a bad metric {at}, going back is proposed to a person")
        }
        _ if state.routing.shadow.is_some() => {
            format!("{name} {version} answers copies of requests in {place}, a person decides")
        }
        _ if is_preview(state) => {
            format!("{name} {version} stands ready in {place} without traffic, a person promotes it")
        }
        _ => format!("{name} {version} waits for a person, {at}"),
    }
}

fn still_serving(state: &RolloutState) -> String {
    state.stable.as_ref().map(|stable| format!(", {} still serves", stable.version)).unwrap_or_default()
}

/// The metric that is the reason, and how many more are; absent where the reason is another, or is over.
fn because(state: &RolloutState) -> Option<String> {
    if matches!(state.phase, Phase::Succeeded | Phase::Superseded | Phase::RollbackFailed) {
        return None;
    }
    let culprits = culprits(state);
    let (first, rest) = culprits.split_first()?;
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    Some(clean(&first.brief(), CAUSE_LIMIT) + &more)
}

/// Where a rollout stands, with the cause where it did not go well: one sentence of at most [`DESCRIPTION_LIMIT`]
/// characters, for the status of a deployment.
pub fn description(state: &RolloutState) -> String {
    let headline = rollout(state);
    let explained = matches!(headline.tone, Tone::Bad | Tone::Waiting | Tone::Unknown);
    if explained && because(state).is_none() && !state.message.trim().is_empty() {
        return clean(&format!("{}: {}", headline.text, state.message), DESCRIPTION_LIMIT);
    }
    clean(&headline.text, DESCRIPTION_LIMIT)
}

/// The name of a phase for people.
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "Pending",
        Phase::Waiting => "Waiting",
        Phase::Validating => "Validating",
        Phase::Progressing => "Progressing",
        Phase::Paused => "Paused",
        Phase::Baking => "Baking",
        Phase::Promoting => "Promoting",
        Phase::Finalising => "Finalising",
        Phase::Succeeded => "Succeeded",
        Phase::Failed => "Failed",
        Phase::RollingBack => "Rolling back",
        Phase::RolledBack => "Rolled back",
        Phase::RollbackFailed => "Rollback failed",
        Phase::Superseded => "Superseded",
    }
}

/// Why a rollout stands where it stands, in a word or two; empty where its phase says all.
pub fn standing(reason: Reason) -> &'static str {
    match reason {
        Reason::Started | Reason::OnTrack | Reason::Completed => "",
        Reason::ValidationFailed => "validation failed",
        Reason::TargetFailed => "the target failed",
        Reason::RegistryFailed => "the registry failed",
        Reason::ProgressDeadlineExceeded => "no progress in time",
        Reason::AnalysisFailed => "a metric failed",
        Reason::AnalysisError => "a metric could not be measured",
        Reason::InconclusiveAnalysis => "metrics are undecided",
        Reason::NoData => "no data",
        Reason::StepPause => "as planned",
        Reason::Frozen => "held for a person",
        Reason::RollbackProposed => "going back is proposed",
        Reason::Schedule => "a freeze",
        Reason::ManualPause => "by a person",
        Reason::ManualAbort => "stopped by a person",
        Reason::NewerVersion => "a newer version",
        Reason::PromotionFailed => "it could not be made stable",
        Reason::GuardFired => "the guard fired",
    }
}

/// An effect in words, e.g. `give the candidate 25% of the traffic`.
pub fn effect_words(effect: &Effect) -> String {
    match effect {
        Effect::Prepare => "load the candidate without traffic".to_owned(),
        Effect::SetWeight { weight } => format!("give the candidate {weight} of the traffic"),
        Effect::Route { routing } => match (&routing.matched, &routing.shadow, &routing.sticky) {
            (Some(matched), ..) => format!("give the candidate the requests with {}", matched.rule()),
            (None, Some(shadow), _) => format!("copy {} of the requests to the candidate", shadow.share),
            (None, None, Some(header)) => format!("keep clients on their side by the header {header}"),
            (None, None, None) => "share requests by weight alone".to_owned(),
        },
        Effect::Promote => "make the candidate the stable version".to_owned(),
        Effect::Rollback => "give all traffic back".to_owned(),
        Effect::Cleanup { version } => format!("unload {version}"),
        Effect::AssignStage { version } => format!("assign {version} in the registry"),
        Effect::UnassignStage { version } => format!("unassign {version} in the registry"),
        Effect::SetDeployment { .. } => "update the deployment's status".to_owned(),
        Effect::Publish => "update comments and summaries".to_owned(),
        Effect::Dispatch { environment } => format!("ask for the deployment to {environment}"),
    }
}
