//! Recorded cases, and what must hold whatever the points are.

mod cases;
mod edges;
mod properties;
mod scores;

use super::{Judged, Reason, Settings, judge};
use crate::mann_whitney::Comparison;

/// The comparison behind a verdict.
#[track_caller]
fn comparison(judged: &Judged) -> (Comparison, Option<f64>) {
    match judged.reason {
        Reason::Compared { comparison, effect } => (comparison, effect),
        other => panic!("not compared: {other:?}"),
    }
}

/// With Kayenta's defaults.
fn judged(stable: &[f64], candidate: &[f64]) -> Judged {
    judge(&Settings::default(), stable, candidate)
}
