//! `kayenta`: the score over all metrics of an analysis that the judge of Kayenta judges.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    Duration,
    analysis::Metric,
    kayenta::{KayentaMetric, KayentaScore},
};

use crate::{
    diagnostic::{listed, printable},
    place::Place,
};

/// Weights may miss 100 by this much.
const ROUNDING: f64 = 1e-6;

/// The score over all metrics with the judge `kayenta`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "KayentaScore")]
pub(crate) struct KayentaLayer {
    /// From the first look to the verdict, e.g. `30m`; the score is computed once.
    #[schemars(required)]
    lifetime: Option<Duration>,
    /// Parts of groups in the score, adding up to 100; groups without one share what is left.
    group_weights: Option<BTreeMap<String, f64>>,
    /// What the score, 0 to 100, leads to.
    score_thresholds: Option<ThresholdsLayer>,
}

/// What a score, 0 to 100, leads to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "ScoreThresholds")]
pub(crate) struct ThresholdsLayer {
    /// From here on the new version is good.
    #[schemars(range(min = 0.0, max = 100.0), extend("default" = KayentaScore::DEFAULT_PASS))]
    pass: Option<f64>,
    /// From here on a person decides; below, the new version is bad.
    #[schemars(range(min = 0.0, max = 100.0), extend("default" = KayentaScore::DEFAULT_MARGINAL))]
    marginal: Option<f64>,
}

impl KayentaLayer {
    /// The policy, checked against the metrics that it is about.
    pub(crate) fn resolve(
        self,
        metrics: &[Metric],
        interval: Duration,
        place: &Place<'_>,
    ) -> Option<KayentaScore> {
        if !metrics.iter().any(|metric| metric.kayenta.is_some()) {
            let message = "no metric has the judge `kayenta`, so there is nothing to score".to_owned();
            let help = "give one `kind: value` and `judge: kayenta`, or leave `kayenta` out".to_owned();
            place.report_key(message, Some(help));
            return None;
        }
        let lifetime = lifetime(self.lifetime, interval, &place.key("lifetime"));
        let thresholds = self.score_thresholds.unwrap_or_default();
        let pass = thresholds.pass.unwrap_or(KayentaScore::DEFAULT_PASS);
        let marginal = thresholds.marginal.unwrap_or(KayentaScore::DEFAULT_MARGINAL.min(pass));
        if !(0.0 <= marginal && marginal <= pass && pass <= 100.0) {
            let message =
                format!("{marginal} for marginal and {pass} for pass are not in order within 0 to 100");
            let help = "write e.g. `score-thresholds: { pass: 75, marginal: 50 }`".to_owned();
            place.key("score-thresholds").report(message, Some(help));
        }
        let weights = self.group_weights.unwrap_or_default();
        check_weights(&weights, metrics, place);
        Some(KayentaScore { lifetime: lifetime?, group_weights: weights, pass, marginal })
    }
}

/// Reports metrics that would have to be scored where nothing says when.
pub(crate) fn check_is_there(metrics: &[Metric], place: &Place<'_>) {
    let Some(first) = metrics.iter().position(|metric| metric.kayenta.is_some()) else { return };
    let message = "the judge of Kayenta judges once, and nothing says when".to_owned();
    let help = "write `kayenta: { lifetime: 30m }` beside `metrics`".to_owned();
    place.index(first).key("judge").report(message, Some(help));
}

fn lifetime(given: Option<Duration>, interval: Duration, place: &Place<'_>) -> Option<Duration> {
    let Some(given) = given else {
        let message = "the key `lifetime` is missing".to_owned();
        place.report(message, Some("write how long values are collected, e.g. `lifetime: 30m`".to_owned()));
        return None;
    };
    // The first look is one value, and each interval after it one more.
    let samples = 1 + given.std().as_millis() / interval.std().as_millis().max(1);
    let (least, most) = (KayentaMetric::LEAST_SAMPLES, KayentaMetric::MOST_SAMPLES);
    if samples < u128::from(least) {
        let message = format!(
            "{given} holds {samples} looks of {interval}, and {least} values are the least to compare"
        );
        place.report(
            message,
            Some("write a longer lifetime, or a shorter `interval`; 50 values tell more".to_owned()),
        );
    } else if samples > u128::from(most) {
        let message =
            format!("{given} holds {samples} looks of {interval}, and the journal keeps {most} values");
        place.report(message, Some("write a longer `interval`, or a shorter lifetime".to_owned()));
    }
    Some(given)
}

/// Every group with a weight has a metric that counts, and all of it adds up to 100.
fn check_weights(weights: &BTreeMap<String, f64>, metrics: &[Metric], place: &Place<'_>) {
    let counted: Vec<&KayentaMetric> = metrics
        .iter()
        .filter(|metric| metric.decides())
        .filter_map(|metric| metric.kayenta.as_ref())
        .collect();
    let groups: BTreeSet<&str> =
        counted.iter().flat_map(|kayenta| kayenta.groups.iter().map(String::as_str)).collect();
    if counted.is_empty() {
        let message = "every metric with the judge `kayenta` is a dry run, so that none counts".to_owned();
        place.report_key(message, Some("let one of them decide, or leave `kayenta` out".to_owned()));
        return;
    }
    if groups.is_empty() {
        // The metrics are told so.
        return;
    }
    let at = place.key("group-weights");
    for (group, weight) in weights {
        if !groups.contains(group.as_str()) {
            let known: Vec<&str> = groups.iter().copied().collect();
            let message = format!("no metric that counts is in the group `{}`", printable(group));
            at.key(group).report_key(message, Some(format!("the groups are {}", listed(&known))));
            return;
        }
        if !(0.0..=100.0).contains(weight) {
            let help = "weights are parts of 100".to_owned();
            at.key(group).report(format!("a weight is 0 to 100, not {weight}"), Some(help));
            return;
        }
    }
    let sum: f64 = weights.values().sum();
    let all_have_one = weights.len() == groups.len();
    if all_have_one && (sum - 100.0).abs() > ROUNDING {
        let help = "make them add up to 100, or leave one out that takes the rest".to_owned();
        at.report(format!("the weights add up to {sum}, not to 100"), Some(help));
    } else if !all_have_one && sum > 100.0 - ROUNDING {
        let help = "make them add up to less than 100, or give every group one".to_owned();
        at.report(format!("weights of {sum} leave nothing for the groups without one"), Some(help));
    }
}
