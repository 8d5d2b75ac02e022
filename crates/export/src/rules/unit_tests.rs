//! Unit tests of the rules for `promtool test rules`: what is just above a factor alarms, what is just below does not, few requests
//! alarm nobody, and what is not there is told.

use std::fmt::Write as _;

use tagship_domain::{Duration, quality::QualityBound};
use tagship_monitor::slo::{BURN_RULES, BurnRule};

use super::{
    BOUND, BURN, MISSING, OPEN_BRACES, PACE_SHOWN, PATIENCE, Rule, VALUE_SHOWN, alerts, least_events,
    looks::{self, NOBODY},
    recorded::VALUE,
    recorded::counts,
    yaml,
};
use crate::objective::{Measure, Objective, Watched};

/// Seconds between two samples, at least and at most: a server looks for one for five minutes.
const STEP: u64 = 60;
const LONGEST_STEP: u64 = 300;
/// How far above a factor the pace is that has to alarm, and how far below the one that must not. No product with a factor lies in the
/// middle between two numbers of one digit, where rounding would be a matter of luck.
const ABOVE: f64 = 1.2;
const BELOW: f64 = 0.8;

/// One test: series that grow, a time, and what alarms then.
struct Case<'a> {
    name: String,
    /// Each with its first value and what comes with every step.
    series: Vec<(String, f64, f64)>,
    /// Seconds between two samples, and from the first to the look.
    step: u64,
    lasts: u64,
    alert: &'static str,
    /// Every alert of that name that fires, and the value that it says.
    fires: Vec<(&'a Rule, String)>,
}

/// The file of tests for a file of rules of that name.
#[must_use]
pub fn unit_tests(watched: &Watched, rules_file: &str) -> String {
    let mut text = format!(
        "# Tests of the rules beside them, made by `tagship monitor rules --tests`.\n# promtool test rules FILE\n\
         rule_files:\n  - {}\nevaluation_interval: 5m\ntests:\n",
        yaml::quoted(rules_file)
    );
    let alerts: Vec<_> = watched.objectives.iter().map(|objective| alerts(watched, objective)).collect();
    if let Some(rule) = looks::alert(watched) {
        for case in of_looks(watched, &rule) {
            write_case(&mut text, &case);
        }
    }
    let mut missing = vec![];
    for (objective, alerts) in watched.objectives.iter().zip(&alerts) {
        for case in cases(watched, objective, alerts) {
            write_case(&mut text, &case);
        }
        missing.extend(alerts.last().filter(|_| !is_made_of_nothing(objective)));
    }
    let fires = missing.into_iter().map(|rule| (rule, String::new())).collect();
    let lasts = 2 * PATIENCE.std().as_secs();
    let silence =
        Case { name: "no data".to_owned(), series: vec![], step: STEP, lasts, alert: MISSING, fires };
    write_case(&mut text, &silence);
    text
}

/// Looks that go on alarm nobody; those that ended, and those that nothing is known of, do.
#[expect(clippy::cast_precision_loss, reason = "a minute")]
fn of_looks<'a>(watched: &Watched, rule: &'a Rule) -> [Case<'a>; 3] {
    let oldest = looks::oldest(watched).unwrap_or_default().std().as_secs();
    let patience = PATIENCE.std().as_secs();
    let case = |name: &str, series: &[f64], lasts: u64, fires: &[&'a Rule]| Case {
        name: name.to_owned(),
        series: series.iter().map(|step| (looks::looked(watched), 0.0, *step)).collect(),
        step: STEP,
        lasts: lasts.next_multiple_of(LONGEST_STEP),
        alert: NOBODY,
        fires: fires.iter().map(|rule| (*rule, String::new())).collect(),
    };
    let ended = oldest + 3 * patience;
    [
        // The time of the last look is that of the sample.
        case("looks go on", &[STEP as f64], ended, &[]),
        case("looks have ended", &[0.0], ended, &[rule]),
        case("nothing is known of looks", &[], 2 * patience, &[rule]),
    ]
}

fn cases<'a>(watched: &Watched, objective: &Objective, alerts: &'a [Rule]) -> Vec<Case<'a>> {
    match &objective.measure {
        Measure::Value { bound, over, .. } => {
            // Rules are evaluated so often here.
            let lasts = over.map_or(1, |over| over.std().as_secs()).next_multiple_of(LONGEST_STEP);
            of_bound(watched, objective, *bound, lasts, alerts.first())
        }
        _ => of_share(watched, objective, alerts),
    }
}

/// Whether queries give a number where there is no series at all, so that nothing is ever missing.
fn is_made_of_nothing(objective: &Objective) -> bool {
    let makes = |query: &String| query.contains("vector(") || query.contains("absent");
    match &objective.measure {
        Measure::Counts { bad, total, .. } => makes(bad) && makes(total),
        Measure::Durations { buckets: query, .. } | Measure::Value { query, .. } => makes(query),
    }
}

