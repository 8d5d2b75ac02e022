//! From opcode to opcode, with the depth of the stack and nothing of what lies on it.

use crate::pickle::opcode::{self, Operand};

/// Longest line that could name a module.
const LONGEST_NAME: usize = 256;

/// What a walk from the first byte came across.
#[derive(Debug, Default, Clone)]
pub(super) struct Walk {
    pub(super) opcodes: usize,
    /// A global with names that could be Python's.
    pub(super) global: bool,
    /// A global that is named by the stack, or looked up elsewhere.
    pub(super) computed: bool,
    /// A persistent id, at which an unpickler without a container fails.
    pub(super) looked_up: bool,
    /// A text was pushed; something that could be a second one was, too.
    text: bool,
    could_name: bool,
    /// A call after a global.
    pub(super) call: bool,
    /// A call of something that lay on the stack before.
    pub(super) acts: bool,
    pub(super) stop: bool,
    /// The head ended, not the grammar.
    pub(super) cut: bool,
    /// The head ended, and the file goes on to where the next opcode is.
    pub(super) goes_on: bool,
    /// Values above the last mark, and those above each mark before.
    depth: usize,
    marks: Vec<usize>,
    stored: bool,
}

/// Where an operand ends.
enum End {
    /// After so many bytes of the head.
    At(usize),
    /// Behind the head, and inside of the file.
    Later,
    /// Nowhere: the file ends before.
    Never,
}

/// Walks over opcodes of a file with `size` bytes from the head's first; `fresh` says that an unpickler's stack and memo are
/// empty where it begins.
pub(super) fn walk(head: &[u8], fresh: bool, size: u64) -> Walk {
    let mut walk = Walk::default();
    let more = (head.len() as u64) < size;
    let mut at = 0;
    while let Some(opcode) = head.get(at) {
        let Some(operand) = opcode::operand(*opcode) else { return walk };
        let rest = &head[at + 1..];
        let length = match end(*opcode, operand, rest, size - (at as u64 + 1).min(size)) {
            End::At(length) => length,
            End::Later => {
                (walk.cut, walk.goes_on) = (true, more);
                return walk;
            }
            End::Never => {
                walk.cut = true;
                return walk;
            }
        };
        if !is_written(*opcode, &rest[..length]) || (fresh && !walk.balance(*opcode)) {
            return walk;
        }
        if !walk.name(*opcode, fresh) {
            return walk;
        }
        walk.opcodes += 1;
        if *opcode == opcode::STOP {
            walk.stop = true;
            return walk;
        }
        at += 1 + length;
    }
    (walk.cut, walk.goes_on) = (true, more && !head.is_empty());
    walk
}

impl Walk {
    /// Takes from the stack and puts on it; whether an unpickler could.
    fn balance(&mut self, opcode: u8) -> bool {
        let (taken, given) = match opcode {
            opcode::MARK => {
                self.marks.push(self.depth);
                self.depth = 0;
                return true;
            }
            opcode::POP if self.depth == 0 => return self.down_to_mark(0, 0),
            opcode::POP_MARK => return self.down_to_mark(0, 0),
            opcode::TUPLE | opcode::LIST | opcode::DICT | opcode::FROZENSET | opcode::INST => {
                return self.down_to_mark(0, 1);
            }
            opcode::OBJ => return self.depth > 0 && self.down_to_mark(0, 1),
            opcode::APPENDS | opcode::SETITEMS | opcode::ADDITEMS => return self.down_to_mark(1, 1),
            opcode::PROTO | opcode::FRAME => (0, 0),
            opcode::POP => (1, 0),
            opcode::DUP => (1, 2),
            opcode::PUT | opcode::BINPUT | opcode::LONG_BINPUT | opcode::MEMOIZE => {
                self.stored |= self.depth > 0;
                (1, 1)
            }
            opcode::GET | opcode::BINGET | opcode::LONG_BINGET if !self.stored => return false,
            opcode::APPEND
            | opcode::BUILD
            | opcode::TUPLE2
            | opcode::REDUCE
            | opcode::NEWOBJ
            | opcode::STACK_GLOBAL => (2, 1),
            opcode::SETITEM | opcode::TUPLE3 | opcode::NEWOBJ_EX => (3, 1),
            opcode::TUPLE1 | opcode::BINPERSID | opcode::READONLY_BUFFER | opcode::STOP => (1, 1),
            _ => (0, 1),
        };
        let enough = self.depth >= taken;
        self.depth = self.depth.saturating_sub(taken) + given;
        enough
    }

    /// Takes everything down to the last mark and `taken` values below it.
    fn down_to_mark(&mut self, taken: usize, given: usize) -> bool {
        let Some(depth) = self.marks.pop().filter(|depth| *depth >= taken) else { return false };
        self.depth = depth - taken + given;
        true
    }

