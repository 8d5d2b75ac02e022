//! What rules record: counters as they are, what came in a window, and the pace.

use tagship_domain::Duration;
use tagship_monitor::slo::BURN_RULES;

use super::{Rule, labels, selector, yaml::Texts};
use crate::objective::{Measure, Objective, Watched};

/// Counter of all requests.
pub(super) const TOTAL: &str = "tagship_slo:requests:count";
/// Counter of bad ones.
pub(super) const BAD: &str = "tagship_slo:bad_requests:count";
/// Cumulative buckets.
pub(super) const BUCKETS: &str = "tagship_slo:buckets:count";
/// What a query for a value answers.
const ANSWER: &str = "tagship_slo:answer";
/// A value, where the answer is a number and no infinity.
pub(super) const VALUE: &str = "tagship_slo:value";
/// What came in a window.
pub(super) const REQUESTS: &str = "tagship_slo:requests:increase";
/// What came in a window and was bad.
const BAD_REQUESTS: &str = "tagship_slo:bad_requests:increase";
/// How many times faster than allowed the budget is spent.
pub(super) const BURN_RATE: &str = "tagship_slo:burn_rate:ratio";
/// A series that is missing for less is the same when it comes back.
const REMEMBERED: &str = "1d";

/// A name for a window of so many seconds.
pub(super) fn window_name(name: &str, seconds: u64) -> String {
    format!("{name}{}", Duration::from_secs(seconds))
}

/// The rules of an objective that record, each after those it needs.
pub(super) fn recorded(watched: &Watched, objective: &Objective) -> Vec<Rule> {
    // Raw series keep their own labels: one label more must not make two of them one.
    let key = Texts::from([("slo", watched.key(objective))]);
    let raw = |name: &str, query: &str| record(name.to_owned(), query.to_owned(), key.clone());
    let mut rules = match &objective.measure {
        Measure::Counts { bad, total, .. } => vec![raw(TOTAL, total), raw(BAD, bad)],
        Measure::Durations { buckets, .. } => vec![raw(BUCKETS, buckets)],
        Measure::Value { query, .. } => {
            // A query may answer a scalar, which cannot be filtered before it is recorded.
            let finite = format!("{} > -Inf < +Inf", selector(watched, objective, ANSWER, ""));
            return vec![raw(ANSWER, query), raw(VALUE, &finite)];
        }
    };
    let mut windows: Vec<u64> = BURN_RULES.iter().flat_map(|rule| [rule.long, rule.short]).collect();
    windows.sort_unstable();
    windows.dedup();
    rules.extend(windows.into_iter().flat_map(|seconds| window(watched, objective, seconds)));
    rules
}

/// The series that the counts of an objective are taken from.
pub(super) fn counts(watched: &Watched, objective: &Objective) -> [String; 2] {
    match &objective.measure {
        Measure::Durations { below, .. } => {
            let bucket = format!(",le=~{}", serde_json::Value::from(bound_pattern(*below)));
            [",le=\"+Inf\"", bucket.as_str()].map(|le| selector(watched, objective, BUCKETS, le))
        }
        _ => [TOTAL, BAD].map(|name| selector(watched, objective, name, "")),
    }
}

fn window(watched: &Watched, objective: &Objective, seconds: u64) -> [Rule; 3] {
    let length = Duration::from_secs(seconds);
    let series = counts(watched, objective);
    let was_there = series.each_ref().map(|series| format!("count({series} offset {length})")).join(" and ");
    let [all, other] = series.map(|series| came(&series, length));
    let bad = match objective.measure {
        // The other ones were fast.
        Measure::Durations { .. } => format!("({all}) - ({other})"),
        _ => other,
    };
    let named = |name: &str| window_name(name, seconds);
    let of = |name: &str| selector(watched, objective, &named(name), "");
    let (requests, bad_requests) = (of(REQUESTS), of(BAD_REQUESTS));
    let budget = objective.budget().unwrap_or(1.0);
    [
        (REQUESTS, format!("({all}) and {was_there}")),
        (BAD_REQUESTS, format!("({bad}) and {was_there}")),
        (BURN_RATE, format!("{bad_requests} / {requests} / {budget}")),
    ]
    .map(|(name, expr)| record(named(name), expr, labels(watched, objective)))
}

/// What came in a window: what series grew by, and all that those counted that were not there before it.
fn came(series: &str, length: Duration) -> String {
    let before = format!("last_over_time({series}[{REMEMBERED}] offset {length})");
    format!(
        "sum(increase({series}[{length}]) and {before} or max_over_time({series}[{length}]) unless {before})"
    )
}

/// A bound of a bucket, however many zeros it is written with.
fn bound_pattern(bound: f64) -> String {
    let text = bound.to_string();
    match text.split_once('.') {
        Some((whole, rest)) => format!("{whole}[.]{rest}0*"),
        None => format!("{text}([.]0*)?"),
    }
}

fn record(name: String, expr: String, labels: Texts) -> Rule {
    Rule { is_alert: false, name, expr, lasts: None, labels, annotations: Texts::new() }
}
