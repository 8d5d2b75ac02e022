//! Analyses of a rollout: which templates they name, which arguments these get, and which metrics come of that.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::Value;
use tagship_domain::Duration;

use super::{args::Arguments, metric};
use crate::{
    document::{Document, Documents},
    draft::Draft,
    fields::{Fields, Reasons},
    metric::{Metric, free_name},
    notes::{About, Notes},
};

/// Deepest templates of templates.
const DEEPEST: usize = 8;

const HISTORY: &str = "the journal of a rollout keeps all its looks";
const BLOCK: &Reasons = &[
    ("measurementRetention", HISTORY),
    ("analysisRunMetadata", "there is no object for an analysis here; the journal names the rollout"),
];

/// When an analysis runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Beside all steps.
    Background,
    /// As a step.
    Step,
    /// Before the switch.
    Before,
    /// After the switch.
    After,
}

/// What an analysis needs.
#[derive(Debug, Default)]
pub(super) struct Need {
    /// How long its metrics take at least; absent where none was carried over.
    pub(super) length: Option<Duration>,
    /// Whether a metric that decides was not carried over.
    pub(super) lost: bool,
}

/// A metric with the text of its specification, by which it is known again.
struct Known {
    identity: String,
    at: String,
    metric: Metric,
    /// The looks of one run, and how long they take.
    count: Option<u64>,
    length: Duration,
    runs: u64,
}

/// All analyses of a rollout.
pub(super) struct Analyses<'a> {
    documents: &'a Documents,
    rollout: &'a Document,
    notes: &'a Notes,
    known: RefCell<Vec<Known>>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Analyses<'a> {
    pub(super) fn new(documents: &'a Documents, rollout: &'a Document, notes: &'a Notes) -> Self {
        Self { documents, rollout, notes, known: RefCell::default(), used: RefCell::default() }
    }

    /// Whether a metric was carried over so far.
    pub(super) fn has_metrics(&self) -> bool {
        !self.known.borrow().is_empty()
    }

    /// The metrics of an analysis.
    pub(super) fn gather(&self, block: &Fields<'_>, when: When) -> Need {
        let mut need = Need::default();
        let dry: Vec<String> = dry_runs(block);
        let templates = block.list("templates");
        if templates.is_empty() {
            self.notes.mistake(block.at("templates"), "an analysis names at least one template");
        }
        for reference in templates {
            self.template(&reference, block, &dry, when, &mut need, 0);
        }
        block.rest(&About::Key("analysis"), BLOCK);
        need
    }

    fn template(
        &self,
        reference: &Fields<'_>,
        block: &Fields<'_>,
        dry: &[String],
        when: When,
        need: &mut Need,
        depth: usize,
    ) {
        let Some(name) = reference.text("templateName") else {
            return self.notes.mistake(reference.at("templateName"), "it is missing");
        };
        let of_cluster = reference.flag("clusterScope") == Some(true);
        let kind = if of_cluster { "ClusterAnalysisTemplate" } else { "AnalysisTemplate" };
        let found = self.documents.of_kind(kind).find(|document| document.name == name);
        let Some(document) = found.filter(|_| depth < DEEPEST) else {
            need.lost = true;
            let text = format!(
                "the {kind} `{name}` is in none of the files, so that its metrics are not known; import again with it, until \
                 then a person decides in its place"
            );
            return self.notes.by_hand(About::Key("analysis"), reference.here(), text);
        };
        self.used.borrow_mut().insert(document.title());
        let fields = document.fields(self.notes);
        if let Some(metadata) = fields.below("metadata") {
            for known in ["name", "namespace", "labels", "annotations"] {
                metadata.value(known);
            }
            metadata.rest(&About::Key("analysis"), &[]);
        }
        let Some(spec) = fields.below("spec") else {
            return self.notes.mistake(fields.at("spec"), "it is missing");
        };
        let mut arguments = Arguments::default();
        arguments.add(&spec, self.rollout);
        arguments.add(block, self.rollout);
        let dry: Vec<String> = dry.iter().cloned().chain(dry_runs(&spec)).collect();
        for (at, metric) in spec.items("metrics") {
            self.metric(&at, metric, &arguments, &dry, when, need);
        }
        for further in spec.list("templates") {
            self.template(&further, block, &dry, when, need, depth + 1);
        }
        spec.rest(&About::Key("analysis"), BLOCK);
        fields.rest(&About::Key("analysis"), &[]);
    }

    fn metric(
        &self,
        at: &str,
        value: &Value,
        arguments: &Arguments,
        dry: &[String],
        when: When,
        need: &mut Need,
    ) {
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_dry = dry.iter().any(|pattern| fits(pattern, &name));
        let filled = arguments.fill(value);
        let identity =
            format!("{at} {} {is_dry}", filled.as_ref().map_or_else(Clone::clone, Value::to_string));
        let mut known = self.known.borrow_mut();
        if let Some(before) = known.iter_mut().find(|before| before.identity == identity) {
            // Each run there counts anew; here one count goes over all of them, but that it begins anew with all traffic.
            if when != When::After {
                before.runs += 1;
                before.metric.count = before.count.map(|count| count.saturating_mul(before.runs));
            }
            return need.take(before.length);
        }
        let taken: Vec<&str> = known.iter().map(|known| known.metric.name.as_str()).collect();
        let free = free_name(&name, &taken);
        let read = filled.and_then(|filled| metric::read(at, &filled, &free, is_dry, when, self.notes));
        match read {
            Ok((metric, delay)) => {
                if free != name {
                    let text = format!("the name `{name}` is taken or not allowed; it is called `{free}`");
                    self.notes.differs(About::Metric(free), at, text);
                }
                let (count, length) = (metric.count, metric.length().plus(delay));
                need.take(length);
                known.push(Known { identity, at: at.to_owned(), metric, count, length, runs: 1 });
            }
            Err(why) if is_dry => {
                let text = format!("`{name}` only advises, and is left out because {why}");
                self.notes.left_out(About::Key("analysis"), at, text);
            }
            Err(why) => {
                need.lost = true;
                let text = format!(
                    "`{name}` is not carried over, because {why}. A person decides in its place: write the metric, then take \
                     the pause out"
                );
                self.notes.by_hand(About::Key("analysis"), at, text);
            }
        }
    }

    /// Hands the metrics over, and names the templates that nothing used.
    pub(super) fn finish(self, draft: &mut Draft) {
        let used = self.used.into_inner();
        for kind in ["AnalysisTemplate", "ClusterAnalysisTemplate"] {
            for document in self.documents.of_kind(kind).filter(|document| !used.contains(&document.title()))
            {
                let text = "the rollout does not use it";
                self.notes.left_out(About::Environment, document.title(), text);
            }
        }
        for known in self.known.borrow().iter().filter(|known| known.runs > 1) {
            let looks = known.metric.count.map_or(String::new(), |count| format!(" at {count} looks"));
            let text = format!(
                "{} runs use it, each with counts of its own there; here one count goes over all of them, decided{looks}, and \
                 its limits hold for all together",
                known.runs
            );
            self.notes.differs(About::Metric(known.metric.name.clone()), &known.at, text);
        }
        draft.metrics = self.known.into_inner().into_iter().map(|known| known.metric).collect();
    }
}

