//! Flagger: a `Canary` with its `MetricTemplate`s and `AlertProvider`s.
//!
//! There each check of all metrics together passes or fails, one counter of failed checks leads back, and a failed check
//! holds the share where it is. Here every metric has limits of its own and the share grows within them. Limits and
//! counts are chosen so that nothing is promoted here that would have gone back there.

mod alert;
mod builtin;
mod hook;
mod metric;
mod plan;
mod template;
mod way;

use tagship_domain::Duration;

use crate::{
    ImportError, Naming,
    document::{Document, Documents},
    draft::{Draft, Way},
    fields::{Fields, Reasons},
    notes::{About, Notes},
};
use plan::Plan;

const KINDS: [&str; 3] = ["Canary", "MetricTemplate", "AlertProvider"];
const PROGRESS_DEADLINE: Duration = Duration::from_secs(600);

const CLUSTER: &str = "what runs, how much of it and how requests reach it is the target's business";

const SPEC: &Reasons = &[
    ("autoscalerRef", CLUSTER),
    ("ingressRef", CLUSTER),
    ("routeRef", CLUSTER),
    ("upstreamRef", CLUSTER),
    ("revertOnDeletion", "there is no object here whose deletion could undo anything"),
];

const ANALYSIS: &Reasons = &[
    ("primaryReadyThreshold", "a target says itself when a version is ready"),
    ("canaryReadyThreshold", "a target says itself when a version is ready"),
    (
        "stepWeightPromotion",
        "the candidate takes over at once at the end: it becomes stable itself, and is not copied there",
    ),
];

pub(crate) fn import(documents: &Documents, naming: &Naming, notes: &Notes) -> Result<Draft, ImportError> {
    let canary = documents.only(KINDS[0], "the metric templates that it names")?;
    let mut draft = Draft::new(&canary.name, canary.title(), naming, notes)?;
    for other in documents.others(&KINDS) {
        let text = "the file is not read: only canaries, metric templates and alert providers are";
        notes.left_out(About::Environment, other.title(), text);
    }
    let fields = canary.fields(notes);
    if let Some(metadata) = fields.below("metadata") {
        for known in ["name", "namespace"] {
            metadata.value(known);
        }
        if metadata.has("namespace") {
            let text = "where a version runs is the target's business; in queries the namespace is put in";
            notes.left_out(About::Key("target"), metadata.at("namespace"), text);
        }
        metadata.rest(&About::Environment, &[]);
    }
    match fields.below("spec") {
        Some(spec) => self::spec(&spec, canary, documents, &mut draft),
        None => notes.mistake(canary.title(), "it has no `spec`"),
    }
    fields.rest(&About::Environment, &[("status", "how it stood there says nothing about the next rollout")]);
    let text = "`local` is a `tagship serve` on this machine; name what serves the model, and set `artifact` to its files";
    notes.by_hand(About::Key("target"), format!("{} spec", canary.title()), text);
    Ok(draft)
}

fn spec(spec: &Fields<'_>, canary: &Document, documents: &Documents, draft: &mut Draft) {
    let notes = spec.notes();
    if let Some(target) = spec.below("targetRef") {
        for known in ["apiVersion", "kind", "name"] {
            target.value(known);
        }
        notes.left_out(
            About::Key("target"),
            target.here(),
            "what runs is a release here: the model's files, by their digest",
        );
        target.rest(&About::Key("target"), &[]);
    }
    if let Some(service) = spec.below("service") {
        let keys = service.read_all();
        notes.left_out(About::Key("target"), format!("{} ({})", service.here(), keys.join(", ")), CLUSTER);
    }
    let provider = spec.text("provider");
    if provider.is_some() {
        notes.left_out(About::Key("target"), spec.at("provider"), CLUSTER);
    }
    if spec.flag("suspend") == Some(true) {
        let text = "it stands still there; here `tagship lock` keeps new versions out";
        notes.left_out(About::Environment, spec.at("suspend"), text);
    }
    deadline(spec, draft);
    let place = metric::Context { spec, canary, documents, provider: provider.as_deref().unwrap_or("istio") };
    let skips = spec.flag("skipAnalysis") == Some(true);
    let key = if spec.has("analysis") { "analysis" } else { "canaryAnalysis" };
    let (server, insecure) = (spec.text("metricsServer"), spec.flag("insecureSkipVerify"));
    match spec.value(key) {
        Some(_) if skips => {
            let text = "`skipAnalysis` takes every new version over at once; nothing of the analysis is carried over";
            notes.left_out(About::Key("strategy"), spec.at(key), text);
            draft.way = Way::AllAtOnce;
        }
        None if skips => draft.way = Way::AllAtOnce,
        None => notes.mistake(spec.at("analysis"), "it is missing, and `skipAnalysis` is not set"),
        Some(value) => {
            let analysis = Fields::of(spec.at(key), value, notes);
            self::analysis(&analysis, &place, server.as_deref(), draft);
        }
    }
    if insecure == Some(true) {
        let text = "certificates are always verified; name the one of its authority in `ca-file`";
        notes.by_hand(About::Key("analysis"), spec.at("insecureSkipVerify"), text);
    }
    spec.rest(&About::Environment, SPEC);
}

fn deadline(spec: &Fields<'_>, draft: &mut Draft) {
    let seconds = spec.number("progressDeadlineSeconds");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    let given = seconds
        .filter(|seconds| (1.0..1e9).contains(seconds))
        .map(|seconds| Duration::from_secs(seconds as u64));
    draft.progress_deadline = Some(given.unwrap_or(PROGRESS_DEADLINE));
    if seconds.is_some() {
        let text = "there it is the time until instances are ready; here, the longest time without progress of any kind";
        spec.notes().differs(About::Key("progress-deadline"), spec.at("progressDeadlineSeconds"), text);
    }
}

fn analysis(analysis: &Fields<'_>, place: &metric::Context<'_>, server: Option<&str>, draft: &mut Draft) {
    let notes = analysis.notes();
    let plan = Plan::read(analysis, place.provider);
    let hooks = hook::read(analysis, draft);
    let metrics = metric::read(analysis, place, server, &plan, draft);
    way::set(analysis, &plan, &hooks, metrics, draft);
    alert::read(analysis, place.documents, draft);
    if let Some(affinity) = analysis.below("sessionAffinity") {
        let keys = affinity.read_all();
        let text = "clients are kept on their side by a header here, not by a cookie: `sticky: x-user-id` beside `steps`";
        notes.by_hand(About::Key("strategy"), format!("{} ({})", affinity.here(), keys.join(", ")), text);
    }
    let text = "a failed check holds the share where it is there; here it grows on while the limits are kept, and the last \
                traffic waits until every metric is good";
    notes.differs(About::Key("strategy"), analysis.here(), text);
    let text = "a new revision begins the analysis anew there; here it waits for the end of the rollout, or, with `on-newer: \
                supersede`, ends it";
    notes.differs(About::Environment, analysis.here(), text);
    analysis.rest(&About::Key("analysis"), ANALYSIS);
}
