//! What the analysis says about each metric: one line per look while it runs, a table and pictures at the end.

use tagship_domain::{
    analysis::{MetricPhase, MetricReading},
    report::StepPosition,
    rollout::{Look, RolloutState},
    series::MetricSeries,
};

use super::{
    paint::Style,
    table::{headed, list},
};
use crate::{
    mark::Mark,
    measure::{self, Unit},
    spark::bar,
    text::{clean, columns},
    trend::trend,
    verdict::{MetricView, TO_FAIL, TO_PASS, urgency, views},
    way::legs,
};

/// Columns of a picture of a series.
const LINE: usize = 24;
/// Most metrics that are shown.
const ROWS: usize = 40;
/// Longest name of a metric in a table or on the line of a look.
const NAME: usize = 20;

/// Verdict, values, observations and evidence of every metric; without the observations where the lines are too short
/// for them.
pub(crate) fn metrics(state: &RolloutState, style: &Style) -> String {
    let views = views(state, &[]);
    if views.is_empty() {
        return String::new();
    }
    let bare = Style { color: false, ..*style };
    let fits = |text: &str| text.lines().all(|line| columns(line) <= style.columns());
    let with_n = fits(&table(state, &views, true, &bare));
    table(state, &views, with_n, style) + &more(views.len())
}

