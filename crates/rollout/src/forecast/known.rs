//! What is known about the traffic of a model: what the caller gives, else what the target counted of stable.

use tagship_domain::{
    analysis::{Bound, Margin, Metric, MetricKind},
    forecast::{Comparison, Figure, Origin},
    traffic::{Counters, Histogram},
};
use tagship_stats::sequential::{
    bucket::{evenly, slower},
    fixed::longer_than,
};

/// Failures below which a measured share is too rough to plan with.
const FEW_FAILURES: u64 = 5;
/// Observations from which a share with hardly any failure is good enough where nothing is multiplied with it.
const MANY: u64 = 1_000;
/// Labels below which the share of labelled requests is too rough.
const FEW_LABELS: u64 = 20;
/// A latency judge promotes at the largest bound that at least this share of stable's answers is slower than.
const TAIL: f64 = 0.01;
/// Answers of stable from which that bound is chosen.
const BEFORE_TAIL: u64 = 200;

/// What the caller says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Given {
    /// Requests per second to the model.
    pub rate: Option<f64>,
    /// Stable's share of requests with an error.
    pub error_ratio: Option<f64>,
    /// Stable's share of labelled predictions that are right.
    pub accuracy: Option<f64>,
    /// Share of requests that get a label.
    pub labelled: Option<f64>,
    /// How many times as many failed or slow answers are a regression to see; above 1.
    pub regression: f64,
    /// How many points less accuracy are a regression to see, e.g. 0.05.
    pub accuracy_loss: f64,
}

/// What is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// What the caller says; it counts more than what was measured.
    pub given: Given,
    /// Requests per second that the target had.
    pub measured_rate: Option<f64>,
    /// What the target counted of stable.
    pub counters: Option<Counters>,
    /// What could not be found out, as sentences.
    pub notes: Vec<String>,
}

/// A number, or why it is not known and how to tell it.
pub(super) type Told = Result<Figure, String>;

impl Known {
    /// Requests per second.
    pub(super) fn rate(&self) -> Option<Figure> {
        given(self.given.rate).or(self.measured_rate.map(|value| Figure { value, from: Origin::Measured }))
    }

    /// Share of requests that get a label.
    pub(super) fn labelled(&self) -> Told {
        let counted =
            self.counters.as_ref().map(|counters| (counters.correct + counters.incorrect, counters.requests));
        match (given(self.given.labelled), counted) {
            (Some(figure), _) => Ok(figure),
            (None, Some((labels, requests))) if labels >= FEW_LABELS => {
                Ok(share(labels.min(requests), requests))
            }
            (None, Some((labels, _))) => {
                Err(format!("only {labels} labels were counted; pass --label-share, e.g. 10%"))
            }
            (None, None) => {
                Err("how many requests get a label is unknown; pass --label-share, e.g. 10%".to_owned())
            }
        }
    }

    /// Stable's share of failed, slow or wrong answers.
    pub(super) fn share(&self, metric: &Metric, against: Comparison) -> Told {
        match metric.kind {
            MetricKind::ErrorRatio => {
                let counted = self.counters.as_ref().map(|counters| (counters.errors, counters.requests));
                told(
                    given(self.given.error_ratio),
                    counted,
                    metric,
                    against,
                    "errors",
                    "--error-ratio, e.g. 1%",
                )
            }
            MetricKind::LabelledAccuracy => {
                let wrong = self.given.accuracy.map(|accuracy| 1.0 - accuracy);
                let counted = self.counters.as_ref().map(|counters| {
                    (counters.incorrect, counters.incorrect.saturating_add(counters.correct))
                });
                told(given(wrong), counted, metric, against, "wrong answers", "--accuracy, e.g. 0.92")
            }
            MetricKind::Latency => self.slow(metric, against),
            MetricKind::PairedAccuracy => {
                Err("it depends on how often the two versions disagree, which only mirrored traffic shows"
                    .to_owned())
            }
            MetricKind::Disagreement => {
                Err("only copied requests show how often two versions disagree".to_owned())
            }
            MetricKind::ScoreDistance => {
                Err("only copied requests show how far the scores of two versions are apart".to_owned())
            }
            MetricKind::PredictionDrift => Err("it only advises".to_owned()),
            MetricKind::Value => Err("it takes looks and no requests".to_owned()),
            MetricKind::Score => Err("it is judged once, whatever stable's score is".to_owned()),
        }
    }

    fn slow(&self, metric: &Metric, against: Comparison) -> Told {
        let histogram = self.counters.as_ref().and_then(|counters| counters.latency.as_ref());
        let histogram = histogram.filter(|histogram| histogram.total() >= BEFORE_TAIL);
        match (against, metric.bound, histogram) {
            (Comparison::Stable | Comparison::Shadow, _, histogram) => {
                let tail = histogram.and_then(tail).map(|value| Figure { value, from: Origin::Measured });
                Ok(tail.unwrap_or(Figure { value: TAIL, from: Origin::WorstCase }))
            }
            (Comparison::Bound, Some(Bound::Latency { within_ms, .. }), Some(histogram)) => {
                let window = longer_than(histogram, within_ms);
                Ok(share(window.at_most_bad, window.n))
            }
            (Comparison::Bound, ..) => Err("no target told how long stable's answers take".to_owned()),
        }
    }

    /// Over how many bounds a latency judge averages, at most.
    pub(super) fn bounds(&self) -> u64 {
        let bounds = self.counters.as_ref().and_then(|counters| counters.latency.as_ref());
        bounds.map_or(MAX_BOUNDS, |histogram| evenly(&histogram.bounds).len() as u64).max(1)
    }
}

const MAX_BOUNDS: u64 = tagship_stats::sequential::bucket::MAX_BOUNDS as u64;

fn given(value: Option<f64>) -> Option<Figure> {
    value.map(|value| Figure { value, from: Origin::Given })
}

fn told(
    given: Option<Figure>,
    counted: Option<(u64, u64)>,
    metric: &Metric,
    against: Comparison,
    what: &str,
    flag: &str,
) -> Told {
    let is_factor = against != Comparison::Bound && matches!(metric.promote_margin, Margin::Ratio(_));
    match (given, counted) {
        (Some(figure), _) => Ok(figure),
        (None, Some((bad, n))) if bad >= FEW_FAILURES || (n >= MANY && !is_factor) => Ok(share(bad, n)),
        (None, Some((bad, n))) => {
            Err(format!("only {bad} {what} in {n} answers of stable were counted; pass {flag}"))
        }
        (None, None) => Err(format!("stable's share of {what} is unknown; pass {flag}")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
fn share(bad: u64, n: u64) -> Figure {
    Figure { value: if n == 0 { 0.0 } else { bad as f64 / n as f64 }, from: Origin::Measured }
}

/// Share of answers slower than the bound at which the judge promotes.
fn tail(histogram: &Histogram) -> Option<f64> {
    let slower = slower(histogram, &evenly(&histogram.bounds))?;
    let shares = slower.iter().map(|bad| share(*bad, histogram.total()).value);
    shares.filter(|share| *share >= TAIL && *share < 1.0).reduce(f64::min)
}
