//! What a file is, by its first bytes; its name is only compared with that.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    archive::{compressed, tar},
    booster, hdf5, onnx, pickle, safetensors, tensorflow, torch_legacy,
};

/// A file format by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Format {
    /// An ONNX model.
    Onnx,
    /// A safetensors file.
    Safetensors,
    /// The index of a sharded safetensors model.
    SafetensorsIndex,
    /// Raw tensor bytes that an ONNX model beside it names.
    TensorData,
    /// A Python pickle.
    Pickle,
    /// A pickle with joblib's inline arrays.
    Joblib,
    /// A zip archive: torch, Keras, npz, skops and others.
    Zip,
    /// Arrays of numpy in a zip archive.
    Npz,
    /// A PyTorch model in any of its containers.
    Torch,
    /// A TorchScript program with its weights.
    TorchScript,
    /// A Keras 3 model.
    Keras,
    /// A model that skops wrote.
    Skops,
    /// An HDF5 file.
    Hdf5,
    /// An array that numpy wrote.
    Npy,
    /// A GGUF model.
    Gguf,
    /// The architecture of a Keras model as JSON.
    KerasJson,
    /// An XGBoost model as JSON.
    XgboostJson,
    /// An XGBoost model as UBJSON.
    XgboostUbj,
    /// An XGBoost model in its old binary format.
    XgboostBinary,
    /// A LightGBM model as text.
    LightgbmText,
    /// A LightGBM model as JSON.
    LightgbmJson,
    /// A CatBoost model in its binary format.
    Catboost,
    /// A CatBoost model as JSON.
    CatboostJson,
    /// A TensorFlow SavedModel.
    SavedModel,
    /// A TensorFlow graph by itself.
    TfGraph,
    /// The index of a TensorFlow checkpoint.
    TfCheckpoint,
    /// The checksums that TensorFlow puts beside a SavedModel.
    TfFingerprint,
    /// What Keras 2 puts beside a SavedModel to build its layers again.
    KerasMetadata,
    /// A TensorFlow Lite model.
    Tflite,
    /// A gzip, bzip2, xz, zlib, zstd or lz4 stream.
    Compressed,
    /// A tar archive.
    Tar,
    /// A 7z archive.
    SevenZip,
    /// A native executable or library.
    Executable,
    /// A script with an interpreter line.
    Script,
    /// JSON text.
    Json,
    /// Other text.
    Text,
    /// Git LFS or DVC metadata in place of the file.
    Pointer,
    /// An HTML page.
    Html,
    /// No bytes at all.
    Empty,
    /// None of these.
    Unknown,
}

/// All formats with their names in reports and in the configuration.
const NAMES: &[(Format, &str)] = &[
    (Format::Onnx, "onnx"),
    (Format::Safetensors, "safetensors"),
    (Format::SafetensorsIndex, "safetensors-index"),
    (Format::TensorData, "tensor-data"),
    (Format::Pickle, "pickle"),
    (Format::Joblib, "joblib"),
    (Format::Zip, "zip"),
    (Format::Npz, "npz"),
    (Format::Torch, "torch"),
    (Format::TorchScript, "torchscript"),
    (Format::Keras, "keras"),
    (Format::Skops, "skops"),
    (Format::Hdf5, "hdf5"),
    (Format::Npy, "npy"),
    (Format::Gguf, "gguf"),
    (Format::KerasJson, "keras-json"),
    (Format::XgboostJson, "xgboost-json"),
    (Format::XgboostUbj, "xgboost-ubj"),
    (Format::XgboostBinary, "xgboost-binary"),
    (Format::LightgbmText, "lightgbm-text"),
    (Format::LightgbmJson, "lightgbm-json"),
    (Format::Catboost, "catboost"),
    (Format::CatboostJson, "catboost-json"),
    (Format::SavedModel, "tf-saved-model"),
    (Format::TfGraph, "tf-graph"),
    (Format::TfCheckpoint, "tf-checkpoint"),
    (Format::TfFingerprint, "tf-fingerprint"),
    (Format::KerasMetadata, "keras-metadata"),
    (Format::Tflite, "tflite"),
    (Format::Compressed, "compressed"),
    (Format::Tar, "tar"),
    (Format::SevenZip, "7z"),
    (Format::Executable, "executable"),
    (Format::Script, "script"),
    (Format::Json, "json"),
    (Format::Text, "text"),
    (Format::Pointer, "pointer"),
    (Format::Html, "html"),
    (Format::Empty, "empty"),
    (Format::Unknown, "unknown"),
];

/// A name that is no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no artifact format that is analysed; known are {known}")]
pub struct FormatError {
    name: String,
    known: String,
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) format: Format,
    /// The file would also be executed by an unpickler.
    pub(crate) also_pickle: bool,
    /// A tar reader would open it.
    pub(crate) also_tar: bool,
    /// A reader of HDF5 would find its signature behind a user block.
    pub(crate) also_hdf5: bool,
}

