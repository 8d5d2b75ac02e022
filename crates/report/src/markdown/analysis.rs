//! What the analysis says about each metric: a table that a phone can show, and behind a fold how it went.

use tagship_domain::{analysis::MetricPhase, report::Section, rollout::RolloutState, series::MetricSeries};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{
    measure, spark,
    text::counted,
    trend::{Trend, trend},
    verdict::{EvidenceView, MetricView, views},
};

/// Characters of a line that a phone shows beside nothing else.
const LINE: usize = 32;
/// Characters of the bar of evidence.
const BAR: usize = 8;

/// Verdict, values, observations, what is allowed and the evidence of every metric. Four columns, each of two or
/// three short lines: wider tables cannot be read on a phone.
pub(crate) fn table(state: &RolloutState, rows: usize) -> Block {
    let views = views(state, &[]);
    if views.is_empty() {
        return Block::default();
    }
    let version = |release: &tagship_domain::Release| Inline::text(&release.version.to_string(), 40);
    let stable = state.stable.as_ref().map(version);
    let mut header = vec![(Inline::fixed("Metric"), Align::Left), (version(&state.candidate), Align::Right)];
    header.extend(stable.map(|stable| (stable, Align::Right)));
    header.push((Inline::fixed("Evidence"), Align::Left));
    let cells = views.iter().map(|view| row(view, state.stable.is_some())).collect();
    Block::table(&header, &capped(cells, rows))
}

fn row(view: &MetricView<'_>, with_stable: bool) -> Vec<Inline> {
    let mark = Inline::fixed(view.mark.emoji()).and(Inline::fixed("&nbsp;"));
    let allowed = view.allowed.as_deref().map(|allowed| Inline::text(allowed, 80).small());
    let name = mark.and(Inline::text(view.name, 80).bold());
    let metric = Inline::join([name, allowed.unwrap_or_default()], "<br>");
    let [candidate, stable] = &view.values;
    let [n_stable, n_candidate] = view.n.map_or([None, None], |n| n.map(Some));
    let mut cells = vec![metric, value(candidate.as_deref().map(|text| unbroken(text).bold()), n_candidate)];
    if with_stable {
        cells.push(value(stable.as_deref().map(unbroken), n_stable));
    }
    cells.push(standing(view));
    cells
}

/// Words of ours that stay on one line.
fn unbroken(words: &str) -> Inline {
    Inline::join(words.split(' ').map(|word| Inline::text(word, 40)), "&nbsp;")
}

/// A value above the number of observations behind it.
fn value(text: Option<Inline>, n: Option<u64>) -> Inline {
    let n = n.map(|n| Inline::fixed("n&nbsp;").and(Inline::text(&measure::count(n), 40)).small());
    Inline::join([text.unwrap_or(Inline::fixed("–")), n.unwrap_or_default()], "<br>")
}

fn standing(view: &MetricView<'_>) -> Inline {
    let verdict = Inline::fixed(phase_name(view.phase)).bold();
    let missing = view.missing.as_deref().map(|missing| Inline::text(missing, 80));
    let unmeasured = view.n.is_none() && missing.is_none();
    let unmeasured = unmeasured.then_some(Inline::fixed("not measured yet"));
    let evidence = view.deciding().map(evidence);
    Inline::join([verdict].into_iter().chain(evidence).chain(missing).chain(unmeasured), "<br>")
}

fn evidence(evidence: &EvidenceView) -> Inline {
    let bar = Inline::code(&spark::part(evidence.part, BAR), BAR);
    Inline::join([bar, unbroken(&evidence.text), unbroken(evidence.aim)], " ")
}

/// A verdict as Argo Rollouts calls it.
pub(crate) fn phase_name(phase: MetricPhase) -> &'static str {
    match phase {
        MetricPhase::Pending => "Pending",
        MetricPhase::Running => "Running",
        MetricPhase::Successful => "Successful",
        MetricPhase::Failed => "Failed",
        MetricPhase::Error => "Error",
        MetricPhase::Inconclusive => "Inconclusive",
    }
}

/// Each metric's values and evidence over the looks, folded.
pub(crate) fn looks(section: &Section, rows: usize) -> Block {
    let Some(state) = &section.rollout else { return Block::default() };
    let views = views(state, &section.series);
    let known = views.iter().filter_map(|view| Some((view, trend(view, LINE, true)?)));
    let cells: Vec<Vec<Inline>> = known.map(|(view, trend)| trend_row(view, &trend)).collect();
    if cells.is_empty() {
        return Block::default();
    }
    let most = section.series.iter().map(|series| series.looks).max().unwrap_or_default();
    let header = [(Inline::fixed("Metric"), Align::Left), (Inline::fixed("Look by look"), Align::Left)];
    let line = format!("{}: {}", counted(most, "look"), span(&section.series));
    Block::fold(&Inline::text(&line, 120), false, &[Block::table(&header, &capped(cells, rows))])
}

/// When the first and the last look were taken.
fn span(series: &[MetricSeries]) -> String {
    let first = series.iter().filter_map(|series| series.points.first()).map(|point| point.at).min();
    let last = series.iter().filter_map(|series| series.points.last()).map(|point| point.at).max();
    match first.zip(last) {
        Some((first, last)) if first != last => {
            format!("how each metric went from {} to {} UTC", first.clock(), last.clock())
        }
        _ => "how each metric went".to_owned(),
    }
}

fn trend_row(view: &MetricView<'_>, trend: &Trend) -> Vec<Inline> {
    let line = |picture: &str, words: &str| {
        Inline::join([Inline::code(picture, LINE), Inline::text(words, 120)], "<br>")
    };
    let name = Inline::text(view.name, 80).bold();
    let looks = Inline::text(&counted(trend.looks, "look"), 40).small();
    let lines = trend.lines.iter().map(|(picture, words)| line(picture, words));
    vec![Inline::join([name, looks], "<br>"), Inline::join(lines, "<br>")]
}
