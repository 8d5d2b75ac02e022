//! Numbers for people: enough digits to see a difference, no more.

use std::fmt::Write;

/// Digits behind the point that are tried, from the usual to the most.
const DECIMALS: std::ops::RangeInclusive<usize> = 4..=12;

/// A metric's value, e.g. `0.9312`, `128`, `1.20e-7`.
pub(crate) fn value(number: f64) -> String {
    with_decimals(number, *DECIMALS.start())
}

/// Two values with as many digits as it takes to tell them apart.
pub(crate) fn pair(a: f64, b: f64) -> (String, String) {
    let forms = |decimals| (with_decimals(a, decimals), with_decimals(b, decimals));
    let same = |pair: &(String, String)| pair.0 == pair.1;
    let different = DECIMALS.map(forms).find(|pair| !same(pair));
    different.filter(|_| a.to_bits() != b.to_bits()).unwrap_or_else(|| forms(*DECIMALS.start()))
}

fn with_decimals(number: f64, decimals: usize) -> String {
    let size = number.abs();
    if !number.is_finite() {
        return number.to_string();
    }
    if size >= 1e15 || (size > 0.0 && size < 1e-3) {
        return format!("{number:.*e}", decimals - 2);
    }
    let text = format!("{number:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A share in percent, with as many decimals as it takes to be told from zero: `1%`, `0.05%`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = if percent >= 10.0 { 1 } else { 2 };
    let rough = format!("{percent:.decimals$}");
    if percent > 0.0 && rough.trim_matches(['0', '.']).is_empty() {
        return format!("{percent:.1e}%");
    }
    format!("{}%", rough.trim_end_matches('0').trim_end_matches('.'))
}

/// A large count with three digits that matter, rounded up, in groups: `4420` as `4,420`, `44713` as `44,800`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.checked_ilog10().unwrap_or(0) + 1;
    let step = 10_u64.saturating_pow(digits.saturating_sub(3));
    grouped_exactly(count.div_ceil(step).saturating_mul(step))
}

/// A count in groups: `44713` as `44,713`.
pub(crate) fn grouped_exactly(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How a candidate's value differs from the stable one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// `▲`, `▼` or `=`; only a direction: whether more is better is not known here.
    pub(crate) arrow: char,
    /// `+0.0189 (+2.1%)`; empty where nothing changed.
    pub(crate) text: String,
}

/// The change from `stable` to `candidate`; absent where it is no number.
pub(crate) fn change(candidate: f64, stable: f64) -> Option<Change> {
    let delta = candidate - stable;
    if !delta.is_finite() {
        return None;
    }
    if delta == 0.0 {
        return Some(Change { arrow: '=', text: String::new() });
    }
    let (arrow, sign) = if delta > 0.0 { ('▲', "+") } else { ('▼', "-") };
    let mut text = format!("{sign}{}", value(delta.abs()));
    let percent = delta / stable.abs() * 100.0;
    if percent.is_finite() && percent.abs() < 1000.0 {
        let decimals = usize::from(percent.abs() < 10.0);
        let _ = write!(text, " ({percent:+.decimals$}%)");
    }
    Some(Change { arrow, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short_and_differences_visible() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (128.0, "128"),
            (0.931_234, "0.9312"),
            (0.9, "0.9"),
            (1.2e-7, "1.20e-7"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(value(number), text);
        }
        assert_eq!(pair(0.900_001, 0.900_002), ("0.900001".to_owned(), "0.900002".to_owned()));
        assert_eq!(pair(0.5, 0.5), ("0.5".to_owned(), "0.5".to_owned()));
    }

    #[test]
    fn shares_and_counts_are_short() {
        for (share, text) in [(0.01, "1%"), (0.5, "50%"), (0.0005, "0.05%"), (0.123_4, "12.3%"), (0.0, "0%")]
        {
            assert_eq!(percent(share), text);
        }
        assert_eq!(percent(1e-7), "1.0e-5%");
        for (count, text) in [
            (0, "0"),
            (50, "50"),
            (999, "999"),
            (4_417, "4,420"),
            (44_713, "44,800"),
            (9_999_999, "10,000,000"),
        ] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn a_change_has_a_direction_and_a_size() {
        let text = |a, b| change(a, b).map(|c| format!("{} {}", c.arrow, c.text));
        assert_eq!(text(0.93, 0.90).as_deref(), Some("▲ +0.03 (+3.3%)"));
        assert_eq!(text(40.0, 50.0).as_deref(), Some("▼ -10 (-20%)"));
        assert_eq!(text(1.0, 0.0).as_deref(), Some("▲ +1"));
        assert_eq!(text(1.0, 1.0).as_deref(), Some("= "));
        assert_eq!(text(f64::NAN, 1.0), None);
    }
}
