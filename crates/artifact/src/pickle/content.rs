//! What a run of bytes holds that Arrow takes for one of an array's buffers, summed up in passing: whichever buffer it is
//! told only after the bytes went by, so each reading of them is kept.

use super::{
    booster::Library,
    nodes::{FORMS, Form, Nodes, Reader},
    numbers::{self, Numbers},
    utf8::Utf8,
};

/// What is known of a buffer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// Bytes.
    pub(super) length: u64,
    first: u8,
    last: u8,
    ones: u64,
    /// What it is when read as numbers of four bytes.
    narrow: Option<Numbers>,
    /// The same with eight.
    wide: Option<Numbers>,
    /// What it is as nodes of a tree, in each of their forms.
    pub(super) nodes: [Option<Nodes>; FORMS],
    /// It is a model of this library, and was judged as one.
    pub(super) model: Option<Library>,
    /// It is text.
    pub(super) text: bool,
    /// The pickle could use it elsewhere too, and change it there.
    pub(super) mutable: bool,
}

impl Content {
    /// What these bytes hold.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut look = Look::default();
        look.add(bytes);
        look.end()
    }

    /// The same bytes, where somebody else could change them or not.
    pub(super) fn changeable(self, mutable: bool) -> Self {
        Self { mutable, ..self }
    }

    /// The same bytes, where they are a model that was judged.
    pub(super) fn judged(self, model: Option<Library>) -> Self {
        Self { model, ..self }
    }

    /// The last of the offsets of this width, none below zero and none below the one before.
    pub(super) fn offsets(&self, wide: bool) -> Option<u64> {
        let numbers = if wide { self.wide } else { self.narrow };
        numbers?.offsets().map(|(_, last)| last)
    }

    /// Whether one of its bits is set.
    pub(super) fn is_set(&self) -> bool {
        self.ones > 0
    }

    /// What it is as numbers of four and of eight bytes.
    pub(super) fn numbers(&self) -> [Option<Numbers>; 2] {
        [self.narrow, self.wide]
    }

    /// How many bits from `begin` to `end` are zero, counted from the lowest of each byte. `None` where that is not
    /// known, since only the first and the last byte may lie partly outside.
    pub(super) fn zeros(&self, begin: u64, end: u64) -> Option<u64> {
        if begin >= 8 || end.div_ceil(8) != self.length || begin > end {
            return None;
        }
        let before = self.first & !(0xff_u8.checked_shl(u32::try_from(begin).ok()?)?);
        let used = u32::try_from(end % 8).ok().filter(|used| *used > 0);
        let after = used.map_or(0, |used| self.last.checked_shr(used).unwrap_or(0));
        let outside = u64::from(before.count_ones() + after.count_ones());
        (end - begin).checked_sub(self.ones.checked_sub(outside)?)
    }
}

/// A buffer on its way through.
#[derive(Debug)]
pub(super) struct Look {
    content: Content,
    narrow: numbers::Reader,
    wide: numbers::Reader,
    text: Utf8,
    nodes: [Reader; FORMS],
}

impl Default for Look {
    fn default() -> Self {
        Self {
            content: Content::default(),
            narrow: numbers::Reader::new(4),
            wide: numbers::Reader::new(8),
            text: Utf8::default(),
            nodes: Form::ALL.map(Reader::new),
        }
    }
}

impl Look {
    pub(super) fn add(&mut self, piece: &[u8]) {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else { return };
        if self.content.length == 0 {
            self.content.first = *first;
        }
        self.content.last = *last;
        self.content.length += piece.len() as u64;
        self.content.ones += ones(piece);
        self.narrow.add(piece);
        self.wide.add(piece);
        self.text.add(piece);
        for nodes in &mut self.nodes {
            nodes.add(piece);
        }
    }

    pub(super) fn end(self) -> Content {
        Content {
            narrow: self.narrow.end(),
            wide: self.wide.end(),
            text: self.text.is_sound(),
            nodes: self.nodes.map(Reader::end),
            ..self.content
        }
    }
}

/// How many bits are set.
fn ones(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let words = words.iter().map(|word| u64::from_ne_bytes(*word).count_ones());
    words.chain(rest.iter().map(|byte| byte.count_ones())).map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_never_fall_in_whatever_pieces_they_come() {
        let offsets = |numbers: &[i64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        for (numbers, last) in
            [(&[0, 2, 2, 300][..], Some(300)), (&[0, 3, 2], None), (&[-1, 2], None), (&[i64::MIN], None)]
        {
            let bytes = offsets(numbers);
            for size in 1..=bytes.len() {
                let mut look = Look::default();
                bytes.chunks(size).for_each(|piece| look.add(piece));
                let content = look.end();
                assert_eq!(content, Content::of(&bytes));
                assert_eq!(content.offsets(true), last, "{numbers:?}");
            }
        }
        assert_eq!(Content::of(&[1, 0, 0, 0, 2, 0, 0, 0]).offsets(false), Some(2));
        assert_eq!(Content::of(&[1, 0, 0, 0, 2, 0, 0]).offsets(false), None);
        assert_eq!(Content::of(&[0xff; 4]).offsets(false), None);
    }

    #[test]
    fn zeros_are_counted_between_two_bits() {
        let bits = Content::of(&[0b1010_1101, 0b0000_0110]);
        assert_eq!(bits.zeros(0, 16), Some(9));
        assert_eq!(bits.zeros(0, 11), Some(4));
        assert_eq!(bits.zeros(3, 11), Some(3));
        assert_eq!(bits.zeros(0, 8), None);
        assert_eq!(bits.zeros(8, 16), None);
        assert_eq!(Content::of(&[]).zeros(0, 0), Some(0));
        assert_eq!(Content::of(&[0b101]).zeros(2, 3), Some(0));
    }
}
