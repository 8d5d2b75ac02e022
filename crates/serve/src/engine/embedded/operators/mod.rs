//! Operators of `ai.onnx.ml` that tract lacks or gets wrong, written by us.
//!
//! All but one are a [`Kernel`]: a plain function of one input tensor. [`KernelOp`] makes any kernel an operator of tract.

mod array_feature_extractor;
mod imputer;
mod kernel;
mod label_encoder;
mod one_hot_encoder;
mod scaler;
mod tree;
mod tree_classifier;
mod tree_regressor;
mod vocabulary;

use tract_onnx::{Onnx, pb::NodeProto, prelude::TractResult};

use self::kernel::{Kernel, KernelOp};
pub(super) use self::{tree::TreeError, tree_classifier::TreeClassifier, tree_regressor::TreeRegressor};

/// tract's reader of ONNX, with our operators under their ONNX names.
pub(super) fn framework() -> Onnx {
    let mut framework = tract_onnx::onnx();
    let operators = &mut framework.op_register;
    operators
        .insert("ArrayFeatureExtractor", |_, node| Ok((array_feature_extractor::build(node), Vec::new())));
    operators.insert("Imputer", |_, node| operator(imputer::Imputer::parse(node)));
    operators.insert("LabelEncoder", |context, node| {
        let imports = &context.model.opset_import;
        let version =
            imports.iter().find(|import| import.domain == "ai.onnx.ml").map_or(1, |import| import.version);
        operator(label_encoder::LabelEncoder::parse(node, version))
    });
    operators.insert("OneHotEncoder", |_, node| operator(one_hot_encoder::OneHotEncoder::parse(node)));
    operators.insert("Scaler", |_, node| operator(scaler::Scaler::parse(node)));
    operators.insert("TreeEnsembleClassifier", |_, node| {
        operator(TreeClassifier::parse(node).map_err(Into::into))
    });
    operators
        .insert("TreeEnsembleRegressor", |_, node| operator(TreeRegressor::parse(node).map_err(Into::into)));
    framework
}

type Built = (Box<dyn tract_onnx::tract_hir::infer::InferenceOp>, Vec<String>);

fn operator(kernel: TractResult<impl Kernel>) -> TractResult<Built> {
    Ok((tract_onnx::tract_hir::ops::expandable::expand(KernelOp::new(kernel?)), Vec::new()))
}

/// The values of a list attribute; empty when absent.
fn list<'a, T: tract_onnx::pb_helpers::AttrSliceType<'a>>(
    node: &'a NodeProto,
    name: &str,
) -> TractResult<&'a [T]> {
    Ok(node.get_attr_opt_slice(name)?.unwrap_or_default())
}

/// The texts of a list attribute; empty when absent.
fn texts(node: &NodeProto, name: &str) -> TractResult<Vec<String>> {
    Ok(node.get_attr_opt_vec(name)?.unwrap_or_default())
}