impl Format {
    /// The formats that are analysed and so may be listed in a policy.
    pub const ANALYSED: &[Self] = &[
        Self::Onnx,
        Self::Safetensors,
        Self::Pickle,
        Self::Joblib,
        Self::Torch,
        Self::TorchScript,
        Self::Npy,
        Self::Npz,
        Self::Zip,
        Self::Tar,
        Self::Gguf,
        Self::Hdf5,
        Self::Keras,
        Self::Skops,
        Self::SavedModel,
        Self::TfGraph,
        Self::TfCheckpoint,
        Self::KerasJson,
        Self::XgboostJson,
        Self::XgboostUbj,
        Self::XgboostBinary,
        Self::LightgbmText,
        Self::LightgbmJson,
        Self::Catboost,
        Self::CatboostJson,
        Self::Tflite,
    ];

    /// Whether this is a model, as opposed to something that may lie beside one.
    pub(crate) fn is_model(self) -> bool {
        !matches!(
            self,
            Self::SafetensorsIndex
                | Self::TensorData
                | Self::TfFingerprint
                | Self::KerasMetadata
                | Self::Json
                | Self::Text
                | Self::Pointer
                | Self::Html
                | Self::Empty
        )
    }
}

impl Format {
    /// What a container that holds this counts as holding: a model of a known format, or nothing.
    pub(crate) fn as_content(self) -> Option<Self> {
        Some(self).filter(|format| format.is_model() && *format != Self::Unknown)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES.iter().find(|(format, _)| format == self).map_or("unknown", |(_, name)| name))
    }
}

impl FromStr for Format {
    type Err = FormatError;
    fn from_str(name: &str) -> Result<Self, FormatError> {
        Self::ANALYSED.iter().copied().find(|format| format.to_string() == name).ok_or_else(|| {
            let known: Vec<String> = Self::ANALYSED.iter().map(Self::to_string).collect();
            FormatError { name: name.to_owned(), known: known.join(", ") }
        })
    }
}

/// Identifies a file by its head (as much of it as was read, at least its first bytes).
pub(crate) fn identify(head: &[u8], size: u64) -> Identity {
    let format = by_magic(head, size).unwrap_or_else(|| by_grammar(head, size));
    let also_pickle = !matches!(format, Format::Pickle | Format::Torch)
        && format.is_model()
        && pickle::executes(head, size);
    let also_tar = format != Format::Tar && tar::begins(head);
    let also_hdf5 = format != Format::Hdf5 && hdf5::has_user_block(head);
    Identity { format, also_pickle, also_tar, also_hdf5 }
}

fn by_magic(head: &[u8], size: u64) -> Option<Format> {
    const MAGIC: &[(usize, &[u8], Format)] = &[
        (0, b"version https://git-lfs.github.com/spec/", Format::Pointer),
        (0, b"PK\x03\x04", Format::Zip),
        (0, b"PK\x05\x06", Format::Zip),
        (0, b"\x89HDF\r\n\x1a\n", Format::Hdf5),
        (0, b"\x93NUMPY", Format::Npy),
        (0, b"GGUF", Format::Gguf),
        (4, b"TFL3", Format::Tflite),
        (0, b"CBM1", Format::Catboost),
        (0, b"\x1f\x8b", Format::Compressed),
        (0, b"BZh", Format::Compressed),
        (0, b"\xfd7zXZ\0", Format::Compressed),
        (0, b"\x5d\0", Format::Compressed),
        (0, b"\x28\xb5\x2f\xfd", Format::Compressed),
        (0, b"\x04\x22\x4d\x18", Format::Compressed),
        (0, b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
        (0, b"\x7fELF", Format::Executable),
        (0, b"MZ\x90\0", Format::Executable),
        (0, b"\xcf\xfa\xed\xfe", Format::Executable),
        (0, b"\xca\xfe\xba\xbe", Format::Executable),
        (0, b"#!", Format::Script),
        (257, b"ustar", Format::Tar),
    ];
    if size == 0 {
        return Some(Format::Empty);
    }
    if compressed::is_old_joblib(head) {
        return Some(Format::Compressed);
    }
    if torch_legacy::recognise(head) {
        return Some(Format::Torch);
    }
    if safetensors::recognise(head) {
        return Some(Format::Safetensors);
    }
    if booster::recognise_ubjson(head) {
        return Some(Format::XgboostUbj);
    }
    if booster::recognise_xgboost_binary(head) {
        return Some(Format::XgboostBinary);
    }
    MAGIC
        .iter()
        .find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
        .map(|(_, _, format)| *format)
        .or_else(|| hdf5::has_user_block(head).then_some(Format::Hdf5))
}

fn by_grammar(head: &[u8], size: u64) -> Format {
    if pickle::recognise(head, size) {
        return Format::Pickle;
    }
    if onnx::recognise(head) {
        return Format::Onnx;
    }
    let whole = head.len() as u64 == size;
    if let Some(format) = tensorflow::recognise(head, if whole { size } else { u64::MAX }) {
        return format;
    }
    // zlib's two bytes carry a check of their own, and still match one text in a few thousand.
    if let [0x78, second, ..] = head
        && (0x7800 + u16::from(*second)).is_multiple_of(31)
        && !is_text(head)
    {
        return Format::Compressed;
    }
    if pickle::reads_on(head, size) {
        return Format::Pickle;
    }
    if is_text(head) { text(head) } else { Format::Unknown }
}

/// UTF-8 without control characters, apart from a character that the end of the head cuts.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("")
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn text(head: &[u8]) -> Format {
    let head = head.trim_ascii_start();
    let lower: Vec<u8> = head.iter().take(16).map(u8::to_ascii_lowercase).collect();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return Format::Html;
    }
    if is_dvc_pointer(head) {
        return Format::Pointer;
    }
    match head.first() {
        Some(b'{' | b'[') => Format::Json,
        _ if head.starts_with(b"tree\nversion=") || head.starts_with(b"tree\r\nversion=") => {
            Format::LightgbmText
        }
        _ => Format::Text,
    }
}

