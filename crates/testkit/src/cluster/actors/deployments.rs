//! The controller of Deployments: prompt, slow, failing, or short of pods after nodes were lost.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Actor, Deed, Scene, generation, text, with_status};

/// Plays Deployments and their pods.
#[derive(Debug, Default)]
pub struct Deployments {
    delay: u32,
    failing: Option<String>,
    lost: BTreeMap<String, u64>,
    /// Steps that were taken, by Deployment and generation.
    taken: BTreeMap<(String, u64), u32>,
}

impl Actor for Deployments {
    fn name(&self) -> &'static str {
        "kube-controller-manager"
    }

    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed> {
        let deployments: Vec<&Value> = scene.all("deployments.apps").collect();
        deployments.into_iter().filter_map(|deployment| self.tend(deployment)).collect()
    }
}

impl Deployments {
    /// The pods of a generation are available after so many steps.
    pub fn slow(steps: u32) -> Self {
        Self { delay: steps, ..Self::default() }
    }

    /// Deployments with this text in their name never get an available pod, and say so.
    pub fn failing(part: &str) -> Self {
        Self { failing: Some(part.to_owned()), ..Self::default() }
    }

    /// A Deployment has lost so many pods, which do not come back.
    pub fn without_pods(name: &str, lost: u64) -> Self {
        Self { lost: BTreeMap::from([(name.to_owned(), lost)]), ..Self::default() }
    }

    fn tend(&mut self, deployment: &Value) -> Option<Deed> {
        let name = text(deployment, "/metadata/name");
        let key = (text(deployment, "/metadata/uid").to_owned(), generation(deployment));
        let taken = self.taken.entry(key).or_default();
        *taken = taken.saturating_add(1);
        let outlook = if self.failing.as_ref().is_some_and(|part| name.contains(part)) {
            Outlook::Failed
        } else if *taken <= self.delay {
            Outlook::Coming
        } else {
            Outlook::Available { lost: self.lost.get(name).copied().unwrap_or_default() }
        };
        with_status(deployment, status(deployment, outlook))
    }
}

/// How the pods do.
#[derive(Debug, Clone, Copy)]
enum Outlook {
    Coming,
    Available { lost: u64 },
    Failed,
}

fn status(deployment: &Value, outlook: Outlook) -> Value {
    let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
    let available = match outlook {
        Outlook::Available { lost } => wanted.saturating_sub(lost),
        Outlook::Coming | Outlook::Failed => 0,
    };
    let (progressing, reason) = match outlook {
        Outlook::Coming => ("True", "ReplicaSetUpdated"),
        Outlook::Available { .. } => ("True", "NewReplicaSetAvailable"),
        Outlook::Failed => ("False", "ProgressDeadlineExceeded"),
    };
    let is_available = if available == wanted { "True" } else { "False" };
    json!({
        "observedGeneration": generation(deployment),
        "replicas": wanted,
        "updatedReplicas": wanted,
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": wanted - available,
        "conditions": [
            { "type": "Available", "status": is_available, "reason": "MinimumReplicas" },
            { "type": "Progressing", "status": progressing, "reason": reason },
        ],
    })
}
