//! Operators that do more than compute.

use crate::rules::{self, Rule};

/// Run Python or native code, or read and write any file.
const CODE: &[&str] = &[
    "EagerPyFunc",
    "FileSystemSetConfiguration",
    "ImmutableConst",
    "LoadLibrary",
    "MatchingFiles",
    "PyFunc",
    "PyFuncStateless",
    "ReadFile",
    "ShellExecute",
    "WriteFile",
];

/// Read data sets, write logs, or connect to other machines. A model that answers requests needs none of them.
const OUTSIDE: &[&str] = &[
    "Abort",
    "BigQueryReader",
    "CSVDataset",
    "CSVDatasetV2",
    "CacheDataset",
    "CacheDatasetV2",
    "CloseSummaryWriter",
    "CollectiveBcastRecv",
    "CollectiveBcastRecvV2",
    "CollectiveBcastSend",
    "CollectiveBcastSendV2",
    "CollectiveGather",
    "CollectiveInitializeCommunicator",
    "CollectiveReduce",
    "CollectiveReduceV2",
    "CollectiveReduceV3",
    "ConfigureDistributedTPU",
    "CreateSummaryDbWriter",
    "CreateSummaryFileWriter",
    "DataServiceDataset",
    "DataServiceDatasetV2",
    "DataServiceDatasetV3",
    "DataServiceDatasetV4",
    "DatasetToTFRecord",
    "DistributedSave",
    "DumpTensor",
    "ExperimentalLMDBDataset",
    "ExperimentalMatchingFilesDataset",
    "ExperimentalSqlDataset",
    "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2",
    "FixedLengthRecordReader",
    "FixedLengthRecordReaderV2",
    "FlushSummaryWriter",
    "GcsConfigureBlockCache",
    "GcsConfigureCredentials",
    "GenerateVocabRemapping",
    "GeneratorDataset",
    "HostRecv",
    "HostSend",
    "IdentityReader",
    "ImportEvent",
    "KafkaDataset",
    "KinesisDataset",
    "LMDBDataset",
    "LMDBReader",
    "LoadAndRemapMatrix",
    "LoadDataset",
    "MatchingFilesDataset",
    "NcclAllReduce",
    "NcclBroadcast",
    "NcclReduce",
    "OutfeedDequeue",
    "OutfeedDequeueTuple",
    "OutfeedEnqueue",
    "OutfeedEnqueueTuple",
    "PubSubDataset",
    "ReaderRead",
    "ReaderReadUpTo",
    "ReaderReadUpToV2",
    "ReaderReadV2",
    "ReaderRestoreState",
    "ReaderRestoreStateV2",
    "RecordInput",
    "Recv",
    "RegisterDataset",
    "RegisterDatasetV2",
    "RemoteCall",
    "RpcCall",
    "RpcClient",
    "RpcServer",
    "Save",
    "SaveDataset",
    "SaveDatasetV2",
    "SaveSlices",
    "Send",
    "SnapshotDataset",
    "SnapshotDatasetV2",
    "SqlDataset",
    "StatsAggregatorSetSummaryWriter",
    "SummaryWriter",
    "TFRecordDataset",
    "TFRecordDatasetV2",
    "TFRecordReader",
    "TFRecordReaderV2",
    "TextLineDataset",
    "TextLineReader",
    "TextLineReaderV2",
    "TryRpc",
    "WholeFileReader",
    "WholeFileReaderV2",
    "WriteAudioSummary",
    "WriteGraphSummary",
    "WriteHistogramSummary",
    "WriteImageSummary",
    "WriteRawProtoSummary",
    "WriteScalarSummary",
    "WriteSummary",
    "XlaHostCompute",
    "XlaRecvFromHost",
    "XlaRecvTPUEmbeddingActivations",
    "XlaSendToHost",
];

/// Beginnings of names of operators that send or write what passes through them.
const FAMILIES: &[&str] =
    &["DebugIdentity", "DebugNanCount", "DebugNumericSummary", "BigtableTable", "Experimental"];

/// The rule that an operator falls under.
pub(crate) fn judge(operator: &str) -> Option<&'static Rule> {
    // A name may carry the namespace that registers it.
    let name = operator.rsplit('>').next().unwrap_or(operator);
    let name = name.trim_start_matches('_');
    if CODE.contains(&name) || name.starts_with("DebugIdentity") {
        Some(&rules::TF_CODE)
    } else if OUTSIDE.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family)) {
        Some(&rules::TF_OUTSIDE)
    } else {
        None
    }
}
