//! Who had which share of the traffic, with every decision marked.

use std::fmt::Write as _;

use tagship_domain::{
    Timestamp,
    explanation::{Cause, Explained, Explanation, TrafficPoint},
    traffic::Weight,
};

use super::{
    chart::{Plot, millis, picture},
    escape::text,
    legend::legend,
    scale::Scale,
    story::tone,
    thin::{Dot, steps, thin},
};

const SIZE: [u32; 2] = [900, 270];
/// Columns that the lines are thinned to.
const COLUMNS: usize = 400;
/// Most marks; where there are more, the ones before the last are left to the story.
const MARKS: usize = 60;

/// The section with the picture.
pub(super) fn section(explanation: &Explanation) -> String {
    let (from, to) = span(explanation);
    let plot = Plot {
        x: Scale { range: [millis(from), millis(to)], place: [62.0, 882.0] },
        y: Scale { range: [0.0, 100.0], place: [226.0, 44.0] },
    };
    let line = |of: fn(&TrafficPoint) -> Option<Weight>| -> Vec<Dot> {
        let within = explanation.traffic.iter().filter(|point| point.at <= to);
        let dots: Vec<Dot> =
            within.map(|point| (millis(point.at), of(point).map(|share| f64::from(share.get())))).collect();
        let mut dots = thin(&steps(&dots), COLUMNS);
        dots.extend(dots.last().copied().map(|last| (millis(to), last.1)));
        dots
    };
    let (candidate, stable) = (line(|point| point.candidate), line(|point| point.stable));
    let mut inside = plot.grid(&[0.0, 25.0, 50.0, 75.0, 100.0], |share| format!("{share:.0}%"));
    inside.push_str(&marks(explanation, plot, to));
    inside.push_str(&plot.steps(&stable, "stable"));
    inside.push_str(&area(plot, &candidate));
    inside.push_str(&plot.steps(&candidate, "candidate"));
    inside.push_str(&plot.clock(from, to, 6));
    let mut names = vec![("candidate", format!("{}, the candidate", explanation.candidate))];
    if let Some(version) = &explanation.stable {
        names.push(("stable", format!("{version}, stable before")));
    }
    let svg = picture("traffic", SIZE, "Share of the traffic over time", &told(explanation), &inside);
    format!(
        "<section aria-labelledby=\"h-traffic\"><h2 id=\"h-traffic\">Traffic</h2>\n{}<figure class=\"card\">{svg}\
         <figcaption>Times are UTC. Each dot is a decision; its number leads to the sentence below.</figcaption></figure>\n\
         </section>\n",
        legend(&names)
    )
}

/// From the beginning to the end of the rollout; what was tidied up later is left out.
fn span(explanation: &Explanation) -> (Timestamp, Timestamp) {
    let from = explanation.decisions.first().map_or(explanation.started, |first| first.at);
    let ended = explanation.decisions.iter().find(|one| one.after.phase.is_terminal()).map(|one| one.at);
    let to = ended.unwrap_or(explanation.updated).max(from);
    let length = to.since(from).std().as_millis().max(1_000);
    let margin = u64::try_from(length / 40).unwrap_or(0).max(200);
    (from, to.after(tagship_domain::Duration::from_millis(margin)))
}

fn area(plot: Plot, dots: &[Dot]) -> String {
    let mut path = String::new();
    let base = plot.y.at(0.0);
    for run in dots.split(|dot| dot.1.is_none()) {
        let Some(first) = run.first() else { continue };
        let _ = write!(path, "M{:.1} {base:.1}", plot.x.at(first.0));
        for (x, y) in run.iter().filter_map(|dot| Some((dot.0, dot.1?))) {
            let _ = write!(path, "H{:.1}V{:.1}", plot.x.at(x), plot.y.at(y));
        }
        let _ = write!(path, "V{base:.1}Z");
    }
    if path.is_empty() { path } else { format!("<path class=\"area\" d=\"{path}\"/>") }
}

/// A numbered dot above the lines for each decision. Dots that would lie on each other share one place: the number of the
/// first is shown, and each has its own words.
fn marks(explanation: &Explanation, plot: Plot, to: Timestamp) -> String {
    let decided = |(_, one): &(usize, &Explained)| !matches!(one.cause, Cause::Looks { .. }) && one.at <= to;
    let all: Vec<(usize, &Explained)> = explanation.decisions.iter().enumerate().filter(decided).collect();
    let mut out = String::new();
    let mut taken = f64::NEG_INFINITY;
    for (at, (number, one)) in all.iter().enumerate() {
        if at >= MARKS && at + 1 < all.len() {
            continue;
        }
        let x = plot.x.at(millis(one.at));
        let free = x - taken >= 28.0;
        let (top, bottom) = (plot.y.place[1], plot.y.place[0]);
        let _ = write!(out, "<path class=\"mark\" d=\"M{x:.1} {:.1}V{bottom:.1}\"/>", top - 10.0);
        if free {
            taken = x;
            let _ = write!(
                out,
                "<a href=\"#d{n}\"><circle class=\"dot {}\" cx=\"{x:.1}\" cy=\"20\" r=\"11\"><title>{}</title></circle>\
                 <text class=\"number\" x=\"{x:.1}\" y=\"24\">{n}</text></a>",
                tone(one),
                text(&one.sentence),
                n = number + 1
            );
        }
    }
    out
}

/// The picture in words.
fn told(explanation: &Explanation) -> String {
    let mut shares: Vec<String> = vec![];
    for point in steps(
        &explanation
            .traffic
            .iter()
            .map(|p| (millis(p.at), p.candidate.map(|w| f64::from(w.get()))))
            .collect::<Vec<_>>(),
    ) {
        shares.push(point.1.map_or_else(|| "unknown".to_owned(), |share| format!("{share:.0}%")));
    }
    shares.dedup();
    let rest = shares.len().saturating_sub(30);
    shares.truncate(30);
    let more = if rest > 0 { format!(", and {rest} more changes") } else { String::new() };
    format!("The share of {} over time: {}{more}.", explanation.candidate, shares.join(", then "))
}