fn of_share<'a>(watched: &Watched, objective: &Objective, alerts: &'a [Rule]) -> Vec<Case<'a>> {
    let budget = objective.budget().unwrap_or(1.0);
    let least = least_events(objective);
    let case = |what: &str, rule: &BurnRule, events: f64, share: f64, fires| Case {
        name: format!("{}: {what} over {}", objective.name, Duration::from_secs(rule.long)),
        series: requests(watched, objective, events, share),
        step: step(rule),
        lasts: rule.long,
        alert: BURN,
        fires,
    };
    let mut cases = vec![];
    for (rule, alert) in BURN_RULES.iter().zip(alerts) {
        // Twice as many as a verdict needs.
        let steps = f64::from(u32::try_from(rule.long / step(rule)).unwrap_or(u32::MAX));
        let enough = (2.0 * least / steps).ceil();
        let above = ABOVE * rule.factor;
        if above * budget <= 1.0 {
            let said = format!("{above:.1}");
            cases.push(case("a pace above the factor", rule, enough, above * budget, vec![(alert, said)]));
        }
        let below = (BELOW * rule.factor * budget).min(1.0);
        if below < rule.factor * budget {
            cases.push(case("a pace below the factor", rule, enough, below, vec![]));
        }
        cases.push(case("too few requests, all bad,", rule, 0.5 * least / steps, 1.0, vec![]));
    }
    cases
}

/// A short window holds a few samples.
fn step(rule: &BurnRule) -> u64 {
    (rule.short / 5).clamp(STEP, LONGEST_STEP)
}

/// Counters that grow by so many requests in a step, of which this share is bad.
fn requests(watched: &Watched, objective: &Objective, events: f64, share: f64) -> Vec<(String, f64, f64)> {
    let [all, other] = counts(watched, objective);
    let second = match &objective.measure {
        Measure::Durations { below, .. } => {
            let at = other.find(",le=").unwrap_or(other.len());
            (format!("{},le=\"{below}\"}}", &other[..at]), 0.0, events * (1.0 - share))
        }
        _ => (other, 0.0, events * share),
    };
    [(all, 0.0, events), second].map(|(name, first, step)| (of_test(&name), first, step)).to_vec()
}

/// A series that no query records: it has one label more.
fn of_test(series: &str) -> String {
    let open = series.trim_end_matches('}');
    format!("{open},instance=\"test\"}}")
}

fn of_bound<'a>(
    watched: &Watched,
    objective: &Objective,
    bound: QualityBound,
    lasts: u64,
    alert: Option<&'a Rule>,
) -> Vec<Case<'a>> {
    let limit = bound.limit();
    let broken = match bound {
        QualityBound::AtMost(_) => limit + 1.0,
        QualityBound::AtLeast(_) => limit - 1.0,
    };
    let case = |what: &str, value: f64, fires| Case {
        name: format!("{}: {what}", objective.name),
        series: vec![(of_test(&super::selector(watched, objective, VALUE, "")), value, 0.0)],
        step: STEP,
        lasts,
        alert: BOUND,
        fires,
    };
    vec![
        case(
            "a broken bound",
            broken,
            alert.map(|alert| (alert, as_go_writes(broken))).into_iter().collect(),
        ),
        case("a value at the bound", limit, vec![]),
    ]
}

/// A number as the templates of Prometheus write it: the fewest digits that mean it, with an exponent from a million on and
/// below a ten-thousandth.
fn as_go_writes(value: f64) -> String {
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => value.to_string(),
    }
}

fn write_case(text: &mut String, case: &Case<'_>) {
    let _ = writeln!(text, "  - name: {}\n    interval: {}s", yaml::quoted(&case.name), case.step);
    if case.series.is_empty() {
        let _ = writeln!(text, "    input_series: []");
    } else {
        let _ = writeln!(text, "    input_series:");
    }
    for (series, first, step) in &case.series {
        let steps = case.lasts / case.step + 1;
        let _ = writeln!(text, "      - series: {}", yaml::quoted(series));
        let _ = writeln!(text, "        values: {}", yaml::quoted(&format!("{first}+{step}x{steps}")));
    }
    let time = Duration::from_secs(case.lasts);
    let _ =
        writeln!(text, "    alert_rule_test:\n      - eval_time: {time}\n        alertname: {}", case.alert);
    if case.fires.is_empty() {
        let _ = writeln!(text, "        exp_alerts: []");
        return;
    }
    let _ = writeln!(text, "        exp_alerts:");
    for (rule, value) in &case.fires {
        let mut labels = rule.labels.clone();
        if case.alert == BOUND {
            // A value keeps the labels that it came with.
            labels.insert("instance", "test".to_owned());
        }
        let said = |text: &String| {
            let said = text.replace(PACE_SHOWN, value).replace(VALUE_SHOWN, value);
            said.replace(OPEN_BRACES, "{{")
        };
        let annotations = rule.annotations.iter().map(|(name, text)| (*name, said(text))).collect();
        let mut expected = String::new();
        yaml::texts(&mut expected, 12, "exp_labels", &labels);
        yaml::texts(&mut expected, 12, "exp_annotations", &annotations);
        // The first line begins an element of the list.
        text.push_str(&expected.replacen("            exp_labels", "          - exp_labels", 1));
    }
}

#[cfg(test)]
mod tests {
    use super::as_go_writes;

    #[test]
    fn numbers_are_written_as_promtool_expects_them() {
        // What promtool 2.42 made of `{{ $value }}`.
        for (value, text) in [
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (-2_000_001.0, "-2.000001e+06"),
            (123_456.75, "123456.75"),
            (12_345_678_901.0, "1.2345678901e+10"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
        ] {
            assert_eq!(as_go_writes(value), text);
        }
    }
}
