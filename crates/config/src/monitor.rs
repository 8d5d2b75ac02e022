//! `monitor`: what is watched once a version serves.

mod alerts;
mod drift;
mod quality;
mod slo;
mod streams;

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::Duration;

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    choice::present,
    place::Place,
};

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

/// Looks are remembered for so long where nothing else is said.
const RETENTION: Duration = Duration::from_secs(90 * DAY);
/// Longest time that looks are remembered: the newest entry of the history holds a point of each of its days.
const LONGEST: Duration = Duration::from_secs(3650 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// What is watched of a model; what is absent is not.
#[derive(Debug, Clone, PartialEq)]
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
    /// Where the metrics of each look are left; absent where nowhere.
    pub export: Option<AdapterSpec>,
    /// Looks are remembered for so long: all of the last week, before that one a day.
    pub retention: Duration,
}

impl Default for MonitorSettings {
    fn default() -> Self {
        let (drift, quality, slo, streams) = (None, None, vec![], vec![]);
        let (alerts, export) = (AlertSettings::default(), None);
        Self { drift, quality, slo, streams, alerts, export, retention: RETENTION }
    }
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
    /// Where the metrics of each look are left for a server to scrape, e.g. `{ pushgateway: { url: "https://gateway.example:9091" } }`.
    #[serde(default, deserialize_with = "present")]
    export: Option<AdapterLayer>,
    /// Looks are remembered for so long: all of the last week, before that one a day.
    #[schemars(extend("default" = "90d"))]
    retention: Option<Duration>,
}

impl MonitorLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> MonitorSettings {
        MonitorSettings {
            drift: self.drift.and_then(|drift| drift.resolve(&place.key("drift"))),
            quality: self.quality.and_then(|quality| quality.resolve(&place.key("quality"))),
            slo: slo::resolve(self.slo.unwrap_or_default(), &place.key("slo")),
            streams: streams::resolve(self.streams.unwrap_or_default(), &place.key("streams")),
            alerts: self.alerts.unwrap_or_default().resolve(&place.key("alerts")),
            export: self.export.map(|export| export.resolve(&place.key("export"))),
            retention: retention(self.retention, &place.key("retention")),
        }
    }
}

fn retention(asked: Option<Duration>, place: &Place<'_>) -> Duration {
    let length = asked.unwrap_or(RETENTION);
    if length < Duration::from_secs(DAY) || length > LONGEST {
        place.report(format!("{length} is not within 1d to 3650d"), None);
    }
    length
}
