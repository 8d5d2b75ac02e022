//! One member: its header against the directory, its bytes, and the descriptor that may follow them.

use std::io::Read;

use super::{
    directory::number,
    entry::{self, Entry, HEADER_SIZE},
    walk::Walk,
};
use crate::{
    archive::{decoder, limits::Metered, member},
    format::Format,
    npy::Arrays,
    rules,
    stream::{Section, Stop},
};

/// More arrays than a sparse matrix is kept in.
const PARTS: usize = 8;

impl Walk<'_, '_> {
    /// Judges the member that begins here. `next` is where the following one, or the directory, does.
    pub(super) fn member(&mut self, entry: &Entry, next: u64) -> Result<(), Stop> {
        let start = self.stream.position();
        let mut fixed = Vec::new();
        self.stream.take(HEADER_SIZE as u64, HEADER_SIZE, &mut fixed)?;
        if !fixed.starts_with(b"PK\x03\x04") {
            let message = "no header stands where the directory says that this member begins";
            self.findings.about(&rules::ZIP_HEADER, Some(start), &entry.name, message);
            return Ok(());
        }
        let Some(header) = self.names(&fixed, start)? else { return Ok(()) };
        self.compare(entry, &header, start);
        let room = next.saturating_sub(self.stream.position());
        if entry.packed > room {
            let message = "this member is longer than the space up to what follows it";
            self.findings.about(&rules::MEMBER_OVERLAP, Some(start), &entry.name, message);
        }
        let packed = entry.packed.min(self.stream.remaining());
        if packed < entry.packed {
            self.findings.about(
                &rules::MEMBER_CUT,
                Some(start),
                &entry.name,
                "the file ends inside this member",
            );
        }
        self.judge(entry, packed, true)?;
        if header.flags & entry::DESCRIPTOR != 0 {
            self.descriptor(entry, next)?;
        }
        Ok(())
    }

    /// Holds a member's own header against its entry in the directory.
    fn compare(&mut self, entry: &Entry, header: &Entry, start: u64) {
        let later = header.flags & entry::DESCRIPTOR != 0;
        let agrees = |here: u64, there: u64| here == there || (later && matches!(here, 0 | 0xffff_ffff));
        let facts = [
            ("name", header.raw_name == entry.raw_name),
            ("other name", header.other_name.is_none() || header.other_name == entry.other_name),
            ("method", header.method == entry.method),
            (
                "flags",
                (header.flags ^ entry.flags) & (entry::ENCRYPTED | entry::DESCRIPTOR) == 0 || header.is_odd(),
            ),
            ("checksum", agrees(u64::from(header.crc), u64::from(entry.crc))),
            ("packed size", agrees(header.packed, entry.packed)),
            ("size", agrees(header.size, entry.size)),
        ];
        for (what, _) in facts.iter().filter(|(_, same)| !same) {
            let other = crate::findings::clip(&header.name);
            self.findings.about(
                &rules::HEADERS_DISAGREE,
                Some(start),
                &entry.name,
                format!("its own header, of {other}, gives another {what} than the directory"),
            );
        }
        if header.is_encrypted() && !entry.is_encrypted() {
            let message = "its own header marks it as encrypted";
            self.findings.about(&rules::ENCRYPTED, Some(start), &entry.name, message);
        }
    }

    /// Judges the bytes of a member, which begin here. `counted` says whether sizes and checksum are known.
    pub(super) fn judge(&mut self, entry: &Entry, packed: u64, counted: bool) -> Result<(), Stop> {
        let begin = self.stream.position();
        self.findings.enter(&entry.name);
        let result = self.unpack(entry, packed, counted);
        self.findings.leave();
        result?;
        let done = self.stream.position() - begin;
        self.stream.skip(packed.saturating_sub(done))
    }

