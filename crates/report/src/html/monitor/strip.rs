//! Verdicts over time as a strip: thick where something was bad, broken where it was unknown, thin where all was good. Shape says
//! it as much as colour does.

use std::fmt::Write as _;

use super::super::{scale::Scale, thin::as_f64};

/// Most pieces of a strip.
const PIECES: usize = 120;

/// How something stood at a look. The later ones hide the earlier ones where they share a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stood {
    /// As it should be.
    Good,
    /// It could not be judged.
    Unknown,
    /// Not as it should be.
    Bad,
}

impl Stood {
    /// Of a verdict.
    pub(super) fn of(good: Option<bool>) -> Self {
        match good {
            Some(true) => Self::Good,
            Some(false) => Self::Bad,
            None => Self::Unknown,
        }
    }

    /// Class of its chip, and the word in it.
    pub(super) fn told(self) -> [&'static str; 2] {
        match self {
            Self::Good => ["good", "good"],
            Self::Unknown => ["unknown", "unknown"],
            Self::Bad => ["bad", "bad"],
        }
    }
}

/// A look says something for so long at least, in milliseconds: of the last week the worst of an hour may be kept, of each day
/// before the worst one.
const HOURS: f64 = 2.0 * 3_600_000.0;
const DAYS: f64 = 2.0 * 86_400_000.0;
const WEEK: f64 = 7.0 * 86_400_000.0;
/// So many missed looks at the usual pace are a gap.
const MISSED: f64 = 3.0;

/// The same looks with `nothing` between them where nobody looked for too long: there nobody knows.
pub(super) fn with_gaps<T: Copy>(looks: &[(f64, T)], end: f64, nothing: T) -> Vec<(f64, T)> {
    let mut paces: Vec<f64> = looks.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    paces.sort_by(f64::total_cmp);
    let usual = paces.get(paces.len() / 2).copied().unwrap_or(DAYS);
    let mut out = vec![];
    for (number, look) in looks.iter().enumerate() {
        let until = looks.get(number + 1).map_or(end, |next| next.0);
        let least = if end - look.0 > WEEK { DAYS } else { HOURS };
        let lasts = (usual * MISSED).max(least);
        out.push(*look);
        if until - look.0 > lasts {
            out.push((look.0 + lasts, nothing));
        }
    }
    out
}

/// Looks with their times in milliseconds, oldest first, as pieces around the height `y`; each look lasts until the next one, where
/// that is not too long.
pub(super) fn strip(looks: &[(f64, Stood)], x: Scale, y: f64) -> String {
    let looks = with_gaps(looks, x.range[1], Stood::Unknown);
    let [left, right] = x.place;
    let width = (right - left) / as_f64(PIECES);
    let mut pieces: Vec<Option<Stood>> = vec![None; PIECES];
    let place = |at: f64| ((x.at(at) - left) / width).floor();
    for (number, (at, stood)) in looks.iter().enumerate() {
        let until = looks.get(number + 1).map_or(x.range[1], |next| next.0);
        let (from, to) = (place(*at), place(until));
        for (piece, place) in pieces.iter_mut().enumerate() {
            let piece = as_f64(piece);
            // Of two looks that meet in one piece, the worse is seen.
            if piece >= from.min(as_f64(PIECES - 1)) && (piece < to || piece <= from) {
                *place = (*place).max(Some(*stood));
            }
        }
    }
    let mut out = String::new();
    let mut at = 0;
    for run in pieces.chunk_by(|one, other| one == other) {
        let (from, length) = (left + as_f64(at) * width, as_f64(run.len()) * width);
        at += run.len();
        let (class, height) = match run.first().copied().flatten() {
            None => continue,
            Some(Stood::Good) => ("s-good", 3.0),
            Some(Stood::Bad) => ("s-bad", 11.0),
            Some(Stood::Unknown) => {
                let to = from + length;
                let _ = write!(out, "<path class=\"s-unknown\" d=\"M{from:.1} {y:.1}H{to:.1}\"/>");
                continue;
            }
        };
        let top = y - height / 2.0;
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{height}\"/>"
        );
    }
    out
}

/// How many looks were of each kind, in words.
pub(super) fn counted(looks: &[(f64, Stood)]) -> String {
    let count = |wanted| looks.iter().filter(|(_, stood)| *stood == wanted).count();
    format!(
        "{} looks: {} good, {} bad, {} unknown",
        looks.len(),
        count(Stood::Good),
        count(Stood::Bad),
        count(Stood::Unknown)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: Scale = Scale { range: [0.0, 1200.0], place: [0.0, 120.0] };

    #[test]
    fn a_bad_look_is_seen_however_many_good_ones_lie_around_it() {
        let mut looks: Vec<(f64, Stood)> = (0..1200).map(|at| (f64::from(at), Stood::Good)).collect();
        looks[600].1 = Stood::Bad;
        let drawn = strip(&looks, X, 10.0);
        assert_eq!((drawn.matches("s-bad").count(), drawn.matches("s-good").count()), (1, 2), "{drawn}");
        assert!(drawn.contains("<rect class=\"s-bad\" x=\"60.0\" y=\"4.5\" width=\"1.0\""), "{drawn}");
        looks.iter_mut().step_by(2).for_each(|look| look.1 = Stood::Unknown);
        assert!(strip(&looks, X, 10.0).len() < 500, "bounded");
        assert_eq!(counted(&looks[..4]), "4 looks: 2 good, 0 bad, 2 unknown");
    }

    #[test]
    fn a_look_lasts_until_the_next_and_before_the_first_nothing_is_drawn() {
        let drawn = strip(&[(600.0, Stood::Unknown), (900.0, Stood::Good)], X, 10.0);
        assert!(drawn.starts_with("<path class=\"s-unknown\" d=\"M60.0 10.0H90.0\"/>"), "{drawn}");
        assert!(
            drawn.ends_with("<rect class=\"s-good\" x=\"90.0\" y=\"8.5\" width=\"30.0\" height=\"3\"/>"),
            "{drawn}"
        );
        assert_eq!(strip(&[], X, 10.0), "");
    }

    #[test]
    fn days_in_which_nobody_looked_are_unknown() {
        let hour = 3_600_000.0;
        let mut looks: Vec<(f64, Stood)> = (0..48).map(|at| (f64::from(at) * hour, Stood::Good)).collect();
        looks.extend((120..121).map(|at| (f64::from(at) * hour, Stood::Good)));
        let x = Scale { range: [0.0, 120.0 * hour], place: [0.0, 120.0] };
        let drawn = strip(&looks, x, 10.0);
        assert!(drawn.contains("<path class=\"s-unknown\" d=\"M50.0 10.0H"), "{drawn}");
        // Once a day is a pace, too, and of the time before the last week there is no more than that.
        let daily: Vec<_> = (0..30).map(|at| (f64::from(at) * 24.0 * hour, Stood::Good)).collect();
        let x = Scale { range: [0.0, 29.0 * 24.0 * hour], place: [0.0, 120.0] };
        assert!(!strip(&daily, x, 10.0).contains("s-unknown"));
    }
}
