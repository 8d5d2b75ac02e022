//! `monitor.slo`: objectives of the service, as shares of requests or as bounds of values.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{Duration, quality::QualityBound, slo::Severity};

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    choice::exactly_one,
    place::Place,
    share::ShareLayer,
};

/// One objective.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectiveSettings {
    /// Its name.
    pub name: String,
    /// What is asked for.
    pub asks: Asks,
    /// Where it is read.
    pub source: AdapterSpec,
}

/// What an objective asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// A share of good requests, alarmed by how fast the rest is spent.
    Share {
        /// The share.
        target: f64,
        /// Requests that take longer are bad ones; absent where the source says what is bad.
        below: Option<Duration>,
    },
    /// A bound that values keep.
    Value {
        /// The bound.
        bound: QualityBound,
        /// Length of the window all of whose values must break it.
        over: Duration,
        /// How urgent it is then.
        severity: Severity,
    },
}

/// An objective of the service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Objective")]
pub(crate) struct ObjectiveLayer {
    /// Its name, e.g. `availability`.
    #[schemars(required)]
    name: Option<String>,
    /// Share of good requests over 30 days, e.g. `99.5%`: alarmed over several windows by how fast the rest is spent.
    target: Option<ShareLayer>,
    /// With `target`: requests that take longer are bad ones; a bucket of the histogram must end there.
    below: Option<Duration>,
    /// The most that a value may be.
    at_most: Option<f64>,
    /// The least that a value must be.
    at_least: Option<f64>,
    /// With a bound: length of the window all of whose values must break it.
    #[schemars(extend("default" = "10m"))]
    over: Option<Duration>,
    /// With a bound: how urgent it is where it is broken.
    #[schemars(extend("default" = "ticket"))]
    severity: Option<Severity>,
    /// Where it is read, e.g. `{ prometheus: { url: ..., bad: ..., total: ... } }`.
    #[schemars(required)]
    source: Option<AdapterLayer>,
}

/// Window of a bound where none is given.
const OVER: Duration = Duration::from_secs(600);

impl ObjectiveLayer {
    fn resolve(self, place: &Place<'_>) -> Option<ObjectiveSettings> {
        let name = named(self.name, place);
        let source = sourced(self.source, place);
        let chosen = exactly_one(
            place,
            [
                ("target", self.target.map(|share| share.0)),
                ("at-most", self.at_most),
                ("at-least", self.at_least),
            ],
            "`target: 99.5%`",
        );
        let (key, number) = chosen?;
        let bound = match key {
            "at-most" => QualityBound::AtMost(number),
            _ => QualityBound::AtLeast(number),
        };
        let is_share = key == "target";
        let foreign = [("below", self.below.is_some(), true), ("over", self.over.is_some(), false)];
        let foreign = foreign.into_iter().chain([("severity", self.severity.is_some(), false)]);
        for (other, is_there, of_share) in foreign {
            if is_there && of_share != is_share {
                let belongs = if of_share { "`target`" } else { "`at-most` or `at-least`" };
                let help = format!("leave it out, or write it beside {belongs}");
                place.key(other).report(format!("`{other}` means nothing beside `{key}`"), Some(help));
            }
        }
        if self.over.is_some_and(|over| over == Duration::default()) {
            let help = "name how long the bound has to be broken, e.g. `10m`".to_owned();
            place.key("over").report("a window of no length holds no value".to_owned(), Some(help));
        }
        let asks = if is_share {
            Asks::Share { target: number, below: self.below }
        } else {
            let severity = self.severity.unwrap_or(Severity::Ticket);
            Asks::Value { bound, over: self.over.unwrap_or(OVER), severity }
        };
        Some(ObjectiveSettings { name: name?, asks, source: source? })
    }
}

/// The objectives, each with a name of its own.
pub(super) fn resolve(layers: Vec<ObjectiveLayer>, place: &Place<'_>) -> Vec<ObjectiveSettings> {
    let each = layers.into_iter().enumerate().map(|(at, layer)| layer.resolve(&place.index(at)));
    let objectives: Vec<_> = each.collect::<Vec<_>>().into_iter().flatten().collect();
    unique(objectives.iter().map(|objective| objective.name.as_str()), place);
    objectives
}

/// Reports names that are given twice.
pub(super) fn unique<'a>(names: impl Iterator<Item = &'a str>, place: &Place<'_>) {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            place.report(
                format!("two entries are called `{name}`"),
                Some("give each its own name".to_owned()),
            );
        }
    }
}

/// The name of an entry: it becomes part of the topic of incidents.
pub(super) fn named(name: Option<String>, place: &Place<'_>) -> Option<String> {
    let Some(name) = name else {
        place.key("name").report("the key `name` is missing".to_owned(), None);
        return None;
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 60 || !name.chars().all(is_plain) {
        let help = "write at most 60 letters, digits, `-`, `_` and `.`".to_owned();
        place.key("name").report(format!("{name:?} is no name"), Some(help));
        return None;
    }
    Some(name)
}

/// Where something is read.
pub(super) fn sourced(source: Option<AdapterLayer>, place: &Place<'_>) -> Option<AdapterSpec> {
    if source.is_none() {
        let help = "name where it is read, e.g. `source: { KIND: { ... } }`".to_owned();
        place.key("source").report("the key `source` is missing".to_owned(), Some(help));
    }
    source.map(|source| source.resolve(&place.key("source")))
}
