//! One look at what is watched as the summary of a step.

use tagship_domain::incident::{Finding, IncidentPhase, Standing, WatchReport};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{mark::Mark, number::value, standing::standing_of, text::counted};

/// Most rows of a table.
const ROWS: usize = 40;

/// The verdict, what is not good in the open, the rest folded, and what is open.
pub fn watch(report: &WatchReport) -> String {
    let stands = standing_of(report);
    let title = format!("{} in {}: {}", report.model, report.environment, stands.headline);
    let mark = match report.good {
        Some(true) => Mark::Passed,
        Some(false) => Mark::Failed,
        None => Mark::Unknown,
    };
    let title = Inline::fixed(mark.emoji()).and(Inline::fixed(" ")).and(Inline::text(&title, 200));
    let (good, others): (Vec<&Finding>, Vec<&Finding>) =
        report.findings.iter().partition(|finding| finding.standing == Standing::Good);
    let open = report.incidents.iter().filter(|incident| incident.phase == IncidentPhase::Open);
    let open: Vec<String> =
        open.map(|incident| format!("{} since {}", incident.topic, incident.since.readable())).collect();
    let mut blocks = vec![
        Block::heading(&title),
        Block::paragraph(&Inline::prose(&stands.sentence, 600)),
        table(&others),
        if good.is_empty() {
            Block::default()
        } else {
            let line = format!("{} as it should be", counted(good.len(), "thing"));
            Block::fold(&Inline::text(&line, 80), false, &[table(&good)])
        },
    ];
    if !open.is_empty() {
        blocks.push(Block::paragraph(&Inline::text(&format!("Open: {}", open.join(", ")), 600)));
    }
    Block::stack(&blocks).into_string() + "\n"
}

fn table(findings: &[&Finding]) -> Block {
    if findings.is_empty() {
        return Block::default();
    }
    let header = [
        (Inline::fixed(""), Align::Centre),
        (Inline::fixed("Watched"), Align::Left),
        (Inline::fixed("Value"), Align::Left),
        (Inline::fixed("Asked for"), Align::Left),
        (Inline::fixed("What"), Align::Left),
    ];
    let mut sorted = findings.to_vec();
    sorted.sort_by_key(|finding| finding.standing != Standing::Bad);
    let cells = |finding: &&Finding| {
        let mark = match finding.standing {
            Standing::Good => Mark::Passed,
            Standing::Bad => Mark::Failed,
            Standing::NoData | Standing::Unknown => Mark::Unknown,
        };
        vec![
            Inline::fixed(mark.emoji()),
            Inline::text(&finding.topic, 120),
            Inline::text(&finding.value.map_or_else(|| "none".to_owned(), value), 40),
            Inline::text(&finding.threshold, 200),
            Inline::text(&finding.sentence, 400),
        ]
    };
    Block::table(&header, &capped(sorted.iter().map(cells).collect(), ROWS))
}
