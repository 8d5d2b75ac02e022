//! Argo Rollouts: a `Rollout` with its `AnalysisTemplate`s.
//!
//! Verdicts there are counts of measurements against limits, and so are those of metrics of the kind `value` here; the
//! limits mean the same. What differs is when metrics are looked at: there an analysis is a run of its own, begun by a
//! step or beside all of them; here one analysis goes with the candidate from its first traffic to the end.

mod analysis;
mod args;
mod blue_green;
mod canary;
mod metric;
mod provider;

use tagship_domain::Duration;

use crate::{
    ImportError, Naming,
    document::{Document, Documents},
    draft::Draft,
    fields::{Fields, Reasons},
    notes::{About, Notes},
};
use analysis::Analyses;

/// The kinds that are read.
const KINDS: [&str; 3] = ["Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate"];
/// Of the controller: how long a rollout may go without progress.
const PROGRESS_DEADLINE: Duration = Duration::from_secs(600);

const SPEC: &Reasons = &[
    ("replicas", "how much of a version runs is the target's business"),
    ("selector", "which instances belong together is the target's business"),
    ("template", "what runs is a release here: the model's files, by their digest"),
    ("workloadRef", "what runs is a release here: the model's files, by their digest"),
    (
        "minReadySeconds",
        "a target says itself when a version is ready; golden cases are asked before any traffic",
    ),
    (
        "revisionHistoryLimit",
        "every release stays in git and in the store; `tagship rollback` goes to any of them",
    ),
    ("rollbackWindow", "a rollback here has no steps and no analysis, however old the version is"),
    ("analysis", "the journal of a rollout keeps all its looks"),
    ("restartAt", "there is no order to restart instances"),
];

pub(crate) fn import(documents: &Documents, naming: &Naming, notes: &Notes) -> Result<Draft, ImportError> {
    let rollout = documents.only(KINDS[0], "the analysis templates that it names")?;
    let mut draft = Draft::new(&rollout.name, rollout.title(), naming, notes)?;
    for other in documents.others(&KINDS) {
        let text = "the file is not read: only rollouts and analysis templates are";
        notes.left_out(About::Environment, other.title(), text);
    }
    let analyses = Analyses::new(documents, rollout, notes);
    let fields = rollout.fields(notes);
    metadata(&fields, notes);
    if let Some(spec) = fields.below("spec") {
        self::spec(&spec, &mut draft, &analyses);
    } else {
        notes.mistake(rollout.title(), "it has no `spec`");
    }
    fields.rest(&About::Environment, &[("status", "how it stood there says nothing about the next rollout")]);
    analyses.finish(&mut draft);
    for metric in draft.metrics.iter().filter(|metric| !metric.source.asks_by_version()) {
        let text = "its source is asked without {{arm}}, which stands for the version: see that it is about the \
                    candidate alone, e.g. version=\"{{arm}}\"";
        notes.by_hand(
            About::Metric(metric.name.clone()),
            format!("{} {}", rollout.title(), metric.name),
            text,
        );
    }
    target(rollout, notes);
    Ok(draft)
}

fn metadata(fields: &Fields<'_>, notes: &Notes) {
    let Some(metadata) = fields.below("metadata") else { return };
    for known in ["name", "namespace"] {
        metadata.value(known);
    }
    if metadata.has("namespace") {
        let text = "where a version runs is the target's business; in queries the namespace is put in";
        notes.left_out(About::Key("target"), metadata.at("namespace"), text);
    }
    metadata.rest(&About::Environment, &[]);
}

fn target(rollout: &Document, notes: &Notes) {
    let text = "`local` is a `tagship serve` on this machine; name what serves the model, and set `artifact` to its files";
    notes.by_hand(About::Key("target"), format!("{} spec", rollout.title()), text);
}

fn spec(spec: &Fields<'_>, draft: &mut Draft, analyses: &Analyses<'_>) {
    let notes = spec.notes();
    if spec.flag("paused") == Some(true) {
        let text = "it stands still there; here `tagship rollout --pause` holds a rollout";
        notes.left_out(About::Environment, spec.at("paused"), text);
    }
    progress_deadline(spec, draft);
    match spec.below("strategy") {
        None => notes.mistake(spec.at("strategy"), "it is missing"),
        Some(strategy) => {
            let (canary, blue_green) = (strategy.below("canary"), strategy.below("blueGreen"));
            match (canary, blue_green) {
                (Some(canary), None) => canary::read(&canary, draft, analyses),
                (None, Some(blue_green)) => blue_green::read(&blue_green, draft, analyses),
                _ => notes.mistake(strategy.here(), "one of `canary` and `blueGreen` is needed"),
            }
            strategy.rest(&About::Key("strategy"), &[]);
        }
    }
    spec.rest(&About::Environment, SPEC);
}

fn progress_deadline(spec: &Fields<'_>, draft: &mut Draft) {
    let notes = spec.notes();
    let deadline = seconds(spec, "progressDeadlineSeconds").unwrap_or(PROGRESS_DEADLINE);
    draft.progress_deadline = Some(deadline);
    if deadline == Duration::default() {
        let text = format!(
            "a deadline of no time is refused here; it is {}",
            tagship_config::DEFAULT_PROGRESS_DEADLINE
        );
        notes.differs(About::Key("progress-deadline"), spec.at("progressDeadlineSeconds"), text);
    }
    if spec.flag("progressDeadlineAbort") != Some(true) {
        let text = "without it a rollout that makes no progress is only marked there; here it goes back";
        notes.differs(About::Key("progress-deadline"), spec.at("progressDeadlineAbort"), text);
    }
}

/// A field that counts seconds.
fn seconds(fields: &Fields<'_>, key: &str) -> Option<Duration> {
    let seconds = fields.whole(key)?;
    u64::try_from(seconds).ok().map(Duration::from_secs).or_else(|| {
        fields.notes().mistake(fields.at(key), format!("expected a number of seconds, found {seconds}"));
        None
    })
}

/// The delays after the end of a rollout. A delay of an abort that is 0 keeps the candidate for good there.
fn delays(fields: &Fields<'_>, draft: &mut Draft, default: Option<Duration>) {
    let notes = fields.notes();
    draft.scale_down_delay = seconds(fields, "scaleDownDelaySeconds").or(default);
    let abort = seconds(fields, "abortScaleDownDelaySeconds");
    if abort == Some(Duration::default()) {
        let text = "0 keeps the candidate for good there; here it is unloaded at once, or after the delay that you set";
        notes.differs(About::Key("abort-scale-down-delay"), fields.at("abortScaleDownDelaySeconds"), text);
    } else {
        draft.abort_scale_down_delay = abort.or(default);
    }
}
