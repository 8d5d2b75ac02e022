//! Aligned tables whose last column takes what is left of the line and wraps.

use std::fmt::Write;

use super::paint::{Style, indent_lines};
use crate::{mark::Mark, text::columns};

/// Columns between two columns.
const GAP: usize = 2;
/// Most columns that one but the last may take.
const WIDEST: usize = 32;
/// Least columns that the last one gets; below that it goes on over the edge.
const LAST: usize = 20;

/// A table with a header, each row on as many lines as its last cell needs. Cells may be foreign text.
pub fn table(header: &[&str], rows: &[Vec<String>], style: &Style) -> String {
    let head = [header.iter().map(|name| (*name).to_owned()).collect()];
    let widths = widths(head.iter().chain(rows), header.len(), style);
    let mut lines = String::new();
    for line in row_lines(&head[0], &widths, style) {
        lines.push_str(&style.dim(&line));
        lines.push('\n');
    }
    lines.push_str(&body(rows, &widths, style));
    lines
}

/// The rows alone, aligned and two columns to the right: for lists below a headline.
pub(crate) fn list(rows: &[Vec<String>], style: &Style) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let inner = Style { width: style.columns() - GAP, ..*style };
    let widths = widths(rows.iter(), count, &inner);
    let text = body(rows, &widths, &inner);
    indent_lines(text.lines(), GAP)
}

/// Rows behind a symbol each, two columns to the right.
pub(crate) fn marked(rows: &[(Mark, Vec<String>)], style: &Style) -> String {
    behind_symbols(None, rows, &[], style)
}

/// Rows behind a symbol each, with lines of their own below some: the lines at each place belong to the row there. They
/// keep their spaces, and go on over the edge of a narrow terminal.
pub(crate) fn annotated(rows: &[(Mark, Vec<String>)], below: &[Vec<String>], style: &Style) -> String {
    behind_symbols(None, rows, below, style)
}

/// Rows behind a symbol each, below a header.
pub(crate) fn headed(header: &[&str], rows: &[(Mark, Vec<String>)], style: &Style) -> String {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    behind_symbols(Some(&header), rows, &[], style)
}

fn behind_symbols(
    header: Option<&Vec<String>>,
    rows: &[(Mark, Vec<String>)],
    below: &[Vec<String>],
    style: &Style,
) -> String {
    let symbol = rows.first().map_or(1, |(mark, _)| columns(mark.glyph(style.unicode)));
    let count = rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
    let indent = GAP + symbol + 1;
    let inner = Style { width: style.columns() - indent, ..*style };
    let widths = widths(header.into_iter().chain(rows.iter().map(|(_, row)| row)), count, &inner);
    let mut text = String::new();
    for line in header.iter().flat_map(|header| row_lines(header, &widths, &inner)) {
        let _ = writeln!(text, "{}{}", " ".repeat(indent), style.dim(&line));
    }
    for (place, (mark, row)) in rows.iter().enumerate() {
        for (at, line) in row_lines(row, &widths, &inner).iter().enumerate() {
            let symbol = if at == 0 { style.mark(*mark) } else { " ".repeat(symbol) };
            let _ = writeln!(text, "{}{symbol} {line}", " ".repeat(GAP));
        }
        for line in below.get(place).into_iter().flatten() {
            let _ = writeln!(text, "{}{}", " ".repeat(indent + GAP), style.dim(line));
        }
    }
    text
}

fn body(rows: &[Vec<String>], widths: &[usize], style: &Style) -> String {
    let mut text = String::new();
    for row in rows {
        for line in row_lines(row, widths, style) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn widths<'a>(rows: impl Iterator<Item = &'a Vec<String>>, count: usize, style: &Style) -> Vec<usize> {
    let mut widths = vec![0; count];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(&style.text(cell, 400)));
        }
    }
    let Some((last, first)) = widths.split_last_mut() else { return widths };
    for width in first.iter_mut() {
        *width = (*width).min(WIDEST);
    }
    let taken: usize = first.iter().map(|width| width + GAP).sum();
    *last = (*last).min(style.columns().saturating_sub(taken).max(LAST));
    widths
}

fn row_lines(row: &[String], widths: &[usize], style: &Style) -> Vec<String> {
    let cells: Vec<Vec<String>> =
        row.iter().zip(widths).map(|(cell, width)| style.wrap_cell(cell, (*width).max(1))).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let text = cell.get(at).map_or("", String::as_str);
            line.push_str(text);
            line.push_str(&" ".repeat(width.saturating_sub(columns(text)) + GAP));
        }
        line.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style { color: false, width: 44, unicode: true };

    #[test]
    fn columns_line_up_and_the_last_one_wraps() {
        let rows = [
            vec!["churn".to_owned(), "v1.1.0".to_owned(), "new weights behind the same signature".to_owned()],
            vec!["模型".to_owned(), "v2".to_owned(), "short".to_owned()],
        ];
        assert_eq!(
            table(&["MODEL", "VERSION", "WHY"], &rows, &STYLE),
            "MODEL  VERSION  WHY\n\
             churn  v1.1.0   new weights behind the same\n\
             \x20               signature\n\
             模型   v2       short\n"
        );
    }

    #[test]
    fn a_cell_cannot_move_the_cursor_or_break_its_row() {
        let rows = [vec!["a\u{1b}[2J\nb".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["A", "B"], &rows, &STYLE).lines().count(), 2);
        assert!(!table(&["A", "B"], &rows, &STYLE).contains('\u{1b}'));
    }
}
