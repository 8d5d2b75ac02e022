//! What the cluster has: the versions, their revisions, and which share each has. Everything is decided from this, and
//! reading it writes nothing.
//!
//! The specification holds the newest version; the revision that was rolled out before keeps the rest of the traffic. A
//! revision is of the newest version if it was made after that was written, and says itself that it loads its bytes.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_domain::{
    ModelName, Version,
    traffic::{Arm, Counters, TargetState, Weight},
};
use tagship_ports::{PortError, Problem};

use super::{
    memory::{Known, Memory},
    service::Service,
    split::Split,
};

/// Everything.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) service: Option<Service>,
    /// The notebook as it was read.
    pub(super) notebook: Option<Value>,
    /// What it says; of nothing where it is not there.
    pub(super) memory: Memory,
    /// What the newest revision says of itself; absent where there is none.
    pub(super) said: Option<Newest>,
    /// What there is in Standard mode; absent in Knative mode.
    pub(super) split: Option<Split>,
}

/// What the newest revision says of itself.
#[derive(Debug, Clone)]
pub(super) struct Newest {
    /// Where its pods load their bytes from; empty where it does not say.
    pub(super) uri: String,
    /// Whether its server says that the model is loaded.
    pub(super) answers: bool,
}

impl View {
    pub(super) fn new(
        model: &ModelName,
        service: Option<Value>,
        notebook: Option<Value>,
    ) -> Result<Self, PortError> {
        Self::with(model, service, notebook, None)
    }

    /// The same with what there is in Standard mode.
    pub(super) fn with(
        model: &ModelName,
        service: Option<Value>,
        notebook: Option<Value>,
        split: Option<Split>,
    ) -> Result<Self, PortError> {
        let memory = notebook.as_ref().map(Memory::read).transpose()?;
        let mut memory = memory.unwrap_or_else(|| Memory::new(model.clone(), 0));
        let service = service.map(Service::read);
        match &service {
            None => (memory.stable, memory.versions) = (None, BTreeMap::new()),
            Some(service) => {
                // A version that was remembered but never written: the run ended in between.
                let canary = split.as_ref().and_then(|split| split.canary.as_ref());
                let is_there = |known: &Known| {
                    known.revision.is_some()
                        || known.is_at(&service.uri)
                        || canary.is_some_and(|canary| known.is_at(&canary.uri))
                };
                memory.versions.retain(|_, known| is_there(known));
            }
        }
        Ok(Self { service, notebook, memory, said: None, split })
    }

    /// The highest fence that was seen.
    pub(super) fn fence(&self) -> Option<u64> {
        self.notebook.as_ref().map(|_| self.memory.fence)
    }

    /// The version in the specification.
    pub(super) fn newest(&self) -> Option<(&Version, &Known)> {
        self.service.as_ref().and_then(|service| self.memory.at(&service.uri))
    }

    /// An address that is written and that no version has.
    pub(super) fn unknown(&self) -> Option<&str> {
        let service = self.service.as_ref()?;
        let canary = self.split.as_ref().and_then(|split| split.canary.as_ref());
        let written = std::iter::once(&service.uri).chain(canary.map(|canary| &canary.uri));
        written.map(String::as_str).find(|uri| self.memory.at(uri).is_none())
    }

    pub(super) fn is_newest(&self, version: &Version) -> bool {
        self.newest().is_some_and(|(newest, _)| newest == version)
    }

    /// The revision of the newest version; absent until there is one.
    pub(super) fn newest_revision(&self) -> Option<&str> {
        let created = self.service.as_ref()?.created.as_deref()?;
        let (_, known) = self.newest()?;
        let is_its = self.said.as_ref().is_some_and(|newest| known.is_at(&newest.uri));
        (is_its && known.since.as_deref() != Some(created)).then_some(created)
    }

    /// The revision of a version; absent until there is one.
    pub(super) fn revision(&self, version: &Version) -> Option<&str> {
        if self.is_newest(version) {
            return self.newest_revision();
        }
        self.memory.versions.get(version).and_then(|known| known.revision.as_deref())
    }

