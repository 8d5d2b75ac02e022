//! What only the files together tell: shards and their index, external tensor data, whether there is a model.

use std::collections::{HashMap, HashSet};

use tagship_domain::signature::Signature;

use super::file::Judged;
use crate::{
    analyse::Ties, facts::Facts, findings::Findings, format::Format, rules, safetensors, tree::Tree,
};

/// Extensions of files that are opened for their name: code, settings and templates.
const LOADED: &[&str] = &[
    "py",
    "pyc",
    "pyd",
    "so",
    "dll",
    "dylib",
    "sh",
    "bat",
    "cmd",
    "ps1",
    "exe",
    "js",
    "lua",
    "jar",
    "json",
    "yaml",
    "yml",
    "toml",
    "ini",
    "cfg",
    "jinja",
    "jinja2",
    "j2",
    "pkl",
    "pickle",
    "joblib",
    "ipynb",
    "html",
    "dockerfile",
    "makefile",
    "jenkinsfile",
    "bash",
    "zsh",
    "pl",
    "rb",
    "r",
    "mjs",
    "cjs",
    "ts",
    "php",
    "pth",
    "pte",
    "ptl",
    "engine",
    "plan",
    "wasm",
];

/// Checks the files of a directory against each other.
pub(super) fn check(files: &mut [Judged], whole: &mut Findings) {
    explain_external(files);
    check_indexes(files);
    check_blobs(files);
    if !files.iter().any(|file| file.format.is_model()) {
        whole.whole(
            &rules::NO_MODEL,
            "there is no model among the files; point the artifact at the folder that holds it",
        );
    }
}

/// Checks a file that is an artifact by itself: whatever it names lies outside of its digest.
pub(super) fn check_alone(tree: &dyn Tree, file: &mut Judged) {
    match &file.ties {
        Ties::External(external) if !external.is_empty() => {
            let count = external.len();
            file.findings.whole(
                &rules::EXTERNAL_UNCOVERED,
                format!("tensors lie in {count} more files; name the folder as the artifact"),
            );
        }
        Ties::Index(weight_map) => {
            let exists = |path: &str| tree.facts(path).is_ok();
            safetensors::check_index(&file.path, weight_map, None, exists, &mut file.findings);
            file.findings.whole(&rules::NO_MODEL, "this is only an index; name the folder as the artifact");
        }
        _ => {}
    }
    if matches!(file.format, Format::Json | Format::Text) {
        file.findings.whole(&rules::NO_MODEL, format!("{} is no model that can be judged", file.format));
    }
}

/// The interface of the only model that has one.
pub(super) fn signature(files: &[Judged]) -> Option<Signature> {
    let mut signatures = files.iter().filter_map(|file| file.signature.as_ref());
    let first = signatures.next();
    first.filter(|_| signatures.next().is_none()).cloned()
}

/// What the files state together. Files of several formats may hold the same tensors, which are then not counted.
pub(super) fn facts(files: &[Judged]) -> Facts {
    let mut facts = Facts::default();
    let mut formats = HashSet::new();
    for file in files {
        if file.findings.facts.has_tensors() {
            formats.insert(file.format.to_string());
        }
        facts.append(file.findings.facts.clone());
    }
    if formats.len() > 1 { facts.uncounted() } else { facts }
}

/// A file that holds tensors of an ONNX model is raw numbers: that no format fits it says nothing. Whatever it would
/// run if someone loaded it still counts.
fn explain_external(files: &mut [Judged]) {
    let external: HashSet<String> = files
        .iter()
        .filter_map(|file| match &file.ties {
            Ties::External(paths) => Some(paths.iter().cloned()),
            _ => None,
        })
        .flatten()
        .collect();
    for file in files.iter_mut().filter(|file| external.contains(&file.path) && file.digest.is_some()) {
        if is_raw(file) {
            file.findings = Findings::new();
            file.format = Format::TensorData;
        }
    }
}

/// Whether a file is numbers as far as anybody who opens it by its content or its name is concerned. A few short marks and
/// any text are numbers by chance, as long as nothing was found that a loader would do.
fn is_raw(file: &Judged) -> bool {
    let by_chance = matches!(
        file.format,
        Format::Unknown | Format::Text | Format::Pickle | Format::Compressed | Format::TfGraph
    );
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    // A name without one is its own extension: `Dockerfile`, `Makefile`.
    let extension = name.rsplit('.').next().unwrap_or(name);
    let loaded = LOADED.iter().any(|loaded| extension.eq_ignore_ascii_case(loaded));
    by_chance && !loaded && !file.findings.tells_what_is_done()
}

/// In an OCI image layout, a blob's name is the digest of its bytes (OCI image specification 1.1, `image-layout.md`).
fn check_blobs(files: &mut [Judged]) {
    if !files.iter().any(|file| file.path == "oci-layout") {
        return;
    }
    for file in files.iter_mut() {
        let Some(name) = file.path.strip_prefix("blobs/sha256/") else { continue };
        if file.digest.as_ref().is_some_and(|digest| digest.hex() != name) {
            let message =
                "the bytes of this blob do not have the digest that its name gives; fetch the image again";
            file.findings.whole(&rules::BLOB_DIGEST, message);
        }
    }
}

fn check_indexes(files: &mut [Judged]) {
    let mut found = Vec::new();
    let shards: HashMap<&str, &[String]> = files
        .iter()
        .filter_map(|file| match &file.ties {
            Ties::Tensors(tensors) => Some((file.path.as_str(), tensors.as_slice())),
            _ => None,
        })
        .collect();
    for (at, file) in files.iter().enumerate() {
        if let Ties::Index(weight_map) = &file.ties {
            // A shard in another format is judged by itself.
            let exists = |path: &str| files.iter().any(|file| file.path == path && file.format.is_model());
            let mut findings = Findings::new();
            safetensors::check_index(&file.path, weight_map, Some(&shards), exists, &mut findings);
            found.push((at, findings));
        }
    }
    for (at, findings) in found {
        files[at].findings.append(findings);
    }
}
