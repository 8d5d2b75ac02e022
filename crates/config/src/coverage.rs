//! What the parts of an environment mean together: whether what is asked for can be measured at all.
//!
//! A metric is measured while the candidate answers requests: copies of them, during the steps of a canary, and during
//! the bake. It is compared with stable where stable has traffic too, and otherwise judged by its bound.

use tagship_domain::{
    Duration,
    analysis::Metric,
    plan::{Step, Strategy},
    traffic::Weight,
};

use crate::{bound, diagnostic::printable, environment::EnvironmentConfig, place::Place};

/// From this share on, stable would keep at least as much as the candidate ever gets.
const TOO_MUCH_HELD_BACK: u8 = 50;

/// Reports what does not fit together.
pub(crate) fn check(environment: &EnvironmentConfig, place: &Place<'_>) {
    check_hold_back(environment, place);
    check_last_weight(environment, place);
    let Some(analysis) = &environment.analysis else { return };
    if !is_measured_on_the_way(environment) && environment.bake == Duration::default() {
        let message = "the metrics would never be measured: there is no time in which the new version has traffic \
                       and is not stable yet";
        let help = "set `bake: 10m`, or choose a canary".to_owned();
        place.key("analysis").report_key(message.to_owned(), Some(help));
        return;
    }
    let metrics = place.key("analysis").key("metrics");
    for (index, metric) in analysis.metrics.iter().enumerate() {
        check_metric(environment, metric, place, &metrics.index(index));
    }
}

fn check_hold_back(environment: &EnvironmentConfig, place: &Place<'_>) {
    let (held, at) = (environment.hold_back, place.key("hold-back"));
    if held.get() >= TOO_MUCH_HELD_BACK {
        let message = format!("a hold-back is below {TOO_MUCH_HELD_BACK}%, not {held}");
        at.report(message, Some("5% is enough to compare with where traffic is not rare".to_owned()));
    } else if held > Weight::NONE && environment.bake == Duration::default() {
        let message = "stable keeps its hold-back until the bake ends, and there is no bake".to_owned();
        at.report(message, Some("set `bake: 10m`, or leave `hold-back` out".to_owned()));
    }
}

fn check_last_weight(environment: &EnvironmentConfig, place: &Place<'_>) {
    let (held, full) = (environment.hold_back, 100 - environment.hold_back.get());
    let Some((index, weight)) = last_weight(&environment.strategy).filter(|(_, weight)| weight.get() > full)
    else {
        return;
    };
    let at = place.key("strategy").key("canary").key("steps").index(index).key("set-weight");
    let message = format!("a weight of {weight} leaves stable less than the hold-back of {held}");
    let help = if weight == Weight::ALL {
        format!("leave the step out: after the last one the new version gets {full}% by itself")
    } else {
        format!("give at most {full}, or hold less back")
    };
    at.report(message, Some(help));
}

fn last_weight(strategy: &Strategy) -> Option<(usize, Weight)> {
    let Strategy::Canary { steps } = strategy else { return None };
    steps.iter().enumerate().rev().find_map(|(index, step)| match step {
        Step::SetWeight(weight) => Some((index, *weight)),
        Step::Mirror(_) | Step::Pause(_) => None,
    })
}

/// Whether the new version answers anything before it has all traffic, for real or as copies.
fn is_measured_on_the_way(environment: &EnvironmentConfig) -> bool {
    environment.strategy.shares_traffic() || environment.strategy.mirrors()
}

/// Whether anything on the way shows a metric.
fn is_heard(environment: &EnvironmentConfig, metric: &Metric) -> bool {
    let in_shadow = environment.strategy.mirrors() && metric.kind.shows_in_shadow();
    let in_traffic = environment.strategy.shares_traffic() || environment.bake > Duration::default();
    in_shadow || (in_traffic && !metric.kind.is_paired())
}

fn report_silent(metric: &Metric, at: &Place<'_>) {
    let (name, kind) = (printable(&metric.name), metric.kind.as_str());
    let (message, help) = if metric.kind.is_paired() {
        let help =
            "choose `strategy: { shadow: { for: 1h } }`, or begin a canary with the step `mirror: 100`";
        (format!("`{name}` would never be measured: nothing copies requests to the new version"), help)
    } else {
        let message = format!("`{name}` would never be measured: copies of requests do not show {kind}");
        (message, "set `bake: 10m`, or add steps with traffic")
    };
    at.key("kind").report(message, Some(help.to_owned()));
}

/// Where no traffic of stable is left, a metric needs a bound.
fn check_metric(environment: &EnvironmentConfig, metric: &Metric, place: &Place<'_>, at: &Place<'_>) {
    let bakes_alone = environment.bake > Duration::default() && environment.hold_back == Weight::NONE;
    let steps_alone = environment.hold_back == Weight::NONE
        && last_weight(&environment.strategy).is_some_and(|(_, weight)| weight == Weight::ALL);
    if !is_heard(environment, metric) {
        report_silent(metric, at);
        return;
    }
    // What only advises may fall silent for a while, as long as it is heard at all.
    let is_needed = !metric.kind.is_paired() && (metric.decides() || !environment.strategy.shares_traffic());
    // What is judged once is judged before the new version gets everything.
    if metric.stands_alone() || !is_needed || !metric.is_watched() {
        return;
    }
    let name = printable(&metric.name);
    let or_bound = if metric.threshold.is_some() {
        ", or write conditions that do not read `stable`".to_owned()
    } else {
        bound::example(metric.kind).map_or(String::new(), |example| format!(", or give the metric {example}"))
    };
    if steps_alone {
        let index = last_weight(&environment.strategy).map_or(0, |(index, _)| index);
        let step = place.key("strategy").key("canary").key("steps").index(index).key("set-weight");
        let message = format!("at a weight of 100% no traffic of stable is left to compare `{name}` with");
        let help = format!("leave the step out, promotion gives the new version everything{or_bound}");
        step.report(message, Some(help));
    } else if bakes_alone {
        let message = format!("no traffic of stable is left during the bake to compare `{name}` with");
        let key = if metric.threshold.is_some() { "success" } else { "bound" };
        at.key(key).report(message, Some(format!("set `hold-back: 5%`{or_bound}")));
    }
}
