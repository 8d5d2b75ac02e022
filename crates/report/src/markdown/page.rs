//! The whole page: the verdict first, one section or an overview of several, and where it all comes from.

use tagship_domain::report::{Section, StatusReport};

use super::{
    block::{Align, Block},
    fit::{GAP, Limits, Parts, Size, fit},
    inline::Inline,
    section,
};
use crate::{
    mark::Tone,
    sentence::{Headline, headline, overview},
    text::counted,
};

/// Share of a page that the overview of many models may take, in percent.
const OVERVIEW_SHARE: usize = 40;

/// The comment under a pull request, within `limits`.
pub fn comment(report: &StatusReport, limits: &Limits) -> String {
    page(report, *limits)
}

/// The summary of a run, within what runners accept.
pub fn summary(report: &StatusReport) -> String {
    page(report, Limits::SUMMARY)
}

fn page(report: &StatusReport, limits: Limits) -> String {
    // What needs somebody comes first; of equals, what was named first.
    let mut sections: Vec<(Headline, &Section)> =
        report.sections.iter().map(|section| (headline(section), section)).collect();
    sections.sort_by_key(|(headline, _)| headline.tone);
    let head = match sections.as_slice() {
        [(only, _)] => title(only),
        several => Block::stack(&[title(&overview(&report.sections)), table(several, limits)]),
    };
    let head = Block::stack(&[head, note(report)]);
    let foot = footer(report);
    let taken = [&head, &foot]
        .iter()
        .fold(Size::default(), |sum, block| sum.plus(Size::of(block.as_str())).plus(GAP));
    let calm = |(headline, _): &(Headline, &Section)| matches!(headline.tone, Tone::Good | Tone::Neutral);
    let alone = sections.iter().filter(|section| !calm(section)).count() == 1;
    let fold = sections.len() > 1;
    let details = |shown: &(Headline, &Section)| {
        let ((headline, section), calm) = (shown, calm(shown));
        let fold = fold.then(|| (with_symbol(headline, Inline::text(&headline.text, 300)), alone && !calm));
        Parts::new(section::parts(section, limits.rows(), report.commands), calm, fold)
    };
    let mut parts: Vec<Parts> = sections.iter().map(details).collect();
    let place = run(report, "the run");
    let left_out = |count| gone(count, &place);
    let room = Size::of(left_out(sections.len()).as_str()).plus(GAP);
    fit(&mut parts, limits.less(taken.plus(room)), &place);
    let left_out = left_out(parts.iter().filter(|parts| parts.is_gone()).count());
    let middle = parts.iter().map(|parts| parts.block(&place));
    Block::stack(&std::iter::once(head).chain(middle).chain([left_out, foot]).collect::<Vec<_>>())
        .into_string()
}

/// Says of how many sections no details are left.
fn gone(count: usize, place: &Inline) -> Block {
    if count == 0 {
        return Block::default();
    }
    let words =
        format!("✂️ Details of {} are left out to keep this short – see", counted(count, "deployment"));
    Block::paragraph(
        &Inline::text(&words, 120).and(Inline::fixed(" ")).and(place).and(Inline::fixed(".")).small(),
    )
}

/// What happened to the run itself.
fn note(report: &StatusReport) -> Block {
    let Some(note) = &report.note else { return Block::default() };
    Block::callout("NOTE", &[Block::paragraph(&Inline::prose(note, 600))])
}

fn title(headline: &Headline) -> Block {
    Block::heading(&with_symbol(headline, Inline::prose(&headline.text, 300)))
}

fn with_symbol(headline: &Headline, words: Inline) -> Inline {
    Inline::fixed(headline.symbol.emoji()).and(Inline::fixed(" ")).and(words)
}

/// One row per model and environment, as many as its share of the page holds.
fn table(sections: &[(Headline, &Section)], limits: Limits) -> Block {
    if sections.is_empty() {
        return Block::default();
    }
    let room = limits.share(OVERVIEW_SHARE);
    let mut size = Size::default();
    let mut rows: Vec<Vec<Inline>> = Vec::new();
    for (headline, _) in sections {
        let row = vec![Inline::fixed(headline.symbol.emoji()), Inline::prose(&headline.text, 300)];
        size = row.iter().fold(size, |size, cell| size.plus(Size::of(cell.as_str())).plus(CELL));
        if !room.holds(size) {
            break;
        }
        rows.push(row);
    }
    let left_out = sections.len() - rows.len();
    if left_out > 0 {
        rows.push(vec![Inline::fixed("…"), Inline::text(&format!("{left_out} more"), 40)]);
    }
    Block::table(&[(Inline::fixed(""), Align::Centre), (Inline::fixed("State"), Align::Left)], &rows)
}

/// What stands around a cell of a table.
const CELL: Size = Size::new(4, 4);

fn footer(report: &StatusReport) -> Block {
    let commit = Inline::fixed("Commit ").and(Inline::code(report.sha.short(), 40));
    let actor = report.by.actor.trim();
    let by =
        if actor.is_empty() { Inline::default() } else { Inline::fixed("by ").and(Inline::text(actor, 60)) };
    let run = report.by.run.as_ref().map(|_| run(report, "run")).unwrap_or_default();
    let written = Inline::text(&report.written.readable(), 40);
    Block::paragraph(&Inline::join([commit, by, run, written], " · ").small())
}

fn run(report: &StatusReport, words: &'static str) -> Inline {
    match &report.by.run {
        Some(address) => Inline::link(words, address),
        None => Inline::fixed(words),
    }
}
