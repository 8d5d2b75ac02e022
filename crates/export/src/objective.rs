//! Objectives as a server that evaluates `PromQL` can judge them: queries about one version, and what is asked of them.

use tagship_domain::{Duration, Environment, ModelName, Version, quality::QualityBound, slo::Severity};
use tagship_monitor::slo::Share;

/// What is watched of a version that serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// The version that the queries are about.
    pub version: Version,
    /// Where it is written what to do.
    pub runbook: Option<String>,
    /// Its objectives.
    pub objectives: Vec<Objective>,
    /// How often somebody looks (`tagship monitor check`); absent where looks are not watched.
    pub looks_every: Option<Duration>,
}

/// An objective with its queries.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// How it is measured.
    pub measure: Measure,
}

/// How an objective is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// A share of good requests, out of two counters.
    Counts {
        /// Share of good requests, above 0 and below 1.
        target: f64,
        /// Counter of bad requests.
        bad: String,
        /// Counter of all.
        total: String,
    },
    /// A share of fast requests, out of the cumulative buckets of a histogram.
    Durations {
        /// Share of fast requests, above 0 and below 1.
        target: f64,
        /// Longest fast request, in what the bounds of the buckets count.
        below: f64,
        /// The same in milliseconds.
        below_millis: f64,
        /// The buckets, with `le`.
        buckets: String,
    },
    /// A bound of a value.
    Value {
        /// The bound.
        bound: QualityBound,
        /// The window all of whose values must break it; absent where the newest value alone counts.
        over: Option<Duration>,
        /// How urgent it is then.
        severity: Severity,
        /// The query for the value.
        query: String,
    },
}

impl Watched {
    /// What tells the series of an objective of this version from those of others.
    #[must_use]
    pub fn key(&self, objective: &Objective) -> String {
        format!("{}/{}/{}@{}", self.model, self.environment, objective.name, self.version)
    }
}

impl Objective {
    /// What its incidents are about.
    #[must_use]
    pub fn topic(&self) -> String {
        format!("slo/{}", self.name)
    }

    /// What is asked for, in words.
    #[must_use]
    pub fn asked(&self) -> String {
        let share = |target: f64, below| Share { name: self.name.clone(), target, below }.asked();
        match &self.measure {
            Measure::Counts { target, .. } => share(*target, None),
            Measure::Durations { target, below_millis, .. } => share(*target, Some(*below_millis)),
            Measure::Value { bound, .. } => bound.to_string(),
        }
    }

    /// Share of requests that may be bad; absent where it is about a value. Rounded to what people write.
    #[must_use]
    pub fn budget(&self) -> Option<f64> {
        match self.measure {
            Measure::Counts { target, .. } | Measure::Durations { target, .. } => {
                Some(((1.0 - target) * 1e12).round() / 1e12)
            }
            Measure::Value { .. } => None,
        }
    }
}
