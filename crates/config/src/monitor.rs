//! `monitor`: what is watched once a version serves.

mod alerts;
mod drift;
mod quality;
mod slo;
mod streams;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{choice::present, place::Place};

use alerts::AlertLayer;
pub use alerts::AlertSettings;
use drift::DriftLayer;
pub use drift::{DriftColumn, DriftFails, DriftSettings};
use quality::QualityLayer;
pub use quality::{QualityColumns, QualitySettings};
use slo::ObjectiveLayer;
pub use slo::{Asks, ObjectiveSettings};
use streams::StreamLayer;
pub use streams::StreamSettings;

/// What is watched of a model; what is absent is not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MonitorSettings {
    /// Whether its inputs still look as they did.
    pub drift: Option<DriftSettings>,
    /// How good its predictions are.
    pub quality: Option<QualitySettings>,
    /// What the service promises.
    pub slo: Vec<ObjectiveSettings>,
    /// Series that are watched for changes.
    pub streams: Vec<StreamSettings>,
    /// Who is told of what is bad.
    pub alerts: AlertSettings,
}

/// What is watched once a version serves.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Monitor")]
pub(crate) struct MonitorLayer {
    /// Whether its inputs still look as they did.
    #[serde(default, deserialize_with = "present")]
    drift: Option<DriftLayer>,
    /// How good its predictions are, by labels that come later.
    #[serde(default, deserialize_with = "present")]
    quality: Option<QualityLayer>,
    /// What the service promises: shares of good requests, and bounds of values.
    slo: Option<Vec<ObjectiveLayer>>,
    /// Series of values that detectors watch for changes.
    streams: Option<Vec<StreamLayer>>,
    /// Who is told of what is bad.
    #[serde(default, deserialize_with = "present")]
    alerts: Option<AlertLayer>,
}

impl MonitorLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> MonitorSettings {
        MonitorSettings {
            drift: self.drift.and_then(|drift| drift.resolve(&place.key("drift"))),
            quality: self.quality.and_then(|quality| quality.resolve(&place.key("quality"))),
            slo: slo::resolve(self.slo.unwrap_or_default(), &place.key("slo")),
            streams: streams::resolve(self.streams.unwrap_or_default(), &place.key("streams")),
            alerts: self.alerts.unwrap_or_default().resolve(&place.key("alerts")),
        }
    }
}
