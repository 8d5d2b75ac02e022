//! Metrics on values: what a look says by their conditions, and what the looks add up to by their limits.
//!
//! The table of four cases and the counting are Argo Rollouts'. Two things differ on purpose: of several limits that are
//! passed the worst counts, and nothing is good that was never measured, or never good at any look that was.

use serde_json::{Value, json};
use tagship_domain::{
    Timestamp,
    analysis::{JudgeState, Measurement, Metric, MetricPhase, Seen, Window},
    threshold::{Point, Threshold},
};
use tagship_expr::{ExprError, Expression};

use super::{message, phase};

/// The roots that conditions may read.
const ROOTS: [&str; 2] = ["result", "stable"];

/// A condition that cannot be one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "`{key}` of metric `{metric}`: {source}; conditions read `result`, and `stable` for the version beside it"
)]
pub struct ConditionError {
    /// The metric.
    pub metric: String,
    /// `success` or `failure`.
    pub key: &'static str,
    /// What is wrong.
    pub source: Box<ExprError>,
}

/// What one value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Successful,
    Failed,
    Inconclusive,
}

/// Checks the conditions of a metric without data, so that a mistake is found before a candidate exists.
///
/// # Errors
/// For the first one that cannot be read, or reads what there is not.
pub fn check_conditions(metric: &Metric) -> Result<(), ConditionError> {
    let threshold = metric.threshold.iter();
    let conditions =
        threshold.flat_map(|threshold| [("success", &threshold.success), ("failure", &threshold.failure)]);
    for (key, text) in conditions {
        if let Some(text) = text {
            parse(text).map_err(|source| ConditionError {
                metric: metric.name.clone(),
                key,
                source: Box::new(source),
            })?;
        }
    }
    Ok(())
}

/// What a look saw: the newest value of each version that there is in it.
pub fn value_window(stable: Option<&[Point]>, result: &[Point]) -> Seen {
    let newest = |points: &[Point]| {
        points
            .iter()
            .rev()
            .map(|point| &point.value)
            .find(|value| !value.is_null())
            .cloned()
            .unwrap_or_default()
    };
    Seen::Window(Window::Values { stable: stable.map(newest), result: newest(result) })
}

/// Whether nothing more is asked of it: it is good, and the looks that it asks for are over. What is bad or undecided is
/// measured on, for it may become worse.
pub(super) fn has_ended(state: &JudgeState, threshold: &Threshold) -> bool {
    state.phase == MetricPhase::Successful && (is_enough(state, threshold) || is_over(state, threshold))
}

/// Adds the values of a look that ended at `at`.
pub(super) fn take(
    state: &mut JudgeState,
    metric: &Metric,
    stable: Option<&Value>,
    result: &Value,
    at: Timestamp,
) {
    let Some(threshold) = &metric.threshold else {
        return phase::error(state, metric, "the metric has no condition; give it `success` or `failure`");
    };
    let nobody = match (result, stable) {
        (Value::Null, _) => Some("the candidate"),
        (_, Some(Value::Null)) => Some("stable"),
        (_, None) if threshold.compares() => Some("stable"),
        _ => None,
    };
    if let Some(who) = nobody {
        return phase::no_data(state, metric, who, at);
    }
    match judge(threshold, stable, result) {
        Err(why) => phase::error(state, metric, &why),
        Ok((verdict, saw)) => count(state, metric, threshold, stable, result, verdict, &saw),
    }
}

