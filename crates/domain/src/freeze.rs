//! Freezes: weekly times in which nothing new gets more traffic, as in `Fri 16:00 - Mon 08:00 Europe/Berlin`.
//!
//! Times are those of the zone's clocks. Where clocks are changed, a time that is skipped or comes twice is read so that
//! the freeze is longer, never shorter. Rules of zones come with the program, so that every machine answers alike.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{
    civil::{DateTime, Time, Weekday},
    tz::TimeZone,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How a window is written.
pub const EXAMPLE: &str = "Fri 16:00 - Mon 08:00 Europe/Berlin";

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// Windows that follow each other without a gap are one freeze; one that needs more than this many has no end.
const CHAIN: usize = 64;

/// A time of every week in which a rollout neither begins nor gives its candidate more traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FreezeWindow {
    from: WeekTime,
    to: WeekTime,
    zone: TimeZone,
    name: String,
}

/// A time of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WeekTime {
    day: Weekday,
    time: Time,
}

/// Why a text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FreezeError {
    /// It does not have the form.
    #[error("{text:?} is no window; write it like `{EXAMPLE}`")]
    Form {
        /// The text.
        text: String,
    },
    /// A day that is none.
    #[error("{found:?} is no day of the week; there is Mon, Tue, Wed, Thu, Fri, Sat, Sun")]
    Day {
        /// What stands there.
        found: String,
    },
    /// A time that is none.
    #[error("{found:?} is no time of day; write it like `08:00`")]
    Time {
        /// What stands there.
        found: String,
    },
    /// A zone that nobody knows.
    #[error("{found:?} is no time zone; write its name like `Europe/Berlin`, or `UTC`")]
    Zone {
        /// What stands there.
        found: String,
    },
    /// It begins when it ends.
    #[error("a window that begins and ends at {at} is either nothing or the whole week; give it another end")]
    Empty {
        /// The time.
        at: String,
    },
}

/// When the freeze ends that holds now; absent where none does. Windows that follow each other are one freeze; the last
/// point of time stands for one without an end.
pub fn frozen_until(windows: &[FreezeWindow], now: Timestamp) -> Option<Timestamp> {
    let ends = |at: Timestamp| windows.iter().filter_map(|window| window.end(at)).max();
    let mut end = ends(now)?;
    for _ in 0..CHAIN {
        match ends(end) {
            None => return Some(end),
            Some(later) => end = later,
        }
    }
    Some(Timestamp::LATEST)
}

impl FreezeWindow {
    /// When this window ends, where it holds at this time.
    fn end(&self, at: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(at.calendar()).date();
        // The beginning of this week's window or, where that is still to come, of last week's.
        (-7..=1).rev().find_map(|days| {
            let date = today.checked_add(jiff::Span::new().days(days)).ok()?;
            if date.weekday() != self.from.day {
                return None;
            }
            let until = i64::from(self.from.day.until(self.to.day));
            let until = if until == 0 && self.to.time < self.from.time { 7 } else { until };
            let last = date.checked_add(jiff::Span::new().days(until)).ok()?;
            let begins = self.earliest(date.to_datetime(self.from.time))?;
            let ends = self.latest(last.to_datetime(self.to.time))?;
            (begins <= at && at < ends).then_some(ends)
        })
    }

    fn earliest(&self, time: DateTime) -> Option<Timestamp> {
        self.zone.to_ambiguous_timestamp(time).earlier().ok().map(Timestamp::of_calendar)
    }

    fn latest(&self, time: DateTime) -> Option<Timestamp> {
        self.zone.to_ambiguous_timestamp(time).later().ok().map(Timestamp::of_calendar)
    }
}

impl WeekTime {
    fn read(day: &str, time: &str) -> Result<Self, FreezeError> {
        let known = DAYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(day));
        let (_, day) = known.ok_or_else(|| FreezeError::Day { found: day.to_owned() })?;
        let wrong = || FreezeError::Time { found: time.to_owned() };
        let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
        let number = |text: &str| {
            let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i8>().ok().filter(|_| plain).ok_or_else(wrong)
        };
        let time = Time::new(number(hour)?, number(minute)?, 0, 0).ok().ok_or_else(wrong)?;
        Ok(Self { day: *day, time })
    }
}

impl FromStr for FreezeWindow {
    type Err = FreezeError;

    fn from_str(text: &str) -> Result<Self, FreezeError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [first_day, first_time, "-", last_day, last_time, zone] = words[..] else {
            return Err(FreezeError::Form { text: text.to_owned() });
        };
        let from = WeekTime::read(first_day, first_time)?;
        let to = WeekTime::read(last_day, last_time)?;
        if from == to {
            return Err(FreezeError::Empty { at: from.to_string() });
        }
        let named = TimeZone::get(zone).ok().ok_or_else(|| FreezeError::Zone { found: zone.to_owned() })?;
        let name = named.iana_name().unwrap_or(zone).to_owned();
        Ok(Self { from, to, zone: named, name })
    }
}

impl TryFrom<String> for FreezeWindow {
    type Error = FreezeError;
    fn try_from(text: String) -> Result<Self, FreezeError> {
        text.parse()
    }
}

impl From<FreezeWindow> for String {
    fn from(window: FreezeWindow) -> String {
        window.to_string()
    }
}

impl fmt::Display for FreezeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {} {}", self.from, self.to, self.name)
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = DAYS.iter().find(|(_, day)| *day == self.day).map_or("", |(name, _)| name);
        write!(f, "{day} {:02}:{:02}", self.time.hour(), self.time.minute())
    }
}

