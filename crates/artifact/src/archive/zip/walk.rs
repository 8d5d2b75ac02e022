//! The forward pass over an archive: every byte belongs to a member, the directory or the end, or is a finding.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::{
    directory::{Directory, Flaw},
    entry::Entry,
    kind::Kind,
    torch,
};
use crate::{
    analyse::{Context, Found, or_truncated},
    archive::names,
    findings::Findings,
    format::Format,
    keras,
    npy::{Array, Arrays},
    rules,
    skops::Members,
    stream::{Stop, Stream},
};

/// File types in a Unix mode.
const TYPE: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
/// Set-user-id and set-group-id.
const PRIVILEGED: u32 = 0o6_000;

/// An archive on its way through the analysis.
pub(super) struct Walk<'w, 'a> {
    pub(super) stream: &'w mut Stream<'a>,
    pub(super) context: &'w Context<'w>,
    pub(super) findings: &'w mut Findings,
    pub(super) kind: Kind,
    /// Formats of the models inside.
    pub(super) inside: BTreeSet<Format>,
    /// What each member of a Keras archive is, by name.
    pub(super) formats: Vec<(String, Format)>,
    /// The pickles of a PyTorch archive, by name.
    pub(super) pickles: Vec<(String, Found)>,
    /// The arrays of a skops archive so far.
    pub(super) members: Members,
    /// The arrays of an archive inside of one, by the names of its members.
    pub(super) arrays: Vec<(String, Array)>,
}

/// Judges an archive whose directory is in the context; one without goes by its members' own headers.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Found, Stop> {
    let kind = match context.directory {
        Some(directory) => Kind::of(directory.names()),
        None => Kind::by_head(stream.head()?),
    };
    let mut walk = Walk {
        stream,
        context,
        findings,
        kind,
        inside: BTreeSet::new(),
        formats: Vec::new(),
        pickles: Vec::new(),
        members: Members::NONE,
        arrays: Vec::new(),
    };
    match context.directory {
        Some(directory) if !context.limits.admit(directory.entries.len() as u64) => {
            let count = directory.entries.len();
            walk.findings.whole(&rules::MEMBERS, format!("{count} members, more than are followed"));
            return Ok(Found::new(walk.kind.format));
        }
        Some(directory) => {
            let walked = walk.archive(directory);
            or_truncated(walked, walk.findings, &rules::MEMBER_CUT)?;
        }
        None => {
            let message = "no directory at the end of the archive; fetch or write the file again";
            walk.findings.whole(&rules::ZIP_DIRECTORY, message);
            let end = walk.stream.size();
            let walked = walk.between(end);
            or_truncated(walked, walk.findings, &rules::MEMBER_CUT)?;
        }
    }
    Ok(walk.finish())
}

impl Walk<'_, '_> {
    fn archive(&mut self, directory: &Directory) -> Result<(), Stop> {
        self.note_flaws(directory);
        names::check_duplicates(directory.names(), self.findings);
        for entry in &directory.entries {
            self.check_entry(entry);
        }
        let mut entries: Vec<&Entry> = directory.entries.iter().collect();
        entries.sort_by_key(|entry| entry.offset);
        for (at, entry) in entries.iter().enumerate() {
            let next = entries.get(at + 1).map_or(directory.start, |next| next.offset.min(directory.start));
            if entry.offset < self.stream.position() {
                let message = "this member begins inside the one before it";
                self.findings.about(&rules::MEMBER_OVERLAP, Some(entry.offset), &entry.name, message);
                continue;
            }
            self.between(entry.offset.min(directory.start))?;
            self.member(entry, next)?;
        }
        if self.stream.position() > directory.start {
            self.findings.whole(&rules::MEMBER_OVERLAP, "the last member reaches into the directory");
            return Ok(());
        }
        self.between(directory.start)?;
        self.end(directory)
    }

