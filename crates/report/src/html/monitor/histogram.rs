//! Both sides of a column in one picture: the reference as an area, the current rows as a line.

use std::fmt::Write as _;

use tagship_domain::drift::Histogram;

use super::super::{chart::picture, escape::text, scale::Scale};
use crate::number::{percent, value};

/// Width of a picture.
const WIDTH: u32 = 300;
/// Height of bins.
const HEIGHT: u32 = 92;
/// Height of a category.
const ROW: u32 = 24;
/// Longest name of a category, in characters.
const NAME: usize = 17;
/// Categories that are told in words.
const TOLD: usize = 5;

/// The picture of a column.
pub(super) fn picture_of(id: &str, column: &str, histogram: &Histogram) -> String {
    match histogram {
        Histogram::Bins { edges, counts } => bins(id, column, edges, counts),
        Histogram::Categories { names, counts, other } => {
            let rest = (*other != [0, 0]).then(|| ("all others".to_owned(), *other));
            let named = names.iter().cloned().zip(counts.iter().copied());
            categories(id, column, &named.chain(rest).collect::<Vec<_>>())
        }
    }
}

/// Of each side, the share of its values in each place.
fn shares(counts: &[[u64; 2]]) -> Vec<[f64; 2]> {
    let all = counts.iter().fold([0, 0], |[n, m], [one, other]| [n + one, m + other]);
    let share = |part: u64, all: u64| if all == 0 { 0.0 } else { real(part) / real(all) };
    counts.iter().map(|[one, other]| [share(*one, all[0]), share(*other, all[1])]).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a picture is not that exact")]
fn real(count: u64) -> f64 {
    count as f64
}

fn bins(id: &str, column: &str, edges: &[f64], counts: &[[u64; 2]]) -> String {
    let shares = shares(counts);
    let most = shares.iter().flatten().copied().fold(0.0, f64::max);
    let (Some(least), Some(greatest)) = (edges.first(), edges.last()) else { return String::new() };
    let base = f64::from(HEIGHT) - 20.0;
    let x = Scale { range: [0.0, real(shares.len() as u64)], place: [4.0, f64::from(WIDTH) - 4.0] };
    let y = Scale { range: [0.0, most.max(f64::MIN_POSITIVE)], place: [base, 6.0] };
    let path = |side: usize| {
        let mut path = format!("M{:.1} {base:.1}", x.at(0.0));
        for (at, share) in shares.iter().enumerate() {
            let _ = write!(path, "V{:.1}H{:.1}", y.at(share[side]), x.at(real(at as u64 + 1)));
        }
        let _ = write!(path, "V{base:.1}");
        path
    };
    let inside = format!(
        "<path class=\"before\" d=\"{}Z\"/><path class=\"now\" d=\"{}\"/><path class=\"axis\" d=\"M4 {base:.1}H{}\"/>\
         <text class=\"tick\" x=\"4\" y=\"{HEIGHT}\" dy=\"-5\">{}</text><text class=\"tick end\" x=\"{}\" y=\"{HEIGHT}\" \
         dy=\"-5\">{}</text>",
        path(0),
        path(1),
        WIDTH - 4,
        text(&value(*least)),
        WIDTH - 4,
        text(&value(*greatest)),
    );
    let peak = |side: usize| {
        let all = shares.iter().enumerate();
        let at = all.max_by(|one, other| one.1[side].total_cmp(&other.1[side])).map_or(0, |(at, _)| at);
        match (edges.get(at), edges.get(at + 1)) {
            (Some(low), Some(high)) => format!("{} to {}", value(*low), value(*high)),
            _ => "nowhere".to_owned(),
        }
    };
    let told = format!(
        "Values from {} to {}. Most of the reference lie at {}, most of the current rows at {}.",
        value(*least),
        value(*greatest),
        peak(0),
        peak(1)
    );
    picture(id, [WIDTH, HEIGHT], &format!("Spread of {column}"), &told, &inside)
}

fn categories(id: &str, column: &str, named: &[(String, [u64; 2])]) -> String {
    let shares = shares(&named.iter().map(|(_, counts)| *counts).collect::<Vec<_>>());
    let most = shares.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let x = Scale { range: [0.0, most], place: [0.0, 130.0] };
    let mut inside = String::new();
    for ((at, (name, _)), [before, now]) in (0_u32..).zip(named).zip(&shares) {
        let top = at * ROW;
        let _ = write!(
            inside,
            "<text class=\"tick\" x=\"0\" y=\"{}\">{}</text><rect class=\"b-before\" x=\"112\" y=\"{}\" width=\"{:.1}\" \
             height=\"8\"/><rect class=\"b-now\" x=\"112\" y=\"{}\" width=\"{:.1}\" height=\"8\"/>\
             <text class=\"tick end\" x=\"{WIDTH}\" y=\"{}\">{}</text>",
            top + 16,
            text(&crate::text::clean(name, NAME)),
            top + 3,
            x.at(*before),
            top + 12,
            x.at(*now),
            top + 16,
            text(&percent(*now)),
        );
    }
    let told: Vec<String> = named
        .iter()
        .zip(&shares)
        .take(TOLD)
        .map(|((name, _), [before, now])| {
            format!("{name}: {} before, {} now", percent(*before), percent(*now))
        })
        .collect();
    let height = ROW * u32::try_from(named.len()).unwrap_or(1).max(1);
    picture(id, [WIDTH, height], &format!("Spread of {column}"), &(told.join("; ") + "."), &inside)
}
