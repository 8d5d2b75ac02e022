//! Metrics of the candidate beside the stable version's: those that a check looked at in the open, all folded.

use tagship_domain::gate::{GateReport, MetricDiff};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::number;

/// Most metrics that stand in the open.
const OPEN: usize = 8;

/// The metrics that checks looked at; all of them where they are few, the first ones where no check looked at any.
pub(crate) fn watched(report: &GateReport) -> Block {
    let chosen = choose(report);
    if chosen.is_empty() { Block::default() } else { table(report, &chosen, OPEN) }
}

/// All metrics, folded; nothing where all stand in the open already, unless `even_few`.
pub(crate) fn folded(report: &GateReport, even_few: bool, rows: usize) -> Block {
    let all: Vec<&MetricDiff> = report.metrics.iter().collect();
    if all.is_empty() || (!even_few && choose(report).len() == all.len()) {
        return Block::default();
    }
    let against = report.stable.as_ref().map(|stable| format!(" against {stable}")).unwrap_or_default();
    let line = format!("Metrics: {} of the candidate{against}", all.len());
    Block::fold(&Inline::text(&line, 120), false, &[table(report, &all, rows)])
}

fn choose(report: &GateReport) -> Vec<&MetricDiff> {
    if report.metrics.len() <= OPEN {
        return report.metrics.iter().collect();
    }
    let seen = |metric: &&MetricDiff| {
        let mut paths = report.checks.iter().flat_map(|check| &check.saw).map(|saw| saw.path.as_str());
        paths.any(|path| {
            path.strip_prefix("metrics.").or(path.strip_prefix("stable.metrics.")) == Some(&metric.name)
        })
    };
    let watched: Vec<&MetricDiff> = report.metrics.iter().filter(seen).take(OPEN).collect();
    if watched.is_empty() { report.metrics.iter().take(OPEN).collect() } else { watched }
}

fn table(report: &GateReport, metrics: &[&MetricDiff], rows: usize) -> Block {
    let stable = metrics.iter().any(|metric| metric.stable.is_some());
    let mut header = vec![(Inline::fixed("Metric"), Align::Left), (Inline::fixed("Candidate"), Align::Right)];
    if stable {
        let name = match &report.stable {
            Some(version) => Inline::fixed("Stable ").and(Inline::text(&version.to_string(), 40)),
            None => Inline::fixed("Stable"),
        };
        header.push((name, Align::Right));
        header.push((Inline::fixed("Change"), Align::Left));
    }
    let cells = metrics.iter().map(|metric| row(metric, stable)).collect();
    Block::table(&header, &capped(cells, rows))
}

fn row(metric: &MetricDiff, with_stable: bool) -> Vec<Inline> {
    let shown = |text: Option<String>| text.map_or(Inline::fixed("–"), |text| Inline::text(&text, 40));
    let (candidate, stable) = match (metric.candidate, metric.stable) {
        (Some(candidate), Some(stable)) => {
            let (candidate, stable) = number::pair(candidate, stable);
            (Some(candidate), Some(stable))
        }
        (candidate, stable) => (candidate.map(number::value), stable.map(number::value)),
    };
    let mut cells = vec![Inline::text(&metric.name, 80), shown(candidate).bold()];
    if with_stable {
        cells.push(shown(stable));
        cells.push(change(metric));
    }
    cells
}

fn change(metric: &MetricDiff) -> Inline {
    let (Some(candidate), Some(stable)) = (metric.candidate, metric.stable) else { return Inline::default() };
    match number::change(candidate, stable) {
        None => Inline::default(),
        Some(change) if change.text.is_empty() => Inline::fixed("no change"),
        Some(change) => {
            let arrow = Inline::text(&change.arrow.to_string(), 4);
            arrow.and(Inline::fixed("&nbsp;")).and(Inline::text(&change.text, 60))
        }
    }
}
