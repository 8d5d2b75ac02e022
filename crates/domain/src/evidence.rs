//! What sequential tests remember between looks: plain numbers, O(1), kept in the journal. The formulas that move
//! them are in the crate `stats`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What a test remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "test")]
pub enum Evidence {
    /// Boundary e-processes on shares.
    Boundary(BoundaryEvidence),
    /// One boundary e-process per bound of a histogram.
    Buckets(BucketEvidence),
    /// Sign e-process on pairs.
    Paired(PairedEvidence),
    /// Two-sample e-process on class counts.
    Multinomial(MultinomialEvidence),
    /// One-sample e-process against a fixed bound.
    Fixed(FixedEvidence),
}

/// Boundary e-processes on the shares of two versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoundaryEvidence {
    /// End of the newest window; a window that does not end later adds nothing.
    pub end: Option<Timestamp>,
    /// Observations and bad ones of stable, then of the candidate, over all looks.
    pub totals: [u64; 4],
    /// Log e-values against "no worse than tolerated", one per alternative.
    pub rollback: Vec<f64>,
}

/// Boundary e-processes on "slower than", one per bound.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BucketEvidence {
    /// End of the newest window.
    pub end: Option<Timestamp>,
}

/// Sign e-process on pairs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairedEvidence {
    /// End of the newest window.
    pub end: Option<Timestamp>,
}

/// Two-sample e-process on class counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MultinomialEvidence {
    /// End of the newest window.
    pub end: Option<Timestamp>,
    /// Counts of stable and candidate by class, over all looks.
    pub classes: BTreeMap<String, [u64; 2]>,
}

/// One-sample e-process against a fixed bound.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixedEvidence {
    /// End of the newest window.
    pub end: Option<Timestamp>,
}