    fn note_flaws(&mut self, directory: &Directory) {
        if directory.prefix != 0 {
            let prefix = directory.prefix;
            self.findings.whole(
                &rules::PREFIX,
                format!("the archive begins {prefix} bytes from where its directory says"),
            );
        }
        for flaw in &directory.flaws {
            match flaw {
                Flaw::Broken(why) => {
                    self.findings
                        .whole(&rules::ZIP_DIRECTORY, format!("the directory cannot be read: {why}"));
                }
                Flaw::SeveralEnds => self.findings.whole(
                    &rules::SEVERAL_ENDS,
                    "a second end record, which some readers take for the end of the archive",
                ),
                Flaw::Trailing(at) => {
                    self.findings.at(&rules::ARCHIVE_TRAILING, *at, "bytes follow the end of the archive");
                }
                Flaw::Disagree(what) => self.findings.whole(&rules::HEADERS_DISAGREE, what.clone()),
                Flaw::TooLarge => {
                    self.findings.whole(&rules::MEMBERS, "the directory is larger than is held");
                }
            }
        }
    }

    /// What a name, mode or flag alone says.
    fn check_entry(&mut self, entry: &Entry) {
        let findings = &mut *self.findings;
        names::check(&entry.name, findings);
        if std::str::from_utf8(&entry.raw_name).is_err() && entry.flags & 1 << 11 != 0 {
            let message = "the name is marked as UTF-8, and is not";
            findings.about(&rules::HEADERS_DISAGREE, None, &entry.name, message);
        }
        if let Some(other) = &entry.other_name {
            let message = format!("an extra field calls it {}", crate::findings::clip(other));
            findings.about(&rules::HEADERS_DISAGREE, None, &entry.name, message);
        }
        match entry.mode & TYPE {
            LINK => {
                let message = "a symbolic link, which an extractor would follow";
                findings.about(&rules::MEMBER_LINK, None, &entry.name, message);
            }
            0 | REGULAR | FOLDER if entry.mode & PRIVILEGED == 0 => {}
            _ => {
                let message = "a device, a pipe or a file with set-user-id";
                findings.about(&rules::SPECIAL_FILE, None, &entry.name, message);
            }
        }
        if entry.is_encrypted() {
            let message = "marked as encrypted; it was judged as if it were not";
            findings.about(&rules::ENCRYPTED, None, &entry.name, message);
        } else if entry.is_odd() {
            let message = format!("flags {:#06x}, which no model's writer sets", entry.flags);
            findings.about(&rules::HEADERS_DISAGREE, None, &entry.name, message);
        }
    }

    /// The directory and the end records again, in the forward pass.
    fn end(&mut self, directory: &Directory) -> Result<(), Stop> {
        let mut hash = Sha256::new();
        self.stream.drain(|_, bytes| hash.update(bytes))?;
        let seen: [u8; 32] = hash.finalize().into();
        if seen != directory.hash {
            self.findings.whole(&rules::CHANGED, "the directory changed while the archive was read");
        }
        Ok(())
    }

    /// Sums up the members.
    fn finish(self) -> Found {
        let mut found = Found::new(self.kind.format);
        if let (Some(root), Some(directory)) = (&self.kind.torch, self.context.directory) {
            torch::check_storages(&self.kind, root, &directory.entries, &self.pickles, self.findings);
        } else {
            // What a format is made of needs no permission of its own.
            let parts: &[Format] = match self.kind.format {
                Format::Keras => &[Format::Hdf5, Format::KerasJson, Format::Npz],
                Format::Skops | Format::Npz => &[Format::Npy],
                _ => &[],
            };
            if self.kind.format == Format::Npz {
                found.arrays = Arrays::Named(self.arrays);
            }
            found.inside = self.inside.into_iter().filter(|format| !parts.contains(format)).collect();
        }
        match found.format {
            // The model lies around it.
            Format::Zip if self.context.container == Some(Format::Tflite) => {}
            Format::Zip if found.inside.is_empty() => {
                self.findings.whole(&rules::NO_MODEL, "there is no model in the archive");
            }
            Format::Keras => keras::check_members(&self.formats, self.findings),
            _ => {}
        }
        found
    }
}
