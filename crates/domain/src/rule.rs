//! What a rule of validation says, why it is there and what to do about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    schema::Document,
    validation::{Severity, Status, Verdict},
};

/// The answer of `tagship validate --explain`, and the page of a rule in the documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleDescription {
    /// Stable id, e.g. `PKL101`.
    pub id: String,
    /// What it says, a fragment of a sentence.
    pub title: String,
    /// How bad a hit is.
    pub severity: Severity,
    /// The verdict that a hit leads to where the policy says nothing else.
    pub verdict: Verdict,
    /// How far the analysis can have got where it hits.
    pub status: Status,
    /// What a hit would lead to.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
    /// Where to read more.
    pub references: Vec<RuleReference>,
}

/// A place to read more about a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleReference {
    /// What it is called.
    pub title: String,
    /// Its address.
    pub url: String,
}

impl Document for RuleDescription {
    const SCHEMA: &'static str = "tagship/rule/v1";
}
