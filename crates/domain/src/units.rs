//! Durations and sizes as people write them: `10m`, `1h30m`, `50ms`, `2GiB`.

use std::{borrow::Cow, fmt, str::FromStr, time};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text that is no duration or size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}; write {example}")]
pub struct UnitError {
    text: String,
    what: &'static str,
    example: &'static str,
}

/// A length of time of at least one millisecond's resolution, written with units: `90s`, `10m`, `1h30m`, `50ms`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(time::Duration);

/// A size in bytes, written with units: `500kB` (1000), `64MiB` (1024), `2GiB`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(u64);

const TIME_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

impl Duration {
    /// From whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(time::Duration::from_secs(seconds))
    }

    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(time::Duration::from_millis(millis))
    }

    /// Together with another one, at most the longest there is.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// As the standard library's duration.
    pub const fn std(self) -> time::Duration {
        self.0
    }

    /// The written form that reads back as the same value.
    fn exact(self) -> String {
        self.to_string()
    }

    /// In seconds, with fractions.
    pub fn as_secs_f64(self) -> f64 {
        self.0.as_secs_f64()
    }
}

impl ByteSize {
    /// From a number of bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The written form that reads back as the same value; the printed form rounds.
    fn exact(self) -> String {
        let whole = SIZE_UNITS
            .iter()
            .find(|(unit, factor)| unit.contains('i') && self.0 != 0 && self.0.is_multiple_of(*factor));
        let (unit, factor) = whole.unwrap_or(&("B", 1));
        format!("{}{unit}", self.0 / factor)
    }

    /// The number of bytes.
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Duration {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse_duration(text).map(Self::from_millis).ok_or_else(|| UnitError {
            text: text.to_owned(),
            what: "duration",
            example: "a number and a unit, e.g. 50ms, 90s, 10m, 1h30m or 2d",
        })
    }
}

fn parse_duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let (mut total, mut last_unit) = (0_u64, u64::MAX);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|&at| at > 0)?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (_, millis) = *TIME_UNITS.iter().find(|(unit, _)| *unit == &rest[..letters])?;
        if millis >= last_unit {
            return None;
        }
        last_unit = millis;
        total = total.checked_add(number.checked_mul(millis)?)?;
        rest = rest[letters..].trim_start();
    }
    Some(total)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, millis) in TIME_UNITS {
            if rest >= millis {
                write!(f, "{}{unit}", rest / millis)?;
                rest %= millis;
            }
        }
        Ok(())
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse_size(text.trim()).map(Self).ok_or_else(|| UnitError {
            text: text.to_owned(),
            what: "size",
            example: "a number and a unit, e.g. 500kB, 64MiB or 2GiB",
        })
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let (unit, factor) = SIZE_UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text[..text.len() - unit.len()].trim_end();
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

impl fmt::Display for ByteSize {
    /// Two significant decimals in powers of 1024, e.g. `1.25 MiB`; exact below 1 KiB.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = SIZE_UNITS.iter().find(|(unit, factor)| unit.contains('i') && self.0 >= *factor);
        match binary {
            None => write!(f, "{} B", self.0),
            Some((unit, factor)) if self.0.is_multiple_of(*factor) => write!(f, "{} {unit}", self.0 / factor),
            Some((unit, factor)) => {
                let hundredths = u128::from(self.0) * 100 / u128::from(*factor);
                write!(f, "{}.{:02} {unit}", hundredths / 100, hundredths % 100)
            }
        }
    }
}

macro_rules! unit_type {
    ($name:ident, $example:literal) => {
        impl TryFrom<String> for $name {
            type Error = UnitError;
            fn try_from(text: String) -> Result<Self, UnitError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.exact()
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $example })
            }
        }
    };
}

unit_type!(Duration, "A duration with units, e.g. `90s`, `10m` or `1h30m`.");
unit_type!(ByteSize, "A size with units, e.g. `64MiB` or `2GiB`.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_units_and_falling_order() {
        for (text, millis) in
            [("50ms", 50), ("90s", 90_000), ("1h30m", 5_400_000), ("1h 30m", 5_400_000), ("0s", 0)]
        {
            assert_eq!(text.parse::<Duration>().unwrap(), Duration::from_millis(millis), "{text}");
        }
        for bad in ["", "10", "m", "10 minutes", "-5s", "30m1h", "1s1s", "99999999999999999999d"] {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
        assert_eq!(Duration::from_millis(5_400_050).to_string(), "1h30m50ms");
    }

    #[test]
    fn sizes_need_units_and_print_readably() {
        assert_eq!("2GiB".parse::<ByteSize>().unwrap().as_bytes(), 2 << 30);
        assert_eq!("500 kB".parse::<ByteSize>().unwrap().as_bytes(), 500_000);
        for bad in ["", "2", "GiB", "1.5GiB", "2gib", "99999999999999TiB"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
        assert_eq!(ByteSize::bytes(1_310_720).to_string(), "1.25 MiB");
        assert_eq!(ByteSize::bytes(900).to_string(), "900 B");
        for bytes in [0, 1, 1023, 1 << 20, 1_310_720, u64::MAX] {
            let written = String::from(ByteSize::bytes(bytes));
            assert_eq!(written.parse::<ByteSize>().unwrap().as_bytes(), bytes, "{written}");
        }
    }
}
