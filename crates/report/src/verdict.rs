//! What an analysis says about each metric, worded once for comment, terminal and headlines. All plain text; names
//! and messages in it are foreign.

mod allowed;
mod culprit;
mod exposure;

use tagship_domain::{
    analysis::{JudgeState, Looks, Measurement, Metric, MetricKind, MetricPhase},
    kayenta::{KayentaMetric, KayentaScore, SCORE},
    rollout::RolloutState,
    series::MetricSeries,
};

pub(crate) use allowed::{line as allowed_line, words as allowed_words};
pub(crate) use culprit::{Culprit, culprits};
pub(crate) use exposure::exposure;

use crate::{
    mark::Mark,
    measure::{self, Unit},
};

/// One metric of an analysis as people are shown it.
#[derive(Debug, Clone)]
pub(crate) struct MetricView<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its symbol.
    pub(crate) mark: Mark,
    /// Its verdict so far.
    pub(crate) phase: MetricPhase,
    /// The candidate's and stable's value; absent where not measured.
    pub(crate) values: [Option<String>; 2],
    /// Observations of stable and of the candidate; absent where not measured.
    pub(crate) n: Option<[u64; 2]>,
    /// What its observations are called, in the plural.
    pub(crate) noun: &'static str,
    /// What the candidate must keep to be promoted.
    pub(crate) allowed: Option<String>,
    /// Evidence against what is needed: that it is bad, then that it is good.
    pub(crate) evidence: Vec<EvidenceView>,
    /// What it lacks besides evidence.
    pub(crate) missing: Option<String>,
    /// The judge's own sentence; empty where there is none yet.
    pub(crate) message: &'a str,
    /// In what it is measured.
    pub(crate) unit: Unit,
    /// How it went.
    pub(crate) series: Option<&'a MetricSeries>,
    /// Evidence that is needed to fail and to pass, where the judge says so.
    pub(crate) needed: [Option<f64>; 2],
}

impl MetricView<'_> {
    /// The evidence that decided it; all while nothing did.
    pub(crate) fn deciding(&self) -> impl Iterator<Item = &EvidenceView> {
        let aim = match self.phase {
            MetricPhase::Failed => Some(TO_FAIL),
            MetricPhase::Successful => Some(TO_PASS),
            _ => None,
        };
        self.evidence.iter().filter(move |evidence| aim.is_none_or(|aim| aim == evidence.aim))
    }
}

/// What evidence would show: that the candidate is bad.
pub(crate) const TO_FAIL: &str = "to fail";
/// What evidence would show: that the candidate is good.
pub(crate) const TO_PASS: &str = "to pass";

/// Evidence against what is needed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EvidenceView {
    /// `24.1 of 20`.
    pub(crate) text: String,
    /// What it would show: [`TO_FAIL`] or [`TO_PASS`].
    pub(crate) aim: &'static str,
    /// How much of the way is done, 0 to 1.
    pub(crate) part: f64,
}

/// Every metric of the rollout's analysis, what needs to be seen first in front, of equals in the order of the plan.
pub(crate) fn views<'a>(state: &'a RolloutState, series: &'a [MetricSeries]) -> Vec<MetricView<'a>> {
    let planned: Vec<&Metric> = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics).collect();
    let mut views: Vec<MetricView<'a>> = planned
        .iter()
        .map(|metric| view(&metric.name, Some(metric), None, state.judges.get(&metric.name), series))
        .collect();
    let score = state.plan.analysis.as_ref().and_then(|analysis| analysis.kayenta.as_ref());
    let more = state.judges.iter().filter(|(name, judge)| {
        judge.measurement.is_some() && !planned.iter().any(|metric| metric.name == **name)
    });
    let of = |name: &str| score.filter(|_| name == SCORE);
    views.extend(more.map(|(name, judge)| view(name, None, of(name), Some(judge), series)));
    views.sort_by_key(|view| urgency(view.phase));
    for view in &mut views {
        view.mark = mark(view.phase, state);
    }
    views
}

/// The symbol of a verdict. Once a rollout has ended, nothing runs any more: an open metric was never decided.
pub(crate) fn mark(phase: MetricPhase, state: &RolloutState) -> Mark {
    match phase {
        MetricPhase::Running if state.phase.is_terminal() => Mark::Neutral,
        phase => phase.into(),
    }
}

/// What needs to be seen first.
pub(crate) fn urgency(phase: MetricPhase) -> u8 {
    match phase {
        MetricPhase::Failed => 0,
        MetricPhase::Error => 1,
        MetricPhase::Inconclusive => 2,
        MetricPhase::Running => 3,
        MetricPhase::Pending => 4,
        MetricPhase::Successful => 5,
    }
}

