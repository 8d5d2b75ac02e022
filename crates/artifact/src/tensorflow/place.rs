//! Constant texts as places: what one says of where an operator would read or write.

/// Bytes of a constant text that are looked at.
pub(super) const LOOKED_AT: u64 = 4096;

/// What is known of the texts of a constant, the worst of them last.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// It is no text.
    #[default]
    None,
    /// A place beside the model, whatever is put before or behind it.
    Plain,
    /// The same by itself; with other parts it could lead anywhere.
    Part,
    /// Too long, or kept in a form that does not tell one text from the next.
    Unclear,
    /// A place outside of the folder that the model is in.
    Outside(String),
}

impl Place {
    pub(super) fn of(text: &str) -> Self {
        if leads_outside(text) {
            Self::Outside(text.to_owned())
        } else if text.contains("..") || text.ends_with('.') || text.contains([':', '\\']) {
            Self::Part
        } else {
            Self::Plain
        }
    }

    /// The worse of both.
    pub(super) fn add(&mut self, other: Self) {
        if other > *self {
            *self = other;
        }
    }
}

/// Whether a text names a place outside of the folder that the model is in.
fn leads_outside(text: &str) -> bool {
    let climbs = || text.split(['/', '\\']).any(|part| part == "..");
    text.starts_with(['/', '\\', '~'])
        || text.contains("://")
        || text.as_bytes().get(1) == Some(&b':')
        || climbs()
}

/// The one text that the content of a tensor of texts is, behind its length; `None` where there are several, or none.
pub(super) fn only_text(content: &[u8]) -> Option<&[u8]> {
    let (mut length, mut rest) = (0u64, content);
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (length == rest.len() as u64).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_place_by_itself_or_with_others() {
        for plain in ["model", "_temp_1/part", ".part", "", "a/b.c"] {
            assert_eq!(Place::of(plain), Place::Plain, "{plain}");
        }
        for part in [".", "./etc/..x", "s3:", "a:", "x\\y"] {
            assert!(matches!(Place::of(part), Place::Part | Place::Outside(_)), "{part}");
        }
        for outside in ["/etc", "../x", "a/../../x", "gs://b", "C:/x", "~/x", "\\\\host"] {
            assert!(matches!(Place::of(outside), Place::Outside(_)), "{outside}");
        }
    }

    #[test]
    fn content_is_one_text_or_unclear() {
        assert_eq!(only_text(b"\x03abc"), Some(&b"abc"[..]));
        let long = [&b"\x88\x01"[..], &[b'a'; 136]].concat();
        assert_eq!(only_text(&long).map(<[u8]>::len), Some(136));
        for several in [&b"\x01\x01ab"[..], b"", b"\x80", b"\x04abc"] {
            assert_eq!(only_text(several), None, "{several:?}");
        }
    }
}
