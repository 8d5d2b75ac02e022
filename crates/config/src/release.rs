//! `release`: how a version is numbered and where its bytes are kept.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use tagship_domain::{Bump, Version};

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

/// Which number a release takes: a part of the highest one is raised, or it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// This version, e.g. a prerelease, or what a prerelease of the same bytes becomes.
    Exactly(Version),
}

/// What may be written.
const RULES: &str = "`auto`, `major`, `minor`, `patch` or a version such as `v2.0.0-rc.1`";

/// How a version is numbered and where its bytes are kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Release")]
pub(crate) struct ReleaseLayer {
    /// Which part of the version a release raises, or the version itself: `v2.0.0-rc.1`, and `v2.0.0` to make the
    /// prerelease of the same bytes final. Bytes that have another version already are refused then.
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
    /// The part that is always raised, `None` where it depends on what changed or the number is given.
    pub const fn fixed(&self) -> Option<Bump> {
        match self {
            Self::Auto | Self::Exactly(_) => None,
            Self::Major => Some(Bump::Major),
            Self::Minor => Some(Bump::Minor),
            Self::Patch => Some(Bump::Patch),
        }
    }
}

impl fmt::Display for BumpRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Major => f.write_str("major"),
            Self::Minor => f.write_str("minor"),
            Self::Patch => f.write_str("patch"),
            Self::Exactly(version) => version.fmt(f),
        }
    }
}

impl Serialize for BumpRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BumpRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = BumpRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(RULES)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<BumpRule, E> {
                Ok(match text {
                    "auto" => BumpRule::Auto,
                    "major" => BumpRule::Major,
                    "minor" => BumpRule::Minor,
                    "patch" => BumpRule::Patch,
                    _ => BumpRule::Exactly(
                        text.parse()
                            .map_err(|_none| E::custom(format_args!("expected {RULES}, found `{text}`")))?,
                    ),
                })
            }
        }
        deserializer.deserialize_str(Words)
    }
}

impl JsonSchema for BumpRule {
    fn schema_name() -> Cow<'static, str> {
        "BumpRule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Which number a release takes.",
            "oneOf": [
                { "type": "string", "const": "auto",
                  "description": "By what changed: the signature raises major, the weights minor, only metadata patch." },
                { "type": "string", "const": "major", "description": "Always the first number." },
                { "type": "string", "const": "minor", "description": "Always the second number." },
                { "type": "string", "const": "patch", "description": "Always the third number." },
                { "type": "string", "pattern": r"^v\d+\.\d+\.\d+",
                  "description": "This version, e.g. a prerelease, or what a prerelease of the same bytes becomes." }
            ]
        })
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
