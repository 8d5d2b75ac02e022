//! Operators and their domains: which the standard defines, which need a library of their own, which run code.

use super::{
    function::Functions,
    model::{Opset, Parser},
    node::{Operator, Uses},
};
use crate::rules;

/// Operator names, in any domain, that hand their input to an interpreter.
const CODE: &[&str] = &["PyOp", "PythonOp", "PythonOpGrad", "PyCustomOp", "PyCustomOpDef"];

/// Domains of the runtime that most models are served on; their operators are built in.
const RUNTIME: &[&str] = &["com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"];

/// Operators of the default domain, all versions up to onnx 1.23, in order.
#[rustfmt::skip]
const STANDARD: &[&str] = &[
    "Abs", "Acos", "Acosh", "Add", "AffineGrid", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh", "Attention",
    "AveragePool", "BatchNormalization", "Bernoulli", "BitCast", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor",
    "BlackmanWindow", "Cast", "CastLike", "Ceil", "Celu", "CenterCropPad", "Clip", "Col2Im", "Compress", "Concat",
    "ConcatFromSequence", "Constant", "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose", "Cos", "Cosh", "CumProd",
    "CumSum", "DFT", "DeformConv", "DepthToSpace", "DequantizeLinear", "Det", "Div", "Dropout", "DynamicQuantizeLinear",
    "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike", "Flatten", "Floor", "GRU", "Gather", "GatherElements",
    "GatherND", "Gelu", "Gemm", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "Greater", "GreaterOrEqual",
    "GridSample", "GroupNormalization", "HammingWindow", "HannWindow", "HardSigmoid", "HardSwish", "Hardmax", "Identity",
    "If", "ImageDecoder", "InstanceNormalization", "IsInf", "IsNaN", "LRN", "LSTM", "LayerNormalization", "LeakyRelu",
    "Less", "LessOrEqual", "Log", "LogSoftmax", "Loop", "LpNormalization", "LpPool", "MatMul", "MatMulInteger", "Max",
    "MaxPool", "MaxRoiPool", "MaxUnpool", "Mean", "MeanVarianceNormalization", "MelWeightMatrix", "Min", "Mish", "Mod",
    "Mul", "Multinomial", "Neg", "NegativeLogLikelihoodLoss", "NonMaxSuppression", "NonZero", "Not", "OneHot", "Optional",
    "OptionalGetElement", "OptionalHasElement", "Or", "PRelu", "Pad", "Pow", "QLinearConv", "QLinearMatMul",
    "QuantizeLinear", "RMSNormalization", "RNN", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
    "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "RegexFullMatch", "Relu", "Reshape", "Resize",
    "ReverseSequence", "RoiAlign", "RotaryEmbedding", "Round", "STFT", "Scan", "Scatter", "ScatterElements", "ScatterND",
    "Selu", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength",
    "SequenceMap", "Shape", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax",
    "SoftmaxCrossEntropyLoss", "Softplus", "Softsign", "SpaceToDepth", "Split", "SplitToSequence", "Sqrt", "Squeeze",
    "StringConcat", "StringNormalizer", "StringSplit", "Sub", "Sum", "Swish", "Tan", "Tanh", "TensorScatter",
    "TfIdfVectorizer", "ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze", "Upsample",
    "Where", "Xor",
];

/// Operators of `ai.onnx.ml`, in order.
#[rustfmt::skip]
const CLASSICAL: &[&str] = &[
    "ArrayFeatureExtractor", "Binarizer", "CastMap", "CategoryMapper", "DictVectorizer", "FeatureVectorizer", "Imputer",
    "LabelEncoder", "LinearClassifier", "LinearRegressor", "Normalizer", "OneHotEncoder", "SVMClassifier",
    "SVMRegressor", "Scaler", "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor", "ZipMap",
];

/// Operators of `ai.onnx.preview.training`, in order.
const TRAINING: &[&str] = &["Adagrad", "Adam", "Gradient", "Momentum"];

/// The one spelling of a domain: the default one has two.
pub(super) fn canonical(domain: String) -> String {
    if domain == "ai.onnx" { String::new() } else { domain }
}

/// Newest version of a standard operator set known here; `None` for other domains.
pub(super) fn newest(domain: &str) -> Option<u64> {
    match domain {
        "" => Some(28),
        "ai.onnx.ml" => Some(6),
        "ai.onnx.preview.training" | "ai.onnx.training" => Some(1),
        _ => None,
    }
}

fn standard(domain: &str) -> Option<&'static [&'static str]> {
    match domain {
        "" => Some(STANDARD),
        "ai.onnx.ml" => Some(CLASSICAL),
        "ai.onnx.preview.training" | "ai.onnx.training" => Some(TRAINING),
        _ => None,
    }
}

impl Parser<'_, '_> {
    /// Checks every operator that a model uses: imported, and standard, built into the usual runtime, or a function.
    pub(super) fn check_operators(&mut self, uses: &Uses, model: &[Opset], functions: &Functions) {
        let mut sorted: Vec<_> = uses.iter().collect();
        sorted.sort_by_key(|(_, used)| used.at);
        for ((scope, operator), used) in sorted {
            let at = Some(used.at);
            let Operator { domain, name, .. } = operator;
            let target = if domain.is_empty() { name.clone() } else { format!("{domain}::{name}") };
            let opsets = functions.opsets(*scope).unwrap_or(model);
            if !opsets.iter().any(|opset| opset.domain == *domain) {
                self.findings.about(
                    &rules::ONNX_OPSET,
                    at,
                    &target,
                    "the operator set of this operator is not imported",
                );
            }
            if CODE.contains(&name.as_str()) {
                self.findings.about(
                    &rules::CODE_OPERATOR,
                    at,
                    &target,
                    "this operator runs code that the model names",
                );
                continue;
            }
            if functions.defines(operator) || RUNTIME.contains(&domain.as_str()) {
                continue;
            }
            match standard(domain) {
                Some(known) if known.binary_search(&name.as_str()).is_ok() => {}
                Some(_) => {
                    let message = "the standard does not define this operator";
                    self.findings.about(&rules::ONNX_OPERATOR, at, &target, message);
                }
                None => {
                    let message = "this operator needs a native library beside the runtime; review it, or export without";
                    self.findings.about(&rules::CUSTOM_DOMAIN, at, &target, message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_in_order() {
        for list in [STANDARD, CLASSICAL, TRAINING] {
            assert!(list.is_sorted());
        }
    }
}
