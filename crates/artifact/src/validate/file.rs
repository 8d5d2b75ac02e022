//! One file: open, identify, analyse, hash.

use tagship_domain::{
    digest::{Digest, FileEntry},
    signature::Signature,
};

use super::rule_of;
use crate::{
    booster,
    error::ArtifactError,
    findings::Findings,
    format::{self, Format},
    gguf, onnx, pickle,
    policy::ValidationPolicy,
    rules, safetensors, sidecar,
    stream::{Stop, Stream},
    tree::Tree,
};

/// What a file tells about other files.
#[derive(Debug)]
pub(super) enum Ties {
    /// Nothing.
    None,
    /// An ONNX model keeps tensors in these files of the artifact.
    External(Vec<String>),
    /// A safetensors file holds these tensors.
    Tensors(Vec<String>),
    /// An index says which shard holds which tensor.
    Index(Vec<(String, String)>),
}

/// What was found about one file.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) path: String,
    pub(super) format: Format,
    pub(super) size: u64,
    /// Missing where the file could not be read to its end.
    pub(super) digest: Option<Digest>,
    pub(super) signature: Option<Signature>,
    pub(super) ties: Ties,
    pub(super) findings: Findings,
}

impl Judged {
    fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            format: Format::Unknown,
            size: 0,
            digest: None,
            signature: None,
            ties: Ties::None,
            findings: Findings::new(),
        }
    }

    /// The file's line in the listing of its directory.
    pub(super) fn entry(&self) -> Option<FileEntry> {
        let sha256 = self.digest.clone()?;
        Some(FileEntry { path: self.path.clone(), size: self.size, sha256 })
    }

    /// Holds the file against what the team accepts.
    pub(super) fn apply(&mut self, policy: &ValidationPolicy) {
        if self.format.is_model() && self.digest.is_some() && !policy.allows(self.format) {
            let format = self.format;
            self.findings.about(&rules::FORMAT_REFUSED, None, format, "the policy does not list this format");
        }
    }

    fn failed(mut self, error: &ArtifactError) -> Self {
        self.findings.whole(rule_of(error), error.to_string());
        self
    }
}

/// Judges one file of a tree by itself.
pub(super) fn judge(tree: &dyn Tree, path: &str, progress: &mut dyn FnMut(u64)) -> Judged {
    let mut judged = Judged::new(path);
    let file = match tree.open(path) {
        Ok(file) => file,
        Err(error) => return judged.failed(&error),
    };
    judged.size = file.size;
    let mut stream = Stream::new(file.reader, file.size, progress);
    let analysed = analyse(tree, &mut stream, &mut judged);
    let finished = match analysed {
        Err(Stop::Io(error)) => Err(Stop::Io(error)),
        Ok(()) | Err(Stop::Truncated(_) | Stop::Reported) => stream.finish(),
    };
    match finished {
        Ok((digest, read)) if read == file.size => judged.digest = Some(digest),
        Err(Stop::Io(error)) => return judged.failed(&ArtifactError::io(path, error)),
        Ok(_) | Err(Stop::Truncated(_) | Stop::Reported) => {
            return judged.failed(&ArtifactError::Changed { path: path.to_owned() });
        }
    }
    judged
}

fn analyse(tree: &dyn Tree, stream: &mut Stream<'_>, judged: &mut Judged) -> Result<(), Stop> {
    let size = stream.size();
    let identity = format::identify(stream.head()?, size);
    judged.format = identity.format;
    let findings = &mut judged.findings;
    if identity.also_pickle {
        let format = identity.format;
        findings.whole(
            &rules::POLYGLOT,
            format!("the file is {format}, and an unpickler would execute it as well"),
        );
    }
    match identity.format {
        Format::Onnx => {
            let model = onnx::scan(stream, tree, &judged.path, findings);
            let model = or_truncated(model, findings, &rules::ONNX_WIRE)?;
            if let Some(model) = model {
                judged.signature = Some(model.signature);
                judged.ties = Ties::External(model.external);
            }
        }
        Format::Safetensors => {
            let tensors = safetensors::scan(stream, findings);
            if let Some(tensors) = or_truncated(tensors, findings, &rules::ST_TRUNCATED)? {
                judged.ties = Ties::Tensors(tensors);
            }
        }
        Format::Pickle => {
            let joblib = pickle::scan(stream, findings);
            if or_truncated(joblib, findings, &rules::PICKLE_TRUNCATED)? == Some(true) {
                judged.format = Format::Joblib;
            }
        }
        Format::Gguf => drop(or_truncated(gguf::scan(stream, findings), findings, &rules::GGUF_TRUNCATED)?),
        Format::Json => {
            let json = sidecar::scan_json(stream, findings)?;
            judged.format = json.format;
            if let Some(weight_map) = json.weight_map {
                judged.ties = Ties::Index(weight_map);
            }
        }
        Format::XgboostUbj => booster::scan_ubjson(stream, findings)?,
        Format::LightgbmText => {
            let model = booster::scan_lightgbm_text(stream, findings);
            or_truncated(model, findings, &rules::BOOSTER_TRUNCATED)?;
        }
        Format::Text if judged.path.ends_with(".jinja") || judged.path.ends_with(".jinja2") => {
            sidecar::scan_template(stream, findings)?;
        }
        Format::Text => {
            if !sidecar::is_inert_text(&judged.path) {
                findings.whole(&rules::NOT_ANALYSED, "text of this kind is not analysed");
            }
        }
        Format::Pointer => {
            findings.whole(&rules::POINTER, "this is a pointer; fetch the file that it stands for");
        }
        Format::Html => {
            findings.whole(&rules::HTML, "this is an HTML page; fetch the artifact again");
        }
        Format::Empty => {
            findings.whole(&rules::EMPTY, "the file has no bytes; export the model again");
        }
        Format::Unknown => {
            findings.whole(&rules::UNKNOWN, "no known format fits the content");
        }
        format => {
            findings.whole(&rules::NOT_ANALYSED, format!("{format} files are not analysed"));
        }
    }
    if format::is_misnamed(&judged.path, judged.format) {
        let format = judged.format;
        judged.findings.whole(&rules::MISNAMED, format!("the content is {format}, the name says otherwise"));
    }
    Ok(())
}

/// Turns an end of file that an analyser did not explain into a finding. `None` where the analysis ended early.
fn or_truncated<T>(
    result: Result<T, Stop>,
    findings: &mut Findings,
    rule: &'static rules::Rule,
) -> Result<Option<T>, Stop> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Stop::Truncated(offset)) => {
            findings.at(rule, offset, "the file ends in the middle of what begins here");
            Ok(None)
        }
        Err(Stop::Reported) => Ok(None),
        Err(Stop::Io(error)) => Err(Stop::Io(error)),
    }
}
