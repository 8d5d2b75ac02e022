//! Watching: what one look at a model in an environment found, and the incidents that come of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    name::{Environment, ModelName},
    schema::Document,
    slo::Severity,
    time::Timestamp,
    version::Version,
};

/// One look at everything that is watched of a model in an environment, and what is remembered for the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchReport {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What serves there; absent where nothing does.
    pub version: Option<Version>,
    /// When.
    pub at: Timestamp,
    /// What was found, one per thing that is watched.
    pub findings: Vec<Finding>,
    /// Incidents that are open or on the way to it, and those that ended lately.
    pub incidents: Vec<Incident>,
    /// Streams with the state of their detectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<StreamState>,
    /// Looks before, the oldest first, as far as they are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trend: Vec<TrendPoint>,
    /// Notices that have not been delivered yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Undelivered>,
    /// Whether all is well; false where something is bad, null where something cannot be judged, which is never the same as well.
    pub good: Option<bool>,
}

/// What was found of one thing that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is about, unique within the model and environment: `slo/availability`.
    pub topic: String,
    /// How it stands.
    pub standing: Standing,
    /// How urgent it is where it is bad.
    pub severity: Severity,
    /// Whether it shows that the model got worse, so that it may lead back to the version before.
    #[serde(default)]
    pub is_regression: bool,
    /// The number that was judged.
    pub value: Option<f64>,
    /// The number that it was compared with; absent where it was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// What it was compared with, in words.
    pub threshold: String,
    /// Which time or rows it is about, in words.
    pub window: String,
    /// In one sentence.
    pub sentence: String,
}

/// How a thing that is watched stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// There is no data: an incident of its own kind.
    NoData,
    /// It cannot be judged.
    Unknown,
}

/// Something that is bad, from when it was seen until it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// What it is about; that of its finding, with `/no-data` where there is none.
    pub topic: String,
    /// How far it is.
    pub phase: IncidentPhase,
    /// Looks in a row that spoke for the next phase.
    pub looks: u32,
    /// Bad looks in a row at the version that serves.
    #[serde(default)]
    pub bad: u32,
    /// When it was opened in the last day, the newest last: what flaps is closed later each time.
    pub opened: Vec<Timestamp>,
    /// When its phase began.
    pub since: Timestamp,
    /// When it was told last.
    pub told: Option<Timestamp>,
    /// What was found last.
    pub finding: Finding,
    /// Address of the issue that tells of it; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
}

/// How far an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentPhase {
    /// It was seen, not often enough yet.
    Pending,
    /// It goes on.
    Open,
    /// It is over.
    Resolved,
}

/// What is told about an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentNotice {
    /// What happened to it.
    pub change: IncidentChange,
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What serves there.
    pub version: Option<Version>,
    /// What it is about.
    pub topic: String,
    /// The same for the same thing of the same model in the same environment, for as long as it is watched.
    pub fingerprint: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// When this was so.
    pub at: Timestamp,
    /// What was found.
    pub finding: Finding,
    /// Where it is written what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// The command to act.
    pub command: String,
    /// Where the run can be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentChange {
    /// It began.
    Opened,
    /// It goes on, got more urgent, or is told again.
    Updated,
    /// It is over.
    Resolved,
}

/// A notice and who has not had it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undelivered {
    /// The channel: its kind, and its settings where it has some.
    pub channel: String,
    /// The notice.
    pub notice: IncidentNotice,
}

/// A stream with the state of its detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamState {
    /// Its name.
    pub name: String,
    /// The detector.
    pub detector: String,
    /// The detector's state; what it holds is the detector's business.
    pub state: Value,
    /// Values that were taken so far.
    pub values: u64,
    /// When the newest of them was; later ones are taken by the next look.
    pub last: Option<Timestamp>,
    /// When it alarmed last.
    pub detected: Option<Timestamp>,
}

/// One look of the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendPoint {
    /// When.
    pub at: Timestamp,
    /// What served.
    pub version: Option<Version>,
    /// Whether all was well.
    pub good: Option<bool>,
    /// The number of each finding, by its topic.
    pub values: BTreeMap<String, f64>,
    /// Topics that were bad.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bad: BTreeSet<String>,
    /// Topics that had no data or could not be judged.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unknown: BTreeSet<String>,
}

impl Document for WatchReport {
    const SCHEMA: &'static str = "tagship/watch/v1";
}

impl WatchReport {
    /// What is kept of it in the trend.
    pub fn point(&self) -> TrendPoint {
        let topics = |is: fn(Standing) -> bool| {
            self.findings.iter().filter(|one| is(one.standing)).map(|one| one.topic.clone()).collect()
        };
        let values = self.findings.iter().filter_map(|finding| Some((finding.topic.clone(), finding.value?)));
        TrendPoint {
            at: self.at,
            version: self.version.clone(),
            good: self.good,
            values: values.collect(),
            bad: topics(|standing| standing == Standing::Bad),
            unknown: topics(|standing| matches!(standing, Standing::NoData | Standing::Unknown)),
        }
    }
}

impl Finding {
    /// The command to act on it.
    pub fn command(&self, model: &ModelName, environment: &Environment) -> String {
        command(model, environment, self.is_regression)
    }
}

impl Document for IncidentNotice {
    const SCHEMA: &'static str = "tagship/incident/v1";
}

impl IncidentNotice {
    /// One line that says what it is about.
    pub fn title(&self) -> String {
        let what = match self.change {
            IncidentChange::Opened | IncidentChange::Updated if self.topic.ends_with(NO_DATA) => "no data",
            IncidentChange::Opened | IncidentChange::Updated => match self.finding.severity {
                Severity::Page => "act now",
                Severity::Ticket => "look at it",
            },
            IncidentChange::Resolved => "is over",
        };
        format!("{} ({}) {}: {what}", self.model, self.environment, self.topic)
    }
}

/// The command to act on an incident: the way back where it shows that the model got worse, a closer look where not.
pub fn command(model: &ModelName, environment: &Environment, is_regression: bool) -> String {
    if is_regression {
        format!("tagship rollback --model {model} --environment {environment}")
    } else {
        format!("tagship monitor check --model {model} --environment {environment} --dry-run")
    }
}

/// Ends the topic of an incident that is about missing data.
pub const NO_DATA: &str = "/no-data";

/// As it is written in JSON.
impl fmt::Display for IncidentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Resolved => "resolved",
        })
    }
}
