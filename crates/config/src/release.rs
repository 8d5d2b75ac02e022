//! `release`: how a version is numbered and where its bytes are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tagship_domain::Bump;

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    place::Place,
};

/// How a release is made. The default is an automatic number and the store `file`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseSettings {
    /// Which part of the version is raised.
    pub bump: BumpRule,
    /// Where the bytes of a release are kept.
    pub store: AdapterSpec,
}

/// Which part of the version a release raises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BumpRule {
    /// By what changed: the signature raises major, the weights minor, only metadata patch.
    #[default]
    Auto,
    /// Always the first number.
    Major,
    /// Always the second number.
    Minor,
    /// Always the third number.
    Patch,
}

/// How a version is numbered and where its bytes are kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Release")]
pub(crate) struct ReleaseLayer {
    /// Which part of the version a release raises.
    #[schemars(extend("default" = BumpRule::default()))]
    bump: Option<BumpRule>,
    /// The store that keeps the bytes of releases, e.g. `file` or `file: { path: releases }`.
    #[schemars(extend("default" = DEFAULT_STORE))]
    store: Option<AdapterLayer>,
}

const DEFAULT_STORE: &str = "file";

impl BumpRule {
    /// The part that is always raised, `None` where it depends on what changed.
    pub const fn fixed(self) -> Option<Bump> {
        match self {
            Self::Auto => None,
            Self::Major => Some(Bump::Major),
            Self::Minor => Some(Bump::Minor),
            Self::Patch => Some(Bump::Patch),
        }
    }
}

impl Default for ReleaseSettings {
    fn default() -> Self {
        Self { bump: BumpRule::default(), store: AdapterSpec::of_kind(DEFAULT_STORE) }
    }
}

impl ReleaseLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> ReleaseSettings {
        let default = ReleaseSettings::default();
        ReleaseSettings {
            bump: self.bump.unwrap_or(default.bump),
            store: self.store.map_or(default.store, |store| store.resolve(&place.key("store"))),
        }
    }
}
