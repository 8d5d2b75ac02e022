//! Tar archives: one header after the other, each followed by its member's bytes.
//!
//! Names and sizes that extended headers override, links, devices, and whatever follows the end are findings; every
//! regular member is judged where it stands (POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU long names).

mod header;

use header::{Header, Override};

use super::{limits::MAX_DEPTH, member, names};
use crate::{
    analyse::{Context, Found, Role, or_truncated},
    findings::Findings,
    format::Format,
    rules,
    stream::{Section, Stop, Stream},
};

/// Headers and data come in blocks of this size.
const BLOCK: u64 = 512;
/// Longest extended header.
const MAX_EXTENDED: u64 = 1 << 20;
/// Members whose names are compared.
const MAX_NAMES: usize = 200_000;

/// An archive on its way through the analysis.
struct Walk<'w, 'a> {
    stream: &'w mut Stream<'a>,
    context: &'w Context<'w>,
    findings: &'w mut Findings,
    names: Vec<String>,
    inside: Vec<Format>,
    /// What extended headers say of the next member.
    next: Override,
}

/// Whether a tar reader would take the start of a file for that of an archive.
pub(crate) fn begins(head: &[u8]) -> bool {
    head.first_chunk::<512>().is_some_and(|block| Header::read(block).is_ok())
}

/// Judges an archive from its first block to its last byte.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Found, Stop> {
    let mut found = Found::new(Format::Tar);
    if context.depth > MAX_DEPTH {
        findings.whole(&rules::DEPTH, format!("more than {MAX_DEPTH} containers inside each other"));
        return Ok(found);
    }
    let mut walk =
        Walk { stream, context, findings, names: Vec::new(), inside: Vec::new(), next: Override::default() };
    let walked = walk.members();
    or_truncated(walked, walk.findings, &rules::MEMBER_CUT)?;
    names::check_duplicates(walk.names.iter().map(String::as_str), walk.findings);
    found.inside = walk.inside;
    found.inside.sort_unstable();
    found.inside.dedup();
    if found.inside.is_empty() {
        findings.whole(&rules::NO_MODEL, "there is no model in the archive");
    }
    Ok(found)
}

impl Walk<'_, '_> {
    fn members(&mut self) -> Result<(), Stop> {
        while self.member()? {}
        Ok(())
    }

    /// One header and what belongs to it; whether more may follow.
    fn member(&mut self) -> Result<bool, Stop> {
        let start = self.stream.position();
        if self.stream.peek()?.is_none() {
            self.findings.at(&rules::MEMBER_CUT, start, "the archive ends without its end blocks");
            return Ok(false);
        }
        let mut block = Vec::new();
        self.stream.take(BLOCK, 512, &mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            self.end()?;
            return Ok(false);
        }
        let header = match Header::read(&block) {
            Ok(header) => header,
            Err(why) => {
                self.findings.at(
                    &rules::TAR_HEADER,
                    start,
                    format!("a header {why}; what follows was not judged"),
                );
                return Ok(false);
            }
        };
        if matches!(header.kind, b'x' | b'g' | b'L' | b'K') {
            self.extended(&header, start)?;
            return Ok(true);
        }
        let over = std::mem::take(&mut self.next);
        let name = over.name.clone().unwrap_or_else(|| header.name.clone());
        let size = over.size.unwrap_or(header.size);
        self.check(&header, &over, &name, start);
        if self.names.len() >= MAX_NAMES || !self.context.limits.admit(1) {
            self.findings.whole(&rules::MEMBERS, "more members than are followed");
            return Ok(false);
        }
        self.names.push(name.clone());
        let size = if matches!(header.kind, b'0' | 0 | b'7') { size } else { header.size };
        self.judge(&name, size)?;
        self.pad(size)?;
        Ok(true)
    }

