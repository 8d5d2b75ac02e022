//! `validate`: which artifacts are let through before anything else looks at them.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tagship_domain::{
    ByteSize, Duration,
    bundle::Bundle,
    suppression::{Day, Suppression},
    validation::Severity,
};

use crate::{
    allow::{AllowLayer, AllowedGlobal},
    path::RepoPath,
    place::Place,
};

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
    /// A PyTorch file: state or module in a pickle, with its storages.
    Torch,
    /// A TorchScript archive: code that PyTorch compiles, with its storages.
    #[serde(rename = "torchscript")]
    TorchScript,
    /// One array of numpy.
    Npy,
    /// Arrays of numpy in a zip archive.
    Npz,
    /// A zip archive that is none of the others; what it holds counts by itself.
    Zip,
    /// A tar archive; what it holds counts by itself.
    Tar,
    /// A GGUF model for llama.cpp and its relatives.
    Gguf,
    /// HDF5, as Keras 2 writes models and weights.
    Hdf5,
    /// A Keras 3 archive.
    Keras,
    /// A skops archive of a scikit-learn model.
    Skops,
    /// A TensorFlow SavedModel.
    TfSavedModel,
    /// A frozen TensorFlow graph.
    TfGraph,
    /// The index of a TensorFlow checkpoint.
    TfCheckpoint,
    /// The architecture of a Keras model.
    KerasJson,
    /// An XGBoost model as JSON.
    XgboostJson,
    /// An XGBoost model as UBJSON.
    XgboostUbj,
    /// An XGBoost model in its old binary format.
    XgboostBinary,
    /// A LightGBM model as text.
    LightgbmText,
    /// A LightGBM model as JSON.
    LightgbmJson,
    /// A CatBoost model in its binary format.
    Catboost,
    /// A CatBoost model as JSON.
    CatboostJson,
    /// A TensorFlow Lite model.
    Tflite,
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
    /// The least severity of a finding that rejects.
    pub fail_on: Severity,
    /// Findings that do not count. Whether their rules exist is known to the analysis.
    pub suppress: Vec<Suppression>,
    /// Libraries whose listed objects may be in a pickle.
    pub bundles: BTreeSet<Bundle>,
    /// Globals that pickles may name beyond those that are listed.
    pub allow: Vec<AllowedGlobal>,
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

/// Which artifacts are let through.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Validate")]
pub(crate) struct ValidateLayer {
    /// Formats that are let through; any other one is rejected.
    #[schemars(length(min = 1), extend("default" = Format::ALL))]
    formats: Option<Vec<Format>>,
    /// Largest size of all files of the artifact together, e.g. `2GiB`.
    max_size: Option<ByteSize>,
    /// Inputs with the outputs that the model must give for them.
    golden: Option<GoldenLayer>,
    /// The least severity of a finding that rejects; what is below only warns.
    #[schemars(extend("default" = FailOn::High))]
    fail_on: Option<FailOn>,
    /// Findings that were looked at and do not count.
    suppress: Option<Vec<SuppressionLayer>>,
    /// Libraries whose objects a pickle may hold, as far as they are known to be harmless; what only others bring is rejected.
    #[schemars(extend("default" = Bundle::ALL))]
    bundles: Option<Vec<Bundle>>,
    /// Globals that were looked at and that pickles may name too, e.g. classes of your own.
    allow: Option<Vec<AllowLayer>>,
}

/// Severities that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FailOn {
    /// What is suspicious rejects too.
    Medium,
    /// What is dangerous or broken rejects.
    High,
    /// Only what runs code or is an attack rejects.
    Critical,
}

/// A finding that was looked at and does not count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Suppression")]
pub(crate) struct SuppressionLayer {
    /// Id of the rule, e.g. `PKL102`.
    #[schemars(required)]
    rule: Option<String>,
    /// What the finding has to be about, exactly as the report names it, e.g. `churn.features.Encoder`; anything where it is
    /// left out.
    about: Option<String>,
    /// Why it does not count; shown with the finding.
    #[schemars(required)]
    reason: Option<String>,
    /// The last day on which it holds, in UTC, e.g. `2027-03-31`; for good where it is left out.
    until: Option<Day>,
}

/// Inputs with the outputs that the model must give for them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Golden")]
pub(crate) struct GoldenLayer {
    /// The file that holds the cases, e.g. `models/churn/golden.json`.
    #[schemars(required)]
    cases: Option<RepoPath>,
    /// How far a number may be off, absolutely and in proportion to the expected one.
    #[schemars(range(min = 0.0), extend("default" = DEFAULT_TOLERANCE))]
    tolerance: Option<f64>,
    /// The longest that one case may take, e.g. `50ms`.
    max_latency: Option<Duration>,
}

