//! What an unquoted word means: the core schema of YAML 1.2.2, section 10.3.2.
//!
//! `yes`, `no`, `on` and `off` are text, as the schema says.

use std::fmt;

/// A value without parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    /// A whole number below zero.
    Negative(i64),
    /// A whole number from zero up.
    Natural(u64),
    /// Any other number, infinities and NaN included.
    Float(f64),
    Text(String),
}

impl Scalar {
    /// Resolves an unquoted word.
    pub(crate) fn plain(word: &str) -> Self {
        match word {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            _ => {}
        }
        number(word).unwrap_or_else(|| Self::Text(word.to_owned()))
    }
}

fn number(word: &str) -> Option<Scalar> {
    if let Some(digits) = word.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = word.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let (sign, unsigned) = match word.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, word.strip_prefix('+').unwrap_or(word)),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Some(Scalar::Float(sign * f64::INFINITY));
    }
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !starts || !unsigned.chars().all(numeric) {
        return None;
    }
    if let Ok(natural) = word.parse() {
        return Some(Scalar::Natural(natural));
    }
    if let Ok(negative) = word.parse() {
        return Some(Scalar::Negative(negative));
    }
    word.parse().ok().map(Scalar::Float)
}

fn radix(digits: &str, radix: u32) -> Option<Scalar> {
    let digit = |c: char| c.is_digit(radix);
    (!digits.is_empty() && digits.chars().all(digit))
        .then(|| u64::from_str_radix(digits, radix).ok().map(Scalar::Natural))
        .flatten()
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Negative(value) => value.fmt(f),
            Self::Natural(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_words_follow_the_core_schema() {
        for (word, meaning) in [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("True", Scalar::Bool(true)),
            ("12", Scalar::Natural(12)),
            ("+12", Scalar::Natural(12)),
            ("-12", Scalar::Negative(-12)),
            ("0x1F", Scalar::Natural(31)),
            ("0o17", Scalar::Natural(15)),
            ("1e-4", Scalar::Float(1e-4)),
            (".5", Scalar::Float(0.5)),
            ("-.inf", Scalar::Float(f64::NEG_INFINITY)),
            ("99999999999999999999", Scalar::Float(1e20)),
        ] {
            assert_eq!(Scalar::plain(word), meaning, "{word}");
        }
        for word in
            ["yes", "on", "inf", "nan", "NaN", "1_000", "1.2.3", "-", ".", "0x", "--1", "e5", "10m", "٣"]
        {
            assert_eq!(Scalar::plain(word), Scalar::Text(word.into()), "{word}");
        }
        assert!(matches!(Scalar::plain(".nan"), Scalar::Float(value) if value.is_nan()));
    }
}