    /// Whether an unpickler gets past an opcode that names or calls, as far as can be told.
    fn name(&mut self, opcode: u8, fresh: bool) -> bool {
        match opcode {
            opcode::GLOBAL | opcode::INST => {
                self.global = true;
                self.call |= opcode == opcode::INST;
            }
            // Two texts must be on top of the stack, or an unpickler fails here.
            opcode::STACK_GLOBAL if !self.could_name => return false,
            opcode::STACK_GLOBAL => {
                self.global = true;
                self.computed = true;
            }
            opcode::STRING
            | opcode::BINSTRING
            | opcode::SHORT_BINSTRING
            | opcode::UNICODE
            | opcode::BINUNICODE
            | opcode::SHORT_BINUNICODE
            | opcode::BINUNICODE8 => {
                self.could_name |= self.text;
                self.text = true;
            }
            // What a copy, the memo or the stack below gives may be a text.
            opcode::DUP | opcode::GET | opcode::BINGET | opcode::LONG_BINGET => {
                self.could_name |= self.text || !fresh;
                self.text |= !fresh;
            }
            opcode::POP | opcode::POP_MARK => self.could_name |= !fresh,
            // The registry is empty unless something was called, and so is what looks ids up.
            opcode::EXT1 | opcode::EXT2 | opcode::EXT4 | opcode::PERSID | opcode::BINPERSID
                if !fresh && !self.call =>
            {
                return false;
            }
            opcode::EXT1 | opcode::EXT2 | opcode::EXT4 => self.computed = true,
            opcode::PERSID | opcode::BINPERSID => {
                self.computed = true;
                self.looked_up |= !self.call;
            }
            opcode::REDUCE | opcode::NEWOBJ | opcode::NEWOBJ_EX | opcode::OBJ | opcode::BUILD => {
                self.call |= self.global;
                // On top of the stack lies the wrapper of an array, which is no tuple of arguments.
                self.acts |= !fresh && (self.opcodes > 0 || opcode == opcode::OBJ);
            }
            _ => {}
        }
        true
    }
}

/// Whether an operand is one that its opcode can have.
fn is_written(opcode: u8, operand: &[u8]) -> bool {
    let line = operand.strip_suffix(b"\n").unwrap_or(operand);
    match opcode {
        opcode::GLOBAL | opcode::INST => names(operand),
        opcode::STRING => matches!(line, [b'\'', .., b'\''] | [b'"', .., b'"']),
        opcode::PUT | opcode::GET | opcode::INT | opcode::LONG | opcode::FLOAT => {
            line.first().copied().is_some_and(begins_number)
        }
        _ => true,
    }
}

/// Where an operand ends, with `left` bytes of the file behind the opcode.
fn end(opcode: u8, operand: Operand, rest: &[u8], left: u64) -> End {
    let line = |from: usize| Some(from + rest.get(from..)?.iter().position(|b| *b == b'\n')? + 1);
    let within = |length: u64| match usize::try_from(length) {
        Ok(length) if length <= rest.len() => End::At(length),
        _ if length <= left => End::Later,
        _ => End::Never,
    };
    let counted = |width: usize| match rest.get(..width) {
        Some(bytes) => {
            let count = bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
            within(count.saturating_add(width as u64))
        }
        None => within(width as u64),
    };
    let lines = match operand {
        Operand::None => return End::At(0),
        Operand::Number(width) => return within(u64::from(width)),
        Operand::Counted(width) | Operand::Text(width) => return counted(usize::from(width)),
        Operand::SignedCounted => return counted(4),
        Operand::Line => line(0),
        Operand::TwoLines => line(0).and_then(line),
    };
    match lines {
        Some(length) => End::At(length),
        None if rest.len() as u64 >= left => End::Never,
        None if begins(opcode, rest) => End::Later,
        None => End::Never,
    }
}

/// Whether a line that has not ended can be the operand of its opcode. Only texts may be long.
fn begins(opcode: u8, line: &[u8]) -> bool {
    match opcode {
        opcode::UNICODE => true,
        opcode::STRING => matches!(line.first(), None | Some(b'\'' | b'"')),
        // An unpickler without a container looks nothing up.
        opcode::PERSID => false,
        _ if line.len() > LONGEST_NAME => false,
        opcode::GLOBAL | opcode::INST => {
            let text = String::from_utf8_lossy(line);
            text.chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '\n' | char::REPLACEMENT_CHARACTER))
        }
        _ => line.first().copied().is_none_or(begins_number),
    }
}

/// Whether a loader might read on from this byte as a number: they allow blanks and signs, and one of them anything
/// behind a NUL.
fn begins_number(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+-.\x0b".contains(&byte)
}

/// Two lines that could be a module and a name: dotted identifiers.
fn names(lines: &[u8]) -> bool {
    let text = std::str::from_utf8(lines).unwrap_or("");
    let mut lines = text.lines();
    let mut dotted = || {
        lines.next().is_some_and(|line| {
            !line.is_empty()
                && line.split('.').all(|part| {
                    part.chars()
                        .enumerate()
                        .all(|(n, c)| c == '_' || c.is_alphabetic() || n > 0 && c.is_numeric())
                })
        })
    };
    dotted() && dotted()
}
