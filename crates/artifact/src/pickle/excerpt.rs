//! The opcodes around a finding, as a disassembler shows them: the last ones that were executed are kept in passing, and the
//! next ones are added as they come, so that a stream that cannot be read twice is explained too.
//!
//! Memory is a few opcodes and the beginnings of their operands, however long the stream is.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use tagship_domain::validation::ExcerptLine;

use super::opcode::{self, Operand};
use crate::findings::{Findings, escape};

/// Opcodes shown before the one that a finding is about, and behind it.
const BEFORE: usize = 5;
const AFTER: u8 = 3;
/// Opcodes kept; a power of two.
const KEPT: usize = 8;
/// Bytes of an operand kept.
const OPERAND: usize = 64;
/// Characters of an argument shown.
const ARGUMENT: usize = 60;

/// One opcode with what is kept of its operand.
#[derive(Debug, Clone, Copy)]
struct Entry {
    at: u64,
    opcode: u8,
    /// Whether the operand was read.
    whole: bool,
    number: u64,
    length: u64,
    kept: usize,
    operand: [u8; OPERAND],
}

/// The opcodes executed last, and the findings that wait for the next ones.
#[derive(Debug)]
pub(super) struct Trace {
    entries: [Entry; KEPT],
    count: usize,
    waiting: Vec<(usize, u8)>,
}

impl Default for Trace {
    fn default() -> Self {
        let none =
            Entry { at: 0, opcode: 0, whole: false, number: 0, length: 0, kept: 0, operand: [0; OPERAND] };
        Self { entries: [none; KEPT], count: 0, waiting: Vec::new() }
    }
}

impl Trace {
    /// An opcode begins here.
    #[inline]
    pub(super) fn begin(&mut self, at: u64, opcode: u8) {
        let entry = &mut self.entries[self.count % KEPT];
        entry.at = at;
        entry.opcode = opcode;
        entry.whole = false;
        entry.kept = 0;
        self.count = self.count.wrapping_add(1);
    }

    /// An opcode is here whose operand is a number, or that has none.
    #[inline]
    pub(super) fn number(&mut self, at: u64, opcode: u8, number: u64) {
        let entry = &mut self.entries[self.count % KEPT];
        entry.at = at;
        entry.opcode = opcode;
        entry.whole = true;
        entry.number = number;
        self.count = self.count.wrapping_add(1);
    }

    /// Its operand was read: a number, or the beginnings of its lines and how long it is.
    #[inline]
    pub(super) fn operand(&mut self, operand: Operand, number: u64, parts: [&[u8]; 2], length: u64) {
        let entry = &mut self.entries[self.count.wrapping_sub(1) % KEPT];
        entry.whole = true;
        entry.number = number;
        let parts = match operand {
            Operand::None | Operand::Number(_) => return,
            Operand::TwoLines => [parts[0], b" ", parts[1]],
            _ => [parts[1], b"", b""],
        };
        entry.length = length;
        for part in parts {
            let used = part.len().min(OPERAND - entry.kept);
            entry.operand[entry.kept..entry.kept + used].copy_from_slice(&part[..used]);
            entry.kept += used;
        }
    }

    /// Shows what led to a finding, whose place in the list this is; what follows is added by [`Self::follow`].
    pub(super) fn explain(&mut self, finding: usize, at: u64, findings: &mut Findings) {
        let shown = self.count.min(BEFORE + 1);
        for back in (1..=shown).rev() {
            let entry = &self.entries[self.count.wrapping_sub(back) % KEPT];
            if !findings.excerpt(finding, entry.line(entry.at == at)) {
                return;
            }
        }
        self.waiting.push((finding, AFTER));
    }

    /// Adds the opcode that was read last to the findings that wait for it.
    #[inline]
    pub(super) fn follow(&mut self, findings: &mut Findings) {
        if self.waiting.is_empty() {
            return;
        }
        let line = self.entries[self.count.wrapping_sub(1) % KEPT].line(false);
        self.waiting.retain_mut(|(finding, left)| {
            *left -= 1;
            findings.excerpt(*finding, line.clone()) && *left > 0
        });
    }
}

impl Entry {
    fn line(&self, here: bool) -> ExcerptLine {
        let name = opcode::name(self.opcode)
            .map_or_else(|| Cow::Owned(format!("{:#04x}", self.opcode)), Cow::Borrowed);
        ExcerptLine { offset: self.at, opcode: name, argument: self.argument(), here }
    }

    fn argument(&self) -> Option<String> {
        if !self.whole {
            return None;
        }
        match opcode::operand(self.opcode)? {
            Operand::None => None,
            Operand::Number(_) => Some(match self.opcode {
                opcode::BININT => u32::try_from(self.number).unwrap_or(0).cast_signed().to_string(),
                opcode::BINFLOAT => format!("{:?}", f64::from_bits(self.number.swap_bytes())),
                _ => self.number.to_string(),
            }),
            Operand::Line | Operand::TwoLines => Some(self.shown("", "")),
            Operand::Text(_) => Some(self.shown("'", "'")),
            Operand::Counted(_) | Operand::SignedCounted => Some(match self.opcode {
                opcode::BINSTRING | opcode::SHORT_BINSTRING => self.shown("'", "'"),
                opcode::LONG1 | opcode::LONG4 => format!("a number of {} bytes", self.length),
                _ => self.shown("b'", "'"),
            }),
        }
    }

    /// What is kept of the operand between quotes, escaped and cut.
    fn shown(&self, open: &str, close: &str) -> String {
        let kept = &self.operand[..self.kept];
        let text = if open == "b'" {
            kept.escape_ascii().to_string()
        } else {
            String::from_utf8_lossy(kept).trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()
        };
        let whole = self.kept < OPERAND && (open.is_empty() || self.length <= self.kept as u64);
        let note = format!("… ({} bytes)", self.length);
        let room = ARGUMENT - open.len() - close.len();
        match escape(&text, room) {
            (text, true) if whole => format!("{open}{text}{close}"),
            _ if open.is_empty() => format!("{}…", escape(&text, room - 1).0),
            _ => format!("{open}{}{note}", escape(&text, room - note.chars().count()).0),
        }
    }
}
