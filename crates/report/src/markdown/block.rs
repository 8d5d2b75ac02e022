//! Blocks of a page: paragraphs, tables, call-outs, commands and folds.

use super::inline::Inline;
use crate::{advice::Choice, text::clean};

/// How a column of a table is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Symbols.
    Centre,
    /// Numbers.
    Right,
}

/// Whole lines of Markdown that end in a line feed. Blocks are put together with a blank line between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block(String);

impl Block {
    /// One paragraph.
    pub(crate) fn paragraph(line: &Inline) -> Self {
        Self(format!("{}\n", line.as_str()))
    }

    /// A heading of the third level: a comment stands under other headings.
    pub(crate) fn heading(line: &Inline) -> Self {
        Self(format!("### {}\n", line.as_str()))
    }

    /// A call-out: `kind` is one of `NOTE`, `WARNING`, `CAUTION`. A place that does not know call-outs shows a quote.
    pub(crate) fn callout(kind: &'static str, inside: &[Self]) -> Self {
        let inside = Self::stack(inside).0;
        let quote = |line: &str| {
            if line.is_empty() { ">\n".to_owned() } else { format!("> {line}\n") }
        };
        Self(format!("> [!{kind}]\n{}", inside.lines().map(quote).collect::<String>()))
    }

    /// Command lines to copy, each below what it does. They are made of names that need no quoting. `spoken` are the
    /// comments that do the same.
    pub(crate) fn commands(choices: &[Choice], spoken: bool) -> Self {
        let safe = |line: &str| clean(line, 400).replace('`', "'");
        let lines = |choice: &Choice| {
            let does =
                if choice.does.is_empty() { String::new() } else { format!("# {}\n", safe(&choice.does)) };
            let line = if spoken { &choice.comment } else { &choice.command };
            format!("{does}{}\n", safe(line))
        };
        Self(format!("```sh\n{}```\n", choices.iter().map(lines).collect::<String>()))
    }

    /// A table. A row that is shorter than the header leaves cells empty.
    pub(crate) fn table(header: &[(Inline, Align)], rows: &[Vec<Inline>]) -> Self {
        let mut text = row(header.iter().map(|(name, _)| name));
        text.push('|');
        for (_, align) in header {
            text.push_str(match align {
                Align::Left => ":--|",
                Align::Centre => ":-:|",
                Align::Right => "--:|",
            });
        }
        text.push('\n');
        for cells in rows {
            text.push_str(&row(cells.iter()));
        }
        Self(text)
    }

    /// Blocks behind a line that unfolds them. The line holds no Markdown of ours: it would not be read there.
    pub(crate) fn fold(line: &Inline, open: bool, inside: &[Self]) -> Self {
        let open = if open { " open" } else { "" };
        Self(format!(
            "<details{open}><summary>{}</summary>\n\n{}\n</details>\n",
            line.as_str(),
            Self::stack(inside).0
        ))
    }

    /// Blocks one below the other.
    pub(crate) fn stack(blocks: &[Self]) -> Self {
        let blocks: Vec<&str> =
            blocks.iter().map(|block| block.0.as_str()).filter(|b| !b.is_empty()).collect();
        Self(blocks.join("\n"))
    }

    /// Whether it shows nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As Markdown, at the end.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// As Markdown.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn row<'a>(cells: impl Iterator<Item = &'a Inline>) -> String {
    let cells: Vec<String> = cells.map(|cell| format!(" {} ", cell.as_str())).collect();
    format!("|{}|\n", cells.join("|"))
}

/// The first `shown` rows, and a last one that says how many are left out.
pub(crate) fn capped(mut rows: Vec<Vec<Inline>>, shown: usize) -> Vec<Vec<Inline>> {
    let left_out = rows.len().saturating_sub(shown);
    if left_out > 0 {
        rows.truncate(shown);
        rows.push(vec![Inline::fixed("…"), Inline::text(&format!("{left_out} more"), 40)]);
    }
    rows
}
