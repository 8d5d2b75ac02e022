//! From values to places in a picture, and the round values to label.

use tagship_domain::Timestamp;

/// A linear scale; values outside are drawn at its edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Least and greatest value.
    pub(super) range: [f64; 2],
    /// Where they are drawn.
    pub(super) place: [f64; 2],
}

impl Scale {
    /// Where a value is drawn.
    pub(super) fn at(self, value: f64) -> f64 {
        let [from, to] = self.range;
        let [start, end] = self.place;
        let part = if to > from { ((value - from) / (to - from)).clamp(0.0, 1.0) } else { 0.5 };
        start + part * (end - start)
    }

    /// About `count` round values within the range: 1, 2 or 5 times a power of ten apart.
    pub(super) fn ticks(self, count: f64) -> Vec<f64> {
        let [from, to] = self.range;
        let rough = (to - from) / count;
        if !rough.is_finite() || rough <= 0.0 {
            return vec![from];
        }
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        let mut ticks = vec![];
        let mut at = (from / step).ceil();
        while at * step <= to + step * 1e-9 && ticks.len() < 20 {
            ticks.push(at * step);
            at += 1.0;
        }
        ticks
    }
}

/// The range of finite values with a margin, so that no line lies on the edge.
pub(super) fn around(values: impl Iterator<Item = f64>, least: Option<f64>) -> Option<[f64; 2]> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return None;
    }
    let margin = if high > low { 0.12 * (high - low) } else { (0.1 * high.abs()).max(1e-3) };
    let from = low - margin;
    Some([least.map_or(from, |least| from.max(least.min(low))), high + margin])
}

/// Lengths of time between two labels, in seconds.
const TIMES: [i64; 19] = [
    1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
    604_800,
];

/// At most `most` round times between two, with their labels: clock times, and dates where days lie between.
pub(super) fn times(from: Timestamp, to: Timestamp, most: i64) -> Vec<(Timestamp, String)> {
    let length = (to.as_millis() - from.as_millis()) / 1_000;
    let step = TIMES.into_iter().find(|step| length / step <= most).unwrap_or(length / most.max(1) + 1);
    let first = from.as_seconds().div_euclid(step) + 1;
    let label = |at: Timestamp| match step {
        step if step < 60 => at.clock(),
        step if step < 43_200 => at.minute().split(' ').nth(1).unwrap_or_default().to_owned(),
        _ => at.minute().split(' ').next().unwrap_or_default().to_owned(),
    };
    let ticks =
        (first..).map(|tick| tick.saturating_mul(step)).take_while(|second| *second <= to.as_seconds());
    ticks
        .take(20)
        .filter_map(|second| Timestamp::from_seconds(second).ok())
        .map(|at| (at, label(at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_round_and_few() {
        let scale = Scale { range: [0.0071, 0.0134], place: [0.0, 100.0] };
        let ticks = scale.ticks(4.0);
        assert_eq!(ticks.len(), 3);
        assert!((ticks[0] - 0.008).abs() < 1e-12 && (ticks[2] - 0.012).abs() < 1e-12, "{ticks:?}");
        assert!((scale.at(9.0) - 100.0).abs() < 1e-9, "outside is at the edge");
        assert!(scale.at(f64::NAN).is_nan(), "no number has no place");
    }

    #[test]
    fn times_are_labelled_by_clock_and_long_ones_by_date() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let labels =
            |from, to| times(at(from), at(to), 5).into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(
            labels("2026-11-24T03:44:33Z", "2026-11-24T04:12:01Z"),
            ["03:45", "03:50", "03:55", "04:00", "04:05", "04:10"]
        );
        assert_eq!(
            labels("2026-11-24T03:44:33Z", "2026-11-24T03:44:36Z"),
            ["03:44:34", "03:44:35", "03:44:36"]
        );
        assert_eq!(labels("2026-11-24T03:44:33Z", "2026-11-27T03:44:33Z").len(), 3);
        assert_eq!(labels("2026-11-24T03:44:33Z", "2026-11-24T03:44:33Z"), [""; 0]);
    }
}
