//! One sentence a decision: first why, then what, in the words that the rollout itself had for it.

use std::fmt::Write as _;

use tagship_domain::{
    analysis::{JudgeState, MetricPhase, MetricReading},
    explanation::Cause,
    rollout::{Phase, Reason, RolloutState},
};

use super::cause::left_undone;
use crate::{
    measure,
    sentence::{effect_words, phase_name},
    text::counted,
};

/// A decision in one sentence.
pub(super) fn decision(
    cause: &Cause,
    before: Option<&RolloutState>,
    after: &RolloutState,
    evidence: &[MetricReading],
) -> String {
    if let Some(before) = before.filter(|before| before.phase == after.phase && before.since == after.since) {
        return in_place(cause, before, after, evidence);
    }
    let what = after.message.trim().trim_end_matches('.');
    match why(cause, after, evidence) {
        why if what.is_empty() => format!("{}: {}.", why, phase_name(after.phase)),
        why if why.is_empty() => format!("{what}."),
        why => format!("{why}: {what}."),
    }
}

/// Why, without a full stop; empty where the rollout's own sentence says it.
fn why(cause: &Cause, after: &RolloutState, evidence: &[MetricReading]) -> String {
    match cause {
        Cause::Start | Cause::Person { by: Some(_), .. } => String::new(),
        Cause::Person { by: None, .. } => "A person decided, the journal does not say who".to_owned(),
        Cause::Plan if after.phase == Phase::Paused => "The plan stops here for a person".to_owned(),
        Cause::Plan => "Nothing stood in the way".to_owned(),
        Cause::Check if after.reason == Reason::ValidationFailed => {
            "The check before any traffic failed".to_owned()
        }
        Cause::Check => "The check before any traffic was passed".to_owned(),
        Cause::Confirmed => "What was ordered is in force".to_owned(),
        Cause::Clock { held } => {
            let held = whole_seconds(*held);
            if evidence.is_empty() {
                format!("The share had been held for {held}")
            } else {
                format!("The share had been held for {held} and no verdict that is needed here was missing")
            }
        }
        Cause::Metrics => metrics(after, evidence),
        Cause::Refused { effect: Some(effect) } => format!("It was not possible to {}", effect_words(effect)),
        Cause::Refused { effect: None } => "An order could not be carried out".to_owned(),
        Cause::Target => "What is served is not what was ordered".to_owned(),
        Cause::Deadline => "It took longer than the plan allows".to_owned(),
        Cause::NewerVersion { .. } => "A newer version came, and the plan makes way for it".to_owned(),
        Cause::Freeze => "A freeze began to hold it".to_owned(),
        Cause::FreezeOver => "It goes on by itself".to_owned(),
        Cause::Guard => "Monitoring found what serves to be bad within its guard".to_owned(),
        Cause::Looks { .. } => "Nothing was decided".to_owned(),
        Cause::Unknown => "The journal does not say why".to_owned(),
    }
}

fn metrics(after: &RolloutState, evidence: &[MetricReading]) -> String {
    match after.reason {
        Reason::AnalysisFailed | Reason::Frozen | Reason::RollbackProposed => {
            let bad = named(evidence, &[MetricPhase::Failed, MetricPhase::Error]);
            if bad.is_empty() {
                "A metric was bad".to_owned()
            } else {
                format!("The candidate was bad in {bad}")
            }
        }
        Reason::AnalysisError => "A metric could not be measured for too long".to_owned(),
        Reason::NoData => "There was no data to decide by".to_owned(),
        Reason::InconclusiveAnalysis => "The evidence was not enough to decide".to_owned(),
        _ => match named(evidence, &[MetricPhase::Successful]) {
            good if good.is_empty() => "The metrics were good enough to go on".to_owned(),
            good => format!("The last verdict that was needed is there: {good} {} good", is_are(&good)),
        },
    }
}

