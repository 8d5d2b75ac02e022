//! Progressing and Baking: the candidate has its share of traffic and is measured, until the leg of the way is over.

use tagship_domain::{
    Duration,
    analysis::Metric,
    rollout::{Observation, Phase, Reason, RolloutState},
    traffic::Weight,
};

use super::{
    candidate::Candidate,
    change,
    legs::{self, Hold},
    looking,
    transition::Judgement,
};
use crate::analysis::{Against, Standing};

/// Good when the leg is over.
pub(super) fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    if let Some(judgement) = unapplied(state, observation) {
        return judgement;
    }
    if state.settled.is_none() {
        state.settled = Some(observation.now);
        looking::begin(state, observation);
    }
    // It answers: as long as it does, time is the plan's, not the deadline's.
    state.deadline = Some(observation.now.after(state.plan.progress_deadline));
    let standing = looking::take(state, observation);
    let looked = standing.is_some();
    match standing {
        Some(Standing::Rollback { reason, cause }) => Judgement::Bad(reason, at_weight(state, &cause)),
        Some(Standing::Inconclusive { reason, message }) => Judgement::Pause(reason, message),
        Some(Standing::Continue(_) | Standing::Promote(_)) | None => hold(state, observation, looked),
    }
}

/// What keeps the share of traffic that was ordered from being in force; absent where nothing does.
pub(super) fn unapplied(state: &RolloutState, observation: &Observation) -> Option<Judgement> {
    let candidate = Candidate::of(&state.candidate, &observation.target);
    match (&candidate, candidate.trouble(&state.candidate)) {
        (Candidate::Unknown(_), Some(trouble)) => return Some(Judgement::Wait(trouble)),
        (_, Some(trouble)) => return Some(Judgement::Bad(Reason::TargetFailed, trouble)),
        (_, None) => {}
    }
    if let Some(intended) = state.intended.iter().find(|intended| !change::is_report(&intended.effect)) {
        return Some(Judgement::Wait(change::waiting_for(intended)));
    }
    let (version, applied, desired) = (&state.candidate.version, state.weight.applied, state.weight.desired);
    (applied != desired)
        .then(|| Judgement::Wait(format!("{version} has {applied} of the traffic, {desired} was ordered")))
}

/// Whether the leg is over. One that is measured ends with a look, so that nothing that was counted is lost.
fn hold(state: &RolloutState, observation: &Observation, looked: bool) -> Judgement {
    let leg = legs::leg(&state.plan, state.step);
    let passed = observation.now.since(state.settled.unwrap_or(observation.now));
    let here = whereabouts(state);
    let length = match leg.hold {
        Hold::Applied => Duration::default(),
        Hold::For(length) => length,
        Hold::Person => {
            return Judgement::Pause(
                Reason::StepPause,
                format!("{here}, and the plan asks for a person here"),
            );
        }
    };
    let measured = looking::next_look(state).is_some();
    if passed < length || (measured && !looked && length > Duration::default()) {
        return Judgement::Wait(format!(
            "{here} for {} of {length}{}",
            whole(passed.min(length)),
            score(state)
        ));
    }
    let open = needed(state);
    let max_wait = state.plan.analysis.as_ref().map(|analysis| analysis.max_wait).unwrap_or_default();
    match open.as_slice() {
        [] => Judgement::Good(format!("{here}{}", score(state))),
        open if passed < length.plus(max_wait) => {
            Judgement::Wait(format!("{here}, held until {} decided", names(open)))
        }
        open => give_over(state, open, max_wait),
    }
}

/// Metrics whose verdict is needed before the leg may end, and that are undecided.
///
/// Where the next leg leaves stable without traffic, or the candidate becomes stable, those are all that could be measured
/// so far. Without any answer of the candidate there is nothing that a verdict could rest on, and where a person led it to
/// a last leg that is not held, nothing more can be learned. Where the copies of requests end, what only they show has to
/// be decided.
fn needed(state: &RolloutState) -> Vec<&Metric> {
    let mut open = looking::undecided(state);
    if legs::is_last(state) {
        open.retain(|_| state.plan.bake > Duration::default() || state.waived.is_none());
        return open;
    }
    let next = legs::leg(&state.plan, state.step + 1);
    let next_is_last = state.step + 1 >= legs::legs(&state.plan).len();
    let now = legs::against_now(state);
    let takes_all = now.is_some() && (next_is_last || next.weight == Weight::ALL);
    let ends_copies = now == Some(Against::Shadow) && next.mirror == Weight::NONE;
    open.retain(|metric| {
        (takes_all && legs::was_measurable(state, metric)) || (ends_copies && metric.kind.is_paired())
    });
    open
}

/// Where the candidate is on its way.
fn whereabouts(state: &RolloutState) -> String {
    let version = &state.candidate.version;
    if let Some(matched) = &state.routing.matched {
        return format!("{version} answers the requests with `{}`", matched.rule());
    }
    match &state.routing.shadow {
        Some(shadow) => format!("{version} answers copies of {} of the requests", shadow.share),
        None => format!("{version} has {} of the traffic", state.weight.applied),
    }
}

/// Metrics that stay open are for a person.
fn give_over(state: &RolloutState, open: &[&Metric], max_wait: Duration) -> Judgement {
    let version = &state.candidate.version;
    let unmeasured =
        |metric: &&&Metric| state.judges.get(&metric.name).is_none_or(|judge| judge.looks.measured == 0);
    let silent: Vec<&Metric> = open.iter().filter(unmeasured).copied().collect();
    if silent.is_empty() {
        let message = format!("{version} was held for {max_wait} and {} still not decided", names(open));
        Judgement::Pause(Reason::InconclusiveAnalysis, message)
    } else {
        let message = format!("{version} was held for {max_wait} and there is no data for {}", list(&silent));
        Judgement::Pause(Reason::NoData, message)
    }
}

/// A cause with the share of traffic at which it showed.
fn at_weight(state: &RolloutState, cause: &str) -> String {
    match (state.phase, &state.routing.matched, &state.routing.shadow) {
        (Phase::Baking, ..) => format!("while baking at {}: {cause}", state.weight.desired),
        (_, Some(matched), _) => format!("on the requests with `{}`: {cause}", matched.rule()),
        (_, _, Some(shadow)) => format!("on copies of {} of the requests: {cause}", shadow.share),
        _ => format!("at {}: {cause}", state.weight.desired),
    }
}

/// How many metrics are good so far; nothing where none is measured. Their own sentences say the rest.
fn score(state: &RolloutState) -> String {
    let metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let all = metrics.filter(|metric| metric.decides()).count();
    let good = all - looking::undecided(state).len();
    match all {
        0 => String::new(),
        1 if good == 1 => "; the metric is good".to_owned(),
        _ if looking::next_look(state).is_none() => String::new(),
        _ => format!("; {good} of {all} metrics good"),
    }
}

fn whole(length: Duration) -> Duration {
    Duration::from_secs(length.std().as_secs())
}

fn names(metrics: &[&Metric]) -> String {
    let verb = if metrics.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", list(metrics))
}

fn list(metrics: &[&Metric]) -> String {
    metrics.iter().map(|metric| metric.name.as_str()).collect::<Vec<_>>().join(", ")
}
