//! `bound`: what a candidate must keep where no traffic of stable exists to compare with.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    Duration,
    analysis::{Bound, MetricKind},
};

use crate::{choice::exactly_one, place::Place, share::ShareLayer, strategy::required};

/// A fixed bound; exactly one key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Bound", extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct BoundLayer {
    /// Of an error ratio: at most this share of requests with an error, e.g. `2%`. Of disagreement: at most this share of
    /// copied requests answered differently.
    max: Option<ShareLayer>,
    /// Of a score distance: how far apart the scores of a copied request may be, and how many requests may be beyond.
    beyond: Option<BeyondLayer>,
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

/// How far apart scores may be, and how many requests may be beyond, e.g. `{ distance: 0.05, max: 2% }`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Beyond")]
pub(crate) struct BeyondLayer {
    /// Mean absolute difference of the scores of one request, above 0. Exact where the server's histogram has such a bound.
    #[schemars(required)]
    distance: Option<f64>,
    /// At most this share of copied requests has scores that are further apart.
    #[schemars(required)]
    max: Option<ShareLayer>,
}

impl BeyondLayer {
    fn resolve(self, place: &Place<'_>) -> Option<Bound> {
        let distance = required(self.distance, place, "distance", "0.05");
        let share = required(self.max, place, "max", "2%");
        let beyond = distance?;
        if !(beyond.is_finite() && beyond > 0.0) {
            let message = "a distance is a number above 0".to_owned();
            place.key("distance").report(message, Some("write e.g. `distance: 0.05`".to_owned()));
            return None;
        }
        Some(Bound::ScoreDistance { beyond, share: share?.0 })
    }
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
            ("max", self.max.map(|share| Some(most(kind, share.0)))),
            ("min", self.min.map(|share| Some(Bound::MinAccuracy(share.0)))),
            ("beyond", self.beyond.map(|beyond| beyond.resolve(&place.key("beyond")))),
            ("p50", latency(0.50, self.p50).map(Some)),
            ("p90", latency(0.90, self.p90).map(Some)),
            ("p95", latency(0.95, self.p95).map(Some)),
            ("p99", latency(0.99, self.p99).map(Some)),
            ("p99.9", latency(0.999, self.p99_9).map(Some)),
        ];
        let (key, bound) = exactly_one(place, choices, example)?;
        let bound = bound?;
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
        MetricKind::ScoreDistance => Some("`bound: { beyond: { distance: 0.05, max: 2% } }`"),
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
