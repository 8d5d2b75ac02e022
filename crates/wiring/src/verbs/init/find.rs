//! What lies in the repository: model files by their extension, reports and golden cases by what they are.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tagship_config::Format;
use tagship_domain::{Document as _, golden::GoldenCases};

/// Most files and directories that are looked at.
const ENTRIES: usize = 50_000;
/// Deepest directory that is looked into.
const DEPTH: usize = 10;
/// Most bytes of a report that are read to recognise it.
const PEEK: u64 = 1 << 20;
/// Directories of other programs, and of files that only tests use.
const SKIPPED: [&str; 12] = [
    "node_modules",
    "target",
    "venv",
    "env",
    "site-packages",
    "__pycache__",
    "build",
    "dist",
    "test",
    "tests",
    "fixtures",
    "examples",
];

/// Everything that was found, sorted; paths are relative to the root and written with `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Model files.
    pub(super) models: Vec<(String, Format)>,
    /// JUnit XML.
    pub(super) junit: Vec<String>,
    /// Metrics as JSON, with the names of the numbers in them.
    pub(super) metrics: Vec<(String, Vec<String>)>,
    /// Predictions on held-out rows as CSV.
    pub(super) predictions: Vec<String>,
    /// Golden cases.
    pub(super) golden: Vec<String>,
}

/// Extensions of model files, with the format that they promise.
const EXTENSIONS: [(&str, Format); 18] = [
    ("onnx", Format::Onnx),
    ("safetensors", Format::Safetensors),
    ("pkl", Format::Pickle),
    ("pickle", Format::Pickle),
    ("dill", Format::Pickle),
    ("joblib", Format::Joblib),
    ("skops", Format::Skops),
    ("pt", Format::Torch),
    ("pth", Format::Torch),
    ("ckpt", Format::Torch),
    ("keras", Format::Keras),
    ("h5", Format::Hdf5),
    ("hdf5", Format::Hdf5),
    ("tflite", Format::Tflite),
    ("gguf", Format::Gguf),
    ("ubj", Format::XgboostUbj),
    ("cbm", Format::Catboost),
    ("npz", Format::Npz),
];

/// The known extensions, for people.
pub(super) fn extensions() -> String {
    EXTENSIONS.map(|(extension, _)| format!(".{extension}")).join(", ")
}

/// The format that a file name promises.
pub(super) fn format_of(path: &str) -> Option<Format> {
    let name = path.rsplit('/').next()?.to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "pb" if stem == "saved_model" => Some(Format::TfSavedModel),
        "bin" if stem.starts_with("pytorch_model") => Some(Format::Torch),
        _ => EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, format)| *format),
    }
}

/// The format of boosted trees in files whose names promise nothing.
fn trees(text: &str) -> Option<Format> {
    let text = text.trim_start();
    let object = text.strip_prefix('{').map(str::trim_start);
    if text.starts_with("tree\n") || text.starts_with("tree\r\n") {
        Some(Format::LightgbmText)
    } else if object.is_some_and(|members| members.starts_with("\"learner\"")) {
        Some(Format::XgboostJson)
    } else {
        None
    }
}

/// Looks through the working tree. What cannot be read is not there; links are not followed.
pub(super) fn find(root: &Path) -> Found {
    let mut found = Found::default();
    let mut waiting: Vec<(PathBuf, usize)> = vec![(root.to_owned(), 0)];
    let mut seen = 0;
    while let Some((directory, depth)) = waiting.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            seen += 1;
            let (Ok(kind), name) = (entry.file_type(), entry.file_name().to_string_lossy().into_owned())
            else {
                continue;
            };
            if seen > ENTRIES || name.starts_with('.') {
                continue;
            }
            if kind.is_dir() && depth < DEPTH && !SKIPPED.contains(&name.as_str()) {
                waiting.push((entry.path(), depth + 1));
            } else if kind.is_file()
                && let Ok(relative) = entry.path().strip_prefix(root)
            {
                let path = relative.to_string_lossy().replace('\\', "/");
                recognise(&mut found, path, &name, &entry.path());
            }
        }
    }
    found.models.sort();
    found.junit.sort();
    found.metrics.sort();
    found.predictions.sort();
    found.golden.sort();
    found
}

fn recognise(found: &mut Found, path: String, name: &str, file: &Path) {
    if let Some(format) = format_of(&path) {
        found.models.push((path, format));
        return;
    }
    let Some((_, extension)) = name.rsplit_once('.') else { return };
    match extension.to_ascii_lowercase().as_str() {
        "xml" if is_junit(&peek(file)) => found.junit.push(path),
        "txt" | "lgb" | "model" | "json" if let Some(format) = trees(&start(file)) => {
            found.models.push((path, format));
        }
        "csv" if name.contains("prediction") && is_predictions(&peek(file)) => found.predictions.push(path),
        "json" if name.contains("golden") || name.contains("metric") => {
            let Ok(json) = serde_json::from_str::<Value>(&peek(file)) else { return };
            if json.get("schema").and_then(Value::as_str) == Some(GoldenCases::SCHEMA) {
                found.golden.push(path);
            } else if name.contains("metric") {
                let numbers = numbers(&json);
                if !numbers.is_empty() {
                    found.metrics.push((path, numbers));
                }
            }
        }
        _ => {}
    }
}

fn peek(file: &Path) -> String {
    read(file, PEEK)
}

/// Its first bytes, for formats that begin with their name.
fn start(file: &Path) -> String {
    read(file, 64)
}

fn read(file: &Path, most: u64) -> String {
    let mut bytes = vec![];
    let read = fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes));
    if read.is_err() { String::new() } else { String::from_utf8_lossy(&bytes).into_owned() }
}

fn is_junit(text: &str) -> bool {
    let root = text.split('<').map(str::trim_start).find(|tag| tag.starts_with(char::is_alphabetic));
    root.is_some_and(|tag| tag.starts_with("testsuite"))
}

fn is_predictions(text: &str) -> bool {
    let header = text.lines().next().unwrap_or_default();
    ["label", "prediction"].iter().all(|column| header.split(',').any(|name| name.trim() == *column))
}

/// The numbers at the top, by names that a rule can say without quotes.
fn numbers(json: &Value) -> Vec<String> {
    let plain = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let fields = json.as_object().into_iter().flatten();
    fields.filter(|(name, value)| value.is_number() && plain(name)).map(|(name, _)| name.clone()).collect()
}
