//! Bytes that the directory does not explain.

use super::{
    directory::number,
    entry::{self, HEADER_SIZE},
    walk::Walk,
};
use crate::{rules, stream::Stop};

/// Longest name and extra field that are read of a member's own header: all that the format allows.
pub(super) const LONGEST: u64 = 0xffff;

impl Walk<'_, '_> {
    /// Passes over what lies between here and the offset where something known begins. Members in it that only
    /// their own headers tell of are judged like all others.
    pub(super) fn between(&mut self, until: u64) -> Result<(), Stop> {
        while self.stream.position() < until {
            let start = self.stream.position();
            let mut fixed = Vec::new();
            let room = until - start;
            self.stream.take(room.min(HEADER_SIZE as u64), HEADER_SIZE, &mut fixed)?;
            if fixed.len() < HEADER_SIZE || !fixed.starts_with(b"PK\x03\x04") {
                let rule = if start == 0 { &rules::PREFIX } else { &rules::GAP };
                self.findings.at(rule, start, format!("{room} bytes that belong to no member"));
                return self.stream.skip(until - self.stream.position());
            }
            let names = number(&fixed, 26, 2) + number(&fixed, 28, 2);
            if names > until - self.stream.position() {
                self.findings.at(&rules::MEMBER_CUT, start, "a member's header is cut");
                return self.stream.skip(until - self.stream.position());
            }
            let Some(header) = self.names(&fixed, start)? else { continue };
            if self.context.directory.is_some() {
                self.findings.about(
                    &rules::HIDDEN_MEMBER,
                    Some(start),
                    &header.name,
                    "a member that the directory does not list; readers that go by headers load it",
                );
            }
            let known = header.flags & entry::DESCRIPTOR == 0;
            let packed = if known {
                header.packed.min(until - self.stream.position())
            } else {
                until - self.stream.position()
            };
            if known && packed < header.packed {
                self.findings.at(&rules::MEMBER_CUT, start, "the archive ends in the middle of this member");
            }
            self.judge(&header, packed, known)?;
        }
        Ok(())
    }

    /// Name and extra field behind the fixed part of a header.
    pub(super) fn names(&mut self, fixed: &[u8], start: u64) -> Result<Option<entry::Entry>, Stop> {
        let (mut name, mut extra) = (Vec::new(), Vec::new());
        let limit = usize::from(u16::MAX);
        self.stream.take(number(fixed, 26, 2).min(LONGEST), limit, &mut name)?;
        self.stream.take(number(fixed, 28, 2).min(LONGEST), limit, &mut extra)?;
        match entry::read_header(fixed, &name, &extra) {
            Ok(header) => Ok(Some(header)),
            Err(why) => {
                self.findings.at(&rules::ZIP_HEADER, start, format!("a member's header: {why}"));
                Ok(None)
            }
        }
    }
}
