//! The groups of the allow-list that a team can leave out: the libraries whose objects are listed. What Python itself
//! brings belongs to none, because no pickle does without it.

use std::{fmt, str::FromStr};

/// The listed globals of one library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// A text that names no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no bundle {0:?}")]
pub struct BundleError(String);

/// The top-level packages of each bundle.
const PACKAGES: &[(Bundle, &str, &[&str])] = &[
    (Bundle::Numpy, "numpy", &["numpy", "joblib", "dill"]),
    (Bundle::Scipy, "scipy", &["scipy"]),
    (Bundle::Pandas, "pandas", &["pandas", "pyarrow", "pytz", "dateutil"]),
    (Bundle::Sklearn, "sklearn", &["sklearn", "_loss"]),
    (Bundle::Imblearn, "imblearn", &["imblearn"]),
    (Bundle::Statsmodels, "statsmodels", &["statsmodels"]),
    (Bundle::River, "river", &["river"]),
    (Bundle::Xgboost, "xgboost", &["xgboost"]),
    (Bundle::Lightgbm, "lightgbm", &["lightgbm"]),
    (Bundle::Catboost, "catboost", &["catboost"]),
    (Bundle::Torch, "torch", &["torch"]),
    (Bundle::Lightning, "lightning", &["lightning", "lightning_fabric", "pytorch_lightning"]),
    (Bundle::Transformers, "transformers", &["transformers", "accelerate"]),
];

impl Bundle {
    /// Every bundle.
    pub fn all() -> impl Iterator<Item = Self> {
        PACKAGES.iter().map(|(bundle, ..)| *bundle)
    }

    /// The bundle that a module belongs to; `None` for what Python brings, and for what is not listed at all.
    pub(crate) fn of(module: &str) -> Option<Self> {
        let package = module.split('.').next().unwrap_or(module);
        PACKAGES.iter().find(|(_, _, packages)| packages.contains(&package)).map(|(bundle, ..)| *bundle)
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = PACKAGES.iter().find(|(bundle, ..)| bundle == self);
        f.write_str(named.map_or("", |(_, name, _)| name))
    }
}

impl FromStr for Bundle {
    type Err = BundleError;
    fn from_str(text: &str) -> Result<Self, BundleError> {
        let named = PACKAGES.iter().find(|(_, name, _)| *name == text);
        named.map(|(bundle, ..)| *bundle).ok_or_else(|| BundleError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{listed::MODULES, standard},
        *,
    };

    #[test]
    fn every_listed_module_is_of_a_bundle_or_of_python() {
        for (module, _) in MODULES {
            assert_ne!(Bundle::of(module).is_some(), standard::is_standard(module), "{module}");
        }
    }

    #[test]
    fn every_bundle_has_a_name_and_something_in_it() {
        for bundle in Bundle::all() {
            assert_eq!(bundle.to_string().parse(), Ok(bundle));
            assert!(MODULES.iter().any(|(module, _)| Bundle::of(module) == Some(bundle)), "{bundle}");
        }
        assert!("python".parse::<Bundle>().is_err());
    }
}