fn count(
    state: &mut JudgeState,
    metric: &Metric,
    threshold: &Threshold,
    stable: Option<&Value>,
    result: &Value,
    verdict: Verdict,
    saw: &str,
) {
    let looks = &mut state.looks;
    looks.measured += 1;
    looks.counted += 1;
    looks.consecutive_errors = 0;
    looks.consecutive_successes =
        if verdict == Verdict::Successful { looks.consecutive_successes + 1 } else { 0 };
    match verdict {
        Verdict::Successful => looks.good += 1,
        Verdict::Failed => looks.failed += 1,
        Verdict::Inconclusive => looks.inconclusive += 1,
    }
    state.n = looks.measured;
    let value = result.as_f64();
    let of_stable = if stable.is_some() { state.n } else { 0 };
    state.measurement = Some(Measurement {
        value,
        stable: stable.and_then(Value::as_f64),
        look: value,
        n: [of_stable, state.n],
        ..Measurement::default()
    });
    let endless = if verdict == Verdict::Successful { MetricPhase::Successful } else { MetricPhase::Running };
    state.phase = settle(state, metric, threshold, endless);
    state.message = message::valued(metric, threshold, saw, state);
}

/// The phase after a look. `endless` is what a metric without an end is within its limits: as good as its newest value.
pub(super) fn settle(
    state: &JudgeState,
    metric: &Metric,
    threshold: &Threshold,
    endless: MetricPhase,
) -> MetricPhase {
    let open = if state.looks.measured == 0 { MetricPhase::Pending } else { MetricPhase::Running };
    let within = phase::settle(state, metric, open);
    if within != MetricPhase::Running {
        return within;
    }
    if state.phase == MetricPhase::Inconclusive {
        // Only a person leads on from here.
        return state.phase;
    }
    if is_enough(state, threshold) {
        return MetricPhase::Successful;
    }
    match (is_over(state, threshold), threshold.consecutive_success_limit) {
        // Looks that were tolerated, one and all, show nothing good.
        (true, None) if state.looks.good == 0 => MetricPhase::Inconclusive,
        (true, None) => MetricPhase::Successful,
        (true, Some(_)) if metric.failure_limit == Metric::NO_LIMIT => MetricPhase::Failed,
        (true, Some(_)) => MetricPhase::Inconclusive,
        (false, None) if threshold.count.is_none() => endless,
        (false, _) => MetricPhase::Running,
    }
}

/// Whether there were as many good looks in a row as it asks for.
fn is_enough(state: &JudgeState, threshold: &Threshold) -> bool {
    threshold.consecutive_success_limit.is_some_and(|limit| state.looks.consecutive_successes >= limit)
}

/// Whether there were as many looks as it asks for.
fn is_over(state: &JudgeState, threshold: &Threshold) -> bool {
    threshold.count.is_some_and(|count| state.looks.counted >= count)
}

/// What the conditions say of a value, with what they saw; or why they say nothing.
fn judge(threshold: &Threshold, stable: Option<&Value>, result: &Value) -> Result<(Verdict, String), String> {
    let mut data = json!({ "result": result });
    if let Some(stable) = stable {
        data["stable"] = stable.clone();
    }
    let mut saw: Vec<String> = vec![];
    let mut holds = |text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        let evaluation = parse(text)
            .map(|condition| condition.evaluate(&data))
            .map_err(|error| format!("`{text}`: {error}"))?;
        for seen in evaluation.saw {
            let shown = format!("{} is {}", seen.path, message::shown(seen.value.as_ref()));
            if !saw.contains(&shown) {
                saw.push(shown);
            }
        }
        evaluation.answer.map(Some).map_err(|error| format!("`{text}`: {error}"))
    };
    let (success, failure) = (holds(&threshold.success)?, holds(&threshold.failure)?);
    let verdict = match (success, failure) {
        (_, Some(true)) | (Some(false), None) => Verdict::Failed,
        (None, None | Some(false)) | (Some(true), _) => Verdict::Successful,
        (Some(false), Some(false)) => Verdict::Inconclusive,
    };
    if saw.is_empty() {
        saw.push(format!("result is {}", message::shown(Some(result))));
    }
    Ok((verdict, saw.join(", ")))
}

fn parse(text: &str) -> Result<Expression, ExprError> {
    let expression = Expression::parse(text)?;
    expression.require_roots(&ROOTS)?;
    Ok(expression)
}