    /// The version that a revision serves.
    fn version_of(&self, revision: &str) -> Option<&Version> {
        if self.newest_revision() == Some(revision) {
            return self.newest().map(|(version, _)| version);
        }
        let mut known = self.memory.versions.iter();
        known.find(|(_, known)| known.revision.as_deref() == Some(revision)).map(|(version, _)| version)
    }

    /// Shares that are in force.
    ///
    /// # Errors
    /// Where a revision has traffic of which nobody knows what it serves.
    pub(super) fn shares(&self) -> Result<BTreeMap<Version, u8>, PortError> {
        let mut shares = BTreeMap::new();
        let Some(service) = self.service.as_ref().filter(|service| !service.hidden) else {
            return Ok(shares);
        };
        if let Some(split) = &self.split {
            return self.split_shares(split);
        }
        for (revision, share) in service.traffic.iter().filter(|(_, share)| *share > 0) {
            let version = self.version_of(revision).ok_or_else(|| {
                let message =
                    format!("revision {revision} has {share}% of the traffic and is of no known version");
                PortError::new(Problem::Unreachable, "look at the InferenceService", message)
            })?;
            let sum: &mut u8 = shares.entry(version.clone()).or_default();
            *sum = sum.saturating_add(*share);
        }
        Ok(shares)
    }

    /// The share that a version has; none where that is not known.
    pub(super) fn share(&self, version: &Version) -> Option<u8> {
        self.shares().ok().map(|shares| shares.get(version).copied().unwrap_or_default())
    }

    /// The share that is written for a version.
    pub(super) fn wanted(&self, version: &Version) -> u8 {
        let Some(service) = self.service.as_ref().filter(|service| !service.hidden) else { return 0 };
        if self.split.is_some() {
            return self.split_wanted(version);
        }
        let keeper = service.rolled_out.as_deref().and_then(|revision| self.version_of(revision));
        // Without a revision to keep the rest, the percent is ignored.
        let percent = service.percent.filter(|_| service.rolled_out.is_some()).unwrap_or(100);
        let newest = if self.is_newest(version) { percent } else { 0 };
        let kept = if keeper == Some(version) { 100 - percent } else { 0 };
        newest + kept
    }

    /// Whether the newest version is loaded and answers.
    pub(super) fn is_newest_ready(&self) -> bool {
        let revision = self.newest_revision();
        let answers = self.said.as_ref().is_some_and(|newest| newest.answers);
        self.service.as_ref().is_some_and(|service| {
            revision.is_some() && service.ready.as_deref() == revision && service.is_current && answers
        })
    }

    /// Whether the newest version's own server has to be asked: one that `KServe` calls ready, and that has not proven itself by
    /// having everything.
    pub(super) fn must_answer(&self) -> bool {
        let revision = self.newest_revision();
        self.is_newest_ready()
            && self
                .service
                .as_ref()
                .is_some_and(|service| service.hidden || service.rolled_out.as_deref() != revision)
    }

    /// Whether a version can be given traffic by a share alone.
    pub(super) fn is_ready(&self, version: &Version) -> bool {
        let Some(service) = &self.service else { return false };
        if let Some(split) = &self.split {
            return self.is_split_ready(split, version);
        }
        if self.is_newest(version) && self.is_newest_ready() {
            return true;
        }
        let revision = self.memory.versions.get(version).and_then(|known| known.revision.as_deref());
        let in_traffic =
            service.traffic.iter().any(|(name, share)| Some(name.as_str()) == revision && *share > 0);
        // At rest, a share alone leads back to the one before.
        let is_before = service.previous.as_deref() == revision && self.is_at_rest();
        let is_kept = service.rolled_out.as_deref() == revision || is_before;
        revision.is_some() && (in_traffic || is_kept)
    }

    /// Whether the newest version has everything, and nothing is on its way.
    pub(super) fn is_at_rest(&self) -> bool {
        let revision = self.newest_revision();
        self.service
            .as_ref()
            .is_some_and(|service| self.is_newest_ready() && service.rolled_out.as_deref() == revision)
    }

    /// Why the newest version will not get ready.
    pub(super) fn failure(&self) -> Option<&str> {
        self.service.as_ref().and_then(|service| service.failure.as_deref())
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
