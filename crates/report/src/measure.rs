//! Measured values for people: shares as percent, times in milliseconds, evidence against what is needed.
//!
//! Whatever is not known is no number here: callers say so in words, never with a zero.

use tagship_domain::analysis::MetricKind;

use crate::number;

/// In what a metric is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A share, 0 to 1, shown in percent.
    Share,
    /// Milliseconds.
    Millis,
    /// A number of its own.
    Plain,
}

/// Most decimals of a percentage; a share that needs more is shown as smaller than the smallest.
const DECIMALS: usize = 6;
/// Times the evidence that is needed, above which its size tells nothing more.
const OVERWHELMING: f64 = 1_000.0;

impl From<MetricKind> for Unit {
    fn from(kind: MetricKind) -> Self {
        match kind {
            MetricKind::ErrorRatio
            | MetricKind::LabelledAccuracy
            | MetricKind::PairedAccuracy
            | MetricKind::Disagreement
            | MetricKind::ScoreDistance => Self::Share,
            MetricKind::Latency => Self::Millis,
            MetricKind::PredictionDrift | MetricKind::Value | MetricKind::Score => Self::Plain,
        }
    }
}

impl Unit {
    /// One value; absent where it is no number.
    pub(crate) fn one(self, value: f64) -> Option<String> {
        value.is_finite().then(|| self.alike([value]).concat())
    }

    /// Candidate's and stable's value with as many digits as it takes to tell them apart.
    pub(crate) fn pair(self, candidate: Option<f64>, stable: Option<f64>) -> [Option<String>; 2] {
        match candidate.zip(stable).filter(|(a, b)| a.is_finite() && b.is_finite()) {
            Some((a, b)) => self.alike([a, b]).map(Some),
            None => [candidate, stable].map(|value| value.and_then(|value| self.one(value))),
        }
    }

    /// Finite values with the same decimals, as many as it takes to tell the first two apart and no more.
    pub(crate) fn alike<const N: usize>(self, values: [f64; N]) -> [String; N] {
        let least = values.iter().map(|value| self.decimals(*value)).max().unwrap_or_default();
        let forms = |decimals| {
            // Zeros at the end tell nothing where every value has them.
            let used = values.iter().map(|value| used_decimals(self.scaled(*value), decimals)).max();
            values.map(|value| self.with(value, used.unwrap_or_default()))
        };
        let [a, b, ..] = values.as_slice() else { return forms(least) };
        let apart = |texts: &[String; N]| a.to_bits() == b.to_bits() || texts.first() != texts.get(1);
        (least..=DECIMALS.max(least)).map(forms).find(apart).unwrap_or_else(|| forms(least))
    }

    /// A difference between two values, e.g. `2 points`.
    pub(crate) fn difference(self, difference: f64) -> String {
        match self {
            Self::Share => {
                let points = number::value(difference * 100.0);
                format!("{points} {}", if points == "1" { "point" } else { "points" })
            }
            Self::Millis => format!("{} ms", number::value(difference)),
            Self::Plain => number::value(difference),
        }
    }

    /// Decimals that show about two digits of what is small, also of what is close to all.
    fn decimals(self, value: f64) -> usize {
        let size = match self {
            Self::Share => (value * 100.0).abs().min((100.0 - value * 100.0).abs()),
            Self::Millis | Self::Plain => value.abs(),
        };
        match (self, size) {
            (Self::Millis, size) if size >= 100.0 => 0,
            (_, size) if size >= 10.0 => 1,
            (_, size) if size >= 0.1 || size == 0.0 => 2,
            (_, size) if size >= 0.01 => 3,
            (_, size) if size >= 0.001 => 4,
            _ => DECIMALS,
        }
    }

    /// The number that is written: percent for a share.
    fn scaled(self, value: f64) -> f64 {
        if self == Self::Share { value * 100.0 } else { value }
    }

    fn with(self, value: f64, decimals: usize) -> String {
        match self {
            Self::Share => percent(self.scaled(value), decimals),
            Self::Millis => format!("{} ms", grouped(&format!("{value:.decimals$}"))),
            Self::Plain => number::value(value),
        }
    }
}

fn percent(percent: f64, decimals: usize) -> String {
    let smallest = 0.1_f64.powi(6);
    if percent > 0.0 && percent < smallest / 2.0 {
        return format!("<{smallest:.DECIMALS$}%");
    }
    if percent < 100.0 && 100.0 - percent < smallest / 2.0 {
        return format!(">{:.DECIMALS$}%", 100.0 - smallest);
    }
    format!("{percent:.decimals$}%")
}

fn trimmed(value: f64, decimals: usize) -> String {
    format!("{value:.*}", used_decimals(value, decimals))
}