/// DVC writes a short YAML list of outputs with their hashes and sizes.
fn is_dvc_pointer(head: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(&head[..head.len().min(4096)]) else { return false };
    let keys: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim_start_matches([' ', '-']).split_once(':'))
        .map(|(k, _)| k)
        .collect();
    text.starts_with("outs:")
        && keys.contains(&"path")
        && keys.iter().any(|key| matches!(*key, "md5" | "etag"))
}

/// Whether the name claims a format that the content does not have. Only claims that would mislead a loader or a
/// reader count: a name of ONNX, safetensors, Keras or skops, those contents under another format's name, and a pickle behind
/// a name that does not suggest one.
pub(crate) fn is_misnamed(path: &str, format: Format) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let Some((_, extension)) = name.rsplit_once('.') else { return false };
    let claimed = match extension {
        "onnx" => Format::Onnx,
        "safetensors" => Format::Safetensors,
        "pkl" | "pickle" | "joblib" => Format::Pickle,
        "gguf" => Format::Gguf,
        "npy" => Format::Npy,
        "npz" => Format::Npz,
        "keras" => Format::Keras,
        "skops" => Format::Skops,
        "h5" | "hdf5" => Format::Hdf5,
        "tflite" => Format::Tflite,
        "json" => Format::Json,
        "txt" | "md" | "csv" | "yaml" | "yml" | "toml" => Format::Text,
        // Whatever renders templates takes everything in such a file for one.
        "jinja" | "jinja2" | "j2" => {
            return !matches!(format, Format::Text | Format::Pointer | Format::Html | Format::Empty);
        }
        _ => return false,
    };
    let sound =
        |one: Format| matches!(one, Format::Onnx | Format::Safetensors | Format::Keras | Format::Skops);
    match format {
        Format::Pointer | Format::Html | Format::Empty => false,
        // HDF5 finds its signature behind anything.
        format if claimed == Format::Hdf5 => format != Format::Hdf5,
        Format::Pickle | Format::Joblib => claimed != Format::Pickle,
        // Keras 2 wrote HDF5 under either name, and judges by content when it reads.
        Format::Hdf5 if claimed == Format::Keras => false,
        // A booster or Keras model in JSON or text.
        Format::KerasJson
        | Format::XgboostJson
        | Format::LightgbmJson
        | Format::CatboostJson
        | Format::LightgbmText => sound(claimed),
        format => format != claimed && (sound(format) || sound(claimed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(head: &[u8]) -> Format {
        identify(head, head.len() as u64).format
    }

    #[test]
    fn pointers_and_pages_are_told_from_models() {
        assert_eq!(
            format(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
            Format::Pointer
        );
        assert_eq!(format(b"outs:\n- md5: 0123\n  size: 5\n  path: model.pkl\n"), Format::Pointer);
        assert_eq!(format(b"  <!DOCTYPE HTML><title>404</title>"), Format::Html);
        assert_eq!(format(b""), Format::Empty);
        assert_eq!(format(b"{\"a\": 1}"), Format::Json);
        assert_eq!(format(b"cat\ndog\nfish\n"), Format::Text, "labels are no pickle");
        assert_eq!(format(&[0x17, 0x99, 0x03, 0xff]), Format::Unknown);
    }

    #[test]
    fn a_name_is_only_compared() {
        assert!(is_misnamed("m/model.onnx", Format::Pickle));
        assert!(is_misnamed("notes.txt", Format::Pickle));
        assert!(is_misnamed("model.pkl", Format::Onnx));
        assert!(!is_misnamed("model.pkl", Format::Joblib));
        assert!(!is_misnamed("model.onnx", Format::Onnx));
        assert!(!is_misnamed("model", Format::Pickle));
        assert_eq!("onnx".parse(), Ok(Format::Onnx));
        assert!("html".parse::<Format>().is_err());
    }
}
