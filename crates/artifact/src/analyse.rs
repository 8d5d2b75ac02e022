//! One stream judged by what it is: a file, a member of an archive, what a compressed stream holds.
//!
//! Invariant: the same function judges all of them, whatever they are called, so that no nesting hides anything.

use serde::{Deserialize, Serialize};
use tagship_domain::signature::Signature;

use crate::{
    archive::{self, Limits, compressed, tar, zip},
    booster,
    findings::Findings,
    flatbuffer,
    format::{self, Format, Identity},
    gguf, hdf5, keras, mlmodel,
    npy::{self, Arrays},
    onnx,
    pickle::{self, Dialect, Storage, Trust},
    rules, safetensors, settings, sidecar,
    skops::{self, Members},
    stream::{Section, Stop, Stream},
    tensorflow, torch_legacy, torchscript,
    tree::Tree,
};

/// What a file tells about other files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) enum Ties {
    /// Nothing.
    #[default]
    None,
    /// An ONNX model keeps tensors in these files of the artifact.
    External(Vec<String>),
    /// A safetensors file holds these tensors.
    Tensors(Vec<String>),
    /// An index says which shard holds which tensor.
    Index(Vec<(String, String)>),
}

/// What a stream turned out to be.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) format: Format,
    pub(crate) signature: Option<Signature>,
    pub(crate) ties: Ties,
    /// Formats of the models inside a container that is none itself.
    pub(crate) inside: Vec<Format>,
    /// Storages of PyTorch that it needs.
    pub(crate) storages: Vec<Storage>,
    /// Its arrays, inside of a skops archive.
    pub(crate) arrays: Arrays,
}

impl Found {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            signature: None,
            ties: Ties::None,
            inside: Vec::new(),
            storages: Vec::new(),
            arrays: Arrays::None,
        }
    }
}

/// What may be expected of a stream by its place in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Anything.
    Any,
    /// Raw numbers, of which no format is expected.
    Numbers,
    /// A pickle for this loader, and nothing else.
    Pickle(Dialect),
    /// A short text that no loader runs.
    Note,
    /// Code of TorchScript.
    Script,
}

/// Where a stream lies.
#[derive(Clone, Copy)]
pub(crate) struct Context<'c> {
    /// The files of the artifact, and those beside the stream.
    pub(crate) artifact: &'c dyn Tree,
    pub(crate) tree: &'c dyn Tree,
    /// Path of the file in the artifact, or name of the member in its container.
    pub(crate) path: &'c str,
    /// What contains it directly.
    pub(crate) container: Option<Format>,
    pub(crate) role: Role,
    /// Containers around it.
    pub(crate) depth: usize,
    /// What all containers of one file may use together.
    pub(crate) limits: &'c Limits,
    /// Which globals the team lets files name.
    pub(crate) trust: Trust<'c>,
    /// The file on disk that these bytes lie in as they are, and where they begin in it.
    pub(crate) place: Option<(&'c str, u64)>,
    /// The directory at the end of a zip archive, read before the stream.
    pub(crate) directory: Option<&'c zip::Directory>,
    /// A reader of HDF5 would find its signature further behind, which was looked for before the stream.
    pub(crate) hdf5_behind: bool,
    /// The arrays of the skops archive around it so far. Inside of one, elements are read.
    pub(crate) members: Option<&'c Members>,
}

impl<'c> Context<'c> {
    /// A member of what is judged in this context.
    pub(crate) fn member(&self, container: Format, name: &'c str, role: Role) -> Self {
        Self {
            tree: &archive::NoTree,
            path: name,
            container: Some(container),
            role,
            depth: self.depth + 1,
            place: None,
            directory: None,
            hdf5_behind: false,
            ..*self
        }
    }

    /// The same, of bytes that stand in `outer` as they are, from this offset on.
    pub(crate) fn at(self, outer: &Self, offset: u64) -> Self {
        Self { place: outer.place.map(|(path, start)| (path, start + offset)), ..self }
    }

    /// What is compressed in what is judged in this context: it keeps its name and place.
    pub(crate) fn unwrapped(&self) -> Self {
        Self {
            tree: &archive::NoTree,
            depth: self.depth + 1,
            place: None,
            directory: None,
            hdf5_behind: false,
            ..*self
        }
    }
}

