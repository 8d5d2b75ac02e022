//! One file: open, look at its end, analyse, hash.

use std::io::{Seek, SeekFrom};

use tagship_domain::{
    digest::{Digest, FileEntry},
    signature::Signature,
    validation::Verdict,
};

use super::rule_of;
use crate::{
    analyse::{self, Context, Found, Role, Ties},
    archive::{Limits, zip},
    error::ArtifactError,
    findings::Findings,
    format::Format,
    hdf5,
    pickle::Trust,
    policy::ValidationPolicy,
    rules,
    stream::{Stop, Stream},
    tree::{OpenFile, Tree},
};

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
    /// Formats of the models in a container that is none itself.
    pub(super) inside: Vec<Format>,
    pub(super) findings: Findings,
    /// Whether an earlier run judged it.
    pub(super) remembered: bool,
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
            inside: Vec::new(),
            findings: Findings::new(),
            remembered: false,
        }
    }

    /// The file's line in the listing of its directory.
    pub(super) fn entry(&self) -> Option<FileEntry> {
        let sha256 = self.digest.clone()?;
        Some(FileEntry { path: self.path.clone(), size: self.size, sha256 })
    }

    /// Holds the file against what the team accepts.
    pub(super) fn apply(&mut self, policy: &ValidationPolicy) {
        for format in self.inside.iter().copied().chain([self.format]) {
            if format.is_model() && self.digest.is_some() && !policy.allows(format) {
                let message = "the policy does not list this format";
                self.findings.about(&rules::FORMAT_REFUSED, None, format, message);
            }
        }
    }

    /// Why the analysis ended early. Whatever it was, the file is not judged to its end.
    fn note(&mut self, stop: &Stop) {
        match stop {
            Stop::Truncated(offset) => {
                let message = "the file ends in the middle of what begins here";
                self.findings.at(&rules::MEMBER_CUT, *offset, message);
            }
            Stop::Damaged(why) => self.findings.whole(&rules::BAD_COMPRESSION, why.clone()),
            _ if self.findings.outcome().1 == Verdict::Pass => {
                self.findings.whole(&rules::UNKNOWN, "the file was not judged to its end");
            }
            _ => {}
        }
    }

    fn take(&mut self, found: Found) {
        self.format = found.format;
        self.signature = found.signature;
        self.ties = found.ties;
        self.inside = found.inside;
    }

    fn failed(mut self, error: &ArtifactError) -> Self {
        self.findings.whole(rule_of(error), error.to_string());
        self
    }
}

/// Judges one file of a tree by itself.
pub(super) fn judge(tree: &dyn Tree, path: &str, trust: Trust<'_>, progress: &mut dyn FnMut(u64)) -> Judged {
    let mut judged = Judged::new(path);
    let opened = tree.open(path).and_then(|mut file| {
        let behind = behind(&mut file).map_err(|error| ArtifactError::io(path, error))?;
        Ok((file, behind))
    });
    let (file, (directory, hdf5_behind)) = match opened {
        Ok(opened) => opened,
        Err(error) => return judged.failed(&error),
    };
    judged.size = file.size;
    let limits = Limits::new(file.size);
    let context = Context {
        artifact: tree,
        tree,
        path,
        place: Some((path, 0)),
        container: None,
        role: Role::Any,
        depth: 0,
        limits: &limits,
        trust,
        directory: directory.as_ref(),
        hdf5_behind,
        members: None,
    };
    let mut stream = Stream::new(Box::new(file.reader), file.size, progress);
    let finished = match analyse::analyse(&mut stream, &context, &mut judged.findings) {
        Err(Stop::Io(error)) => Err(Stop::Io(error)),
        Ok(found) => {
            judged.take(found);
            stream.finish()
        }
        Err(stop) => {
            judged.note(&stop);
            stream.finish()
        }
    };
    match finished {
        Ok((digest, read)) if read == file.size => judged.digest = Some(digest),
        Err(Stop::Io(error)) => return judged.failed(&ArtifactError::io(path, error)),
        Ok(_) | Err(_) => return judged.failed(&ArtifactError::Changed { path: path.to_owned() }),
    }
    judged
}

/// What readers that do not begin at the start would find, before the forward pass: the directory at the end of a zip
/// archive, and whether there is HDF5. The reader is left at its start.
fn behind(file: &mut OpenFile) -> std::io::Result<(Option<zip::Directory>, bool)> {
    let directory = zip::Directory::read(&mut file.reader, file.size)?;
    let hdf5 = hdf5::lies_behind(&mut file.reader, file.size)?;
    file.reader.seek(SeekFrom::Start(0))?;
    Ok((directory, hdf5))
}
