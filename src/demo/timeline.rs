//! What the audience sees: acts, steps with their durations, facts, excerpts. Plain lines, each printed when it is
//! true; nothing is ever drawn over.

use std::time::Duration;

use tagship_report::{Mark, terminal::Style, text::columns};
use tagship_runner::Screen;

use super::reading::Block;

/// Columns before a step's mark.
const STEP: usize = 3;
/// Columns between the cells of a table.
const GAP: usize = 2;
/// Columns that the last cell of a table needs at least to be readable.
const LAST: usize = 24;
/// Columns before a fact.
const FACT: usize = 5;

/// Prints the demo as it happens.
#[derive(Debug)]
pub(super) struct Timeline {
    screen: Screen,
    style: Style,
}

/// How text looks where colours are welcome; SGR codes of ECMA-48.
#[derive(Debug, Clone, Copy)]
enum Look {
    Strong,
    Faint,
    Good,
    Bad,
}

impl Timeline {
    /// A timeline on a screen.
    pub(super) fn new(screen: Screen) -> Self {
        Self { screen, style: tagship_wiring::style(&screen) }
    }

    /// Columns of the screen.
    pub(super) fn width(&self) -> usize {
        self.style.width
    }

    /// Whether the screen shows more than ASCII.
    pub(super) fn unicode(&self) -> bool {
        self.style.unicode
    }

    /// What all this is.
    pub(super) fn title(&self, title: &str, text: &str) {
        self.screen.print(&self.paint(Look::Strong, title));
        for line in wrap(text, self.style.width) {
            self.screen.print(&self.paint(Look::Faint, &line));
        }
    }

    /// An act begins.
    pub(super) fn act(&self, number: usize, headline: &str, told: &str) {
        let line = format!("{number}  {headline}");
        self.screen.print(&format!("\n{}", self.paint(Look::Strong, &line)));
        for line in wrap(told, self.style.width - STEP) {
            self.screen.print(&format!("{:STEP$}{}", "", self.paint(Look::Faint, &line)));
        }
    }

    /// A step was done as told.
    pub(super) fn step(&self, what: &str, took: Duration) {
        self.marked(Mark::Passed, what, took);
    }

    /// A step refused something, as told.
    pub(super) fn refusal(&self, what: &str, took: Duration) {
        self.marked(Mark::Failed, what, took);
    }

    fn marked(&self, mark: Mark, what: &str, took: Duration) {
        let took = readable(took);
        let look = if mark == Mark::Passed { Look::Good } else { Look::Bad };
        let glyph = mark.glyph(self.style.unicode);
        let used = STEP + columns(glyph) + 1 + columns(what) + took.len();
        let gap = self.style.width.saturating_sub(used).max(1);
        let (glyph, took) = (self.paint(look, glyph), self.paint(Look::Faint, &took));
        self.screen.print(&format!("{:STEP$}{glyph} {what}{:gap$}{took}", "", ""));
    }

    /// Something worth knowing about the step before.
    pub(super) fn fact(&self, text: &str) {
        for line in wrap(text, self.style.width - FACT) {
            self.screen.print(&format!("{:FACT$}{line}", ""));
        }
    }

    /// Parts of a document.
    pub(super) fn excerpt(&self, title: &str, blocks: &[Block]) {
        self.fact(title);
        self.rows(blocks);
    }

    /// Parts of a document that goes on, as they come.
    pub(super) fn rows(&self, blocks: &[Block]) {
        let bar = self.paint(Look::Faint, if self.style.unicode { "│" } else { "|" });
        let width = self.style.width - FACT - 2;
        for line in blocks.iter().flat_map(|block| lines(block, width)) {
            self.screen.print(format!("{:FACT$}{bar} {line}", "").trim_end());
        }
    }

    /// Lines as they are, for commands to copy.
    pub(super) fn verbatim(&self, text: &str) {
        self.screen.print(text);
    }

