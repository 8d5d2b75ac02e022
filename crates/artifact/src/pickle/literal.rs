//! The text operands of protocols 0 and 1, read as strictly as their writer writes them.
//!
//! Loaders differ in what else they accept, so anything else is refused by the caller rather than guessed at.

/// Digits above which an integer is no model's.
const MAX_DIGITS: usize = 4_000;

/// An integer as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integer {
    /// A small one.
    Small(i32),
    /// One that does not fit.
    Large,
}

/// The operand of INT or LONG: decimal, `00` and `01` for booleans, a final `L` where Python 2 wrote it.
pub(super) fn integer(text: &[u8]) -> Option<Integer> {
    let text = text.strip_suffix(b"L").unwrap_or(text);
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // A zero in front is octal to one loader and an error to another; booleans are written with one.
    if digits.len() > 1 && digits[0] == b'0' && !matches!(text, b"00" | b"01") {
        return None;
    }
    Some(std::str::from_utf8(text).ok()?.parse().map_or(Integer::Large, Integer::Small))
}

/// The operand of PUT and GET: a decimal index.
pub(super) fn index(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether this is the operand of FLOAT as `repr` writes it.
pub(super) fn is_float(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.trim() == text && text.parse::<f64>().is_ok())
}

/// The operand of STRING: quoted, with Python's escapes. `None` where it is not.
pub(super) fn unquote(text: &[u8]) -> Option<String> {
    let quote = *text.first().filter(|quote| matches!(quote, b'\'' | b'"'))?;
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    if text.len() < 2 || text.last() != Some(&quote) {
        return None;
    }
    let mut out = String::new();
    let mut rest = inner.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(char::from(byte));
            continue;
        }
        match rest.next()? {
            b'n' => out.push('\n'),
            b't' => out.push('\t'),
            b'r' => out.push('\r'),
            b'a' => out.push('\u{7}'),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'v' => out.push('\u{b}'),
            b'x' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                out.push(char::from_u32(high * 16 + low)?);
            }
            octal @ b'0'..=b'7' => {
                let mut code = u32::from(octal - b'0');
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|b| (b'0'..=b'7').contains(b)) else { break };
                    code = code * 8 + u32::from(digit - b'0');
                }
                out.push(char::from_u32(code & 0xff)?);
            }
            plain @ (b'\\' | b'\'' | b'"') => out.push(char::from(plain)),
            other => {
                out.push('\\');
                out.push(char::from(other));
            }
        }
    }
    Some(out)
}

/// The operand of UNICODE: Latin-1 with `\uXXXX` and `\UXXXXXXXX`. `None` where an escape is broken.
pub(super) fn raw_unicode(text: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let digits = match (byte, text.get(at + 1)) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => 0,
        };
        if let (0, b'\\', Some(next)) = (digits, byte, text.get(at + 1)) {
            // A pair: the second one does not begin an escape.
            out.extend(['\\', char::from(*next)]);
            at += 2;
            continue;
        }
        if digits == 0 {
            out.push(char::from(*byte));
            at += 1;
            continue;
        }
        let hex = std::str::from_utf8(text.get(at + 2..at + 2 + digits)?).ok()?;
        let code = u32::from_str_radix(hex, 16).ok()?;
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        at += 2 + digits;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_before_a_name_is_read() {
        assert_eq!(unquote(br"'o\x73\163'").as_deref(), Some("oss"));
        assert_eq!(raw_unicode(br"o\u0073").as_deref(), Some("os"));
        assert_eq!(raw_unicode(br"o\\u0073").as_deref(), Some(r"o\\u0073"));
        assert_eq!(unquote(b"'os"), None);
        assert_eq!(unquote(b"'"), None);
        assert_eq!(raw_unicode(br"\u00"), None);
    }

    #[test]
    fn numbers_are_decimal_or_nothing() {
        assert_eq!(integer(b"-12L"), Some(Integer::Small(-12)));
        assert_eq!(integer(b"99999999999"), Some(Integer::Large));
        for lax in [&b"0x1f"[..], b"1_0", b" 1", b"", b"-", b"1.5", b"08", b"010", b"-01"] {
            assert_eq!(integer(lax), None, "{lax:?}");
        }
        assert!(is_float(b"1e-05") && is_float(b"nan") && !is_float(b" 1") && !is_float(b""));
        assert_eq!(index(b"+1"), None);
    }
}
