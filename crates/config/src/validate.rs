//! `validate`: which artifacts are let through before anything else looks at them.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tagship_domain::{ByteSize, Duration};

use crate::path::RepoPath;

/// A file format that can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// An ONNX graph with its external data.
    Onnx,
    /// Tensors without code.
    Safetensors,
    /// A Python pickle; only passes where every global is known to be harmless.
    Pickle,
    /// A joblib dump, which is a pickle with arrays behind it; judged like one.
    Joblib,
}

/// What validation asks of an artifact. The default is what counts where nothing is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidateSettings {
    /// Formats that are let through; any other one is rejected.
    pub formats: BTreeSet<Format>,
    /// Largest size of all files of the artifact together; no limit where absent.
    pub max_size: Option<ByteSize>,
    /// Golden cases, where there are some.
    pub golden: Option<GoldenSettings>,
}

/// Inputs with the outputs that the model must give for them.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenSettings {
    /// The file that holds the cases.
    pub cases: RepoPath,
    /// A number `y` answers for the expected `x` when `|y - x| <= tolerance * (1 + |x|)`.
    pub tolerance: f64,
    /// The longest that one case may take; not judged where absent.
    pub max_latency: Option<Duration>,
}

/// Tolerance of golden cases where none is configured.
pub const DEFAULT_TOLERANCE: f64 = 1e-4;

impl Format {
    /// Every format, in the order in which the configuration documents them.
    pub const ALL: [Self; 4] = [Self::Onnx, Self::Safetensors, Self::Pickle, Self::Joblib];

    /// The name as it is configured and reported.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
            Self::Pickle => "pickle",
            Self::Joblib => "joblib",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for ValidateSettings {
    fn default() -> Self {
        Self { formats: Format::ALL.into(), max_size: None, golden: None }
    }
}
