//! The groups of the allow-list of pickles that a team can leave out: the libraries whose objects are listed. What Python
//! itself brings belongs to none, because no pickle does without it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A library whose objects a pickle may hold, as far as they are known to be harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bundle {
    /// numpy, and how joblib and dill store its arrays.
    Numpy,
    /// scipy.
    Scipy,
    /// pandas, and the arrays of Arrow, time zones and offsets that it stores.
    Pandas,
    /// scikit-learn.
    Sklearn,
    /// imbalanced-learn.
    Imblearn,
    /// statsmodels.
    Statsmodels,
    /// river.
    River,
    /// XGBoost.
    Xgboost,
    /// LightGBM.
    Lightgbm,
    /// CatBoost.
    Catboost,
    /// PyTorch.
    Torch,
    /// Lightning.
    Lightning,
    /// Transformers and Accelerate.
    Transformers,
}

impl Bundle {
    /// Every bundle, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Numpy,
        Self::Scipy,
        Self::Pandas,
        Self::Sklearn,
        Self::Imblearn,
        Self::Statsmodels,
        Self::River,
        Self::Xgboost,
        Self::Lightgbm,
        Self::Catboost,
        Self::Torch,
        Self::Lightning,
        Self::Transformers,
    ];

    /// The name as it is configured and reported.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Numpy => "numpy",
            Self::Scipy => "scipy",
            Self::Pandas => "pandas",
            Self::Sklearn => "sklearn",
            Self::Imblearn => "imblearn",
            Self::Statsmodels => "statsmodels",
            Self::River => "river",
            Self::Xgboost => "xgboost",
            Self::Lightgbm => "lightgbm",
            Self::Catboost => "catboost",
            Self::Torch => "torch",
            Self::Lightning => "lightning",
            Self::Transformers => "transformers",
        }
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
