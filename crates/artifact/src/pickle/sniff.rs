//! A light walk over a file's head: would an unpickler take this for a pickle, and would it reach a global?
//!
//! It judges nothing: a file that it misses is of unknown format and so never passes.

mod walk;

use walk::{Walk, walk};

/// Opcodes after which a head without an end counts as a pickle of protocol 0 or 1.
const ENOUGH: usize = 32;

/// Array bytes that are looked at.
pub(super) const LOOK: usize = 64 * 1024;

/// What an unpickler that took array bytes for opcodes would reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It fails first.
    Nothing,
    /// A global whose name depends on what lies on the stack, a call of what lies there, or whatever follows.
    Perhaps,
    /// A named global.
    Global,
}

/// Whether a file of this size is a pickle: it says so, or it reads as one to its STOP, to a call, or for long enough.
pub(crate) fn recognise(head: &[u8], size: u64) -> bool {
    if let [0x80, protocol, ..] = head
        && *protocol >= 2
        && (*protocol <= 5 || walk(&head[2..], true, size.saturating_sub(2)).opcodes > 2)
    {
        return true;
    }
    let walk = walk(head, true, size);
    let whole = head.len() as u64 == size;
    (walk.stop && walk.opcodes > 1)
        || walk.call
        || (walk.cut && (!whole || walk.global) && walk.opcodes >= ENOUGH)
}

/// Whether a file that nothing else explains would be read on by an unpickler behind what was looked at: its first text
/// or bytes are longer than that, and end inside of the file.
pub(crate) fn reads_on(head: &[u8], size: u64) -> bool {
    walk(head, true, size).goes_on
}

/// Whether an unpickler would resolve a global from this head before it fails, or read on behind it, where it could.
pub(crate) fn executes(head: &[u8], size: u64) -> bool {
    let Walk { looked_up, global, call, stop, cut, goes_on, .. } = walk(head, true, size);
    !looked_up && ((global && (call || stop || cut)) || goes_on)
}

/// Whether these bytes, which should be numbers, are a pickle that reaches a global and goes on to a call or its STOP; or
/// one that announces itself and is longer than what was looked at.
pub(crate) fn runs(head: &[u8]) -> bool {
    let walk = walk(head, true, u64::MAX);
    let announced = matches!(head, [0x80, 2..=5, ..]) && walk.cut && head.len() >= LOOK;
    (walk.global && (walk.stop || walk.call)) || announced
}

/// What an unpickler would reach that reads these bytes as opcodes, with something on its stack and in its memo, and
/// `after` more bytes behind them.
pub(super) fn reach(bytes: &[u8], after: u64) -> Reach {
    let walk = walk(bytes, false, (bytes.len() as u64).saturating_add(after));
    if walk.global && !walk.computed {
        Reach::Global
    } else if walk.computed || walk.acts || walk.goes_on {
        Reach::Perhaps
    } else {
        Reach::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(head: &[u8]) -> bool {
        recognise(head, head.len() as u64)
    }

    #[test]
    fn protocol_0_is_recognised_without_a_magic() {
        assert!(whole(b"cos\nsystem\n(S'echo'\ntR."));
        assert!(whole(b"(dp0\n."));
        assert!(!whole(b"cat\ndog\nfish\n"));
        assert!(!whole(b"# notes"));
    }

    #[test]
    fn a_pickle_in_front_of_something_else_executes() {
        let executes = |head: &[u8]| executes(head, head.len() as u64);
        assert!(executes(b"cos\nsystem\n(S'echo'\ntR.PK\x03\x04"));
        assert!(!executes(b"\x08\x08\x12\x04abcd"));
        assert!(!executes(b"tree\nversion=v4\n"), "a tuple without a mark");
    }

    #[test]
    fn a_text_longer_than_the_head_is_read_on_where_it_ends_in_the_file() {
        let binary = b"X\x00\x00\x01\x00aaaa";
        assert!(reads_on(binary, 0x1_0005) && executes(binary, 0x1_0006));
        assert!(!reads_on(binary, 0x1_0004), "longer than the file");
        assert!(reads_on(b"Vaaaa", 100) && reads_on(b"S'aaaa", 100));
        assert!(!reads_on(b"Vaaaa", 5) && !reads_on(b"Saaaa", 100) && !reads_on(b"0Vaaaa", 100));
    }

    #[test]
    fn array_bytes_that_shift_what_follows_are_noticed() {
        assert_eq!(reach(b"C\x04", 100), Reach::Perhaps, "swallows four bytes behind the array");
        assert_eq!(reach(b"C\x04", 3), Reach::Nothing, "fails at the end of the file");
        assert_eq!(reach(b"q\x00", 100), Reach::Perhaps, "stores what the machine does not");
        assert_eq!(reach(b"0R\0", 100), Reach::Perhaps, "calls what lies below");
        assert_eq!(reach(b"N\0\0\0", 100), Reach::Nothing);
        assert_eq!(reach(b"cos\nsystem\n\0", 100), Reach::Global);
    }
}
