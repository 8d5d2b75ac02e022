//! What the cluster has: the versions, their pods, and which share each has. Everything is decided from this, and reading it
//! writes nothing.
//!
//! Argo's status says how traffic is shared among two Services, and those say themselves to which pods they lead; the `ReplicaSet` of
//! these pods says which version they are. So nothing rests on a status that may be of the specification before.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_domain::{
    Digest, ModelName, Version,
    traffic::{Arm, Counters, TargetState, Weight},
};
use tagship_ports::{PortError, Problem};

use super::{
    memory::{Known, Memory},
    rollout::Rollout,
    services,
    steps::Steps,
};

/// Everything.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) rollout: Option<Rollout>,
    pub(super) memory: Memory,
    /// The Service of what is stable.
    pub(super) stable: Option<Value>,
    /// The Service of what is rolled out.
    pub(super) canary: Option<Value>,
    /// Pods by their hash.
    pub(super) pods: BTreeMap<String, Pods>,
    /// Whether the server behind the canary's Service says that its model is loaded; taken for granted where it was not asked.
    pub(super) answers: bool,
}

/// The pods of a template.
#[derive(Debug, Clone)]
pub(super) struct Pods {
    pub(super) version: Version,
    pub(super) digest: Digest,
    pub(super) available: u64,
}

impl View {
    pub(super) fn new(
        model: &ModelName,
        rollout: Option<Value>,
        stable: Option<Value>,
        canary: Option<Value>,
    ) -> Result<Self, PortError> {
        let memory = rollout.as_ref().map(Memory::read).transpose()?;
        Ok(Self {
            memory: memory.unwrap_or_else(|| Memory::new(model.clone())),
            rollout: rollout.map(Rollout::read),
            stable,
            canary,
            pods: BTreeMap::new(),
            answers: true,
        })
    }

    /// The highest fence that was seen.
    pub(super) fn fence(&self) -> Option<u64> {
        let remembered = self.rollout.as_ref().map(|_| self.memory.fence);
        remembered.max(self.stable.as_ref().and_then(services::fence))
    }

