//! Names that Keras itself defines (keras.io API, Keras 2.x and 3.x): everything else is code from elsewhere.

/// Modules that hold classes and functions without effects. `keras.utils`, `keras.saving` and `keras.config` do not
/// belong here: they download, switch checks off, and load.
const MODULES: &str = "keras keras.activations keras.applications keras.constraints keras.dtype_policies keras.initializers \
    keras.layers keras.losses keras.metrics keras.models keras.ops keras.optimizers keras.optimizers.legacy \
    keras.optimizers.schedules keras.quantizers keras.random keras.regularizers keras.layers.experimental.preprocessing \
    keras.optimizers.experimental keras.mixed_precision keras.feature_column";

/// Classes by their exact names.
const CLASSES: &str = "AbsMaxQuantizer Activation ActivityRegularization Adadelta Adafactor Adagrad Adam AdamW Adamax Add \
    AdditiveAttention AlphaDropout Attention AUC AugMix AutoContrast Average AveragePooling1D AveragePooling2D \
    AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization Bidirectional BinaryAccuracy BinaryCrossentropy \
    BinaryFocalCrossentropy BinaryIoU CTC CategoricalAccuracy CategoricalCrossentropy CategoricalFocalCrossentropy \
    CategoricalGeneralizedCrossEntropy CategoricalHinge CategoryEncoding CenterCrop Circle ClipConstraint Concatenate \
    ConcordanceCorrelation Constant Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D \
    ConvLSTM2D ConvLSTM3D ConvLSTMCell Convolution1D Convolution2D Convolution3D CosineDecay CosineDecayRestarts \
    CosineSimilarity Cropping1D Cropping2D Cropping3D CuDNNGRU CuDNNLSTM CutMix DTypePolicy DTypePolicyMap Dense \
    DepthwiseConv1D DepthwiseConv2D Dice Discretization Dot Dropout ELU EinsumDense Embedding Equalization \
    ExponentialDecay F1Score FBetaScore FalseNegatives FalsePositives Flatten FloatDTypePolicy Ftrl Functional GRU \
    GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D \
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D \
    GlobalMaxPooling2D GlobalMaxPooling3D GlorotNormal GlorotUniform GroupNormalization GroupQueryAttention HashedCrossing \
    Hashing HeNormal HeUniform Hinge Huber Identity InputLayer InputSpec IntegerLookup InverseTimeDecay IoU KLDivergence \
    L1 L1L2 L2 LSTM LSTMCell LayerNormalization LeCunNormal LeCunUniform LeakyReLU LecunNormal LecunUniform Lion \
    LocallyConnected1D LocallyConnected2D LogCosh LogCoshError LossScaleOptimizer Masking MaxNorm MaxNumBoundingBoxes \
    MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum Mean MeanAbsoluteError \
    MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanRelativeError MeanSquaredError MeanSquaredLogarithmicError \
    MeanTensor MelSpectrogram Minimum MinMaxNorm MixUp Model MultiHeadAttention Multiply Muon Nadam NonNeg Normalization \
    OneHotIoU OneHotMeanIoU Ones Orthogonal OrthogonalRegularizer PReLU PearsonCorrelation Permute PiecewiseConstantDecay \
    Pipeline Poisson Policy PolynomialDecay Precision PrecisionAtRecall QuantizedDTypePolicy QuantizedFloat8DTypePolicy \
    R2Score RMSNormalization RMSprop RNN RadialConstraint RandAugment RandomApply RandomBrightness RandomChoice \
    RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip \
    RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert RandomNormal RandomPerspective \
    RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomUniform \
    RandomWidth RandomZoom ReLU Recall RecallAtPrecision RepeatVector Rescaling Reshape Resizing RootMeanSquaredError \
    STFTInitializer STFTSpectrogram SGD SeedGenerator SensitivityAtSpecificity SeparableConv1D SeparableConv2D \
    SeparableConvolution1D SeparableConvolution2D Sequential SimpleRNN SimpleRNNCell Softmax Solarization \
    SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpatialDropout1D SpatialDropout2D \
    SpatialDropout3D SpecificityAtSensitivity SpectralNormalization SquaredHinge StackedRNNCells StringLookup Subtract Sum \
    SyncBatchNormalization TextVectorization ThresholdedReLU TimeDistributed TopKCategoricalAccuracy TrueNegatives \
    TruePositives TruncatedNormal Tversky UnitNorm UnitNormalization UpSampling1D UpSampling2D UpSampling3D \
    VarianceScaling ZeroPadding1D ZeroPadding2D ZeroPadding3D Zeros TFOpLambda SlicingOpLambda TensorFlowOpLayer \
    ClassMethod InstanceMethod InstanceProperty RandomFourierFeatures LossFunctionWrapper TensorShape TypeSpec \
    Operation KerasTensor GetItem";

/// Functions by their exact names: activations, losses, metrics.
const FUNCTIONS: &str = "celu crelu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu \
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus \
    sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold binary_accuracy binary_crossentropy \
    binary_focal_crossentropy categorical_accuracy categorical_crossentropy categorical_focal_crossentropy categorical_hinge \
    cosine_similarity ctc dice hinge huber kl_divergence log_cosh logcosh mean_absolute_error \
    mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error poisson sparse_categorical_accuracy \
    sparse_categorical_crossentropy sparse_top_k_categorical_accuracy squared_hinge top_k_categorical_accuracy tversky \
    circle mae mape mse msle accuracy acc glorot_uniform glorot_normal he_normal he_uniform zeros ones";

/// Functions of Python itself that run, look up or open what they are told; loaders before Keras 3.9 find them in `builtins`.
const PYTHON: &str = "__build_class__ __import__ breakpoint compile delattr eval exec exit getattr globals help input locals \
    memoryview open quit setattr type vars";

/// Markers that the writer puts in the place of values.
const MARKERS: &str = "__keras_tensor__ __tensor__ __numpy__ __bytes__ __ellipsis__ __slice__ __tuple__ __typespec__ __none__ \
    __complex__ __timedelta__";

fn listed(list: &str, name: &str) -> bool {
    list.split_ascii_whitespace().any(|own| own == name)
}

/// A module whose classes and functions may be named.
pub(super) fn is_module(name: &str) -> bool {
    // Files of some versions name the place of the source instead of the public module.
    let inner =
        ["keras.src.", "keras.engine.", "tensorflow.python.keras.", "tensorflow.keras.", "tf_keras.src."]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
    match inner {
        Some(rest) => !rest.split('.').any(|part| {
            matches!(
                part,
                "utils"
                    | "saving"
                    | "config"
                    | "backend"
                    | "export"
                    | "legacy"
                    | "callbacks"
                    | "distribution"
            )
        }),
        None => listed(MODULES, name) || (name.starts_with("tf_keras") && listed(MODULES, &name[3..])),
    }
}

/// A class of Keras.
pub(super) fn is_class(name: &str) -> bool {
    listed(CLASSES, name)
}

/// A function of Keras without effects.
pub(super) fn is_function(name: &str) -> bool {
    listed(FUNCTIONS, name)
}

/// A function of Python that acts on what it is told.
pub(super) fn is_python(name: &str) -> bool {
    listed(PYTHON, name)
}

/// A marker that stands for a value.
pub(super) fn is_marker(name: &str) -> bool {
    listed(MARKERS, name)
}