impl JsonSchema for FreezeWindow {
    fn schema_name() -> Cow<'static, str> {
        "FreezeWindow".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time of every week, from and to, with the name of its time zone.",
            "type": "string",
            "examples": [EXAMPLE],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Duration;

    fn window(text: &str) -> FreezeWindow {
        text.parse().unwrap()
    }

    fn until(text: &str, now: &str) -> Option<String> {
        frozen_until(&[window(text)], now.parse().unwrap()).map(|end| end.to_string())
    }

    #[test]
    fn a_weekend_lasts_from_friday_to_monday_by_the_clocks_of_its_zone() {
        // 2026-11-27 is a Friday; Berlin is an hour ahead of UTC in winter, two in summer.
        assert_eq!(until(EXAMPLE, "2026-11-27T14:59:59Z"), None);
        let monday = Some("2026-11-30T07:00:00Z".to_owned());
        for inside in ["2026-11-27T15:00:00Z", "2026-11-29T12:00:00Z", "2026-11-30T06:59:59Z"] {
            assert_eq!(until(EXAMPLE, inside), monday, "{inside}");
        }
        assert_eq!(until(EXAMPLE, "2026-11-30T07:00:00Z"), None, "its end is outside");
        assert_eq!(until(EXAMPLE, "2026-07-10T14:00:00Z"), Some("2026-07-13T06:00:00Z".to_owned()));
        assert_eq!(
            until(EXAMPLE, "2026-03-28T12:00:00Z"),
            Some("2026-03-30T06:00:00Z".to_owned()),
            "over the change of clocks"
        );
    }

    #[test]
    fn a_time_that_is_skipped_or_comes_twice_makes_the_freeze_longer() {
        // Clocks go from 02:00 to 03:00 on 2026-03-29 (01:00 UTC) and from 03:00 to 02:00 on 2026-10-25 (01:00 UTC).
        let spring = "Sun 02:30 - Sun 12:00 Europe/Berlin";
        assert_eq!(until(spring, "2026-03-29T00:29:59Z"), None);
        assert!(until(spring, "2026-03-29T00:30:00Z").is_some(), "02:30 is skipped: from 01:30 on");
        let ends = "Sat 12:00 - Sun 02:30 Europe/Berlin";
        let end = until(ends, "2026-03-29T00:00:00Z");
        assert_eq!(end, Some("2026-03-29T01:30:00Z".to_owned()), "to 03:30");
        assert_eq!(
            until(ends, "2026-10-25T00:45:00Z"),
            Some("2026-10-25T01:30:00Z".to_owned()),
            "the second"
        );
        assert!(until(spring, "2026-10-25T00:30:00Z").is_some(), "the first 02:30");
    }

    #[test]
    fn windows_that_touch_are_one_freeze_and_a_whole_week_has_no_end() {
        let night = [window("Mon 18:00 - Tue 08:00 UTC"), window("Tue 08:00 - Tue 12:00 UTC")];
        let at = "2026-11-30T20:00:00Z".parse().unwrap();
        assert_eq!(frozen_until(&night, at).unwrap().to_string(), "2026-12-01T12:00:00Z");
        let always = [window("Mon 00:00 - Fri 00:00 UTC"), window("Thu 00:00 - Tue 00:00 UTC")];
        assert_eq!(frozen_until(&always, at), Some(Timestamp::LATEST));
        assert_eq!(
            until("Wed 10:00 - Wed 09:00 UTC", "2026-12-02T09:30:00Z"),
            None,
            "the free hour of a week"
        );
        assert!(until("Wed 10:00 - Wed 09:00 UTC", "2026-12-02T10:00:00Z").is_some());
        assert!(until("Wed 10:00 - Wed 09:00 UTC", "2026-12-02T08:59:00Z").is_some());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| text.parse::<FreezeWindow>().unwrap_err().to_string();
        assert!(wrong("weekends").contains(EXAMPLE));
        assert!(wrong("Fri 16:00 - Mon 08:00").contains("is no window"), "a zone is needed");
        assert!(wrong("Freitag 16:00 - Mon 08:00 UTC").contains("\"Freitag\" is no day"));
        assert!(wrong("Fri 4pm - Mon 08:00 UTC").contains("\"4pm\" is no time"));
        assert!(wrong("Fri 16:00 - Mon 24:00 UTC").contains("\"24:00\" is no time"));
        assert!(wrong("Fri 16:00 - Mon 08:00 Europe/Atlantis").contains("is no time zone"));
        assert!(wrong("Fri 16:00 - fri 16:00 UTC").contains("Fri 16:00"));
        assert_eq!(window("fri 16:00  -  MON 08:00 europe/berlin").to_string(), EXAMPLE);
    }

    proptest! {
        #[test]
        fn a_freeze_always_ends_later_and_is_over_then(
            hours in 0..24_000_i64,
            day in 0..7_usize,
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
        ) {
            let next = DAYS[(day + 2) % 7].0;
            let windows = [window(&format!("{} 16:00 - {next} 02:30 {zone}", DAYS[day].0))];
            let now = Timestamp::from_seconds(1_750_000_000 + hours * 3600).unwrap();
            if let Some(end) = frozen_until(&windows, now) {
                prop_assert!(end > now && end.since(now) < Duration::from_secs(3 * 86_400));
                prop_assert_eq!(frozen_until(&windows, end), None);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<FreezeWindow>();
        }
    }
}
