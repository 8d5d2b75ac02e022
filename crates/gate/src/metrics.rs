//! Metrics of the candidate: one file, JSON or YAML, nested at will.

mod json;
mod name;
mod read;

use tagship_domain::gate::{CheckKind, GateCheck, Outcome};

pub(crate) use name::nested;
pub use read::{MAX_METRICS, MAX_METRICS_BYTES};
pub(crate) use read::{Metrics, Problem, read};

use crate::{
    plain::plain,
    text::{counted, shown},
};

/// The file can be read, and every number in it is one.
pub(crate) fn check(metrics: &Metrics) -> GateCheck {
    let path = shown(&metrics.path, 120);
    let answer = match &metrics.problem {
        Some(Problem::Missing(reason)) => {
            (Outcome::Inconclusive, format!("missing: {path} ({})", shown(reason, 120)))
        }
        Some(Problem::Broken(reason)) => (Outcome::Error, format!("{path}: {}", shown(reason, 300))),
        None if !metrics.not_finite.is_empty() => {
            let names: Vec<String> = metrics.not_finite.iter().map(|path| shown(path, 80)).collect();
            let names = shown(&names.join(", "), 300);
            (Outcome::Failed, format!("not a finite number: {names}"))
        }
        None if metrics.numbers.is_empty() => (Outcome::Inconclusive, format!("{path} holds no number")),
        None => {
            let count = counted(metrics.numbers.len() as u64, "metric");
            (Outcome::Successful, format!("{path} holds {count}, all finite"))
        }
    };
    plain(CheckKind::Metrics, "metrics", answer)
}
