//! Text of a pickle as Python decodes it: UTF-8 in which lone surrogates may stand, checked a piece at a time.

use std::str;

/// Bytes of the longest character.
const WIDEST: usize = 4;

/// Whether this is text as a whole.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let mut text = Utf8::default();
    text.add(bytes);
    text.is_sound()
}

/// A text on its way through.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// A character that has begun and not ended.
    begun: Vec<u8>,
    broken: bool,
}

impl Utf8 {
    pub(super) fn add(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !self.broken && !self.begun.is_empty() {
            let Some((next, others)) = rest.split_first() else { return };
            rest = others;
            self.begun.push(*next);
            let begun = std::mem::take(&mut self.begun);
            self.whole(&begun);
        }
        self.whole(rest);
    }

    /// Whether all of it was text, and ended where a character does.
    pub(super) fn is_sound(&self) -> bool {
        !self.broken && self.begun.is_empty()
    }

    fn whole(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.broken {
            let Err(error) = str::from_utf8(rest) else { return };
            let odd = rest.get(error.valid_up_to()..).unwrap_or_default();
            match odd {
                [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] => rest = after,
                [0xed] | [0xed, 0xa0..=0xbf] => return self.begun.extend(odd),
                _ if error.error_len().is_none() && odd.len() < WIDEST => return self.begun.extend(odd),
                _ => self.broken = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_may_hold_lone_surrogates_and_is_the_same_in_pieces() {
        let long = "é漢😀a".repeat(9);
        for (bytes, sound) in [
            (long.as_bytes(), true),
            (b"a\xed\xa0\x80b", true),
            (b"", true),
            (b"a\xff", false),
            (b"a\xe2\x82", false),
            (b"\xed\xa0", false),
            (b"\xed\xa0a", false),
            (b"\xc0\x80", false),
            (b"\xf4\x90\x80\x80", false),
        ] {
            assert_eq!(is_text(bytes), sound, "{bytes:?}");
            let mut text = Utf8::default();
            for byte in bytes {
                text.add(&[*byte]);
            }
            assert_eq!(text.is_sound(), sound, "{bytes:?} by single bytes");
        }
    }
}