impl Need {
    fn take(&mut self, length: Duration) {
        self.length = Some(self.length.unwrap_or_default().max(length));
    }
}

/// The patterns of metrics that only advise.
fn dry_runs(block: &Fields<'_>) -> Vec<String> {
    let patterns: Vec<String> =
        block.list("dryRun").iter().filter_map(|entry| entry.text("metricName")).collect();
    for pattern in patterns.iter().filter(|pattern| !is_plain(pattern)) {
        let text = format!(
            "the pattern `{pattern}` is not understood; what it fits decides here, which is stricter"
        );
        block.notes().differs(About::Key("analysis"), block.at("dryRun"), text);
    }
    patterns
}

fn is_plain(pattern: &str) -> bool {
    pattern.replace(".*", "").chars().all(|c| c.is_alphanumeric() || "-_ ".contains(c))
}

/// Whether a name fits a pattern of words and `.*`.
fn fits(pattern: &str, name: &str) -> bool {
    if !is_plain(pattern) {
        return false;
    }
    let parts: Vec<&str> = pattern.split(".*").collect();
    let [first, .., last] = parts.as_slice() else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_names() {
        for (pattern, name, does) in [
            ("rate", "rate", true),
            ("rate", "rates", false),
            (".*", "anything", true),
            ("test.*", "test-a", true),
            ("a.*b.*c", "axbxc", true),
            ("a.*b", "ab", true),
            ("[a-z]+", "rate", false),
        ] {
            assert_eq!(fits(pattern, name), does, "{pattern} {name}");
        }
    }
}