/// Decimals that are left of `decimals` without zeros at the end.
fn used_decimals(value: f64, decimals: usize) -> usize {
    let text = format!("{value:.decimals$}");
    text.split_once('.').map_or(0, |(_, behind)| behind.trim_end_matches('0').len())
}

/// A count with a comma between thousands.
pub(crate) fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// Commas between the thousands of a number that is written out.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let first = usize::from(whole.starts_with('-'));
    let mut text = String::with_capacity(number.len() + 4);
    for (at, digit) in whole.char_indices() {
        if at > first && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// Evidence against what is needed, `24.1 of 20`; what is beyond doubt is `>1,000x the 20`. Rounded down, so that it
/// never looks like enough before it is.
pub(crate) fn evidence(e_value: f64, needed: f64) -> String {
    let needed_text = grouped(&trimmed(needed, 2));
    if e_value.is_nan() || needed.is_nan() || needed <= 0.0 {
        return format!("unknown of {needed_text}");
    }
    if e_value > OVERWHELMING * needed {
        return format!(">1,000x the {needed_text}");
    }
    if e_value > 0.0 && e_value < 0.01 {
        return format!("<0.01 of {needed_text}");
    }
    let decimals = match e_value {
        e if e >= 100.0 => 0,
        e if e >= 1.0 => 1,
        _ => 2,
    };
    let scale = 10_f64.powi(decimals);
    let down = (e_value * scale + 1e-9).floor() / scale;
    let shown = usize::try_from(decimals).unwrap_or_default();
    format!("{} of {needed_text}", grouped(&format!("{down:.shown$}")))
}

/// How much of the way to what is needed the evidence has come, 0 to 1 and 1 only when it is enough. Evidence is
/// multiplied look by look, so the way is measured in logarithms; 1 is no evidence.
pub(crate) fn way(e_value: f64, needed: f64) -> f64 {
    if e_value.is_nan() || needed.is_nan() || needed <= 1.0 {
        return 0.0;
    }
    if e_value >= needed { 1.0 } else { (e_value.max(1.0).ln() / needed.ln()).min(0.99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_show_what_is_small_and_what_is_close_to_all() {
        for (share, text) in [
            (0.0, "0%"),
            (1.0, "100%"),
            (0.872, "87.2%"),
            (0.0082, "0.82%"),
            (0.000_12, "0.012%"),
            (0.999_51, "99.951%"),
            (1e-12, "<0.000001%"),
            (1.0 - 1e-12, ">99.999999%"),
            (0.5, "50%"),
        ] {
            assert_eq!(Unit::Share.one(share).as_deref(), Some(text));
        }
        assert_eq!(Unit::Share.one(f64::NAN), None);
    }

    #[test]
    fn two_values_can_be_told_apart_and_an_unknown_one_stays_unknown() {
        let pair = |unit: Unit, a, b| unit.pair(a, b).map(|text| text.unwrap_or("?".to_owned()));
        assert_eq!(pair(Unit::Share, Some(0.9211), Some(0.9214)), ["92.11%", "92.14%"]);
        assert_eq!(pair(Unit::Share, Some(0.9), Some(0.9)), ["90%", "90%"]);
        assert_eq!(pair(Unit::Share, Some(0.92), Some(0.921)), ["92.0%", "92.1%"]);
        assert_eq!(pair(Unit::Millis, Some(1_284.4), Some(81.26)), ["1,284.4 ms", "81.3 ms"]);
        assert_eq!(pair(Unit::Millis, Some(f64::INFINITY), None), ["?", "?"]);
        assert_eq!(pair(Unit::Share, None, Some(0.01)), ["?", "1%"]);
    }

    #[test]
    fn evidence_never_looks_like_enough_before_it_is() {
        for (e_value, text) in [
            (24.19, "24.1 of 20"),
            (19.96, "19.9 of 20"),
            (19.999_9, "19.9 of 20"),
            (20.0, "20.0 of 20"),
            (0.0, "0.00 of 20"),
            (0.001, "<0.01 of 20"),
            (0.43, "0.43 of 20"),
            (1_234.5, "1,234 of 20"),
            (20_001.0, ">1,000x the 20"),
            (f64::INFINITY, ">1,000x the 20"),
            (f64::NAN, "unknown of 20"),
        ] {
            assert_eq!(evidence(e_value, 20.0), text);
        }
        assert!(way(19.999, 20.0) < 1.0);
        assert!((way(20.0, 20.0) - 1.0).abs() < f64::EPSILON);
        assert!(way(0.5, 20.0).abs() < f64::EPSILON);
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(grouped("-1234.5678"), "-1,234.5678");
    }
}
