//! `monitor.streams`: series of values that a detector watches one by one.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{Duration, slo::Severity};

use super::slo::{named, sourced, unique};
use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    place::Place,
};

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamSettings {
    /// Its name.
    pub name: String,
    /// Name of the detector.
    pub detector: String,
    /// How far back the first look reads.
    pub over: Duration,
    /// How urgent a detection is.
    pub severity: Severity,
    /// Where values are read.
    pub source: AdapterSpec,
}

/// A series of values that a detector watches.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Stream")]
pub(crate) struct StreamLayer {
    /// Its name, e.g. `confidence`.
    #[schemars(required)]
    name: Option<String>,
    /// What watches it: `adwin` for any value; `hddm-a`, `hddm-w`, `ddm`, `eddm` for errors as ones among zeros;
    /// `page-hinkley`, `kswin`; `robust-z` and `iqr` for single values that lie far off.
    #[schemars(extend("default" = "adwin"))]
    detector: Option<String>,
    /// How far back the first look reads; later ones go on where it ended.
    #[schemars(extend("default" = "1h"))]
    over: Option<Duration>,
    /// How urgent a detection is.
    #[schemars(extend("default" = "ticket"))]
    severity: Option<Severity>,
    /// Where values are read, e.g. `{ table: { files: [logs/predictions.jsonl], value: /outputs/0/data/0, time: at } }`.
    #[schemars(required)]
    source: Option<AdapterLayer>,
}

impl StreamLayer {
    fn resolve(self, place: &Place<'_>) -> Option<StreamSettings> {
        let (name, source) = (named(self.name, place), sourced(self.source, place));
        Some(StreamSettings {
            name: name?,
            detector: self.detector.unwrap_or_else(|| "adwin".to_owned()),
            over: self.over.unwrap_or(Duration::from_secs(3600)),
            severity: self.severity.unwrap_or(Severity::Ticket),
            source: source?,
        })
    }
}

/// The series, each with a name of its own.
pub(super) fn resolve(layers: Vec<StreamLayer>, place: &Place<'_>) -> Vec<StreamSettings> {
    let each = layers.into_iter().enumerate().map(|(at, layer)| layer.resolve(&place.index(at)));
    let streams: Vec<_> = each.collect::<Vec<_>>().into_iter().flatten().collect();
    unique(streams.iter().map(|stream| stream.name.as_str()), place);
    streams
}
