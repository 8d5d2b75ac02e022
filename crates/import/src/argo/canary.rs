//! `strategy.canary`: steps.

use serde_json::Value;
use tagship_domain::Duration;

use super::{
    analysis::{Analyses, When},
    delays,
};
use crate::{
    draft::{Draft, Way},
    fields::{Fields, Reasons},
    notes::About,
    span,
    steps::{Step, Steps},
};

/// How long the version from before is kept where traffic is routed and nothing is said.
const SCALE_DOWN_DELAY: Duration = Duration::from_secs(30);

const ROUTING: &str = "how requests are routed is the target's business";
const INSTANCES: &str = "how much of a version runs is the target's business";
const LABELS: &str = "labels of instances are the target's business";

const CANARY: &Reasons = &[
    ("canaryService", ROUTING),
    ("stableService", ROUTING),
    ("pingPong", ROUTING),
    ("maxSurge", INSTANCES),
    ("maxUnavailable", INSTANCES),
    ("dynamicStableScale", INSTANCES),
    ("minPodsPerReplicaSet", INSTANCES),
    ("antiAffinity", INSTANCES),
    ("replicaProgressThreshold", INSTANCES),
    ("scaleDownDelayRevisionLimit", INSTANCES),
    ("canaryMetadata", LABELS),
    ("stableMetadata", LABELS),
];

pub(super) fn read(canary: &Fields<'_>, draft: &mut Draft, analyses: &Analyses<'_>) {
    let notes = canary.notes();
    let routing = canary.below("trafficRouting");
    delays(canary, draft, routing.as_ref().map(|_| SCALE_DOWN_DELAY));
    let most = match &routing {
        None => {
            let text =
                "without it shares there are those of the numbers of instances, rounded; here they are exact";
            notes.differs(About::Key("strategy"), canary.at("trafficRouting"), text);
            100
        }
        Some(routing) => {
            let most = routing.whole("maxTrafficWeight").unwrap_or(100);
            let routers: Vec<&str> =
                routing.keys().into_iter().filter(|key| *key != "maxTrafficWeight").collect();
            for router in routers {
                routing.value(router);
                notes.left_out(About::Key("target"), routing.at(router), ROUTING);
            }
            most
        }
    };
    let background = canary.below("analysis");
    if let Some(analysis) = &background {
        if let Some(step) = analysis.whole("startingStep").filter(|step| *step > 0) {
            let text = format!("it is measured from the first traffic on, and not from step {step}");
            notes.differs(About::Key("analysis"), analysis.at("startingStep"), text);
        }
        let need = analyses.gather(analysis, When::Background);
        draft.person |= need.lost;
    }
    let steps = canary.list("steps");
    if steps.is_empty() {
        let text = "without steps the new version takes over instance by instance there; here it does at once, after its \
                    golden cases";
        notes.differs(About::Key("strategy"), canary.at("steps"), text);
        draft.way = Way::AllAtOnce;
    } else {
        let mut reader = StepReader { steps: Steps::default(), most, analyses };
        for step in &steps {
            reader.step(step);
        }
        draft.way = reader.way(canary, background.is_some());
    }
    canary.rest(&About::Key("strategy"), CANARY);
}

struct StepReader<'a, 'b> {
    steps: Steps,
    /// The weight that is all traffic.
    most: i64,
    analyses: &'b Analyses<'a>,
}

impl StepReader<'_, '_> {
    fn step(&mut self, step: &Fields<'_>) {
        let notes = step.notes();
        if let Some(weight) = step.whole("setWeight") {
            self.weight(weight, step);
        }
        if let Some(pause) = step.below("pause") {
            self.pause(&pause);
        }
        if let Some(analysis) = step.below("analysis") {
            let need = self.analyses.gather(&analysis, When::Step);
            if let Some(length) = need.length {
                if !self.steps.is_answering() {
                    let text = "nothing reaches the candidate before its first share here: it is measured from then on";
                    notes.differs(self.steps.next(), analysis.here(), text);
                }
                let text = format!(
                    "there the step is a run of its own that ends with its verdict; here the share is held for {length} while \
                     the metrics are measured, their counts run on over all steps, and the last traffic waits for them"
                );
                notes.differs(self.steps.next(), analysis.here(), text);
                self.steps.pause(length);
            }
            if need.lost {
                self.steps.person();
            }
        }
        if let Some(mirror) = step.below("setMirrorRoute") {
            self.mirror(&mirror);
        }
        if step.value("setCanaryScale").is_some() {
            notes.left_out(self.steps.next(), step.at("setCanaryScale"), INSTANCES);
        }
        if step.value("setHeaderRoute").is_some() {
            let text = "a canary shares requests by weight here; those that the header would have led to the candidate are shared \
                        like the others. An A/B test leads them: `strategy: { a-b: { match: { header: x-cohort, exact: beta }, \
                        for: 7d } }`";
            notes.left_out(self.steps.next(), step.at("setHeaderRoute"), text);
        }
        if step.value("replicaProgressThreshold").is_some() {
            notes.left_out(self.steps.next(), step.at("replicaProgressThreshold"), INSTANCES);
        }
        if let Some(experiment) = step.value("experiment") {
            self.experiment(experiment, &step.at("experiment"), step);
        }
        if step.value("plugin").is_some() {
            let text = "what a plugin decides is not known here; a person goes on in its place";
            notes.by_hand(self.steps.next(), step.at("plugin"), text);
            self.steps.person();
        }
        // A step that is new there may be a gate.
        let unknown: Vec<&str> = step.keys().into_iter().filter(|key| !KNOWN.contains(key)).collect();
        for key in unknown {
            step.value(key);
            notes.by_hand(
                self.steps.next(),
                step.at(key),
                "the step is not known; a person goes on in its place",
            );
            self.steps.person();
        }
    }

