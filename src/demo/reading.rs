//! A Markdown comment as a reader meets it: folds closed, tables in columns, no markup.
//!
//! It knows what status comments are made of, not all of Markdown.

/// A part of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading, a paragraph, a line of code or the title of a fold.
    Line(String),
    /// Rows of cells.
    Table(Vec<Vec<String>>),
}

impl Block {
    /// Whether these words stand in it.
    pub(super) fn says(&self, words: &str) -> bool {
        match self {
            Self::Line(line) => line.contains(words),
            Self::Table(rows) => rows.iter().flatten().any(|cell| cell.contains(words)),
        }
    }
}

/// The parts of a comment with all folds closed.
pub(super) fn folded(markdown: &str) -> Vec<Block> {
    let mut blocks = vec![];
    let mut open = 0_usize;
    let mut in_table = false;
    for line in markdown.lines().map(str::trim) {
        let hidden = open > 0;
        open += line.matches("<details").count();
        open = open.saturating_sub(line.matches("</details>").count());
        if hidden {
            continue;
        }
        match (line.strip_prefix('|').map(cells), blocks.last_mut()) {
            (None, _) => blocks.extend(read_line(line).map(Block::Line)),
            (Some(cells), _) if says_how_to_align(&cells) => {}
            (Some(cells), Some(Block::Table(rows))) if in_table => rows.push(cells),
            (Some(cells), _) => blocks.push(Block::Table(vec![cells])),
        }
        in_table = line.starts_with('|');
    }
    blocks
}

fn cells(row: &str) -> Vec<String> {
    let read = |cell: &str| plain(&cell.replace("<br>", " · ")).trim().to_owned();
    row.trim_end_matches('|').split('|').map(read).collect()
}

fn says_how_to_align(cells: &[String]) -> bool {
    cells.iter().all(|cell| cell.trim_matches(['-', ':']).is_empty())
}

/// What a reader sees of a line; nothing where it is all markup.
fn read_line(line: &str) -> Option<String> {
    if line == "---" || line.starts_with("```") || line.starts_with("> [!") {
        return None;
    }
    let fold = if line.starts_with("<details") { "▸ " } else { "" };
    let text = plain(line.trim_start_matches(['#', '>']));
    Some(format!("{fold}{}", text.trim())).filter(|text| !text.is_empty())
}

/// Text without markup and entities. Words that the comment says are found in it as they are meant.
pub(super) fn plain(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(at) = rest.find(['&', '<', '*', '`']) {
        let (before, special) = rest.split_at(at);
        text.push_str(before);
        let (meant, length) = meaning(special);
        text.extend(meant);
        rest = &special[length..];
    }
    text.push_str(rest);
    text
}

/// The zero-width space, which keeps forges from making links of what only looks like one.
const NO_LINK: char = '\u{200b}';

/// What a special character stands for, and how many bytes of the text that is.
fn meaning(special: &str) -> (Option<char>, usize) {
    let until = |end: char| special.find(end).map(|at| at + 1);
    if special.starts_with('&') {
        let length = until(';').unwrap_or(1);
        let name = special.get(1..length - 1).and_then(entity);
        return name.map_or((Some('&'), 1), |meant| (Some(meant).filter(|meant| *meant != NO_LINK), length));
    }
    if let Some(rest) = special.strip_prefix('<') {
        let is_tag = rest.starts_with(|next: char| next.is_ascii_alphabetic() || "/!".contains(next));
        let end = until('>').filter(|_| is_tag);
        return end.map_or((Some('<'), 1), |length| (special.starts_with("<br").then_some(' '), length));
    }
    (None, 1)
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "nbsp" => Some(' '),
        numeric => char::from_u32(numeric.strip_prefix('#')?.parse().ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Block {
        Block::Line(text.to_owned())
    }

    fn table(rows: &[[&str; 2]]) -> Block {
        Block::Table(rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect())
    }

    #[test]
    fn a_comment_reads_as_on_a_page() {
        let markdown = "<!-- marker -->\n### ✅ ready\n\n| Metric | Now |\n|---|--:|\n| auc | **0&#46;99**<br>good |\n\n\
                        | Next | `v2` |\n|---|---|\n\n> [!CAUTION]\n> Mind.\n\n\
                        <details><summary>Gate: 2 of 2</summary>\n\n| hidden |\n\n</details>\n\n```sh\nrun\n```\n---\n";
        let expected = [
            line("✅ ready"),
            table(&[["Metric", "Now"], ["auc", "0.99 · good"]]),
            table(&[["Next", "v2"]]),
            line("Mind."),
            line("▸ Gate: 2 of 2"),
            line("run"),
        ];
        assert_eq!(folded(markdown), expected);
        assert!(expected[1].says("auc") && !expected[0].says("auc"));
    }

    #[test]
    fn words_are_found_as_they_are_meant() {
        assert_eq!(plain("0&#46;83 < 0&#46;9 &amp; &#8203;#2 `a`<br>b & c;"), "0.83 < 0.9 & #2 a b & c;");
        assert_eq!(plain("&;&"), "&;&");
    }
}