/// What was learned while the rollout stayed where it is.
fn in_place(
    cause: &Cause,
    before: &RolloutState,
    after: &RolloutState,
    evidence: &[MetricReading],
) -> String {
    let version = &after.candidate.version;
    match cause {
        Cause::Confirmed if after.routing != before.routing => {
            "The target confirmed how requests are routed; from here on the time of the step counts."
                .to_owned()
        }
        Cause::Confirmed => format!(
            "The target confirmed {} of the traffic for {version}; from here on the time of the step counts.",
            after.weight.applied
        ),
        Cause::Metrics => {
            let told: Vec<String> = evidence
                .iter()
                .map(|reading| format!("{} is {}", reading.name, verdict(reading.phase)))
                .collect();
            if told.is_empty() {
                return "A verdict was taken back: it is measured anew.".to_owned();
            }
            format!("{}; that alone moves nothing yet.", told.join(", "))
        }
        Cause::NewerVersion { version: Some(newer) } => {
            format!("{newer} came meanwhile and waits until this rollout has ended.")
        }
        Cause::Refused { .. } => {
            let what = left_undone(before, after).unwrap_or_default();
            format!("It went on without something that did not work: could not {what}.")
        }
        Cause::Target => format!(
            "The target gives {version} {} of the traffic, and {} was ordered.",
            after.weight.applied, after.weight.desired
        ),
        Cause::Person { .. } => format!("{}.", after.message.trim_end_matches('.')),
        _ => format!("The journal does not say why it changed: {}.", after.message.trim_end_matches('.')),
    }
}

fn verdict(phase: MetricPhase) -> &'static str {
    match phase {
        MetricPhase::Pending => "not measured yet",
        MetricPhase::Running => "undecided",
        MetricPhase::Successful => "good",
        MetricPhase::Failed => "bad",
        MetricPhase::Error => "not measurable",
        MetricPhase::Inconclusive => "undecided at the end of its time",
    }
}

fn named(evidence: &[MetricReading], phases: &[MetricPhase]) -> String {
    let names = evidence.iter().filter(|reading| phases.contains(&reading.phase));
    names.map(|reading| reading.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn is_are(names: &str) -> &'static str {
    if names.contains(", ") { "are" } else { "is" }
}

fn whole_seconds(length: tagship_domain::Duration) -> tagship_domain::Duration {
    tagship_domain::Duration::from_secs(length.std().as_secs())
}

/// Entries that decided nothing, in one sentence with how the evidence moved.
pub(super) fn looks(
    before: Option<&RolloutState>,
    after: &RolloutState,
    looks: usize,
    entries: usize,
) -> String {
    if after.phase.is_terminal() {
        return format!("{} after the end: records were brought up to date.", entry_count(entries));
    }
    let mut text = match looks {
        0 => format!("{}, nothing was decided", entry_count(entries)),
        1 => "1 look, no verdict changed".to_owned(),
        looks => format!("{looks} looks, no verdict changed"),
    };
    let moved = after.judges.iter().filter(|_| looks > 0).filter_map(|(name, judge)| {
        let earlier = before.and_then(|before| before.judges.get(name));
        moved(name, earlier, judge)
    });
    for words in moved {
        let _ = write!(text, "; {words}");
    }
    let stands = after.message.trim().trim_end_matches('.');
    if !stands.is_empty() {
        let _ = write!(text, ": {stands}");
    }
    text + "."
}

fn entry_count(entries: usize) -> String {
    if entries == 1 { "1 entry".to_owned() } else { counted(entries, "entry").replace("entrys", "entries") }
}

/// How the evidence of one metric moved; absent where there is none.
fn moved(name: &str, before: Option<&JudgeState>, after: &JudgeState) -> Option<String> {
    let numbers = after.measurement.as_ref()?;
    let earlier = before.and_then(|before| before.measurement.as_ref());
    let (is_good, of, needed, was) = match numbers.promotion_e_value.zip(numbers.succeeds_at) {
        Some((e_value, at)) if numbers.e_value.is_none_or(|against| against < e_value) => {
            (true, e_value, at, earlier.and_then(|numbers| numbers.promotion_e_value))
        }
        _ => (false, numbers.e_value?, numbers.fails_at?, earlier.and_then(|numbers| numbers.e_value)),
    };
    let aim = if is_good { "good" } else { "worse" };
    let now = measure::evidence(of, needed);
    Some(match was.map(|was| measure::evidence(was, needed)) {
        Some(was) if was == now => format!("evidence that {name} is {aim} stays at {now}"),
        Some(was) => {
            let was = was.split(" of ").next().unwrap_or(&was).to_owned();
            format!("evidence that {name} is {aim} went from {was} to {now}")
        }
        None => format!("evidence that {name} is {aim} came to {now}"),
    })
}
