//! Which modules belong to which bundle.

use tagship_domain::bundle::Bundle;

/// The top-level packages of each bundle.
const PACKAGES: &[(Bundle, &[&str])] = &[
    (Bundle::Numpy, &["numpy", "joblib", "dill"]),
    (Bundle::Scipy, &["scipy"]),
    (Bundle::Pandas, &["pandas", "pyarrow", "pytz", "dateutil"]),
    (Bundle::Sklearn, &["sklearn", "_loss"]),
    (Bundle::Imblearn, &["imblearn"]),
    (Bundle::Statsmodels, &["statsmodels"]),
    (Bundle::River, &["river"]),
    (Bundle::Xgboost, &["xgboost"]),
    (Bundle::Lightgbm, &["lightgbm"]),
    (Bundle::Catboost, &["catboost"]),
    (Bundle::Torch, &["torch"]),
    (Bundle::Lightning, &["lightning", "lightning_fabric", "pytorch_lightning"]),
    (Bundle::Transformers, &["transformers", "accelerate"]),
];

/// The bundle that a module belongs to; `None` for what Python brings, and for what is not listed at all.
pub(crate) fn bundle_of(module: &str) -> Option<Bundle> {
    let package = module.split('.').next().unwrap_or(module);
    PACKAGES.iter().find(|(_, packages)| packages.contains(&package)).map(|(bundle, _)| *bundle)
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
            assert_ne!(bundle_of(module).is_some(), standard::is_standard(module), "{module}");
        }
    }

    #[test]
    fn every_bundle_has_something_in_it() {
        for bundle in Bundle::ALL {
            assert!(MODULES.iter().any(|(module, _)| bundle_of(module) == Some(bundle)), "{bundle}");
        }
    }
}