impl Format {
    /// Every format, in the order in which the configuration documents them.
    pub const ALL: [Self; 26] = [
        Self::Onnx,
        Self::Safetensors,
        Self::Pickle,
        Self::Joblib,
        Self::Torch,
        Self::TorchScript,
        Self::Npy,
        Self::Npz,
        Self::Zip,
        Self::Tar,
        Self::Gguf,
        Self::Hdf5,
        Self::Keras,
        Self::Skops,
        Self::TfSavedModel,
        Self::TfGraph,
        Self::TfCheckpoint,
        Self::KerasJson,
        Self::XgboostJson,
        Self::XgboostUbj,
        Self::XgboostBinary,
        Self::LightgbmText,
        Self::LightgbmJson,
        Self::Catboost,
        Self::CatboostJson,
        Self::Tflite,
    ];

    /// The name as it is configured and reported.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
            Self::Pickle => "pickle",
            Self::Joblib => "joblib",
            Self::Torch => "torch",
            Self::TorchScript => "torchscript",
            Self::Npy => "npy",
            Self::Npz => "npz",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gguf => "gguf",
            Self::Hdf5 => "hdf5",
            Self::Keras => "keras",
            Self::Skops => "skops",
            Self::TfSavedModel => "tf-saved-model",
            Self::TfGraph => "tf-graph",
            Self::TfCheckpoint => "tf-checkpoint",
            Self::KerasJson => "keras-json",
            Self::XgboostJson => "xgboost-json",
            Self::XgboostUbj => "xgboost-ubj",
            Self::XgboostBinary => "xgboost-binary",
            Self::LightgbmText => "lightgbm-text",
            Self::LightgbmJson => "lightgbm-json",
            Self::Catboost => "catboost",
            Self::CatboostJson => "catboost-json",
            Self::Tflite => "tflite",
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
        Self {
            formats: Format::ALL.into(),
            max_size: None,
            golden: None,
            fail_on: Severity::High,
            suppress: Vec::new(),
            bundles: Bundle::ALL.into(),
            allow: Vec::new(),
        }
    }
}

impl GoldenSettings {
    /// Cases that are judged by the default tolerance.
    pub fn for_cases(cases: RepoPath) -> Self {
        Self { cases, tolerance: DEFAULT_TOLERANCE, max_latency: None }
    }
}

impl ValidateLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> ValidateSettings {
        let formats = self.formats.map_or_else(|| Format::ALL.into(), BTreeSet::from_iter);
        if formats.is_empty() {
            place
                .key("formats")
                .report("no format is allowed, which rejects every artifact".to_owned(), None);
        }
        if self.max_size == Some(ByteSize::default()) {
            place.key("max-size").report("a limit of no bytes rejects every artifact".to_owned(), None);
        }
        let golden = self.golden.and_then(|golden| golden.resolve(&place.key("golden")));
        let fail_on = match self.fail_on {
            Some(FailOn::Medium) => Severity::Medium,
            Some(FailOn::High) | None => Severity::High,
            Some(FailOn::Critical) => Severity::Critical,
        };
        let at = place.key("suppress");
        let layers = self.suppress.unwrap_or_default().into_iter().enumerate();
        let suppress = layers.filter_map(|(index, layer)| layer.resolve(&at.index(index))).collect();
        let bundles = self.bundles.map_or_else(|| Bundle::ALL.into(), BTreeSet::from_iter);
        let allow = AllowLayer::resolve_all(self.allow.unwrap_or_default(), &place.key("allow"));
        ValidateSettings { formats, max_size: self.max_size, golden, fail_on, suppress, bundles, allow }
    }
}

impl SuppressionLayer {
    fn resolve(self, place: &Place<'_>) -> Option<Suppression> {
        let Some(rule) = self.rule else {
            place.key("rule").report("the key `rule` is missing".to_owned(), None);
            return None;
        };
        let reason = self.reason.unwrap_or_default();
        if reason.trim().is_empty() {
            let help = "say who looked at it and why it is harmless here".to_owned();
            place.key("reason").report("a finding is not suppressed without a reason".to_owned(), Some(help));
        }
        Some(Suppression { rule, about: self.about, reason, until: self.until })
    }
}

impl GoldenLayer {
    fn resolve(self, place: &Place<'_>) -> Option<GoldenSettings> {
        if self.tolerance.is_some_and(|tolerance| tolerance < 0.0) {
            place.key("tolerance").report("a tolerance is not negative".to_owned(), None);
        }
        if self.max_latency == Some(Duration::default()) {
            place.key("max-latency").report("a limit of no time fails every case".to_owned(), None);
        }
        let Some(cases) = self.cases else {
            place.key("cases").report("the key `cases` is missing".to_owned(), None);
            return None;
        };
        let tolerance = self.tolerance.unwrap_or(DEFAULT_TOLERANCE);
        Some(GoldenSettings { cases, tolerance, max_latency: self.max_latency })
    }
}
