//! One metric: what was measured, and the evidence that came of it.

use std::fmt::Write as _;

use tagship_domain::{
    Timestamp,
    analysis::{Measurement, MetricPhase},
    explanation::{MetricHistory, MetricPoint},
};

use super::{
    chart::{Plot, millis, picture},
    escape::text,
    legend::legend,
    scale::{Scale, around},
    thin::{Dot, as_f64, thin},
};
use crate::{
    mark::Tone,
    measure::{self, Unit},
};

const SIZE: [u32; 2] = [440, 330];
/// Columns that all lines of a page are thinned to, by metric.
const COLUMNS: usize = 160;
/// Metrics that are drawn in full detail; more share it.
const METRICS: usize = 6;
/// Most rows of the table beside a picture.
const ROWS: usize = 12;
/// Evidence below this looks like none, as a power of ten.
const LEAST: f64 = -2.0;

/// The section with a card for each metric; empty where nothing is measured.
pub(super) fn section(metrics: &[MetricHistory]) -> String {
    if metrics.is_empty() {
        return String::new();
    }
    let columns = (COLUMNS * METRICS / metrics.len().max(METRICS)).max(8);
    let names = [
        ("candidate", "candidate".to_owned()),
        ("band", "95 % interval at every look at once".to_owned()),
        ("stable", "stable".to_owned()),
        ("limit", "what the candidate must keep".to_owned()),
        ("against", "evidence that it is worse".to_owned()),
        ("for", "evidence that it is good".to_owned()),
    ];
    let cards: String = metrics.iter().enumerate().map(|(at, metric)| card(at, metric, columns)).collect();
    format!(
        "<section aria-labelledby=\"h-metrics\"><h2 id=\"h-metrics\">Metrics</h2>\n{}<div class=\"cards\">{cards}</div>\
         <p class=\"note\">Evidence is drawn on a logarithmic scale: 1 is none, each line up is ten times more. \
         A verdict is reached where it crosses its dashed boundary.</p></section>\n",
        legend(&names)
    )
}

fn card(at: usize, metric: &MetricHistory, columns: usize) -> String {
    let (class, word) = verdict(metric.phase);
    let allowed = if metric.allowed.is_empty() {
        String::new()
    } else {
        format!("<p class=\"allowed\">must keep {}</p>", text(&metric.allowed))
    };
    let body = if metric.points.iter().any(|point| point.reading.measurement.value.is_some()) {
        chart(at, metric, columns) + &table(metric)
    } else {
        "<p class=\"empty\">Nothing was measured.</p>".to_owned()
    };
    let message = if metric.message.is_empty() {
        String::new()
    } else {
        format!("<p class=\"said\">{}</p>", text(&metric.message))
    };
    format!(
        "<article class=\"card\"><h3>{}<span class=\"chip {class}\">{word}</span></h3>{allowed}{body}{message}</article>\n",
        text(&metric.name)
    )
}

/// The class and the word of a verdict.
fn verdict(phase: MetricPhase) -> (&'static str, &'static str) {
    match phase {
        MetricPhase::Pending => ("neutral", "not measured"),
        MetricPhase::Running => ("neutral", "undecided"),
        MetricPhase::Successful => ("good", "good"),
        MetricPhase::Failed => ("bad", "bad"),
        MetricPhase::Error => ("unknown", "not measurable"),
        MetricPhase::Inconclusive => ("unknown", "undecided"),
    }
}

fn chart(at: usize, metric: &MetricHistory, columns: usize) -> String {
    let points = &metric.points;
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let x = Scale { range: [millis(first.at), millis(last.at)], place: [76.0, 428.0] };
    let evidence = evidence(points, x, columns);
    // Without evidence, values have the whole picture.
    let bottom = if evidence.is_empty() { 292.0 } else { 168.0 };
    let mut inside = values(metric, x, bottom, columns);
    inside.push_str(&evidence);
    let floor = Plot { x, y: Scale { range: [0.0, 1.0], place: [292.0, 10.0] } };
    inside.push_str(&floor.clock(first.at, last.at, 4));
    picture(&format!("m{at}"), SIZE, &format!("{} over time", metric.name), &told(metric), &inside)
}

fn values(metric: &MetricHistory, x: Scale, bottom: f64, columns: usize) -> String {
    let unit = metric.kind.map_or(Unit::Plain, Unit::from);
    let numbers = |of: fn(&Measurement) -> Option<f64>| -> Vec<Dot> {
        let dots =
            metric.points.iter().map(|point| (millis(point.at), finite(of(&point.reading.measurement))));
        thin(&dots.collect::<Vec<_>>(), columns)
    };
    let candidate = numbers(|numbers| numbers.value);
    let stable = numbers(|numbers| numbers.stable);
    let (low, high) = (numbers(|of| of.ci.map(|ci| ci[0])), numbers(|of| of.ci.map(|ci| ci[1])));
    let limit: Vec<Dot> = metric.points.iter().map(|point| (millis(point.at), finite(point.limit))).collect();
    let limit = thin(&limit, columns);
    // Early intervals span nearly everything: what they hold at the end is what there is to see.
    let settled =
        metric.points.iter().skip(metric.points.len() / 4).filter_map(|point| point.reading.measurement.ci);
    let settled: Vec<f64> = settled.flatten().collect();
    let drawn = [&candidate, &stable, &limit].into_iter().flatten().filter_map(|dot| dot.1);
    let least = (unit != Unit::Plain).then_some(0.0);
    let Some(range) = around(drawn.chain(settled), least) else { return String::new() };
    let plot = Plot { x, y: Scale { range, place: [bottom, 14.0] } };
    let ticks = plot.y.ticks(4.0);
    let label = |value: f64| match unit {
        Unit::Share => crate::number::percent(if value.abs() < 1e-12 { 0.0 } else { value }),
        unit => unit.one(value).unwrap_or_default(),
    };
    let mut out = plot.grid(&ticks, label);
    out.push_str(&plot.band(&low, &high, "band"));
    out.push_str(&plot.line(&limit, "limit"));
    out.push_str(&plot.line(&stable, "stable"));
    out.push_str(&plot.line(&candidate, "candidate"));
    out
}

