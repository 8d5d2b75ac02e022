//! Operators of TensorFlow that compute, keep state in memory, or restore and save the variables of the model itself
//! (`tensorflow/core/ops`, TensorFlow 1.15 to 2.21). One that is not here may do anything.

use std::{collections::HashSet, sync::LazyLock};

/// Operators by their exact names.
const COMPUTE: &str = "Abs AccumulateNV2 AccumulatorApplyGradient AccumulatorNumAccumulated AccumulatorSetGlobalStep \
    AccumulatorTakeGradient Acos Acosh Add AddN AddV2 AdjustContrast AdjustContrastv2 AdjustHue AdjustSaturation \
    All AllCandidateSampler Angle AnonymousHashTable AnonymousIterator AnonymousIteratorV2 AnonymousIteratorV3 \
    AnonymousMutableHashTable Any ApplyAdaMax ApplyAdadelta ApplyAdagrad ApplyAdagradV2 ApplyAdam \
    ApplyCenteredRMSProp ApplyFtrl ApplyFtrlV2 ApplyGradientDescent ApplyMomentum ApplyRMSProp ApproxTopK \
    ApproximateEqual ArgMax ArgMin AsString Asin Asinh Assert Assign AssignAdd AssignAddVariableOp AssignSub \
    AssignSubVariableOp AssignVariableOp AssignVariableXlaConcatND Atan Atan2 Atanh AudioSpectrogram \
    AudioSummary AudioSummaryV2 AvgPool AvgPool3D AvgPool3DGrad AvgPoolGrad Barrier BarrierClose \
    BarrierIncompleteSize BarrierInsertMany BarrierReadySize BarrierTakeMany Batch BatchCholesky BatchDataset \
    BatchDatasetV2 BatchFFT BatchFFT2D BatchFunction BatchIFFT BatchIFFT2D BatchMatMul BatchMatMulV2 \
    BatchMatMulV3 BatchMatrixBandPart BatchMatrixDeterminant BatchMatrixDiag BatchMatrixDiagPart \
    BatchMatrixInverse BatchMatrixSetDiag BatchMatrixSolve BatchMatrixTriangularSolve \
    BatchNormWithGlobalNormalization BatchSelfAdjointEigV2 BatchSvd BatchToSpace BatchToSpaceND BesselI0 \
    BesselI0e BesselI1 BesselI1e BesselJ0 BesselJ1 BesselK0 BesselK1 BesselY0 BesselY1 Betainc BiasAdd \
    BiasAddGrad BiasAddV1 Bincount Bitcast BitwiseAnd BitwiseOr BitwiseXor BlockLSTM BlockLSTMV2 \
    BoostedTreesBucketize BoostedTreesCreateEnsemble BoostedTreesDeserializeEnsemble \
    BoostedTreesEnsembleResourceHandleOp BoostedTreesPredict BoostedTreesSerializeEnsemble BroadcastArgs \
    BroadcastGradientArgs BroadcastTo Bucketize CSRSparseMatrixComponents CSRSparseMatrixToDense \
    CSRSparseMatrixToSparseTensor CTCBeamSearchDecoder CTCGreedyDecoder CTCLoss CTCLossV2 Case Cast Ceil \
    CheckNumerics Cholesky CholeskyGrad ClipByValue CombinedNonMaxSuppression CompareAndBitpack Complex \
    ComplexAbs CompositeTensorVariantFromComponents CompositeTensorVariantToComponents ComputeAccidentalHits \
    Concat ConcatOffset ConcatV2 ConcatenateDataset ConditionalAccumulator Conj ConjugateTranspose Const \
    ConsumeMutexLock ControlTrigger Conv Conv2D Conv2DBackpropFilter Conv2DBackpropFilterV2 Conv2DBackpropInput \
    Conv2DBackpropInputV2 Conv3D Conv3DBackpropFilter Conv3DBackpropFilterV2 Conv3DBackpropInput \
    Conv3DBackpropInputV2 Copy Cos Cosh CropAndResize Cross CudnnRNN CudnnRNNBackprop CudnnRNNBackpropV2 \
    CudnnRNNBackpropV3 CudnnRNNCanonicalToParams CudnnRNNCanonicalToParamsV2 CudnnRNNParamsSize \
    CudnnRNNParamsToCanonical CudnnRNNParamsToCanonicalV2 CudnnRNNV2 CudnnRNNV3 Cumprod Cumsum \
    CumulativeLogsumexp DataFormatDimMap DataFormatVecPermute DatasetToSingleElement DecodeAndCropJpeg \
    DecodeBase64 DecodeBmp DecodeCSV DecodeCompressed DecodeGif DecodeImage DecodeJSONExample DecodeJpeg \
    DecodePaddedRaw DecodePng DecodeProtoV2 DecodeRaw DecodeWav DeepCopy DeleteIterator DeleteMemoryCache \
    DeleteMultiDeviceIterator DeleteRandomSeedGenerator DeleteSessionTensor DenseBincount DenseCountSparseOutput \
    DenseToCSRSparseMatrix DenseToDenseSetOperation DenseToSparseSetOperation DepthToSpace DepthwiseConv2dNative \
    DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput Dequantize DeserializeManySparse \
    DeserializeSparse DestroyResourceOp DestroyTemporaryVariable Diag DiagPart Digamma Dilation2D \
    Dilation2DBackpropFilter Dilation2DBackpropInput DisableCopyOnRead Div DivNoNan DrawBoundingBoxes \
    DrawBoundingBoxesV2 DummyIterationCounter DummyMemoryCache DummySeedGenerator DynamicPartition DynamicStitch \
    EditDistance Eig Einsum Elu EluGrad Empty EmptyTensorList EmptyTensorMap EncodeBase64 EncodeJpeg \
    EncodeJpegVariableQuality EncodePng EncodeProto EncodeWav EnsureShape Enter Equal Erf Erfc Erfinv \
    EuclideanNorm Exit Exp ExpandDims Expm1 ExtractGlimpse ExtractGlimpseV2 ExtractImagePatches ExtractJpegShape \
    ExtractVolumePatches FFT FFT2D FFT3D FFTND FIFOQueue FIFOQueueV2 FakeParam FakeQuantWithMinMaxArgs \
    FakeQuantWithMinMaxArgsGradient FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsGradient \
    FakeQuantWithMinMaxVarsPerChannel FakeQuantWithMinMaxVarsPerChannelGradient Fill FilterDataset \
    FixedUnigramCandidateSampler FlatMapDataset Floor FloorDiv FloorMod For FractionalAvgPool FractionalMaxPool \
    FresnelCos FresnelSin FusedBatchNorm FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3 \
    FusedBatchNormV2 FusedBatchNormV3 FusedPadConv2D FusedResizeAndPadConv2D GRUBlockCell Gather GatherNd \
    GatherV2 GetSessionHandle GetSessionHandleV2 GetSessionTensor Greater GreaterEqual GuaranteeConst HSVToRGB \
    HashTable HashTableV2 HistogramFixedWidth HistogramSummary HostConst IFFT IFFT2D IFFT3D IFFTND IRFFT IRFFT2D \
    IRFFT3D IRFFTND Identity IdentityN If Igamma IgammaGradA Igammac Imag ImageProjectiveTransformV2 \
    ImageProjectiveTransformV3 ImageSummary InTopK InTopKV2 InitializeTable InitializeTableFromTextFile \
    InitializeTableFromTextFileV2 InitializeTableV2 InplaceAdd InplaceSub InplaceUpdate InvGrad Invert \
    InvertPermutation IsBoostedTreesEnsembleInitialized IsBoostedTreesQuantileStreamResourceInitialized IsFinite \
    IsInf IsNan IsVariableInitialized IsotonicRegression Iterator IteratorFromStringHandle IteratorGetNext \
    IteratorGetNextAsOptional IteratorGetNextSync IteratorToStringHandle IteratorV2 KMC2ChainInitialization \
    KmeansPlusPlusInitialization L2Loss LRN LRNGrad LSTMBlockCell LSTMBlockCellGrad LeakyRelu LeakyReluGrad \
    LearnedUnigramCandidateSampler LeftShift Less LessEqual Lgamma LinSpace ListDiff Log Log1p \
    LogMatrixDeterminant LogSoftmax LogUniformCandidateSampler LogicalAnd LogicalNot LogicalOr LookupTableExport \
    LookupTableExportV2 LookupTableFind LookupTableFindV2 LookupTableImportV2 LookupTableInsert \
    LookupTableInsertV2 LookupTableRemoveV2 LookupTableSize LookupTableSizeV2 LoopCond LowerBound Lu \
    MakeIterator MakeUnique MapDataset MapDefun MatMul MatrixBandPart MatrixDeterminant MatrixDiag \
    MatrixDiagPart MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixExponential MatrixInverse \
    MatrixLogarithm MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3 MatrixSolve MatrixSolveLs MatrixSquareRoot \
    MatrixTriangularSolve Max MaxPool MaxPool3D MaxPool3DGrad MaxPool3DGradGrad MaxPoolGrad MaxPoolGradGrad \
    MaxPoolGradGradV2 MaxPoolGradV2 MaxPoolGradWithArgmax MaxPoolV2 MaxPoolWithArgmax Maximum Mean Merge \
    MergeSummary MergeV2Checkpoints Mfcc Min Minimum MirrorPad MirrorPadGrad Mod ModelDataset Mul MulNoNan \
    Multinomial MutableDenseHashTable MutableDenseHashTableV2 MutableHashTable MutableHashTableOfTensors \
    MutableHashTableOfTensorsV2 MutableHashTableV2 MutexLock MutexV2 Ndtri Neg NegTrain NextAfter NextIteration \
    NoOp NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 \
    NonMaxSuppressionWithOverlaps NotEqual NthElement OneHot OneShotIterator OnesLike OptimizeDatasetV2 \
    OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone OptionsDataset Pack Pad PadV2 \
    PaddedBatchDatasetV2 PaddingFIFOQueue PaddingFIFOQueueV2 ParallelConcat ParallelDynamicStitch \
    ParallelMapDataset ParallelMapDatasetV2 ParameterizedTruncatedNormal ParseExample ParseExampleV2 \
    ParseSequenceExample ParseSequenceExampleV2 ParseSingleExample ParseSingleSequenceExample ParseTensor \
    PartitionedCall Placeholder PlaceholderWithDefault Polygamma PopulationCount Pow PrefetchDataset \
    PreventGradient Print PrintV2 PriorityQueueV2 Prod Qr QuantizeAndDequantize QuantizeAndDequantizeV2 \
    QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 QuantizeDownAndShrinkRange QuantizeV2 QuantizedAdd \
    QuantizedAvgPool QuantizedBatchNormWithGlobalNormalization QuantizedBiasAdd QuantizedConcat QuantizedConv2D \
    QuantizedInstanceNorm QuantizedMatMul QuantizedMaxPool QuantizedMul QuantizedRelu QuantizedRelu6 \
    QuantizedReshape QuantizedResizeBilinear QueueClose QueueCloseV2 QueueDequeue QueueDequeueMany \
    QueueDequeueManyV2 QueueDequeueUpTo QueueDequeueUpToV2 QueueDequeueV2 QueueEnqueue QueueEnqueueMany \
    QueueEnqueueManyV2 QueueEnqueueV2 QueueIsClosed QueueIsClosedV2 QueueSize QueueSizeV2 RFFT RFFT2D RFFT3D \
    RFFTND RGBToHSV RaggedBincount RaggedCountSparseOutput RaggedCross RaggedFillEmptyRows \
    RaggedFillEmptyRowsGrad RaggedGather RaggedRange RaggedTensorFromVariant RaggedTensorToSparse \
    RaggedTensorToTensor RaggedTensorToVariant RaggedTensorToVariantGradient RandomCrop RandomDataset \
    RandomGamma RandomGammaGrad RandomPoisson RandomPoissonV2 RandomShuffle RandomShuffleQueue \
    RandomShuffleQueueV2 RandomStandardNormal RandomUniform RandomUniformInt Range RangeDataset Rank \
    ReadVariableOp ReadVariableXlaSplitND Real RealDiv ReciprocalGrad ReduceDataset ReduceJoin RefEnter RefExit \
    RefIdentity RefMerge RefNextIteration RefSelect RefSwitch RegexFullMatch RegexReplace Relu Relu6 Relu6Grad \
    ReluGrad RepeatDataset RequantizationRange Requantize Reshape ResizeArea ResizeBicubic ResizeBicubicGrad \
    ResizeBilinear ResizeBilinearGrad ResizeNearestNeighbor ResizeNearestNeighborGrad \
    ResourceAccumulatorApplyGradient ResourceApplyAdaMax ResourceApplyAdadelta ResourceApplyAdagrad \
    ResourceApplyAdagradDA ResourceApplyAdagradV2 ResourceApplyAdam ResourceApplyAdamWithAmsgrad \
    ResourceApplyAddSign ResourceApplyCenteredRMSProp ResourceApplyFtrl ResourceApplyFtrlV2 \
    ResourceApplyGradientDescent ResourceApplyKerasMomentum ResourceApplyMomentum ResourceApplyPowerSign \
    ResourceApplyProximalAdagrad ResourceApplyProximalGradientDescent ResourceApplyRMSProp ResourceGather \
    ResourceGatherNd ResourceScatterAdd ResourceScatterDiv ResourceScatterMax ResourceScatterMin \
    ResourceScatterMul ResourceScatterNdAdd ResourceScatterNdMax ResourceScatterNdMin ResourceScatterNdSub \
    ResourceScatterNdUpdate ResourceScatterSub ResourceScatterUpdate ResourceSparseApplyAdadelta \
    ResourceSparseApplyAdagrad ResourceSparseApplyAdagradV2 ResourceSparseApplyCenteredRMSProp \
    ResourceSparseApplyFtrl ResourceSparseApplyFtrlV2 ResourceSparseApplyKerasMomentum \
    ResourceSparseApplyMomentum ResourceSparseApplyRMSProp ResourceStridedSliceAssign Restore RestoreSlice \
    RestoreV2 Reverse ReverseSequence ReverseV2 RightShift Rint RngReadAndSkip RngSkip Roll Round Rsqrt \
    RsqrtGrad SampleDistortedBoundingBox SampleDistortedBoundingBoxV2 SaveV2 ScalarSummary ScaleAndTranslate \
    ScaleAndTranslateGrad ScatterAdd ScatterDiv ScatterMax ScatterMin ScatterMul ScatterNd ScatterNdAdd \
    ScatterNdNonAliasingAdd ScatterNdSub ScatterNdUpdate ScatterSub ScatterUpdate SdcaFprint SegmentMax \
    SegmentMaxV2 SegmentMean SegmentMin SegmentMinV2 SegmentProd SegmentProdV2 SegmentSum SegmentSumV2 Select \
    SelectV2 SelfAdjointEig SelfAdjointEigV2 Selu SeluGrad SerializeManySparse SerializeSparse SerializeTensor \
    SetSize Shape ShapeN ShardedFilename ShardedFilespec ShuffleDataset ShuffleDatasetV3 Sigmoid SigmoidGrad \
    Sign Sin Sinh Size SkipDataset Skipgram Slice Snapshot Softmax SoftmaxCrossEntropyWithLogits Softplus \
    SoftplusGrad Softsign SoftsignGrad SpaceToBatch SpaceToBatchND SpaceToDepth SparseAdd SparseAddGrad \
    SparseApplyAdagrad SparseApplyFtrl SparseApplyMomentum SparseBincount SparseConcat SparseCountSparseOutput \
    SparseCross SparseCrossHashed SparseCrossV2 SparseDenseCwiseAdd SparseDenseCwiseDiv SparseDenseCwiseMul \
    SparseFillEmptyRows SparseFillEmptyRowsGrad SparseMatMul SparseMatrixAdd SparseMatrixMatMul SparseMatrixMul \
    SparseMatrixNNZ SparseMatrixSoftmax SparseMatrixSparseMatMul SparseMatrixTranspose SparseReduceMax \
    SparseReduceMaxSparse SparseReduceSum SparseReduceSumSparse SparseReorder SparseReshape SparseSegmentMean \
    SparseSegmentMeanGrad SparseSegmentMeanGradV2 SparseSegmentMeanWithNumSegments SparseSegmentSqrtN \
    SparseSegmentSqrtNGrad SparseSegmentSqrtNGradV2 SparseSegmentSqrtNWithNumSegments SparseSegmentSum \
    SparseSegmentSumGrad SparseSegmentSumGradV2 SparseSegmentSumWithNumSegments SparseSlice SparseSliceGrad \
    SparseSoftmax SparseSoftmaxCrossEntropyWithLogits SparseSparseMaximum SparseSparseMinimum SparseSplit \
    SparseTensorDenseAdd SparseTensorDenseMatMul SparseTensorToCSRSparseMatrix SparseToDense Split SplitV Sqrt \
    SqrtGrad Square SquaredDifference Squeeze Stack StackClose StackCloseV2 StackPop StackPopV2 StackPush \
    StackPushV2 StackV2 StatefulPartitionedCall StatefulRandomBinomial StatefulStandardNormal \
    StatefulStandardNormalV2 StatefulTruncatedNormal StatefulUniform StatefulUniformFullInt StatefulUniformInt \
    StatelessCase StatelessIf StatelessMultinomial StatelessParameterizedTruncatedNormal StatelessRandomBinomial \
    StatelessRandomGammaV2 StatelessRandomGammaV3 StatelessRandomGetAlg StatelessRandomGetKeyCounter \
    StatelessRandomGetKeyCounterAlg StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomPoisson \
    StatelessRandomUniform StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2 \
    StatelessRandomUniformInt StatelessRandomUniformIntV2 StatelessRandomUniformV2 \
    StatelessSampleDistortedBoundingBox StatelessShuffle StatelessTruncatedNormal StatelessTruncatedNormalV2 \
    StatelessWhile StaticRegexFullMatch StaticRegexReplace StopGradient StridedSlice StridedSliceAssign \
    StridedSliceGrad StringFormat StringJoin StringLength StringLower StringNGrams StringSplit StringSplitV2 \
    StringStrip StringToHashBucket StringToHashBucketFast StringToHashBucketStrong StringToNumber StringUpper \
    Sub Substr Sum Svd Switch SymbolicGradient TakeDataset Tan Tanh TanhGrad TemporaryVariable TensorArray \
    TensorArrayClose TensorArrayCloseV3 TensorArrayConcat TensorArrayConcatV3 TensorArrayGather \
    TensorArrayGatherV3 TensorArrayGrad TensorArrayGradV3 TensorArrayGradWithShape TensorArrayPack \
    TensorArrayRead TensorArrayReadV3 TensorArrayScatter TensorArrayScatterV3 TensorArraySize TensorArraySizeV3 \
    TensorArraySplit TensorArraySplitV3 TensorArrayUnpack TensorArrayV3 TensorArrayWrite TensorArrayWriteV3 \
    TensorDataset TensorForestCreateTreeVariable TensorForestTreeDeserialize TensorForestTreeIsInitializedOp \
    TensorForestTreePredict TensorForestTreeResourceHandleOp TensorForestTreeSerialize TensorForestTreeSize \
    TensorListConcat TensorListConcatLists TensorListConcatV2 TensorListElementShape TensorListFromTensor \
    TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack \
    TensorListPushBackBatch TensorListReserve TensorListResize TensorListScatter \
    TensorListScatterIntoExistingList TensorListScatterV2 TensorListSetItem TensorListSplit TensorListStack \
    TensorMapErase TensorMapHasKey TensorMapInsert TensorMapLookup TensorMapSize TensorMapStackKeys \
    TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate TensorSliceDataset \
    TensorStridedSliceUpdate TensorSummary TensorSummaryV2 ThreadUnsafeUnigramCandidateSampler Tile TileGrad \
    Timestamp ToBool TopK TopKUnique TopKV2 TopKWithUnique Transpose TridiagonalMatMul TridiagonalSolve \
    TruncateDiv TruncateMod TruncatedNormal Unbatch UnbatchGrad UnicodeDecode UnicodeDecodeWithOffsets \
    UnicodeEncode UnicodeScript UnicodeTranscode UniformCandidateSampler UniformDequantize UniformQuantize \
    UniformQuantizedAdd UniformQuantizedClipByValue UniformQuantizedConvolution \
    UniformQuantizedConvolutionHybrid UniformQuantizedDot UniformQuantizedDotHybrid UniformRequantize Unique \
    UniqueV2 UniqueWithCounts UniqueWithCountsV2 Unpack UnravelIndex UnsortedSegmentJoin UnsortedSegmentMax \
    UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum UnwrapDatasetVariant UpperBound VarHandleOp \
    VarIsInitializedOp Variable VariableShape VariableV2 Where While Xdivy XlaBroadcastHelper XlaConcatND \
    XlaConv XlaConvV2 XlaDot XlaDotV2 XlaDynamicSlice XlaDynamicUpdateSlice XlaEinsum XlaGather XlaIf \
    XlaKeyValueSort XlaLaunch XlaOptimizationBarrier XlaPad XlaReduce XlaReduceWindow \
    XlaRemoveDynamicDimensionSize XlaReplicaId XlaRngBitGenerator XlaScatter XlaSelectAndScatter \
    XlaSelfAdjointEig XlaSetBound XlaSetDynamicDimensionSize XlaSharding XlaSort XlaSplitND \
    XlaSpmdFullToShardShape XlaSpmdShardToFullShape XlaSvd XlaVariadicReduceV2 XlaVariadicSort XlaWhile Xlog1py \
    Xlogy ZerosLike Zeta ZipDataset _Arg _ArrayToList _DeviceArg _DeviceRetval _FusedBatchNormEx _FusedConv2D \
    _FusedConv3D _FusedDepthwiseConv2dNative _FusedMatMul _HostCast _If _ListToArray _ParallelConcatStart \
    _ParallelConcatUpdate _Retval _SwitchN _UnaryOpsComposition _While";

/// Whether an operator is one of them.
pub(crate) fn computes(operator: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| COMPUTE.split_ascii_whitespace().collect());
    NAMES.contains(operator)
}