/// Judges a stream. Findings about what cannot be read on are added by whoever made the stream, from the [`Stop`].
pub(crate) fn analyse(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Found, Stop> {
    let mut identity = identity(stream)?;
    match context.role {
        Role::Numbers => {
            if !is_more_than_numbers(stream, identity)? {
                return Ok(Found::new(Format::TensorData));
            }
            let format = identity.format;
            findings.whole(&rules::STORAGE_RUNS, format!("this should be numbers and is {format}"));
        }
        Role::Note if matches!(identity.format, Format::Text | Format::Empty | Format::Json) => {
            note(stream, context, findings)?;
            return Ok(Found::new(Format::Text));
        }
        Role::Script if matches!(identity.format, Format::Text | Format::Empty) => {
            torchscript::scan(stream, findings)?;
            return Ok(Found::new(Format::Text));
        }
        Role::Pickle(_) | Role::Note | Role::Script if !matches!(identity.format, Format::Pickle) => {
            let format = identity.format;
            findings
                .whole(&rules::TORCH_LAYOUT, format!("by its place this is something else than {format}"));
        }
        _ => {}
    }
    if context.directory.is_some() && matches!(identity.format, Format::Unknown | Format::Text) {
        identity.format = Format::Zip;
    }
    if matches!(identity.format, Format::Json | Format::LightgbmText)
        && sidecar::is_read_by_name(context.path)
    {
        identity.format = Format::Text;
    }
    note_polyglot(identity, context, findings);
    if !archive::streams(identity.format, stream, context) {
        return archive::held(stream, context, findings);
    }
    let found = by_format(stream, identity.format, context, findings)?;
    if format::is_misnamed(context.path, found.format) {
        let format = found.format;
        findings.whole(&rules::MISNAMED, format!("the content is {format}, the name says otherwise"));
    }
    Ok(found)
}

/// What a stream is by its head; only valid at its start.
pub(crate) fn identity(stream: &mut Stream<'_>) -> Result<Identity, Stop> {
    stream.head()?;
    let size = stream.size();
    Ok(format::identify(stream.head()?, size))
}

/// Numbers can look like anything short; only what a loader would run or open by mistake counts.
fn is_more_than_numbers(stream: &mut Stream<'_>, identity: Identity) -> Result<bool, Stop> {
    Ok(match identity.format {
        Format::Zip
        | Format::Executable
        | Format::Hdf5
        | Format::Html
        | Format::Npy
        | Format::Tar
        | Format::SevenZip
        | Format::Gguf => true,
        _ => pickle::runs(stream.head()?),
    })
}

/// A short text beside a model; the one that tells the byte order must tell one.
fn note(stream: &mut Stream<'_>, context: &Context<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let head = stream.head()?.to_vec();
    let sound = !context.path.ends_with("byteorder") || matches!(head.as_slice(), b"little" | b"big");
    if context.path.ends_with("/version") {
        findings.facts.state("torch archive", &String::from_utf8_lossy(&head));
    }
    if head.len() > 4096 || !sound {
        findings.whole(&rules::TORCH_LAYOUT, "this note does not read as PyTorch writes it");
    }
    Ok(())
}

fn note_polyglot(identity: Identity, context: &Context<'_>, findings: &mut Findings) {
    let format = identity.format;
    if identity.also_pickle {
        findings.whole(
            &rules::POLYGLOT,
            format!("the file is {format}, and an unpickler would execute it as well"),
        );
    }
    if identity.also_tar {
        findings.whole(
            &rules::POLYGLOT,
            format!("the file is {format}, and a tar reader would open it as an archive as well"),
        );
    }
    // Members of an archive may lie where a reader of HDF5 looks.
    if (identity.also_hdf5 || context.hdf5_behind)
        && !matches!(format, Format::Hdf5 | Format::Zip | Format::Tar)
    {
        findings.whole(
            &rules::POLYGLOT,
            format!("the file is {format}, and a reader of HDF5 would open it as well"),
        );
    }
    // The last member of a tar archive may be a zip archive, and texts may lie behind a model.
    let is_meant = match format {
        Format::Zip | Format::Tar => true,
        Format::Tflite => flatbuffer::begin_of_assets(context).is_some(),
        _ => false,
    };
    if context.directory.is_some() && !is_meant {
        findings.whole(
            &rules::POLYGLOT,
            format!("the file is {format}, and a zip reader would open it as an archive as well"),
        );
    }
}

fn by_format(
    stream: &mut Stream<'_>,
    format: Format,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Found, Stop> {
    let mut found = Found::new(format);
    match format {
        Format::Onnx => {
            let model = onnx::scan(stream, context.tree, context.path, findings);
            if let Some(model) = or_truncated(model, findings, &rules::ONNX_WIRE)? {
                found.signature = Some(model.signature);
                found.ties = Ties::External(model.external);
            }
        }
        Format::Safetensors => {
            let tensors = safetensors::scan(stream, findings);
            if let Some(tensors) = or_truncated(tensors, findings, &rules::ST_TRUNCATED)? {
                found.ties = Ties::Tensors(tensors);
            }
        }
        Format::Pickle => {
            let dialect = if let Role::Pickle(dialect) = context.role { dialect } else { Dialect::Plain };
            let outcome = pickle::scan_as(dialect, context.trust, stream, findings);
            if let Some(outcome) = or_truncated(outcome, findings, &rules::PICKLE_TRUNCATED)? {
                found.storages = outcome.storages;
                if outcome.joblib {
                    found.format = Format::Joblib;
                }
            }
        }
        Format::Gguf => {
            or_truncated(gguf::scan(stream, findings), findings, &rules::GGUF_TRUNCATED)?;
        }
        Format::Hdf5 => {
            or_truncated(hdf5::scan(stream, context, findings), findings, &rules::HDF5_TRUNCATED)?;
        }
        Format::Json if context.container == Some(Format::Skops) && context.path == "schema.json" => {
            let none = Members::NONE;
            let members = context.members.unwrap_or(&none);
            skops::scan_schema(Section::new(stream, u64::MAX), context.trust, members, findings)?;
        }
        Format::Json if context.container == Some(Format::Keras) && context.path == "metadata.json" => {
            keras::scan_metadata(Section::new(stream, u64::MAX), findings)?;
        }
        Format::SavedModel => {
            let model = tensorflow::scan_saved_model(stream, context.tree, context.path, findings);
            found.signature = or_truncated(model, findings, &rules::TF_WIRE)?.flatten();
        }
        Format::TfGraph => {
            or_truncated(tensorflow::scan_frozen(stream, findings), findings, &rules::TF_WIRE)?;
        }
        Format::TfCheckpoint => {
            let data = tensorflow::scan_checkpoint(stream, context.tree, context.path, findings);
            found.ties = Ties::External(or_truncated(data, findings, &rules::TF_WIRE)?.unwrap_or_default());
        }
        Format::TfFingerprint => {}
        Format::KerasMetadata => {
            or_truncated(tensorflow::scan_keras_metadata(stream, findings), findings, &rules::TF_WIRE)?;
        }
        Format::Tflite => {
            let model = flatbuffer::scan_tflite(stream, context, findings);
            found.signature = or_truncated(model, findings, &rules::FLAT_TRUNCATED)?.flatten();
        }
        Format::Catboost => {
            let model = flatbuffer::scan_catboost(stream, context, findings);
            or_truncated(model, findings, &rules::FLAT_TRUNCATED)?;
        }
        Format::XgboostUbj => booster::scan_ubjson(stream, findings)?,
        Format::XgboostBinary => {
            let model = booster::scan_xgboost_binary(stream, findings);
            or_truncated(model, findings, &rules::BOOSTER_TRUNCATED)?;
        }
        Format::LightgbmText => {
            let model = booster::scan_lightgbm_text(stream, findings);
            or_truncated(model, findings, &rules::BOOSTER_TRUNCATED)?;
        }
        Format::Text if sidecar::is_template(context.path) => sidecar::scan_template(stream, findings)?,
        Format::Torch => {
            let scanned = torch_legacy::scan(stream, context.trust, findings);
            or_truncated(scanned, findings, &rules::PICKLE_TRUNCATED)?;
        }
        Format::Npy => {
            let scanned = npy::scan(stream, context.trust, context.members.is_some(), findings);
            found.arrays = or_truncated(scanned, findings, &rules::NPY_SIZE)?.unwrap_or_default();
        }
        Format::Compressed => return compressed::scan(stream, context, findings),
        Format::Tar => return tar::scan(stream, context, findings),
        Format::Text if sidecar::is_card(context.path) => sidecar::read_card(stream.head()?, findings),
        Format::Text if mlmodel::is_descriptor(context.path) => {
            mlmodel::scan(stream, context.trust, findings)?;
        }
        Format::Text if settings::is_yaml(context.path) => settings::scan(stream, findings)?,
        Format::Zip => return zip::scan(stream, context, findings),
        Format::Json => {
            let json = sidecar::scan_json(stream, context.path, findings)?;
            found.format = json.format;
            if let Some(weight_map) = json.weight_map {
                found.ties = Ties::Index(weight_map);
            }
        }
        format => about_whole(format, context, findings),
    }
    Ok(found)
}

/// What is judged by being what it is.
fn about_whole(format: Format, context: &Context<'_>, findings: &mut Findings) {
    match format {
        Format::Text if sidecar::is_inert_text(context.path) => {}
        Format::Text => {
            let place =
                context.container.map_or_else(String::new, |container| format!(" inside {container}"));
            findings.whole(&rules::NOT_ANALYSED, format!("text of this kind{place} is not analysed"));
        }
        Format::Pointer => {
            findings.whole(&rules::POINTER, "this is a pointer; fetch the file that it stands for");
        }
        Format::Html => findings.whole(&rules::HTML, "this is an HTML page; fetch the artifact again"),
        Format::Empty => {
            findings.whole(&rules::EMPTY, "the file has no bytes; export the model again");
        }
        Format::Unknown => findings.whole(&rules::UNKNOWN, "no known format fits the content"),
        Format::Executable => {
            findings.whole(&rules::EXECUTABLE, "a native program or library; no model needs one");
        }
        format => findings.whole(&rules::NOT_ANALYSED, format!("{format} files are not analysed")),
    }
}

/// Turns an end of file that an analyser did not explain into a finding. `None` where the analysis ended early.
pub(crate) fn or_truncated<T>(
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
        Err(stop) => Err(stop),
    }
}
