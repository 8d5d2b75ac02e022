//! Small pictures made of characters: a bar for a share, a line for a series.

/// Steps of a line, from the lowest to the highest.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same for places that show ASCII only: more ink is more.
const PLAIN_STEPS: [char; 8] = ['_', '.', '-', ':', '=', '+', '*', '#'];

/// A share of traffic as blocks: none only at 0, all only at 100.
pub(crate) fn bar(percent: u8, width: usize) -> String {
    let percent = usize::from(percent.min(100));
    let full = match percent {
        0 => 0,
        100 => width,
        _ => (percent * width + 50) / 100,
    };
    let full = if percent == 0 || percent == 100 { full } else { full.clamp(1, width - 1) };
    "█".repeat(full) + &"░".repeat(width - full)
}

/// A part of a whole, 0 to 1, as blocks: none only at 0, all only at 1.
pub(crate) fn part(part: f64, width: usize) -> String {
    bar(percent(part), width)
}

/// Whole percent, 0 only of 0 and 100 only of 1.
fn percent(part: f64) -> u8 {
    let within = |whole: u8| f64::from(whole) <= part * 100.0;
    let whole = (0..=100).rev().find(|&whole| within(whole)).unwrap_or(0);
    if whole == 0 && part > 0.0 { 1 } else { whole }
}

/// A series from its least to its greatest value; `·` (`?` in ASCII) where nothing is known. A series that never
/// changes runs in the middle.
pub(crate) fn line(values: &[Option<f64>], unicode: bool) -> String {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let least = known().fold(f64::INFINITY, f64::min);
    let span = known().fold(f64::NEG_INFINITY, f64::max) - least;
    let height = |value: f64| if span > 0.0 { (value - least) / span } else { 0.45 };
    drawn(values.iter().map(|value| value.filter(|v| v.is_finite()).map(height)), unicode)
}

/// A series of parts, 0 to 1, in which only 1 is drawn as full.
pub(crate) fn parts(values: &[Option<f64>], unicode: bool) -> String {
    drawn(values.iter().map(|value| value.map(|part| if part >= 1.0 { 1.0 } else { part * 0.87 })), unicode)
}

fn drawn(heights: impl Iterator<Item = Option<f64>>, unicode: bool) -> String {
    let (steps, unknown) = if unicode { (STEPS, '·') } else { (PLAIN_STEPS, '?') };
    let step = |height: f64| {
        let reached = (1_u8..8).take_while(|&step| height >= f64::from(step) / 8.0).count();
        steps.get(reached).copied().unwrap_or(unknown)
    };
    heights.map(|height| height.map_or(unknown, step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_empty_only_at_none_and_full_only_at_all() {
        assert_eq!(bar(0, 4), "░░░░");
        assert_eq!(bar(1, 4), "█░░░");
        assert_eq!(bar(50, 4), "██░░");
        assert_eq!(bar(99, 4), "███░");
        assert_eq!(bar(100, 4), "████");
        assert_eq!((part(0.0, 4), part(0.001, 4)), ("░░░░".to_owned(), "█░░░".to_owned()));
        assert_eq!((part(0.999, 4), part(1.0, 4)), ("███░".to_owned(), "████".to_owned()));
    }

    #[test]
    fn a_line_spans_its_values_and_leaves_gaps_where_nothing_was_measured() {
        let values = [Some(1.0), None, Some(4.5), Some(8.0), Some(f64::NAN)];
        assert_eq!(line(&values, true), "▁·▅█·");
        assert_eq!(line(&values, false), "_?=#?");
        assert_eq!(line(&[Some(3.0); 3], true), "▄▄▄");
        assert_eq!(line(&[None], true), "·");
        assert_eq!(line(&[], true), "");
    }

    #[test]
    fn evidence_is_full_only_when_it_is_enough() {
        assert_eq!(parts(&[Some(0.0), Some(0.5), Some(0.99), Some(1.0), None], true), "▁▄▇█·");
    }
}
