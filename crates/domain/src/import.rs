//! What became of a specification of another system: a configuration, and every difference between the two.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::Document;

/// A specification of another system as a configuration of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// The text of a `tagship.yml`, with the notes as comments beside the places that they are about.
    pub config: String,
    /// Every difference, in the order of the specification.
    pub notes: Vec<ImportNote>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportNote {
    /// What it asks of the reader.
    pub kind: ImportKind,
    /// Where it stands in the specification, e.g. `Rollout/web spec.strategy.canary.steps[2]`.
    pub at: String,
    /// What is different, in a sentence.
    pub text: String,
}

/// What a difference asks of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportKind {
    /// It was carried over and behaves in another way.
    Differs,
    /// Nothing here corresponds to it, and no verdict rests on it.
    LeftOut,
    /// It could not be carried over safely: a person writes it, or decides in its place.
    ByHand,
}

impl ImportKind {
    /// The word that tables and comments use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::LeftOut => "left out",
            Self::ByHand => "by hand",
        }
    }
}

impl Document for Import {
    const SCHEMA: &'static str = "tagship/import/v1";
}
