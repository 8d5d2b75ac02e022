//! Reads the operand of an opcode: a number, or as much of a text or of bytes as is kept.

use super::{
    booster::{self, Carried},
    content::Look,
    distribution,
    machine::Machine,
    nodes,
    opcode::Operand,
    utf8::Utf8,
};
use crate::{rules, stream::Stop};

/// Bytes of a text that are kept to see whether it names something; longer texts name nothing.
pub(super) const KEPT: usize = 256;
/// Bytes of a line that are kept to see whether it is written as it must be; a longer one is not judged.
pub(super) const LINE: usize = 1 << 20;
/// Length that no truncation explains.
const HUGE: u64 = 1 << 31;

impl Machine<'_, '_> {
    /// Reads an operand: the number itself, or the text into `kept`.
    #[inline]
    pub(super) fn operand(&mut self, operand: Operand) -> Result<u64, Stop> {
        // What was told of the operand before says nothing of this one.
        self.content = None;
        match operand {
            Operand::None => Ok(0),
            Operand::Number(width) => self.stream.little_endian(usize::from(width)),
            Operand::Line => {
                self.kept.clear();
                self.length = self.stream.line(LINE, &mut self.kept)?;
                if self.length > LINE as u64 {
                    self.note(&rules::PICKLE_LIMIT, "a line that is longer than is judged");
                }
                Ok(0)
            }
            Operand::TwoLines => {
                self.first.clear();
                self.kept.clear();
                let first = self.stream.line(KEPT, &mut self.first)?;
                self.length = self.stream.line(KEPT, &mut self.kept)?.max(first);
                Ok(0)
            }
            Operand::Counted(width) => {
                let length = self.stream.little_endian(usize::from(width))?;
                self.counted(length)
            }
            Operand::Text(width) => {
                let length = self.stream.little_endian(usize::from(width))?;
                self.long_text(length)
            }
            Operand::SignedCounted => {
                let length = self.stream.little_endian(4)?;
                if length > 0x7fff_ffff {
                    return Err(self.fail(&rules::PICKLE_OPERAND, "a negative length"));
                }
                self.counted(length)
            }
        }
    }

    /// A text is checked where it stands, since only its beginning is kept; a short one where it is used.
    fn long_text(&mut self, length: u64) -> Result<u64, Stop> {
        if length <= KEPT as u64 || length > self.stream.remaining() {
            return self.counted(length);
        }
        self.kept.clear();
        self.length = length;
        let room = if length <= distribution::LONGEST as u64 { distribution::LONGEST } else { KEPT };
        let mut look = (self.follows_arrays() || self.boosters).then(Look::default);
        let (mut text, kept) = (Utf8::default(), &mut self.kept);
        let mut begun = 0;
        let mut watch = |chunk: &[u8]| {
            let wanted = (room - kept.len()).min(chunk.len());
            kept.extend_from_slice(&chunk[..wanted]);
            text.add(chunk);
            if let Some(look) = &mut look {
                nodes::latin(chunk, &mut begun, |bytes| look.add(bytes));
            }
        };
        let model = if self.boosters {
            booster::pass(self.stream, self.findings, length, Carried::Text, &mut watch)?
        } else {
            self.stream.pass(length, &mut watch)?;
            None
        };
        self.content = look.map(|look| look.end().judged(model));
        if text.is_sound() {
            Ok(0)
        } else {
            Err(self.fail(&rules::PICKLE_OPERAND, "a text that is no UTF-8"))
        }
    }

    fn counted(&mut self, length: u64) -> Result<u64, Stop> {
        if length > self.stream.remaining() {
            if length >= HUGE {
                self.note(
                    &rules::LENGTH_BOMB,
                    format!("a length of {length} bytes, which the file does not have"),
                );
            }
            return Err(Stop::Truncated(self.at));
        }
        self.kept.clear();
        self.length = length;
        if !self.is_lending() && !self.follows_arrays() && !self.boosters {
            self.stream.take(length, KEPT, &mut self.kept)?;
            return Ok(0);
        }
        let (mut look, kept) = (Look::default(), &mut self.kept);
        let mut watch = |chunk: &[u8]| {
            let wanted = (KEPT - kept.len()).min(chunk.len());
            kept.extend_from_slice(&chunk[..wanted]);
            look.add(chunk);
        };
        // What is shorter may be a text, and is no model.
        let model = if self.boosters && length > KEPT as u64 {
            booster::pass(self.stream, self.findings, length, Carried::Bytes, &mut watch)?
        } else {
            self.stream.pass(length, &mut watch)?;
            None
        };
        self.content = Some(look.end().judged(model));
        Ok(0)
    }
}