    fn weight(&mut self, weight: i64, step: &Fields<'_>) {
        let (notes, at) = (step.notes(), step.at("setWeight"));
        if self.most < 1 || !(0..=self.most).contains(&weight) {
            return notes.mistake(at, format!("a weight is one from 0 to {}, not {weight}", self.most));
        }
        let exact = weight * 100;
        let share = (exact / self.most).max(i64::from(weight > 0));
        if share * self.most != exact {
            let text =
                format!("{weight} of {} is {share}% here: shares are whole, and rounded down", self.most);
            notes.differs(self.steps.next(), &at, text);
        }
        self.steps.weight(u8::try_from(share).unwrap_or(100), &at, notes);
    }

    fn pause(&mut self, pause: &Fields<'_>) {
        match pause.span("duration") {
            Some(length) if length > Duration::default() => self.steps.pause(length),
            given => {
                if given.is_some() {
                    let text = "a pause of no time is refused here; a person ends it";
                    pause.notes().differs(self.steps.next(), pause.at("duration"), text);
                }
                self.steps.person();
            }
        }
        pause.rest(&self.steps.next(), &[]);
    }

    fn mirror(&mut self, mirror: &Fields<'_>) {
        let notes = mirror.notes();
        mirror.value("name");
        if mirror.value("match").is_none() {
            let text =
                "without `match` it ends the copies there; here they end with the first share of traffic";
            notes.left_out(self.steps.next(), mirror.here(), text);
            return;
        }
        let text = "a share of all requests is copied here, whatever their path and headers are";
        notes.differs(self.steps.next(), mirror.at("match"), text);
        let share = mirror.whole("percentage").unwrap_or(100).clamp(0, 100);
        self.steps.mirror(u8::try_from(share).unwrap_or(100), mirror.here(), notes);
        mirror.rest(&self.steps.next(), &[]);
    }

    fn experiment(&mut self, experiment: &Value, at: &str, step: &Fields<'_>) {
        let notes = step.notes();
        let fields = Fields::of(at.to_owned(), experiment, notes);
        let has_analyses = !fields.items("analyses").is_empty();
        match fields.span("duration") {
            Some(length) if !has_analyses && length > Duration::default() => {
                let text =
                    "copies of versions beside the candidate are not run here; the step only takes its time";
                notes.left_out(self.steps.next(), at, text);
                self.steps.pause(length);
            }
            _ => {
                let text = "an experiment is not run here; a person decides in its place";
                notes.by_hand(self.steps.next(), at, text);
                self.steps.person();
            }
        }
    }

    /// Steps that give no traffic are a preview.
    fn way(self, canary: &Fields<'_>, has_background: bool) -> Way {
        let notes = canary.notes();
        if self.steps.has_traffic() {
            return Way::Canary { steps: self.steps, sticky: None };
        }
        let (mut preview, mut auto_promote, mut mirror) = (Duration::default(), true, 0);
        for step in self.steps.list() {
            match step {
                Step::Pause(length) => preview = preview.plus(*length),
                Step::Person => auto_promote = false,
                Step::Mirror(share) => mirror = *share,
                Step::Weight(_) => {}
            }
        }
        let text = "no step gives the candidate traffic: it is a preview without traffic here, then it takes over at once";
        notes.differs(About::Key("strategy"), canary.at("steps"), text);
        if mirror == 0 && (has_background || preview > Duration::default() && self.analyses.has_metrics()) {
            mirror = 100;
            let text = "the metrics are measured on copies of all requests here, because nothing else reaches the candidate \
                        then";
            notes.differs(About::Key("strategy"), canary.at("steps"), text);
            preview = preview.max(span::times(Duration::from_secs(60), 1));
        }
        Way::BlueGreen { preview, auto_promote, mirror }
    }
}

/// Every step that there is.
const KNOWN: [&str; 9] = [
    "setWeight",
    "pause",
    "analysis",
    "setMirrorRoute",
    "setCanaryScale",
    "setHeaderRoute",
    "replicaProgressThreshold",
    "experiment",
    "plugin",
];