/// Evidence against its boundaries; empty where the judge weighs none.
fn evidence(points: &[MetricPoint], x: Scale, columns: usize) -> String {
    let log =
        |value: Option<f64>| value.filter(|value| !value.is_nan()).map(|value| value.max(1e-300).log10());
    let line = |of: fn(&Measurement) -> Option<f64>| -> Vec<Dot> {
        let dots = points.iter().map(|point| (millis(point.at), log(of(&point.reading.measurement))));
        thin(&dots.collect::<Vec<_>>(), columns)
    };
    let (against, good) = (line(|of| of.e_value), line(|of| of.promotion_e_value));
    let known = |dots: &[Dot]| dots.iter().any(|dot| dot.1.is_some());
    if !known(&against) && !known(&good) {
        return String::new();
    }
    let newest = |of: fn(&Measurement) -> Option<f64>| {
        points.iter().rev().find_map(|point| log(of(&point.reading.measurement)))
    };
    let bounds = [(newest(|of| of.fails_at), "against edge"), (newest(|of| of.succeeds_at), "for edge")];
    let edges = bounds.iter().filter_map(|(at, _)| *at).fold(1.0, f64::max);
    let seen = against.iter().chain(&good).filter_map(|dot| dot.1);
    let (low, high) = seen.fold((0.0, 0.0), |(low, high): (f64, f64), at| (low.min(at), high.max(at)));
    let range = [low.max(LEAST) - 0.2, high.min(edges + 2.0).max(edges + 0.4)];
    let plot = Plot { x, y: Scale { range, place: [292.0, 192.0] } };
    let mut out = plot
        .grid(&plot.y.ticks(4.0).into_iter().filter(|at| at.fract().abs() < 1e-9).collect::<Vec<_>>(), power);
    for (at, class) in bounds {
        out.push_str(&at.map(|at| plot.level(at, class)).unwrap_or_default());
    }
    out.push_str(&plot.line(&good, "for"));
    out.push_str(&plot.line(&against, "against"));
    out
}

/// A power of ten, written out.
fn power(exponent: f64) -> String {
    match exponent.round() {
        small if small < 0.0 => format!("{}", 10_f64.powf(small)),
        large => measure::count(f64_to_count(10_f64.powf(large.min(12.0)))),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 10^12, and a whole number"
)]
fn f64_to_count(value: f64) -> u64 {
    value.max(0.0) as u64
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

fn told(metric: &MetricHistory) -> String {
    let unit = metric.kind.map_or(Unit::Plain, Unit::from);
    let Some(last) = metric.points.last() else { return String::new() };
    let numbers = &last.reading.measurement;
    let [candidate, stable] =
        unit.pair(numbers.value, numbers.stable).map(|value| value.unwrap_or("unknown".to_owned()));
    let (_, word) = verdict(metric.phase);
    format!(
        "After {} looks: candidate {candidate}, stable {stable}; verdict {word}. The numbers are in the table.",
        metric.points.len()
    )
}

/// The numbers as a table, of many looks evenly many.
fn table(metric: &MetricHistory) -> String {
    let unit = metric.kind.map_or(Unit::Plain, Unit::from);
    let rows = metric.points.len();
    let step = as_f64(rows.saturating_sub(1)) / as_f64(ROWS.min(rows).saturating_sub(1).max(1));
    let mut out = "<details><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th>UTC</th><th>candidate\
                   </th><th>stable</th><th>n</th><th>worse</th><th>good</th></tr></thead><tbody>"
        .to_owned();
    let mut next = 0.0;
    for (at, point) in metric.points.iter().enumerate() {
        if as_f64(at) + 0.5 < next && at + 1 < rows {
            continue;
        }
        next += step;
        let numbers = &point.reading.measurement;
        let [candidate, stable] = unit.pair(numbers.value, numbers.stable);
        let cells = [
            Timestamp::clock(point.at),
            candidate.unwrap_or_else(|| "?".to_owned()),
            stable.unwrap_or_else(|| "?".to_owned()),
            measure::count(numbers.n[1]),
            weighed(numbers.e_value, numbers.fails_at),
            weighed(numbers.promotion_e_value, numbers.succeeds_at),
        ];
        out.push_str("<tr>");
        for cell in cells {
            let _ = write!(out, "<td>{}</td>", text(&cell));
        }
        out.push_str("</tr>");
    }
    out + "</tbody></table></div></details>"
}

fn weighed(e_value: Option<f64>, needed: Option<f64>) -> String {
    e_value.zip(needed).map_or_else(|| "?".to_owned(), |(e_value, needed)| measure::evidence(e_value, needed))
}

/// The class of a tone.
pub(super) fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Unknown | Tone::Waiting => "unknown",
        Tone::Running => "running",
        Tone::Neutral => "neutral",
    }
}
