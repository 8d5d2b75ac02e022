//! `environments`: where a version goes, and how it gets there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tagship_domain::Duration;

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    place::Place,
};

/// One environment of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentConfig {
    /// What serves the model there.
    pub target: AdapterSpec,
    /// How traffic moves to a new version.
    pub strategy: Strategy,
    /// How long a rollout may go without progress before it has failed.
    pub progress_deadline: Duration,
    /// What happens when a rollout fails.
    pub on_failure: OnFailure,
}

/// How traffic moves to a new version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// All traffic in one step, after the new version has proven that it serves.
    #[default]
    AllAtOnce,
}

/// What happens when a rollout fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The version from before gets the traffic back.
    #[default]
    Rollback,
}

/// Progress deadline where none is configured.
pub const DEFAULT_PROGRESS_DEADLINE: Duration = Duration::from_secs(600);

/// Where a version of the model goes, and how it gets there.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Environment")]
pub(crate) struct EnvironmentLayer {
    /// What serves the model there, e.g. `local` or `local: { url: "http://127.0.0.1:8080" }`.
    #[schemars(required)]
    target: Option<AdapterLayer>,
    /// How traffic moves to a new version.
    #[schemars(extend("default" = Strategy::default()))]
    strategy: Option<Strategy>,
    /// How long a rollout may go without progress before it has failed.
    #[schemars(extend("default" = DEFAULT_PROGRESS_DEADLINE))]
    progress_deadline: Option<Duration>,
    /// What happens when a rollout fails.
    #[schemars(extend("default" = OnFailure::default()))]
    on_failure: Option<OnFailure>,
}

impl EnvironmentConfig {
    /// An environment with everything but its target at the defaults.
    pub fn for_target(target: AdapterSpec) -> Self {
        Self {
            target,
            strategy: Strategy::default(),
            progress_deadline: DEFAULT_PROGRESS_DEADLINE,
            on_failure: OnFailure::default(),
        }
    }
}

impl EnvironmentLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<EnvironmentConfig> {
        let at = place.key("progress-deadline");
        let progress_deadline = self.progress_deadline.unwrap_or(DEFAULT_PROGRESS_DEADLINE);
        if progress_deadline == Duration::default() {
            at.report("a deadline of no time fails every rollout".to_owned(), None);
        }
        let Some(target) = self.target else {
            let help = "name what serves the model there, e.g. `target: local`".to_owned();
            place.key("target").report("the key `target` is missing".to_owned(), Some(help));
            return None;
        };
        Some(EnvironmentConfig {
            target: target.resolve(&place.key("target")),
            strategy: self.strategy.unwrap_or_default(),
            progress_deadline,
            on_failure: self.on_failure.unwrap_or_default(),
        })
    }
}