    /// Hashes of pods that matter.
    pub(super) fn hashes(&self) -> Vec<String> {
        let rollout = self.rollout.iter().flat_map(|rollout| [&rollout.current, &rollout.stable]);
        let services = [&self.canary, &self.stable]
            .into_iter()
            .flatten()
            .filter_map(|service| services::leads_to(service));
        let mut all: Vec<String> = rollout.flatten().cloned().chain(services.map(str::to_owned)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether no request from outside reaches the stable Service.
    pub(super) fn is_closed(&self) -> bool {
        self.stable.as_ref().is_none_or(services::is_closed)
    }

    /// The pods that a Service leads to.
    fn behind(&self, service: Option<&Value>) -> Option<&Pods> {
        self.pods.get(services::leads_to(service?)?)
    }

    /// Whether the pod template is of a version.
    pub(super) fn is_written(&self, version: &Version) -> bool {
        self.rollout.as_ref().is_some_and(|rollout| rollout.version.as_ref() == Some(version))
    }

    /// The version that Argo calls stable.
    pub(super) fn kept(&self) -> Option<&Version> {
        let hash = self.rollout.as_ref()?.stable.as_ref()?;
        self.pods.get(hash).map(|pods| &pods.version)
    }

    /// Whether a version is written, and Argo has nothing more to do for it.
    pub(super) fn is_settled(&self, version: &Version) -> bool {
        self.rollout.as_ref().is_some_and(|rollout| rollout.is_observed && rollout.current == rollout.stable)
            && self.is_written(version)
            && self.kept() == Some(version)
    }

    /// Shares that are in force.
    ///
    /// # Errors
    /// Where it is not known who has which.
    pub(super) fn shares(&self) -> Result<BTreeMap<Version, u8>, PortError> {
        let mut shares = BTreeMap::new();
        let Some(rollout) = &self.rollout else { return Ok(shares) };
        let unknown = |message: &str| PortError::new(Problem::Unreachable, "look at the Rollout", message);
        let is_closed = self.is_closed();
        let Some(weight) = rollout.weight.or(is_closed.then_some(0)) else {
            return Err(unknown(
                "Argo Rollouts does not say how traffic is shared, or its router does not confirm it",
            ));
        };
        let kept = if is_closed { 0 } else { 100 - weight };
        for (service, share) in [(&self.canary, weight), (&self.stable, kept)] {
            if share == 0 {
                continue;
            }
            let pods = self
                .behind(service.as_ref())
                .ok_or_else(|| unknown(&format!("pods of no known version have {share}% of the traffic")))?;
            *shares.entry(pods.version.clone()).or_default() += share;
        }
        Ok(shares)
    }

    /// The share that a version has; none where that is not known.
    pub(super) fn share(&self, version: &Version) -> Option<u8> {
        self.shares().ok().map(|shares| shares.get(version).copied().unwrap_or_default())
    }

    /// The share that is written for a version.
    pub(super) fn wanted(&self, version: &Version) -> u8 {
        let Some(rollout) = self.rollout.as_ref().filter(|_| self.memory.open) else { return 0 };
        let written = match rollout.steps {
            _ if rollout.version.as_ref() == self.memory.stable.as_ref() || self.memory.stable.is_none() => {
                100
            }
            Steps::Share(share) => share,
            Steps::Through | Steps::Other => 100,
        };
        let kept = if self.memory.stable.as_ref() == Some(version) { 100 - written } else { 0 };
        if self.is_written(version) { written } else { kept }
    }

    /// Whether the version that is written has a share, the pods and the pause that go with it.
    pub(super) fn is_in_force(&self, version: &Version, share: u8) -> bool {
        let at = self.rollout.as_ref().is_some_and(|rollout| {
            rollout.is_observed && rollout.is_paused && rollout.steps == Steps::Share(share)
        });
        at && self.is_written(version) && self.share(version) == Some(share)
    }

    /// The hash of the pods of a version; of several, that of the most pods.
    pub(super) fn hash(&self, version: &Version) -> Option<&str> {
        let known = self.memory.versions.get(version)?;
        let its =
            self.pods.iter().filter(|(_, pods)| pods.version == *version && pods.digest == known.digest);
        its.max_by_key(|(_, pods)| pods.available).map(|(hash, _)| hash.as_str())
    }

    /// The Service that leads to pods of a version.
    pub(super) fn reaches(&self, version: &Version) -> Option<&Value> {
        let known = self.memory.versions.get(version)?;
        let is_its = |service: &&Value| {
            self.behind(Some(service))
                .is_some_and(|pods| pods.version == *version && pods.digest == known.digest)
        };
        [&self.canary, &self.stable].into_iter().flatten().find(is_its)
    }

    /// Whether the server of the written version has to be asked: one that has pods, and has not proven itself by having
    /// everything.
    pub(super) fn must_answer(&self) -> bool {
        let pods = self.behind(self.canary.as_ref()).filter(|pods| pods.available > 0);
        pods.is_some_and(|pods| {
            self.is_written(&pods.version) && (self.is_closed() || self.kept() != Some(&pods.version))
        })
    }

    /// Whether a version can answer requests.
    pub(super) fn is_ready(&self, version: &Version) -> bool {
        let has_pods = self.pods.values().any(|pods| pods.version == *version && pods.available > 0);
        let fails = self.is_written(version) && self.kept() != Some(version) && self.failure().is_some();
        if !has_pods || fails || self.reaches(version).is_none() {
            return false;
        }
        let is_asked = self.behind(self.canary.as_ref()).is_some_and(|pods| pods.version == *version);
        // Before there is a stable version, Argo has to call the first one that.
        let is_first = self.memory.stable.is_none();
        (!is_asked || self.answers) && (!is_first || self.kept() == Some(version))
    }

    /// Why the version that is written will not go on.
    pub(super) fn failure(&self) -> Option<&str> {
        self.rollout.as_ref().and_then(|rollout| rollout.failure.as_deref())
    }

    /// What the target has. While what is written is not in force, what is in force is told.
    ///
    /// # Errors
    /// Where nobody knows which version has which share.
    pub(super) fn state(&self) -> Result<TargetState, PortError> {
        let shares = self.shares()?;
        let arm = |(version, known): (&Version, &Known)| Arm {
            version: version.clone(),
            digest: known.digest.clone(),
            ready: self.is_ready(version),
            weight: Weight::percent(shares.get(version).copied().unwrap_or_default()).unwrap_or(Weight::ALL),
            counters: Counters::default(),
        };
        Ok(TargetState { arms: self.memory.versions.iter().map(arm).collect() })
    }
}