fn view<'a>(
    name: &'a str,
    metric: Option<&'a Metric>,
    score: Option<&KayentaScore>,
    judge: Option<&'a JudgeState>,
    series: &'a [MetricSeries],
) -> MetricView<'a> {
    let phase = judge.map_or(MetricPhase::Pending, |judge| judge.phase);
    let numbers = judge.and_then(|judge| judge.measurement.as_ref());
    let unit = metric.map_or(Unit::Plain, |metric| metric.kind.into());
    MetricView {
        name,
        mark: phase.into(),
        phase,
        values: numbers.map_or([None, None], |numbers| unit.pair(numbers.value, numbers.stable)),
        n: numbers.map(|numbers| numbers.n),
        noun: if score.is_some() { "values" } else { noun(metric) },
        allowed: metric
            .map(|metric| allowed::words(metric, numbers))
            .or_else(|| score.map(KayentaScore::words)),
        evidence: numbers.map(evidence).unwrap_or_default(),
        missing: missing(phase, metric, judge),
        message: judge.map_or("", |judge| judge.message.as_str()),
        unit,
        series: series.iter().find(|series| series.name == name),
        needed: numbers.map_or([None, None], |numbers| [numbers.fails_at, numbers.succeeds_at]),
    }
}

fn evidence(numbers: &Measurement) -> Vec<EvidenceView> {
    let one = |e_value: Option<f64>, needed: Option<f64>, aim| {
        let (e_value, needed) = e_value.zip(needed)?;
        let (text, part) = (measure::evidence(e_value, needed), measure::way(e_value, needed));
        Some(EvidenceView { text, aim, part })
    };
    let bad = one(numbers.e_value, numbers.fails_at, TO_FAIL);
    let good = one(numbers.promotion_e_value, numbers.succeeds_at, TO_PASS);
    bad.into_iter().chain(good).collect()
}

fn noun(metric: Option<&Metric>) -> &'static str {
    match metric.map(|metric| metric.kind) {
        Some(MetricKind::ErrorRatio | MetricKind::Latency) => "requests",
        Some(MetricKind::LabelledAccuracy) => "labels",
        Some(MetricKind::PairedAccuracy) => "pairs",
        Some(MetricKind::Disagreement | MetricKind::ScoreDistance) => "copied requests",
        Some(MetricKind::PredictionDrift) => "predictions",
        Some(MetricKind::Value) if metric.is_some_and(|metric| metric.kayenta.is_some()) => "values",
        Some(MetricKind::Value) => "looks",
        Some(MetricKind::Score) => "labelled predictions",
        None => "observations",
    }
}

/// What a metric lacks besides evidence: observations, labels, a source that answers.
fn missing(phase: MetricPhase, metric: Option<&Metric>, judge: Option<&JudgeState>) -> Option<String> {
    let n = judge.map_or(0, |judge| judge.n);
    match phase {
        MetricPhase::Error => {
            let looks = judge.map_or(0, |judge| judge.looks.consecutive_errors);
            let often = if looks > 1 {
                format!(" at {} looks in a row", measure::count(looks))
            } else {
                String::new()
            };
            Some(format!("could not be measured{often}"))
        }
        MetricPhase::Inconclusive if n == 0 => Some("got no data".to_owned()),
        MetricPhase::Pending | MetricPhase::Running | MetricPhase::Inconclusive => {
            let metric = metric?;
            let late = (metric.label_delay.std().as_millis() > 0)
                .then(|| format!("labels arrive up to {} late", metric.label_delay));
            let least = match (&metric.threshold, &metric.kayenta) {
                (_, Some(_)) => KayentaMetric::LEAST_SAMPLES,
                (Some(threshold), None) => threshold.least_looks(),
                (None, None) => metric.min_samples,
            };
            let few = (n < least).then(|| {
                let (n, least) = (measure::count(n), measure::count(least));
                format!("{n} of {least} {} needed", noun(Some(metric)))
            });
            let broken = judge.filter(|_| metric.threshold.is_some()).and_then(|judge| broken(judge.looks));
            let pieces: Vec<String> = few.into_iter().chain(broken).chain(late.filter(|_| n == 0)).collect();
            (!pieces.is_empty()).then(|| pieces.join(", "))
        }
        MetricPhase::Successful | MetricPhase::Failed => None,
    }
}

/// Looks whose values did not keep what is asked for.
fn broken(looks: Looks) -> Option<String> {
    let kinds = [(looks.failed, "failed"), (looks.inconclusive, "inconclusive")];
    let told = kinds.into_iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, what)| format!("{} {what}", measure::count(count))).collect();
    (!told.is_empty()).then(|| told.join(" and "))
}

#[cfg(test)]
mod tests;
