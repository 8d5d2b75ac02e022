//! The 68 opcodes of pickle protocols 0 to 5 and the operand that follows each (`Lib/pickletools.py` of Python).

/// How an operand is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// Nothing follows.
    None,
    /// A little-endian number of this many bytes.
    Number(u8),
    /// Text up to a line feed.
    Line,
    /// Two lines: module and name.
    TwoLines,
    /// Bytes behind a little-endian length of this many bytes.
    Counted(u8),
    /// UTF-8 behind a little-endian length of this many bytes.
    Text(u8),
    /// Bytes behind a signed four-byte length.
    SignedCounted,
}

macro_rules! opcodes {
    ($($name:ident $byte:literal $operand:expr;)*) => {
        $(pub(super) const $name: u8 = $byte;)*
        const TABLE: [Option<Operand>; 256] = {
            let mut table = [None; 256];
            $(table[$byte as usize] = Some($operand);)*
            table
        };
        const WIDTHS: [u8; 256] = {
            let mut widths = [VARIABLE; 256];
            $(widths[$byte as usize] = width($operand);)*
            widths
        };
        const NAMES: [&str; 256] = {
            let mut names = [""; 256];
            $(names[$byte as usize] = stringify!($name);)*
            names
        };
        #[cfg(test)]
        const COUNT: usize = [$($byte),*].len();
    };
}

opcodes! {
    MARK b'(' Operand::None;
    STOP b'.' Operand::None;
    POP b'0' Operand::None;
    POP_MARK b'1' Operand::None;
    DUP b'2' Operand::None;
    FLOAT b'F' Operand::Line;
    INT b'I' Operand::Line;
    BININT b'J' Operand::Number(4);
    BININT1 b'K' Operand::Number(1);
    LONG b'L' Operand::Line;
    BININT2 b'M' Operand::Number(2);
    NONE b'N' Operand::None;
    PERSID b'P' Operand::Line;
    BINPERSID b'Q' Operand::None;
    REDUCE b'R' Operand::None;
    STRING b'S' Operand::Line;
    BINSTRING b'T' Operand::SignedCounted;
    SHORT_BINSTRING b'U' Operand::Counted(1);
    UNICODE b'V' Operand::Line;
    BINUNICODE b'X' Operand::Text(4);
    APPEND b'a' Operand::None;
    BUILD b'b' Operand::None;
    GLOBAL b'c' Operand::TwoLines;
    DICT b'd' Operand::None;
    EMPTY_DICT b'}' Operand::None;
    APPENDS b'e' Operand::None;
    GET b'g' Operand::Line;
    BINGET b'h' Operand::Number(1);
    INST b'i' Operand::TwoLines;
    LONG_BINGET b'j' Operand::Number(4);
    LIST b'l' Operand::None;
    EMPTY_LIST b']' Operand::None;
    OBJ b'o' Operand::None;
    PUT b'p' Operand::Line;
    BINPUT b'q' Operand::Number(1);
    LONG_BINPUT b'r' Operand::Number(4);
    SETITEM b's' Operand::None;
    TUPLE b't' Operand::None;
    EMPTY_TUPLE b')' Operand::None;
    SETITEMS b'u' Operand::None;
    BINFLOAT b'G' Operand::Number(8);
    PROTO 0x80 Operand::Number(1);
    NEWOBJ 0x81 Operand::None;
    EXT1 0x82 Operand::Number(1);
    EXT2 0x83 Operand::Number(2);
    EXT4 0x84 Operand::Number(4);
    TUPLE1 0x85 Operand::None;
    TUPLE2 0x86 Operand::None;
    TUPLE3 0x87 Operand::None;
    NEWTRUE 0x88 Operand::None;
    NEWFALSE 0x89 Operand::None;
    LONG1 0x8a Operand::Counted(1);
    LONG4 0x8b Operand::SignedCounted;
    BINBYTES b'B' Operand::Counted(4);
    SHORT_BINBYTES b'C' Operand::Counted(1);
    SHORT_BINUNICODE 0x8c Operand::Text(1);
    BINUNICODE8 0x8d Operand::Text(8);
    BINBYTES8 0x8e Operand::Counted(8);
    EMPTY_SET 0x8f Operand::None;
    ADDITEMS 0x90 Operand::None;
    FROZENSET 0x91 Operand::None;
    NEWOBJ_EX 0x92 Operand::None;
    STACK_GLOBAL 0x93 Operand::None;
    MEMOIZE 0x94 Operand::None;
    FRAME 0x95 Operand::Number(8);
    BYTEARRAY8 0x96 Operand::Counted(8);
    NEXT_BUFFER 0x97 Operand::None;
    READONLY_BUFFER 0x98 Operand::None;
}

/// The width of an operand whose length the stream says, or of none at all.
const VARIABLE: u8 = u8::MAX;

/// Bytes of an operand.
const fn width(operand: Operand) -> u8 {
    match operand {
        Operand::None => 0,
        Operand::Number(width) => width,
        _ => VARIABLE,
    }
}

/// The number that an opcode has for an operand (0 where it has none) and how many bytes that takes, given the eight bytes
/// behind the opcode. `None` where the operand is something else, or the byte is no opcode.
///
/// Which opcode it is decides no branch: in a long pickle the next one cannot be predicted.
#[inline]
pub(super) fn number(opcode: u8, behind: [u8; 8]) -> Option<(u64, usize)> {
    const MASKS: [u64; 9] = {
        let mut masks = [u64::MAX; 9];
        let mut width = 0;
        while width < 8 {
            masks[width] = (1 << (8 * width)) - 1;
            width += 1;
        }
        masks
    };
    let width = usize::from(WIDTHS[usize::from(opcode)]);
    let mask = MASKS.get(width)?;
    Some((u64::from_le_bytes(behind) & mask, width))
}

/// The operand of an opcode; `None` where the byte is no opcode.
#[inline]
pub(super) fn operand(opcode: u8) -> Option<Operand> {
    TABLE[usize::from(opcode)]
}

/// The name of an opcode, as Python's disassembler writes it; `None` where the byte is no opcode.
pub(super) fn name(opcode: u8) -> Option<&'static str> {
    Some(NAMES[usize::from(opcode)]).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete() {
        assert_eq!(COUNT, 68);
        assert_eq!(TABLE.iter().flatten().count(), 68);
    }

    #[test]
    fn a_number_is_as_many_bytes_as_its_opcode_says() {
        let behind = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(number(NONE, behind), Some((0, 0)));
        assert_eq!(number(BININT1, behind), Some((1, 1)));
        assert_eq!(number(BININT2, behind), Some((0x0201, 2)));
        assert_eq!(number(BININT, behind), Some((0x0403_0201, 4)));
        assert_eq!(number(BINFLOAT, behind), Some((0x0807_0605_0403_0201, 8)));
        assert_eq!(number(SHORT_BINUNICODE, behind), None);
        assert_eq!(number(0, behind), None);
    }
}