    /// What a header alone says.
    fn check(&mut self, header: &Header, over: &Override, name: &str, start: u64) {
        let findings = &mut *self.findings;
        names::check(name, findings);
        match header.kind {
            b'0' | 0 | b'7' | b'5' => {}
            b'1' | b'2' => {
                let target = over.link.as_deref().unwrap_or(&header.link);
                let message =
                    format!("a link to {}, which an extractor would follow", crate::findings::clip(target));
                findings.about(&rules::MEMBER_LINK, Some(start), name, message);
            }
            b'3' | b'4' | b'6' => {
                findings.about(&rules::SPECIAL_FILE, Some(start), name, "a device or pipe");
            }
            kind => {
                let kind = char::from(kind).escape_default();
                let message = format!("a member of type {kind}, which is not supported");
                findings.about(&rules::METHOD, Some(start), name, message);
            }
        }
        let is_folder = header.kind == b'5' || (header.kind == 0 && name.ends_with('/'));
        if header.size > 0 && (is_folder || matches!(header.kind, b'1' | b'2' | b'3' | b'4' | b'6')) {
            let message =
                "a member without content that is said to have some; readers disagree on what follows";
            findings.about(&rules::HEADERS_DISAGREE, Some(start), name, message);
        }
        if let Some(other) = &header.other_name {
            names::check(other, findings);
            let message = format!("some readers call it {}", crate::findings::clip(other));
            findings.about(&rules::HEADERS_DISAGREE, Some(start), name, message);
        }
        if header.mode & 0o6_000 != 0 && header.kind != b'5' {
            findings.about(
                &rules::SPECIAL_FILE,
                Some(start),
                name,
                "a file with set-user-id or set-group-id",
            );
        }
        if over.is_sparse {
            findings.about(
                &rules::METHOD,
                Some(start),
                name,
                "a sparse member, whose holes are not followed",
            );
        }
        // Long and foreign names need an extended header; the short form is then what fits of the name.
        let needed = name.len() > 100 || !name.is_ascii();
        if !needed && name != header.name {
            let other = crate::findings::clip(&header.name);
            let message =
                format!("an extended header renames it from {other}; readers disagree on which counts");
            findings.about(&rules::HEADERS_DISAGREE, Some(start), name, message);
        }
        if over.size.is_some_and(|size| size != header.size && header.size != 0 && size < 1 << 33) {
            let message = "an extended header gives it another size; readers disagree on where it ends";
            findings.about(&rules::HEADERS_DISAGREE, Some(start), name, message);
        }
    }

    /// A pax or GNU header: what it says of the next member.
    fn extended(&mut self, header: &Header, start: u64) -> Result<(), Stop> {
        if header.size > MAX_EXTENDED {
            self.findings.at(&rules::TAR_HEADER, start, "an extended header without bound");
            self.stream.skip(header.size)?;
            return self.pad(header.size);
        }
        let mut text = Vec::new();
        self.stream.take(header.size, usize::try_from(header.size).unwrap_or(0), &mut text)?;
        self.pad(header.size)?;
        if header.kind == b'g' {
            let mut all = Override::default();
            if !all.pax(&text) || all.name.is_some() || all.size.is_some() || all.link.is_some() {
                let message = "a header for all members that names or sizes them";
                self.findings.at(&rules::HEADERS_DISAGREE, start, message);
            }
            return Ok(());
        }
        let text_of = |text: &[u8]| {
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            String::from_utf8_lossy(&text[..end]).into_owned()
        };
        match header.kind {
            b'L' => self.next.name = Some(text_of(&text)),
            b'K' => self.next.link = Some(text_of(&text)),
            _ if !self.next.pax(&text) => {
                self.findings.at(&rules::TAR_HEADER, start, "an extended header that does not parse");
            }
            _ => {}
        }
        Ok(())
    }

    fn judge(&mut self, name: &str, size: u64) -> Result<(), Stop> {
        if size == 0 {
            return Ok(());
        }
        let begin = self.stream.position();
        let packed = size.min(self.stream.remaining());
        let context = self.context.member(Format::Tar, name, Role::Any).at(self.context, begin);
        self.findings.enter(name);
        let mut section = Section::new(self.stream, packed);
        let judged = member::judge(&mut section, Some(packed), &context, self.findings);
        if packed < size {
            self.findings.whole(&rules::MEMBER_CUT, "the archive ends inside this member");
        }
        self.findings.leave();
        let judged = judged?;
        if judged.read.is_some_and(|(_, count)| count < packed) {
            return Err(Stop::Truncated(begin));
        }
        if let Some(found) = judged.found {
            self.inside.extend(found.inside.iter().copied().chain(found.format.as_content()));
        }
        let done = self.stream.position() - begin;
        self.stream.skip(size.saturating_sub(done))
    }

    /// Fills up the last block of a member.
    fn pad(&mut self, size: u64) -> Result<(), Stop> {
        let start = self.stream.position();
        let mut padding = Vec::new();
        self.stream.take((BLOCK - size % BLOCK) % BLOCK, 512, &mut padding)?;
        if padding.iter().any(|byte| *byte != 0) {
            self.findings.at(&rules::GAP, start, "the padding of a member is not empty");
        }
        Ok(())
    }

    /// Behind the end there are only empty blocks.
    fn end(&mut self) -> Result<(), Stop> {
        let mut first = None;
        self.stream.drain(|offset, bytes| {
            if first.is_none()
                && let Some(at) = bytes.iter().position(|byte| *byte != 0)
            {
                first = Some(offset + at as u64);
            }
        })?;
        if let Some(at) = first {
            let message = "bytes follow the end of the archive; some readers go on to them";
            self.findings.at(&rules::ARCHIVE_TRAILING, at, message);
        }
        Ok(())
    }
}
