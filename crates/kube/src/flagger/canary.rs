//! A `Canary` as Flagger's status tells it.
//!
//! The status does not say which pod template it is of: there is no `observedGeneration`, and its hashes of templates are of
//! Flagger's own making. So a phase counts for a version only with other evidence, see [`super::view`].

use serde_json::Value;
use tagship_domain::Timestamp;
use tagship_ports::{PortError, Problem};

use crate::object::text;

/// Where Flagger stands with a pod template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It makes the primary Deployment; it has not looked yet.
    Initializing,
    /// The primary Deployment was made from what was there, without an analysis.
    Initialized,
    /// A webhook keeps the analysis from beginning.
    Waiting,
    Progressing,
    /// A webhook keeps the promotion from beginning.
    WaitingPromotion,
    /// The primary Deployment gets the new template.
    Promoting,
    /// All traffic is led to the primary Deployment.
    Finalising,
    Succeeded,
    /// The primary Deployment keeps what it had.
    Failed,
    /// The `Canary` is deleted.
    Terminating,
}

/// A `Canary`.
#[derive(Debug, Clone)]
pub(super) struct Canary {
    /// `NAMESPACE/NAME`.
    pub(super) name: String,
    /// Name of the Deployment whose pod template Flagger tries.
    pub(super) target: String,
    pub(super) phase: Phase,
    /// The share of the pods of that Deployment in percent, as the status says; it is only kept while the analysis runs.
    pub(super) weight: u8,
    failed_checks: u64,
    /// What Flagger says about the phase; empty where nothing.
    message: String,
    /// Flagger's name for the template that it took up last.
    pub(super) applied: String,
    /// When Flagger wrote the status last.
    pub(super) changed: Option<Timestamp>,
    is_suspended: bool,
}

impl Phase {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "" | "Initializing" => Self::Initializing,
            "Initialized" => Self::Initialized,
            "Waiting" => Self::Waiting,
            "Progressing" => Self::Progressing,
            "WaitingPromotion" => Self::WaitingPromotion,
            "Promoting" => Self::Promoting,
            "Finalising" => Self::Finalising,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Terminating" | "Terminated" => Self::Terminating,
            _ => return None,
        })
    }

    /// Whether Flagger is between taking a template up and its end.
    pub(super) fn runs(self) -> bool {
        use Phase::{Finalising, Progressing, Promoting, Waiting, WaitingPromotion};
        matches!(self, Waiting | Progressing | WaitingPromotion | Promoting | Finalising)
    }
}

impl Canary {
    /// Reads it.
    ///
    /// # Errors
    /// For a target that is no Deployment, and for a status that says what is not known here.
    pub(super) fn read(operation: &str, object: &Value) -> Result<Self, PortError> {
        let (spec, status) = (&object["spec"], &object["status"]);
        let name = format!("{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"));
        if spec["targetRef"]["kind"] != "Deployment" {
            let kind = text(spec, "/targetRef/kind");
            let message =
                format!("the `targetRef` of Canary {name} is a {kind}, and only Deployments are followed");
            return Err(PortError::new(Problem::Unsupported, operation, message)
                .hint("let Flagger lead a Deployment, or choose another target"));
        }
        let word = text(status, "/phase");
        let phase = Phase::of(word).ok_or_else(|| {
            let message = format!("Canary {name} is in phase {word:?}, which is not known here");
            PortError::new(Problem::Unreachable, operation, message)
        })?;
        let weight = status["canaryWeight"].as_u64().unwrap_or_default();
        Ok(Self {
            name,
            target: text(spec, "/targetRef/name").to_owned(),
            phase,
            weight: u8::try_from(weight.min(100)).unwrap_or(100),
            failed_checks: status["failedChecks"].as_u64().unwrap_or_default(),
            message: message(status).to_owned(),
            applied: text(status, "/lastAppliedSpec").to_owned(),
            changed: text(status, "/lastTransitionTime").parse().ok(),
            is_suspended: spec["suspend"] == true,
        })
    }

    /// Where it stands, as a sentence without an end.
    pub(super) fn story(&self) -> String {
        let share = match self.phase {
            Phase::Progressing | Phase::Waiting => format!(" at {}%", self.weight),
            _ => String::new(),
        };
        let checks = match self.failed_checks {
            0 => String::new(),
            1 => " with 1 failed check".to_owned(),
            many => format!(" with {many} failed checks"),
        };
        let suspended = if self.is_suspended { ", and it is suspended" } else { "" };
        let story = format!("Canary {} is {:?}{share}{checks}{suspended}", self.name, self.phase);
        match self.message.as_str() {
            "" => story,
            message => format!("{story}: {}", message.trim_end_matches('.')),
        }
    }
}

/// What Flagger says about the phase.
fn message(status: &Value) -> &str {
    let mut all = status["conditions"].as_array().into_iter().flatten();
    all.find(|condition| condition["type"] == "Promoted").map_or("", |promoted| text(promoted, "/message"))
}
