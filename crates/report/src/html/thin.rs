//! Fewer points that look the same: of every column of the picture the extremes stay.

/// A point of a line; `None` breaks the line, for unknown is no value.
pub(super) type Dot = (f64, Option<f64>);

/// At most two points and one break for each of `columns` equal parts of the range, and both ends: the least and the greatest
/// of each part stay, in their order, so that no peak is lost.
pub(super) fn thin(dots: &[Dot], columns: usize) -> Vec<Dot> {
    let (Some(first), Some(last)) = (dots.first(), dots.last()) else { return vec![] };
    if dots.len() <= 2 * columns {
        return dots.to_vec();
    }
    let width = ((last.0 - first.0) / as_f64(columns)).max(f64::MIN_POSITIVE);
    let column = |dot: &Dot| ((dot.0 - first.0) / width).floor();
    let mut thinned = vec![*first];
    for part in dots.chunk_by(|a, b| column(a).total_cmp(&column(b)).is_eq()) {
        let known = part.iter().enumerate().filter_map(|(at, dot)| Some((at, dot.1?)));
        let least = known.clone().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at);
        let greatest = known.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at);
        let broken = part.iter().position(|dot| dot.1.is_none());
        let mut kept: Vec<usize> = [least, greatest, broken].into_iter().flatten().collect();
        kept.sort_unstable();
        kept.dedup();
        thinned.extend(kept.into_iter().filter_map(|at| part.get(at)));
    }
    thinned.push(*last);
    thinned.dedup();
    thinned
}

/// A line of steps without the points that repeat the one before; the last one stays.
pub(super) fn steps(dots: &[Dot]) -> Vec<Dot> {
    let mut kept: Vec<Dot> = vec![];
    for (at, dot) in dots.iter().enumerate() {
        if kept.last().is_none_or(|last| last.1 != dot.1) || at + 1 == dots.len() {
            kept.push(*dot);
        }
    }
    kept
}

/// A count as a number to reckon with; exact far beyond any count here.
pub(super) fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_peak_and_no_gap_is_lost() {
        let mut dots: Vec<Dot> = (0..5_000).map(|at| (f64::from(at), Some(1.0))).collect();
        dots[1_234].1 = Some(9.0);
        dots[2_345].1 = Some(-9.0);
        dots[3_456].1 = None;
        let few = thin(&dots, 100);
        assert!(few.len() <= 302, "{}", few.len());
        for peak in [dots[1_234], dots[2_345], dots[3_456], dots[0], dots[4_999]] {
            assert!(few.contains(&peak), "{peak:?}");
        }
        assert!(few.is_sorted_by(|a, b| a.0 <= b.0));
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let dots = [(0.0, Some(1.0)), (1.0, None), (2.0, Some(1.0))];
        assert_eq!(thin(&dots, 10), dots);
        assert_eq!(thin(&[], 10), []);
        assert_eq!(steps(&[(0.0, Some(1.0)), (1.0, Some(1.0)), (2.0, Some(5.0)), (3.0, Some(5.0))]).len(), 3);
    }
}
