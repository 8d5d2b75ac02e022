//! Models of gradient-boosting libraries in their own formats. None of them can run code; what can go wrong is a file
//! that is cut or contradicts itself, on which the native loaders crash or answer nonsense.

mod catboost_json;
mod catboost_release;
mod lightgbm_json;
mod lightgbm_text;
mod lightgbm_tree;
#[cfg(test)]
mod tests;
mod tree;
mod ubjson;
mod xgboost;
mod xgboost_binary;
mod xgboost_snapshot;
mod xgboost_tree;

pub(crate) use catboost_json::CatboostJson;
pub(crate) use catboost_release::catboost_release;
pub(crate) use lightgbm_json::LightgbmJson;
pub(crate) use lightgbm_text::scan as scan_lightgbm_text;
pub(crate) use ubjson::recognise as recognise_ubjson;
pub(crate) use xgboost::{Xgboost, scan_ubjson};
pub(crate) use xgboost_binary::{recognise as recognise_xgboost_binary, scan as scan_xgboost_binary};
pub(crate) use xgboost_snapshot::scan as scan_snapshot;
