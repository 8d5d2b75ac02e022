//! A light walk over a file's head: would an unpickler take this for a pickle, and would it reach a global?
//!
//! It judges nothing: a file that it misses is of unknown format and so never passes.

use super::opcode::{self, Operand};

/// Opcodes after which a head without an end counts as a pickle of protocol 0 or 1.
const ENOUGH: usize = 32;

/// Array bytes that are looked at.
pub(super) const LOOK: usize = 64 * 1024;

/// What an unpickler that took array bytes for opcodes would reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It fails first.
    Nothing,
    /// A global whose name depends on what lies on the stack, or more opcodes than were looked at.
    Perhaps,
    /// A named global.
    Global,
}

/// What a walk from the first byte came across.
#[derive(Debug, Default, Clone, Copy)]
struct Walk {
    opcodes: usize,
    /// A global with names that could be Python's.
    global: bool,
    /// A global that is named by the stack, or looked up elsewhere.
    computed: bool,
    /// A persistent id, at which an unpickler without a container fails.
    looked_up: bool,
    /// A text was pushed; something that could be a second one was, too.
    text: bool,
    could_name: bool,
    /// A call after a global.
    call: bool,
    stop: bool,
    /// The head ended, not the grammar.
    cut: bool,
}

/// Whether a file is a pickle: it says so, or it reads as one to its STOP, to a call, or for long enough.
pub(crate) fn recognise(head: &[u8], whole: bool) -> bool {
    if let [0x80, protocol, ..] = head
        && *protocol >= 2
        && (*protocol <= 5 || walk(&head[2..], true).opcodes > 2)
    {
        return true;
    }
    let walk = walk(head, true);
    (walk.stop && walk.opcodes > 1)
        || walk.call
        || (walk.cut && (!whole || walk.global) && walk.opcodes >= ENOUGH)
}

/// Whether an unpickler would resolve a global from this head before it fails.
pub(crate) fn executes(head: &[u8]) -> bool {
    let walk = walk(head, true);
    !walk.looked_up && walk.global && (walk.call || walk.stop || walk.cut)
}

/// Whether these bytes, which should be numbers, are a pickle that reaches a global and goes on to a call or its STOP; or
/// one that announces itself and is longer than what was looked at.
pub(crate) fn runs(head: &[u8]) -> bool {
    let walk = walk(head, true);
    let announced = matches!(head, [0x80, 2..=5, ..]) && walk.cut && head.len() >= LOOK;
    (walk.global && (walk.stop || walk.call)) || announced
}

/// What an unpickler would reach that reads these bytes as opcodes.
pub(super) fn reach(bytes: &[u8]) -> Reach {
    let walk = walk(bytes, false);
    if walk.global && !walk.computed {
        Reach::Global
    } else if walk.computed || (walk.cut && bytes.len() >= LOOK) {
        Reach::Perhaps
    } else {
        Reach::Nothing
    }
}

/// Walks over opcodes; `fresh` says that an unpickler's stack and memo are empty where it begins.
fn walk(head: &[u8], fresh: bool) -> Walk {
    let mut walk = Walk::default();
    let mut at = 0;
    while let Some(opcode) = head.get(at) {
        let Some(operand) = opcode::operand(*opcode) else { return walk };
        let rest = &head[at + 1..];
        let Some(length) = length(operand, rest) else {
            walk.cut = true;
            return walk;
        };
        if length > rest.len() {
            walk.cut = true;
            return walk;
        }
        match *opcode {
            opcode::GLOBAL | opcode::INST => {
                if !names(&rest[..length]) {
                    return walk;
                }
                walk.global = true;
                walk.call |= *opcode == opcode::INST;
            }
            // Two texts must be on top of the stack, or an unpickler fails here.
            opcode::STACK_GLOBAL if !walk.could_name => return walk,
            opcode::STACK_GLOBAL => {
                walk.global = true;
                walk.computed = true;
            }
            opcode::STRING
            | opcode::BINSTRING
            | opcode::SHORT_BINSTRING
            | opcode::UNICODE
            | opcode::BINUNICODE
            | opcode::SHORT_BINUNICODE
            | opcode::BINUNICODE8 => {
                walk.could_name |= walk.text;
                walk.text = true;
            }
            // What a copy, the memo or the stack below gives may be a text.
            opcode::DUP | opcode::GET | opcode::BINGET | opcode::LONG_BINGET => {
                walk.could_name |= walk.text || !fresh;
                walk.text |= !fresh;
            }
            opcode::POP | opcode::POP_MARK => walk.could_name |= !fresh,
            // The registry is empty unless something was called, and so is what looks ids up.
            opcode::EXT1 | opcode::EXT2 | opcode::EXT4 | opcode::PERSID | opcode::BINPERSID
                if !fresh && !walk.call =>
            {
                return walk;
            }
            opcode::EXT1 | opcode::EXT2 | opcode::EXT4 => walk.computed = true,
            opcode::PERSID | opcode::BINPERSID => {
                walk.computed = true;
                walk.looked_up |= !walk.call;
            }
            opcode::REDUCE | opcode::NEWOBJ | opcode::NEWOBJ_EX | opcode::OBJ | opcode::BUILD => {
                walk.call |= walk.global;
            }
            opcode::STOP => {
                walk.opcodes += 1;
                walk.stop = true;
                return walk;
            }
            _ => {}
        }
        walk.opcodes += 1;
        at += 1 + length;
    }
    walk.cut = true;
    walk
}

/// Bytes of an operand; `None` where the head ends before they can be told.
fn length(operand: Operand, rest: &[u8]) -> Option<usize> {
    let line = |from: usize| Some(from + rest.get(from..)?.iter().position(|b| *b == b'\n')? + 1);
    let counted = |width: usize| {
        let bytes = rest.get(..width)?;
        let count = bytes.iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        Some(width.saturating_add(usize::try_from(count).unwrap_or(usize::MAX)))
    };
    match operand {
        Operand::None => Some(0),
        Operand::Number(width) => Some(usize::from(width)),
        Operand::Line => line(0),
        Operand::TwoLines => line(line(0)?),
        Operand::Counted(width) | Operand::Text(width) => counted(usize::from(width)),
        Operand::SignedCounted => counted(4),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_0_is_recognised_without_a_magic() {
        assert!(recognise(b"cos\nsystem\n(S'echo'\ntR.", true));
        assert!(recognise(b"(dp0\n.", true));
        assert!(!recognise(b"cat\ndog\nfish\n", true));
        assert!(!recognise(b"# notes", true));
    }

    #[test]
    fn a_pickle_in_front_of_something_else_executes() {
        assert!(executes(b"cos\nsystem\n(S'echo'\ntR.PK\x03\x04"));
        assert!(!executes(b"\x08\x08\x12\x04abcd"));
    }
}
