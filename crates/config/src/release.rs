//! `release`: how a version is numbered and where its bytes are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tagship_domain::Bump;

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    place::Place,
    signing::SignLayer,
};

/// How a release is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReleaseSettings {
    /// Which part of the version is raised.
    pub bump: BumpRule,
    /// Where the bytes of a release are kept; where the repository is hosted and nothing is said, as files of the
    /// host's releases, elsewhere in a directory.
    pub store: Option<AdapterSpec>,
    /// The environment variable with the private key that signs releases; absent where they are not signed.
    pub sign_key_env: Option<String>,
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
    /// The store that keeps the bytes of releases: `github` (files of GitHub releases, the default in a workflow), `file`
    /// or `file: { path: releases }` (a directory, the default elsewhere), `s3: { bucket: models, region: eu-central-1 }`,
    /// `gcs: { bucket: models }`, `azure: { account: acme, container: models }` or
    /// `oci: { repository: ghcr.io/acme/churn }`.
    store: Option<AdapterLayer>,
    /// The key that signs releases, e.g. `{ key-env: TAGSHIP_SIGNING_KEY }`.
    sign: Option<SignLayer>,
}

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

impl ReleaseLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> ReleaseSettings {
        ReleaseSettings {
            bump: self.bump.unwrap_or_default(),
            store: self.store.map(|store| store.resolve(&place.key("store"))),
            sign_key_env: self.sign.and_then(|sign| sign.resolve(&place.key("sign"))),
        }
    }
}
