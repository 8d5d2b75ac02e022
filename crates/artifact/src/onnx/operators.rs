//! Operators and their domains: which the standard defines, which need a library of their own, which run code.

use std::collections::HashMap;

/// An operator as a node names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Operator {
    pub(super) domain: String,
    pub(super) name: String,
    pub(super) overload: String,
}

/// How often each scope uses each operator, and where first.
pub(super) type Uses = HashMap<(u32, Operator), Use>;

/// One entry of [`Uses`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) count: u64,
    pub(super) at: u64,
}

/// Operator names, in any domain, that hand their input to an interpreter.
pub(super) const CODE: &[&str] =
    &["ATen", "PyCustomOp", "PyCustomOpDef", "PyOp", "PythonOp", "PythonOpGrad", "TritonOp"];

/// Operators of the runtime that hand a program, in the model or in a file that it names, to the driver of an accelerator.
pub(super) const COMPILED: &[&str] = &["EPContext", "Snpe"];

/// Operators of `com.microsoft` that only compute (ONNX Runtime, `docs/ContribOperators.md`), in order.
#[rustfmt::skip]
const RUNTIME: &[&str] = &[
    "Attention", "AttnLSTM", "BeamSearch", "BiasAdd", "BiasDropout", "BiasGelu", "BiasSoftmax", "BiasSplitGelu",
    "BifurcationDetector", "BitmaskBiasDropout", "BitmaskDropout", "CDist", "CausalConvWithState", "ComplexMul",
    "ComplexMulConj", "ConvTransposeWithDynamicPads", "CropAndResize", "DecoderAttention",
    "DecoderMaskedMultiHeadAttention", "DecoderMaskedSelfAttention", "DequantizeBFP", "DequantizeLinear",
    "DequantizeWithOrder", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "DynamicTimeWarping",
    "EmbedLayerNormalization", "EngramGate", "ExpandDims", "FastGelu", "FusedConv", "FusedGemm", "FusedMatMul",
    "FusedMatMulActivation", "GatedAdd", "GatedDeltaNet", "GatedRMSNorm", "GatedRelativePositionBias",
    "GatherBlockQuantized", "GatherND", "Gelu", "GemmFastGelu", "GemmFloat8", "GemmaRotaryEmbedding", "GreedySearch",
    "GridSample", "GroupNorm", "GroupQueryAttention", "Inverse", "Irfft", "IsAllFinite", "LinearAttention",
    "LinearAttentionGate", "LongformerAttention", "MRotaryEmbedding", "MatMulBlockQuantizedFp4Weight",
    "MatMulBlockQuantizedFp8Weight", "MatMulBnb4", "MatMulFpQ4", "MatMulInteger16", "MatMulIntegerToFloat", "MatMulNBits",
    "MatMulNBitsMlp", "MatMulNBitsQkv", "MaxpoolWithMask", "MoE", "MulInteger", "MultiHeadAttention", "MurmurHash3",
    "NGramHashMapping", "NGramRepeatBlock", "NhwcConv", "NhwcFusedConv", "NhwcMaxPool", "PackedAttention",
    "PackedMultiHeadAttention", "Pad", "PagedAttention", "QAttention", "QEmbedLayerNormalization", "QGemm", "QLinearAdd",
    "QLinearAveragePool", "QLinearConcat", "QLinearConv", "QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearMul",
    "QLinearReduceMean", "QLinearSigmoid", "QLinearSoftmax", "QLinearWhere", "QMoE", "QOrderedAttention", "QOrderedGelu",
    "QOrderedLayerNormalization", "QOrderedLongformerAttention", "QOrderedMatMul", "QuantizeBFP", "QuantizeLinear",
    "QuantizeWithOrder", "QuickGelu", "Range", "ReduceSumInteger", "RelativePositionBias", "RemovePadding",
    "RestorePadding", "Rfft", "RotaryEmbedding", "SampleOp", "Sampling", "SkipGroupNorm", "SkipLayerNormalization",
    "SkipSimplifiedLayerNormalization", "SparseAttention", "SparseToDenseMatMul", "Tokenizer", "TorchEmbedding",
    "TransposeMatMul", "Trilu", "UnfoldTensor", "Unique", "VarlenCausalConvWithState", "VarlenNGramHashMapping",
    "WhisperBeamSearch", "WordConvEmbedding",
];

/// Operators in the layout of blocked channels, which the runtime's optimiser writes, in order.
#[rustfmt::skip]
const BLOCKED: &[&str] = &[
    "AveragePool", "BatchNormalization", "Conv", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "ReorderInput",
    "ReorderOutput", "Upsample",
];

/// Whether the runtime that most models are served on has an operator built in, beside those of the standard.
pub(super) fn is_built_in(domain: &str, name: &str) -> bool {
    let has = |list: &[&str]| list.binary_search(&name).is_ok();
    match domain {
        "com.microsoft" => has(RUNTIME),
        "com.microsoft.nchwc" => has(BLOCKED),
        // The same operators with their channels last.
        "com.ms.internal.nhwc" => has(STANDARD) || has(RUNTIME),
        _ => false,
    }
}

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

/// The operators of a domain that a standard defines, in order; `None` for other domains.
pub(super) fn standard(domain: &str) -> Option<&'static [&'static str]> {
    match domain {
        "" => Some(STANDARD),
        "ai.onnx.ml" => Some(CLASSICAL),
        "ai.onnx.preview.training" | "ai.onnx.training" => Some(TRAINING),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_in_order() {
        for list in [STANDARD, CLASSICAL, TRAINING, RUNTIME, BLOCKED] {
            assert!(list.is_sorted());
        }
    }
}
