//! Lengths of time as Go writes them: `1h30m`, `1.5h`, `500ms`, or a whole number of seconds.

use tagship_domain::Duration;

/// Units with their milliseconds.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-6),
    ("us", 1e-3),
    ("µs", 1e-3),
    ("μs", 1e-3),
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 6e4),
    ("h", 3.6e6),
];
/// Longest time that makes sense here: ten years.
const LONGEST: f64 = 3.2e11;

/// Reads a length of time; absent where the text is none. Parts of a millisecond are cut off.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let (mut rest, mut millis) = (text.strip_prefix('+').unwrap_or(text), 0.0);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|at| *at > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == &rest[..letters])?;
        millis += number * factor;
        rest = &rest[letters..];
    }
    (millis <= LONGEST).then(|| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
        Duration::from_millis((millis + 1e-9) as u64)
    })
}

/// So many times a length, at most the longest there is.
pub(crate) fn times(length: Duration, count: u64) -> Duration {
    Duration::from_millis(millis(length).saturating_mul(count))
}

/// In milliseconds.
pub(crate) fn millis(length: Duration) -> u64 {
    u64::try_from(length.std().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_go_are_read() {
        for (text, millis) in [
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("90", 90_000),
            ("1m0s", 60_000),
            ("0s", 0),
        ] {
            assert_eq!(read(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "m", "5x", "-5m", "1h 5m", "1..5h", "99999999h", "5m3"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
