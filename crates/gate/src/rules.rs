//! Rules: expressions that must hold, each shown with the values it saw.

use serde_json::Value;
use tagship_config::Rule;
use tagship_domain::gate::{CheckKind, GateCheck, Outcome, SeenValue};
use tagship_expr::{Evaluation, ExprError, Expression, Seen};

use crate::{request::GateRequest, text::shown};

/// What a rule may read.
pub const ROOTS: [&str; 5] = ["metrics", "stable", "tests", "validation", "model"];

/// A rule that cannot be used, whatever the data.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("rule {name:?}: {source}")]
pub struct RuleError {
    /// Name of the rule.
    pub name: String,
    /// What is wrong with its expression, and where.
    pub source: ExprError,
}

/// Checks every rule without data, so that a mistake in the configuration is found before a candidate exists.
///
/// # Errors
/// One for each rule that cannot be read or reads an unknown root, in the order of the rules.
pub fn check_rules(rules: &[Rule]) -> Result<(), Vec<RuleError>> {
    let problem = |rule: &Rule| {
        let source = parse(&rule.expr).err()?;
        Some(RuleError { name: rule.name.clone(), source })
    };
    let problems: Vec<RuleError> = rules.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn parse(text: &str) -> Result<Expression, ExprError> {
    let expression = Expression::parse(text)?;
    expression.require_roots(&ROOTS)?;
    Ok(expression)
}

/// One rule over the data. `not_finite` are paths at which the metrics file holds NaN or infinity.
pub(crate) fn check(
    rule: &Rule,
    request: &GateRequest<'_>,
    data: &Value,
    not_finite: &[String],
) -> GateCheck {
    let (outcome, message, saw) = judge(rule, request, data, not_finite);
    GateCheck {
        name: rule.name.clone(),
        kind: CheckKind::Rule,
        outcome,
        message,
        expression: Some(rule.expr.clone()),
        saw: saw.into_iter().map(|Seen { path, value }| SeenValue { path, value }).collect(),
    }
}

fn judge(
    rule: &Rule,
    request: &GateRequest<'_>,
    data: &Value,
    not_finite: &[String],
) -> (Outcome, String, Vec<Seen>) {
    let expression = match parse(&rule.expr) {
        Ok(expression) => expression,
        Err(error) => return (Outcome::Error, error.to_string(), Vec::new()),
    };
    if request.stable.is_none() && expression.references().contains(&"stable") {
        return if request.settings.require_baseline {
            let message = "there is no stable version to compare with, and a baseline is required";
            (Outcome::Inconclusive, message.to_owned(), Vec::new())
        } else {
            let message = "does not apply: there is no stable version to compare with yet";
            (Outcome::NotApplicable, message.to_owned(), Vec::new())
        };
    }
    let Evaluation { answer, saw } = expression.evaluate(data);
    if let Some(bad) = saw.iter().find(|seen| not_finite.contains(&seen.path)) {
        let message = format!("{} is not a finite number, which no rule accepts", shown(&bad.path, 120));
        return (Outcome::Failed, message, saw);
    }
    let (outcome, verb) = match answer {
        Ok(true) => (Outcome::Successful, "holds"),
        Ok(false) => (Outcome::Failed, "does not hold"),
        Err(ExprError::Missing { path }) => {
            return (Outcome::Inconclusive, format!("{} is missing", shown(&path, 200)), saw);
        }
        Err(error) => return (Outcome::Error, shown(&error.to_string(), 300), saw),
    };
    let values = values(&saw);
    let with = if values.is_empty() { String::new() } else { format!(" with {values}") };
    (outcome, format!("`{}` {verb}{with}", shown(rule.expr.trim(), 200)), saw)
}

/// The first values that a rule saw, as one phrase.
fn values(saw: &[Seen]) -> String {
    const SHOWN: usize = 4;
    let value = |seen: &Seen| match &seen.value {
        Some(value) => format!("{} = {}", shown(&seen.path, 80), shown(&value.to_string(), 60)),
        None => format!("{} missing", shown(&seen.path, 80)),
    };
    let mut values: Vec<String> = saw.iter().take(SHOWN).map(value).collect();
    if saw.len() > SHOWN {
        values.push(format!("{} more values", saw.len() - SHOWN));
    }
    match values.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}
