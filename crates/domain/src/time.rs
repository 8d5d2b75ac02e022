//! Points in time: RFC 3339 in documents, a short form for people. Nothing here reads a clock.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::units::Duration;

/// A text or number that is no point in time.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a time ({source}); write it like 2026-11-24T03:44:33Z")]
pub struct TimeError {
    text: String,
    source: jiff::Error,
}

/// A point in time with millisecond resolution, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The latest time there is.
    pub const LATEST: Self = Self(jiff::Timestamp::MAX);
    /// No time is earlier.
    pub const EARLIEST: Self = Self(jiff::Timestamp::MIN);

    /// From milliseconds since 1970-01-01 UTC, negative before.
    ///
    /// # Errors
    /// Outside the years -9999 to 9999.
    pub fn from_millis(millis: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_millisecond(millis)
            .map(Self)
            .map_err(|source| TimeError { text: format!("{millis} ms"), source })
    }

    /// From seconds since 1970-01-01 UTC, negative before.
    ///
    /// # Errors
    /// As [`Timestamp::from_millis`].
    pub fn from_seconds(seconds: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_second(seconds)
            .map(Self)
            .map_err(|source| TimeError { text: format!("{seconds} s"), source })
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Whole seconds since 1970-01-01 UTC.
    pub fn as_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// As the library of calendars has it.
    pub(crate) fn calendar(self) -> jiff::Timestamp {
        self.0
    }

    /// From what the library of calendars has.
    pub(crate) fn of_calendar(at: jiff::Timestamp) -> Self {
        Self(at)
    }

    /// This point plus a length, at most the latest time there is.
    #[must_use]
    pub fn after(self, length: Duration) -> Self {
        Self(self.0.checked_add(length.std()).unwrap_or(jiff::Timestamp::MAX))
    }

    /// This point less a length, at least the earliest time there is.
    #[must_use]
    pub fn before(self, length: Duration) -> Self {
        Self(self.0.checked_sub(length.std()).unwrap_or(jiff::Timestamp::MIN))
    }

    /// How long ago `earlier` was; zero where the clock went backwards.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.as_millis().saturating_sub(earlier.as_millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// `2026-11-24 03:44:33 UTC`.
    pub fn readable(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// `2026-11-24 03:44`, for columns whose header says UTC.
    pub fn minute(self) -> String {
        self.0.strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `03:44:33`, for lines that stand under a date.
    pub fn clock(self) -> String {
        self.0.strftime("%H:%M:%S").to_string()
    }

    /// ISO 8601 with an offset from UTC in minutes, `2023-11-15T03:45:20+05:30`, as git and GTO show times.
    pub fn with_offset(self, minutes: i32) -> String {
        let offset =
            jiff::tz::Offset::from_seconds(minutes.saturating_mul(60)).unwrap_or(jiff::tz::Offset::UTC);
        offset.to_datetime(self.0).strftime("%Y-%m-%dT%H:%M:%S").to_string() + &offset_text(minutes)
    }
}

fn offset_text(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse().map(Self).map_err(|source| TimeError { text: text.to_owned(), source })
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> String {
        at.to_string()
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_runs_backwards_has_no_length() {
        let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let later = noon.after(Duration::from_secs(90));
        assert_eq!(later.since(noon), Duration::from_secs(90));
        assert_eq!(noon.since(later), Duration::from_secs(0));
        assert_eq!(later.readable(), "2026-11-24 12:01:30 UTC");
        assert_eq!(later.with_offset(330), "2026-11-24T17:31:30+05:30");
        assert_eq!(later.with_offset(-90), "2026-11-24T10:31:30-01:30");
    }
}
