//! Objectives of a service: whether it keeps what was promised, and how fast it spends what may go wrong.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    name::{Environment, ModelName},
    schema::Document,
    time::Timestamp,
    units::Duration,
    version::Version,
};

/// What the objectives of a model in an environment say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloReport {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// What serves there.
    pub version: Version,
    /// When it was looked at.
    pub at: Timestamp,
    /// Each objective.
    pub objectives: Vec<ObjectiveReport>,
    /// Whether all objectives are kept; false where one burns, null where one cannot be judged, which is never the same as kept.
    pub good: Option<bool>,
}

/// One objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectiveReport {
    /// Its name.
    pub name: String,
    /// What is asked for, in words.
    pub asked: String,
    /// How it stands.
    pub state: SloState,
    /// How urgent that is; absent where nothing burns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The newest value, where it is about values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Pairs of windows, where it is about a share of requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<BurnWindow>,
    /// Share of the errors of 30 days that may still happen, below 0 where more have; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_left: Option<f64>,
    /// Why, in one sentence.
    pub reason: String,
}

/// How an objective stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SloState {
    /// It is kept.
    Kept,
    /// It is broken, or will soon be at this pace.
    Burning,
    /// There is no data, which is an alert of its own.
    NoData,
    /// There is data, and too little of it, or its source could not be asked.
    Unknown,
}

/// How urgent something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody should look in the next days.
    Ticket,
    /// Somebody has to act now.
    Page,
}

/// How fast the budget is spent, over a long and a short window: it alarms where both are above the factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BurnWindow {
    /// How urgent it is where it alarms.
    pub severity: Severity,
    /// Lengths of the long and the short window.
    pub windows: [Duration; 2],
    /// So many times the pace that spends the budget in 30 days.
    pub factor: f64,
    /// The pace over the windows; null where nothing happened or it is not known.
    pub burn: [Option<f64>; 2],
    /// Requests of the long window.
    pub events: u64,
    /// Of these, bad ones.
    pub bad: u64,
    /// Whether it alarms; null where that cannot be said.
    pub fires: Option<bool>,
}

impl BurnWindow {
    /// The pace of the window that is farther from it, as a part of the one that alarms: above 1 it alarms, where there are
    /// enough requests. `None` where a pace is not known.
    pub fn nearness(&self) -> Option<f64> {
        let [long, short] = self.burn;
        Some(long?.min(short?) / self.factor)
    }
}

impl Document for SloReport {
    const SCHEMA: &'static str = "tagship/slo/v1";
}

/// As it is written in JSON.
impl fmt::Display for SloState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "kept",
            Self::Burning => "burning",
            Self::NoData => "no data",
            Self::Unknown => "unknown",
        })
    }
}

/// As it is written in JSON.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticket => "ticket",
            Self::Page => "page",
        })
    }
}
