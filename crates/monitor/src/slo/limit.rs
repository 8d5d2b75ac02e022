//! Bounds of values: latency quantiles, saturation, processor time, memory, whatever a query answers.

use serde_json::Value;
use tagship_domain::{
    quality::QualityBound,
    slo::{ObjectiveReport, Severity, SloState},
    threshold::Point,
};

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// What it must keep.
    pub bound: QualityBound,
    /// How urgent it is where it does not.
    pub severity: Severity,
}

/// Why there are no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed<'a> {
    /// Whether there is nothing, or nobody answers, as when what is watched or its source is down.
    pub is_absent: bool,
    /// In words.
    pub why: &'a str,
}

/// Judges the values of a window, the oldest first: it burns where all of them break the bound, so that a peak alone alarms
/// nobody.
#[must_use]
pub fn judge(limit: &Limit, values: Result<&[Point], Missed<'_>>) -> ObjectiveReport {
    let mut report = ObjectiveReport {
        name: limit.name.clone(),
        asked: limit.bound.to_string(),
        state: SloState::Unknown,
        severity: None,
        value: None,
        windows: vec![],
        budget_left: None,
        reason: String::new(),
    };
    let points = match values {
        Ok(points) => points,
        Err(Missed { is_absent: true, why }) => {
            (report.state, report.reason) = (SloState::NoData, format!("no data: {why}"));
            return report;
        }
        Err(Missed { is_absent: false, why }) => {
            report.reason = format!("the source could not be asked: {why}");
            return report;
        }
    };
    let numbers: Vec<f64> = points.iter().filter_map(|point| number(&point.value)).collect();
    let Some(newest) = numbers.last().copied() else {
        report.state = SloState::NoData;
        "no data: the source has no value for this time".clone_into(&mut report.reason);
        return report;
    };
    report.value = Some(newest);
    let bad = numbers.iter().filter(|value| limit.bound.judge([**value, **value]) == Some(false)).count();
    report.reason = format!("{bad} of {} values break the bound", numbers.len());
    if bad == numbers.len() {
        (report.state, report.severity) = (SloState::Burning, Some(limit.severity));
    } else if numbers.len() * 2 >= points.len() {
        report.state = SloState::Kept;
    } else {
        report.reason = format!("{} of {} values are missing", points.len() - numbers.len(), points.len());
    }
    report
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().filter(|value| value.is_finite())
}