fn table(state: &RolloutState, views: &[MetricView<'_>], with_n: bool, style: &Style) -> String {
    let candidate = state.candidate.version.to_string();
    let stable = state.stable.as_ref().map_or("STABLE".to_owned(), |stable| stable.version.to_string());
    let mut header = vec!["METRIC", &candidate, &stable];
    header.extend(with_n.then_some("N NEW/OLD"));
    header.push("VERDICT, EVIDENCE");
    let rows: Vec<(Mark, Vec<String>)> =
        views.iter().take(ROWS).map(|view| (view.mark, row(view, with_n))).collect();
    headed(&header, &rows, style)
}

fn row(view: &MetricView<'_>, with_n: bool) -> Vec<String> {
    let [candidate, stable] = view.values.clone().map(|value| value.unwrap_or_else(|| "-".to_owned()));
    let n = view.n.map(|[old, new]| format!("{}/{}", measure::count(new), measure::count(old)));
    let evidence = view.deciding().map(|evidence| format!("{} {}", evidence.text, evidence.aim));
    let mut standing: Vec<String> = evidence.chain(view.missing.clone()).collect();
    if view.n.is_none() && standing.is_empty() {
        standing.push("not measured yet".to_owned());
    }
    let standing = format!("{:?}: {}", view.phase, standing.join(", "));
    let mut cells = vec![clean(view.name, NAME), candidate, stable];
    cells.extend(with_n.then(|| n.unwrap_or_else(|| "-".to_owned())));
    cells.push(standing.trim_end_matches(": ").to_owned());
    cells
}

fn more(count: usize) -> String {
    let left_out = count.saturating_sub(ROWS);
    if left_out == 0 { String::new() } else { format!("  and {left_out} more metrics\n") }
}

/// What each metric has to keep, what its judge says, and how it went.
pub(crate) fn trends(state: &RolloutState, series: &[MetricSeries], style: &Style) -> String {
    let mut text = String::new();
    for view in views(state, series).iter().take(ROWS) {
        let mut rows: Vec<Vec<String>> = vec![];
        rows.extend(view.n.map(|[old, new]| {
            let old = if old > 0 { format!(", {} of stable", measure::count(old)) } else { String::new() };
            vec!["n".to_owned(), format!("{} {}{old}", measure::count(new), view.noun)]
        }));
        rows.extend(view.allowed.iter().map(|allowed| vec!["allowed".to_owned(), allowed.clone()]));
        let trend = trend(view, LINE, style.unicode);
        for (at, (picture, words)) in trend.iter().flat_map(|trend| &trend.lines).enumerate() {
            let name = if at == 0 { "values" } else { "" };
            rows.push(vec![name.to_owned(), format!("{picture} {words}")]);
        }
        if !view.message.trim().is_empty() {
            rows.push(vec!["says".to_owned(), view.message.to_owned()]);
        }
        if !rows.is_empty() {
            text.push_str(&style.bold(&style.text(view.name, 70)));
            text.push('\n');
            text.push_str(&list(&rows, style));
        }
    }
    text
}

/// The way of the traffic; empty where there is none to speak of.
pub(crate) fn way(state: &RolloutState, style: &Style) -> String {
    let legs = legs(state);
    if legs.is_empty() {
        return String::new();
    }
    let leg = |leg: &crate::way::Leg| match leg.mark {
        Mark::Neutral => leg.name.clone(),
        mark => format!("{} {}", mark.glyph(style.unicode), leg.name),
    };
    let step = StepPosition::of(state).map(|step| format!(", step {} of {}", step.number, step.count));
    let share = state.weight.applied;
    let arrow = if style.unicode { " → " } else { " -> " };
    let way = legs.iter().map(leg).collect::<Vec<_>>().join(arrow);
    let line = format!("{} {share}{}: {way}", bar(share.get(), 8), step.unwrap_or_default());
    style.indented(&line, 2)
}

/// One look at the metrics, on one line: when, at which share of the traffic, and the metrics that matter most, as
/// many as the line holds. The state is the one that the look led to.
pub fn look(look: &Look, state: &RolloutState, style: &Style) -> String {
    let arm = look.arms.iter().find(|arm| arm.version == state.candidate.version);
    let share = arm.map_or_else(|| "   -".to_owned(), |arm| format!("{:>4}", arm.weight.to_string()));
    let mut readings: Vec<&MetricReading> = look.metrics.iter().collect();
    readings.sort_by_key(|reading| urgency(reading.phase));
    let worst = readings.first().filter(|_| look.unreachable.is_none());
    let mark = worst.map_or(Mark::Unknown, |reading| reading.phase.into());
    let head = format!("{}  {}", style.dim(&look.at.clock()), style.mark(mark));
    let taken = 8 + 2 + columns(mark.glyph(style.unicode)) + 1 + share.len() + 2;
    let room = style.columns().saturating_sub(taken);
    let told = match &look.unreachable {
        Some(why) => format!("the target did not answer: {why}"),
        None => told(&readings, state, room),
    };
    format!("{head} {share}  {}\n", style.text(&told, room))
}

/// What is not good yet, as much as there is room for, then how many more there are and how many are good.
fn told(readings: &[&MetricReading], state: &RolloutState, room: usize) -> String {
    let open = readings.iter().take_while(|reading| reading.phase != MetricPhase::Successful).count();
    let good = readings.len() - open;
    let good = (good > 0).then(|| format!("{good} good"));
    let mut pieces: Vec<String> = vec![];
    for (at, reading) in readings.iter().take(open).enumerate() {
        let piece = words(reading, unit(reading, state));
        let left = open - at - 1;
        let rest = if left > 0 { format!(", {left} more") } else { String::new() };
        let end = good.as_ref().map(|good| format!(", {good}")).unwrap_or_default();
        let before: usize = pieces.iter().map(|piece| columns(piece) + 2).sum();
        if at > 0 && before + columns(&piece) + rest.len() + end.len() > room {
            pieces.push(format!("{} more", open - at));
            break;
        }
        pieces.push(piece);
    }
    pieces.extend(good);
    if pieces.is_empty() { "nothing was measured".to_owned() } else { pieces.join(", ") }
}

fn unit(reading: &MetricReading, state: &RolloutState) -> Unit {
    let mut metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    metrics.find(|metric| metric.name == reading.name).map_or(Unit::Plain, |metric| metric.kind.into())
}

/// `accuracy 87.2% (92.1%) 24.1/20 to fail`: the candidate's value, stable's, and the evidence that has come furthest.
fn words(reading: &MetricReading, unit: Unit) -> String {
    let name = clean(&reading.name, NAME);
    let numbers = &reading.measurement;
    let [value, stable] = unit.pair(numbers.value, numbers.stable);
    let Some(value) = value else {
        let why = if reading.phase == MetricPhase::Error { "not measurable" } else { "no data" };
        return format!("{name} {why}");
    };
    let stable = stable.map(|stable| format!(" ({stable})")).unwrap_or_default();
    let way = |e_value: Option<f64>, needed: Option<f64>| {
        let (e_value, needed) = e_value.zip(needed)?;
        Some((measure::way(e_value, needed), measure::evidence(e_value, needed).replace(" of ", "/")))
    };
    let bad = way(numbers.e_value, numbers.fails_at);
    let good = way(numbers.promotion_e_value, numbers.succeeds_at);
    let worse = bad.as_ref().map_or(0.0, |(way, _)| *way) > good.as_ref().map_or(0.0, |(way, _)| *way);
    let evidence = match (bad, good) {
        (Some((_, text)), _) if worse => format!(" {text} {TO_FAIL}"),
        (_, Some((_, text))) => format!(" {text} {TO_PASS}"),
        (Some((_, text)), None) => format!(" {text} {TO_FAIL}"),
        (None, None) => String::new(),
    };
    format!("{name} {value}{stable}{evidence}")
}