    /// How it ended.
    pub(super) fn end(&self, text: &str) {
        let mark = self.paint(Look::Good, Mark::Passed.glyph(self.style.unicode));
        self.screen.print(&format!("\n{mark}  {}", self.paint(Look::Strong, text)));
    }

    fn paint(&self, look: Look, text: &str) -> String {
        let code = match look {
            _ if !self.style.color => return text.to_owned(),
            Look::Strong => 1,
            Look::Faint => 2,
            Look::Good => 32,
            Look::Bad => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// `4 ms` or `1.2 s`.
fn readable(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis().max(1))
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

/// A block in lines of at most so many columns.
fn lines(block: &Block, width: usize) -> Vec<String> {
    match block {
        Block::Line(text) => wrap(text, width),
        Block::Table(rows) => {
            let widths = widths(rows);
            let first: usize = widths.iter().map(|cell| cell + GAP).sum();
            if first + LAST <= width {
                rows.iter().flat_map(|row| row_lines(row, &widths, width)).collect()
            } else {
                stacked(rows, width)
            }
        }
    }
}

/// A table that is too wide: a line for each cell, below the first of its row and after its column's title.
fn stacked(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let Some((titles, rows)) = rows.split_first() else { return vec![] };
    let mut lines = vec![];
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let (indent, title) = match titles.get(at).filter(|title| at > 0 && !title.is_empty()) {
                None => (0, String::new()),
                Some(title) => (GAP, format!("{title}: ")),
            };
            let wrapped = wrap(&format!("{title}{cell}"), width - indent);
            lines.extend(wrapped.into_iter().map(|line| format!("{:indent$}{line}", "")));
        }
    }
    lines
}

/// Columns of every cell but the last, which takes what is left.
fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let cells = rows.iter().map(|row| row.len().saturating_sub(1)).max().unwrap_or(0);
    let widest = |cell: usize| rows.iter().filter_map(|row| row.get(cell)).map(|text| columns(text)).max();
    (0..cells).map(|cell| widest(cell).unwrap_or(0)).collect()
}

fn row_lines(row: &[String], widths: &[usize], width: usize) -> Vec<String> {
    let Some((last, first)) = row.split_last() else { return vec![] };
    let padded = |(text, cell): (&String, &usize)| {
        let gap = cell.saturating_sub(columns(text)) + GAP;
        format!("{text}{:gap$}", "")
    };
    let head: String = first.iter().zip(widths).map(padded).collect();
    let indent = columns(&head);
    let mut lines = wrap(last, width.saturating_sub(indent).max(1));
    if lines.is_empty() {
        return vec![head.trim_end().to_owned()];
    }
    for (at, line) in lines.iter_mut().enumerate() {
        *line = if at == 0 { format!("{head}{line}") } else { format!("{:indent$}{line}", "") };
    }
    lines
}

/// Text in lines of at most so many columns, broken at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a-word-that-is-too-long yes", 5), ["a-word-that-is-too-long", "yes"]);
        assert_eq!(readable(Duration::from_micros(30)), "1 ms");
        assert_eq!(readable(Duration::from_millis(1250)), "1.2 s");
    }

    #[test]
    fn the_last_cell_of_a_table_takes_what_is_left() {
        let rows = [["", "Check", "What"], ["❌", "tests", "three of five failed"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let expected = ["    Check  What", "❌  tests  three of", "           five failed"];
        let widths = widths(&rows);
        let all = rows.iter().flat_map(|row| row_lines(row, &widths, 22)).collect::<Vec<_>>();
        assert_eq!(all, expected);
    }

    #[test]
    fn a_table_that_is_too_wide_is_stacked() {
        let rows =
            [["Metric", "v1.1.0", "Evidence"], ["accuracy", "87.2 % of 2,310 labels", "24.1 of 20 to fail"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let expected =
            ["accuracy", "  v1.1.0: 87.2 % of 2,310", "  labels", "  Evidence: 24.1 of 20 to", "  fail"];
        assert_eq!(lines(&Block::Table(rows.clone()), 28), expected);
        assert_eq!(lines(&Block::Table(rows), 60).len(), 2);
    }
}
