//! What a source asks, as queries about one version: for rules and dashboards, which ask the same.

use tagship_config::AdapterSpec;
use tagship_domain::{Duration, analysis::MetricKind};
use tagship_ports::{PortError, Problem, Question};

use super::{Arm, Asked, PrometheusSettings, WHAT, asked};
use crate::settings;

/// Queries about one version.
#[derive(Debug, Clone, PartialEq)]
pub enum PrometheusQueries {
    /// Two counters.
    Counts {
        /// Of bad observations.
        bad: String,
        /// Of all.
        total: String,
    },
    /// Cumulative buckets.
    Durations {
        /// The buckets.
        buckets: String,
        /// How many milliseconds one of what `le` counts is.
        millis: f64,
    },
    /// A value.
    Value {
        /// The query for it.
        query: String,
        /// Time between two values of a window; absent where only the newest is asked for.
        step: Option<Duration>,
    },
}

/// The queries of a source for a metric of this kind; none of a source of another kind. No secret is needed to know them.
///
/// # Errors
/// For settings that it does not have or that do not fit the metric, and for a query that asks about another version too.
pub fn prometheus_queries(
    spec: &AdapterSpec,
    kind: MetricKind,
    question: &Question<'_>,
) -> Result<Option<PrometheusQueries>, PortError> {
    if spec.kind != "prometheus" {
        return Ok(None);
    }
    let given: PrometheusSettings = settings::read(WHAT, &spec.settings)?;
    let asked = asked(&given, kind)?;
    if asked.needs_backend() {
        let message = "it asks by what the target calls a version, which a rule cannot know";
        return Err(settings::wrong(WHAT, message).hint("write queries with {{arm}} for it"));
    }
    let wrong = |why: String| PortError::new(Problem::Invalid, "write the query of a metric", why);
    let arm = Arm { version: question.version, backend: None };
    Ok(Some(match asked {
        Asked::Shares { bad, total } => PrometheusQueries::Counts {
            bad: bad.about(&arm).map_err(wrong)?,
            total: total.about(&arm).map_err(wrong)?,
        },
        Asked::Durations { buckets, unit } => {
            PrometheusQueries::Durations { buckets: buckets.about(&arm).map_err(wrong)?, millis: unit }
        }
        Asked::Value { query, step } => {
            PrometheusQueries::Value { query: query.of(question, None).map_err(wrong)?, step }
        }
    }))
}
