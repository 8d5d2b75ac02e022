//! Rules of Prometheus that judge objectives as `tagship monitor slo` does: the same windows, factors and guards.
//!
//! Counters are recorded as the queries give them, series by series, so that one that begins again is seen; what came in a window is
//! recorded next, then the pace, and alerts compare that. A series that was not there when a window began had counted nothing then;
//! where none was there, nothing is said about the window, so that rules alarm by what came after they were loaded.

mod looks;
mod recorded;
#[cfg(test)]
mod tests;
mod unit_tests;
mod yaml;

use std::fmt::Write as _;

use tagship_domain::{
    Duration,
    incident::{NO_DATA, command},
    quality::QualityBound,
    slo::Severity,
};
use tagship_monitor::slo::{BURN_RULES, BurnRule, LEAST_EVENTS};

use crate::objective::{Measure, Objective, Watched};
use recorded::{BURN_RATE, REQUESTS, VALUE, recorded, window_name};
use yaml::Texts;

pub use unit_tests::unit_tests;

/// Alert on the pace at which a budget is spent.
const BURN: &str = "TagshipErrorBudgetBurn";
/// Alert on a value.
const BOUND: &str = "TagshipBoundBroken";
/// Alert on what is not there.
const MISSING: &str = "TagshipNoData";
/// What is missing for so long is no missed scrape.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// A rule.
#[derive(Debug, Clone)]
struct Rule {
    is_alert: bool,
    name: String,
    expr: String,
    lasts: Option<Duration>,
    labels: Texts,
    annotations: Texts,
}

/// The file of rules.
#[must_use]
pub fn rules(watched: &Watched) -> String {
    let (model, environment, version) = (&watched.model, &watched.environment, &watched.version);
    let mut text = format!(
        "# Objectives of {model} {version} in {environment}, made by `tagship monitor rules`.\n\
         # The queries are about this version: make the file again when another one serves.\ngroups:\n"
    );
    for objective in &watched.objectives {
        let name = yaml::quoted(&format!("tagship {}", watched.key(objective)));
        let _ = writeln!(text, "  - name: {name}\n    rules:");
        for rule in recorded(watched, objective).iter().chain(&alerts(watched, objective)) {
            yaml::rule(&mut text, rule);
        }
    }
    if let Some(rule) = looks::alert(watched) {
        let name = yaml::quoted(&format!("tagship {model}/{environment} looks"));
        let _ = writeln!(text, "  - name: {name}\n    rules:");
        yaml::rule(&mut text, &rule);
    }
    text
}

/// Names of the recorded series that show how an objective stands, with what each is called.
pub(crate) fn recorded_names(objective: &Objective) -> Vec<(String, String)> {
    if matches!(objective.measure, Measure::Value { .. }) {
        return vec![(VALUE.to_owned(), "{{version}}".to_owned())];
    }
    let named = |rule: &BurnRule| {
        (window_name(BURN_RATE, rule.long), format!("{{{{version}}}} {}", Duration::from_secs(rule.long)))
    };
    BURN_RULES.iter().map(named).collect()
}

/// The alerts of an objective.
fn alerts(watched: &Watched, objective: &Objective) -> Vec<Rule> {
    let mut alerts: Vec<Rule> = match &objective.measure {
        Measure::Value { bound, over, severity, .. } => {
            vec![broken(watched, objective, *bound, *over, *severity)]
        }
        _ => BURN_RULES.iter().map(|rule| burning(watched, objective, rule)).collect(),
    };
    alerts.push(missing(watched, objective));
    alerts
}

fn burning(watched: &Watched, objective: &Objective, rule: &BurnRule) -> Rule {
    let of = |name: &str, seconds: u64| selector(watched, objective, &window_name(name, seconds), "");
    let (long, short) = (Duration::from_secs(rule.long), Duration::from_secs(rule.short));
    let factor = rule.factor;
    let expr = format!(
        "{} > {factor} and {} > {factor} and {} >= {}",
        of(BURN_RATE, rule.long),
        of(BURN_RATE, rule.short),
        of(REQUESTS, rule.long),
        least_events(objective),
    );
    let mut alert = alert(watched, objective, BURN, expr, rule.severity);
    alert.labels.insert("window", long.to_string());
    alert.annotations.extend([
        ("window", format!("{long} and {short}")),
        ("threshold", format!("{}: {factor} times the pace that is allowed", objective.asked())),
        ("value", PACE_SHOWN.to_owned()),
        (
            "description",
            format!("bad requests come at {PACE_SHOWN} times the pace that is allowed over {long}, and above {factor} over {short}"),
        ),
    ]);
    alert
}

