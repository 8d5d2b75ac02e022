//! `bound`: what a candidate must keep where no traffic of stable exists to compare with.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    Duration,
    analysis::{Bound, MetricKind},
};

use crate::{choice::exactly_one, place::Place, share::ShareLayer};

/// A fixed bound; exactly one key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Bound", extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct BoundLayer {
    /// Of an error ratio: at most this share of requests with an error, e.g. `2%`. Of disagreement: at most this share of
    /// copied requests answered differently.
    max: Option<ShareLayer>,
    /// Of labelled accuracy: at least this share of predictions right, e.g. `0.90`.
    min: Option<ShareLayer>,
    /// Of latency: half of the answers are at least as fast as this, e.g. `20ms`.
    p50: Option<Duration>,
    /// Of latency: 90 % of the answers are at least as fast as this.
    p90: Option<Duration>,
    /// Of latency: 95 % of the answers are at least as fast as this.
    p95: Option<Duration>,
    /// Of latency: 99 % of the answers are at least as fast as this, e.g. `100ms`.
    p99: Option<Duration>,
    /// Of latency: 99.9 % of the answers are at least as fast as this.
    #[serde(rename = "p99.9")]
    p99_9: Option<Duration>,
}

impl BoundLayer {
    pub(crate) fn resolve(self, kind: MetricKind, place: &Place<'_>) -> Option<Bound> {
        let Some(example) = example(kind) else {
            let message = format!("{} is only measured against stable, no bound fits it", kind.as_str());
            place.report(message, Some("leave `bound` out".to_owned()));
            return None;
        };
        let latency = |quantile: f64, within: Option<Duration>| {
            within.map(|within| Bound::Latency { quantile, within_ms: within.as_secs_f64() * 1000.0 })
        };
        let choices = [
            ("max", self.max.map(|share| most(kind, share.0))),
            ("min", self.min.map(|share| Bound::MinAccuracy(share.0))),
            ("p50", latency(0.50, self.p50)),
            ("p90", latency(0.90, self.p90)),
            ("p95", latency(0.95, self.p95)),
            ("p99", latency(0.99, self.p99)),
            ("p99.9", latency(0.999, self.p99_9)),
        ];
        let (key, bound) = exactly_one(place, choices, example)?;
        if !kind.fits_bound(bound) {
            let message = format!("`{key}` does not bound a metric of the kind {}", kind.as_str());
            place.key(key).report_key(message, Some(format!("write {example}")));
            return None;
        }
        if matches!(bound, Bound::Latency { within_ms, .. } if within_ms <= 0.0) {
            let message = "a limit of no time fails every answer".to_owned();
            place.key(key).report(message, Some(format!("write {example}")));
            return None;
        }
        Some(bound)
    }
}

/// A bound that fits a kind, for messages; absent where none does.
pub(crate) fn example(kind: MetricKind) -> Option<&'static str> {
    match kind {
        MetricKind::ErrorRatio | MetricKind::Disagreement => Some("`bound: { max: 2% }`"),
        MetricKind::LabelledAccuracy => Some("`bound: { min: 0.90 }`"),
        MetricKind::Latency => Some("`bound: { p99: 100ms }`"),
        MetricKind::PairedAccuracy | MetricKind::PredictionDrift | MetricKind::Value | MetricKind::Score => {
            None
        }
    }
}

fn most(kind: MetricKind, share: f64) -> Bound {
    if kind == MetricKind::Disagreement { Bound::MaxDisagreement(share) } else { Bound::MaxErrorRatio(share) }
}
