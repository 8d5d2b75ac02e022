//! Findings that a team has looked at and lives with, for a reason and for a time.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{time::Timestamp, validation::Finding};

/// Which findings do not count, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// Id of the rule, e.g. `ONX202`.
    pub rule: String,
    /// What the finding has to be about, exactly; anything where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Why it does not count.
    pub reason: String,
    /// The last day on which it holds, in UTC; for good where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// A day of the calendar, e.g. `2027-03-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(jiff::civil::Date);

/// A text that is no day.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is not a day; write it like 2027-03-31")]
pub struct DayError {
    text: String,
}

impl Suppression {
    /// Whether it is about a finding, be it still in force or not.
    pub fn fits(&self, finding: &Finding) -> bool {
        let about = self.about.as_deref();
        self.rule.eq_ignore_ascii_case(&finding.rule)
            && about.is_none_or(|about| finding.target.as_deref() == Some(about))
    }

    /// Whether it is in force.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| Day::of(now) <= until)
    }
}

impl Day {
    /// The day of a point in time, in UTC.
    pub fn of(time: Timestamp) -> Self {
        let days = time.as_seconds().div_euclid(86_400);
        let epoch = jiff::civil::date(1970, 1, 1);
        Self(epoch.saturating_add(jiff::SignedDuration::from_hours(days * 24)))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = DayError;
    fn from_str(text: &str) -> Result<Self, DayError> {
        // Nothing but the day: what else the library would read as one is left out.
        let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = plain.then(|| text.parse().ok()).flatten();
        day.map(Self).ok_or_else(|| DayError { text: text.to_owned() })
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;
    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "examples": ["2027-03-31"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suppression_holds_to_the_end_of_its_day() {
        let until: Day = "2027-03-31".parse().unwrap();
        let suppression = Suppression {
            rule: "PKL102".to_owned(),
            about: None,
            reason: "ours".to_owned(),
            until: Some(until),
        };
        for (now, holds) in [
            ("2027-03-31T00:00:00Z", true),
            ("2027-03-31T23:59:59Z", true),
            ("2027-04-01T00:00:00Z", false),
            ("1969-12-31T23:00:00Z", true),
        ] {
            assert_eq!(suppression.holds(now.parse().unwrap()), holds, "{now}");
        }
    }

    #[test]
    fn a_day_is_a_day_and_nothing_else() {
        for text in ["2027-02-29", "2027-3-31", "20270331", "2027-03-31T00:00", "", "tomorrow"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        assert_eq!(Day::of("1969-12-31T23:00:00Z".parse().unwrap()).to_string(), "1969-12-31");
    }
}