    fn unpack(&mut self, entry: &Entry, packed: u64, counted: bool) -> Result<(), Stop> {
        if entry.name.ends_with('/') && packed == 0 {
            return Ok(());
        }
        let role = self.kind.role(&entry.name);
        let mut context = self.context.member(self.kind.format, &entry.name, role);
        if self.kind.format == Format::Skops {
            context.members = Some(&self.members);
        }
        if entry.method == 0 {
            context = context.at(self.context, self.stream.position());
        }
        let begin = self.stream.position();
        let mut section = Section::new(self.stream, packed);
        let judged = if entry.method == 0 {
            member::judge(&mut section, Some(packed), &context, self.findings)?
        } else {
            let size = if counted { entry.size } else { u64::MAX };
            let Some(decoder) = decoder::of_zip(entry.method, size, section) else {
                let method = entry.method;
                self.findings.whole(&rules::METHOD, format!("it is compressed by method {method}"));
                return Ok(());
            };
            match decoder {
                Ok(decoder) => {
                    let mut metered = Metered { decoder, limits: context.limits };
                    member::judge(&mut metered, counted.then_some(size), &context, self.findings)?
                }
                Err(error) => {
                    let message = format!("its compressed bytes cannot be read: {error}");
                    self.findings.whole(&rules::BAD_COMPRESSION, message);
                    return Ok(());
                }
            }
        };
        let used = self.stream.position() - begin;
        if let Some((crc, count)) = judged.read
            && counted
        {
            if count != entry.size {
                let told = entry.size;
                self.findings
                    .whole(&rules::MEMBER_SIZE, format!("{count} bytes, of which the archive says {told}"));
            }
            if crc != entry.crc {
                self.findings.whole(&rules::BAD_CRC, "the bytes do not have the checksum of the archive");
            }
            // LZMA's decoder reads ahead, so where its data ends cannot be told.
            if used < packed && entry.method != 14 {
                let unused = packed - used;
                self.findings.whole(&rules::GAP, format!("{unused} bytes follow its compressed data"));
            }
        }
        if let Some(mut found) = judged.found {
            self.keep(&entry.name, std::mem::take(&mut found.arrays));
            self.inside.extend(found.inside.iter().copied());
            if self.kind.format == Format::Keras {
                self.formats.push((entry.name.clone(), found.format));
            }
            self.inside.extend(found.format.as_content());
            if self.kind.torch.is_some() && found.format == Format::Pickle {
                self.pickles.push((entry.name.clone(), found));
            }
        }
        Ok(())
    }

    /// Remembers the arrays of a member, where they matter to others.
    fn keep(&mut self, name: &str, arrays: Arrays) {
        match (self.kind.format, arrays) {
            (Format::Skops, arrays) => self.members.keep(name, arrays),
            (Format::Npz, Arrays::One(array)) if self.arrays.len() < PARTS => {
                self.arrays.push((name.to_owned(), *array));
            }
            _ => {}
        }
    }

    /// Checksum and sizes behind the data: with or without a signature, 32 or 64 bits wide.
    fn descriptor(&mut self, entry: &Entry, next: u64) -> Result<(), Stop> {
        let start = self.stream.position();
        let room = next.saturating_sub(start);
        let length = [12u64, 16, 20, 24].into_iter().find(|length| *length == room);
        let length = length.unwrap_or(if entry.wide { 24 } else { 16 });
        let mut bytes = Vec::new();
        Section::new(self.stream, length.min(room)).read_to_end(&mut bytes).map_err(Stop::Io)?;
        let signed = bytes.starts_with(b"PK\x07\x08");
        let fields = if signed { &bytes[4..] } else { &bytes[..] };
        let width = (fields.len().saturating_sub(4)) / 2;
        let same = matches!(width, 4 | 8)
            && number(fields, 0, 4) == u64::from(entry.crc)
            && number(fields, 4, width) == entry.packed
            && number(fields, 4 + width, width) == entry.size;
        if !same {
            let message = "the descriptor behind its data says something else than the directory";
            self.findings.about(&rules::HEADERS_DISAGREE, Some(start), &entry.name, message);
        }
        Ok(())
    }
}
