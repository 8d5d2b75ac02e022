//! What a route remembers of what weights do not tell. It changes together with them, in one write.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tagship_domain::{Digest, ModelName, Version, routing::Matched};

/// Where the route keeps it.
pub(super) const STATE: &str = "tagship/state";

/// The memory of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Memory {
    /// The model that is served.
    pub(super) model: ModelName,
    /// Highest fence that was seen.
    pub(super) fence: u64,
    /// The version that keeps what a candidate does not get.
    #[serde(default)]
    pub(super) stable: Option<Version>,
    /// The version that requests with a header are led to.
    #[serde(default, rename = "match")]
    pub(super) matched: Option<Matched>,
    /// Versions that have a place in the route, so that they are known even where their objects lost their marks.
    #[serde(default)]
    pub(super) versions: BTreeMap<Version, Known>,
    /// Shares that may be in force until the gateways have taken over the newest ones.
    #[serde(default)]
    pub(super) before: BTreeMap<Version, Bounds>,
}

/// A version in the route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Name of its Deployment and Service.
    pub(super) name: String,
    pub(super) digest: Digest,
}

/// Shares, in percent, that a version has at least and at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bounds {
    pub(super) low: u8,
    pub(super) high: u8,
}

impl Memory {
    /// Of a model that nothing was written of yet.
    pub(super) fn new(model: ModelName, fence: u64) -> Self {
        let (versions, before) = (BTreeMap::new(), BTreeMap::new());
        Self { model, fence, stable: None, matched: None, versions, before }
    }

    /// The version whose objects have this name.
    pub(super) fn named(&self, name: &str) -> Option<(Version, Digest)> {
        let mut versions = self.versions.iter();
        let found = versions.find(|(_, known)| known.name == name);
        found.map(|(version, known)| (version.clone(), known.digest.clone()))
    }
}

impl Bounds {
    /// Stretched, so that these are within too.
    pub(super) fn with(self, other: Option<Self>) -> Self {
        let other = other.unwrap_or(self);
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// The share that is told of while `wanted` is written: another one, wherever it may be another.
    pub(super) fn told(self, wanted: u8) -> u8 {
        if self.high == wanted { self.low } else { self.high }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_told_as_wanted_only_where_it_can_be_no_other() {
        let bounds = |low: u8, high: u8| Bounds { low, high };
        assert_eq!(bounds(25, 25).told(25), 25);
        assert_eq!(bounds(0, 25).told(25), 0);
        assert_eq!(bounds(0, 25).told(0), 25);
        assert_eq!(bounds(0, 50).told(25), 50);
        assert_eq!(bounds(10, 10).with(Some(bounds(0, 5))), bounds(0, 10));
        assert_eq!(bounds(10, 10).with(None), bounds(10, 10));
    }
}