fn broken(
    watched: &Watched,
    objective: &Objective,
    bound: QualityBound,
    over: Option<Duration>,
    severity: Severity,
) -> Rule {
    let value = selector(watched, objective, VALUE, "");
    // All values of the window break the bound where the one that is nearest to it does.
    let (nearest, operator) = match bound {
        QualityBound::AtMost(_) => ("min_over_time", ">"),
        QualityBound::AtLeast(_) => ("max_over_time", "<"),
    };
    let limit = bound.limit();
    let (expr, window) = match over {
        // A window of which only the end was recorded is not judged: what it would say of it is unknown.
        Some(over) => (
            format!("{nearest}({value}[{over}]) {operator} {limit} and {value} offset {over}"),
            over.to_string(),
        ),
        None => (format!("{value} {operator} {limit}"), "the newest value".to_owned()),
    };
    let mut alert = alert(watched, objective, BOUND, expr, severity);
    alert.annotations.extend([
        ("window", window),
        ("threshold", bound.to_string()),
        ("value", VALUE_SHOWN.to_owned()),
        ("description", format!("{} is {VALUE_SHOWN}; {bound} is asked for", objective.name)),
    ]);
    alert
}

/// What is not there is never taken for good.
fn missing(watched: &Watched, objective: &Objective) -> Rule {
    let expr = match &objective.measure {
        Measure::Value { over, .. } => {
            let value = selector(watched, objective, VALUE, "");
            let any = over.map_or_else(|| value.clone(), |over| format!("min_over_time({value}[{over}])"));
            // Only a number equals itself.
            format!("absent(sum({any} == {any}))")
        }
        _ => {
            let counts = recorded::counts(watched, objective);
            counts.iter().map(|series| format!("absent(sum({series}))")).collect::<Vec<_>>().join(" or ")
        }
    };
    let mut alert = alert(watched, objective, MISSING, expr, Severity::Ticket);
    alert.lasts = Some(PATIENCE);
    alert.labels.insert("topic", format!("{}{NO_DATA}", objective.topic()));
    alert.annotations.extend([
        ("summary", summary(watched, &format!("{}{NO_DATA}", objective.topic()), "no data")),
        ("window", PATIENCE.to_string()),
        ("threshold", objective.asked()),
        (
            "description",
            format!(
                "there is no data about {} of {}: it is not scraped, its series have other names, or another version serves \
                 and these rules are to be made again",
                objective.name, watched.version
            ),
        ),
    ]);
    alert
}

/// The value of an alert.
const VALUE_SHOWN: &str = "{{ $value }}";
/// A pace, with as many digits as people read.
const PACE_SHOWN: &str = r#"{{ printf "%.1f" $value }}"#;

fn alert(watched: &Watched, objective: &Objective, name: &str, expr: String, severity: Severity) -> Rule {
    let is_page = severity == Severity::Page;
    let mut labels = labels(watched, objective);
    labels.extend([("severity", severity.to_string()), ("topic", objective.topic())]);
    let what = if is_page { "act now" } else { "look at it" };
    let mut annotations = Texts::from([
        ("summary", summary(watched, &objective.topic(), what)),
        ("command", command(&watched.model, &watched.environment, is_page)),
    ]);
    annotations.extend(watched.runbook.clone().map(|runbook| ("runbook_url", escaped(&runbook))));
    Rule { is_alert: true, name: name.to_owned(), expr, lasts: None, labels, annotations }
}

/// As the title of an incident.
fn summary(watched: &Watched, topic: &str, what: &str) -> String {
    format!("{} ({}) {topic}: {what}", watched.model, watched.environment)
}

/// A text that templates leave as it is.
fn escaped(text: &str) -> String {
    text.replace("{{", OPEN_BRACES)
}

/// How a template writes braces that are none of its own.
const OPEN_BRACES: &str = r#"{{ "{{" }}"#;

/// What every rule says of what it is about.
fn labels(watched: &Watched, objective: &Objective) -> Texts {
    Texts::from([
        ("slo", watched.key(objective)),
        ("model", watched.model.to_string()),
        ("environment", watched.environment.to_string()),
        ("version", watched.version.to_string()),
        ("objective", objective.name.clone()),
    ])
}

/// Series that a rule of this objective records.
fn selector(watched: &Watched, objective: &Objective, name: &str, more: &str) -> String {
    format!("{name}{{slo={}{more}}}", serde_json::Value::from(watched.key(objective)))
}

/// Fewest requests of a long window, below which bad ones may be chance.
fn least_events(objective: &Objective) -> f64 {
    objective.budget().map_or(0.0, |budget| (LEAST_EVENTS / budget * 1e6).round() / 1e6)
}
