//! A Markdown comment as a reader meets it: folds closed, tables in columns, no markup.
//!
//! It knows what status comments are made of, not all of Markdown.

/// Text without markup and entities. Words that the comment says are found in it as they are meant.
pub(super) fn plain(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(at) = rest.find(['&', '<', '*', '`', '\u{200b}']) {
        let (before, special) = rest.split_at(at);
        text.push_str(before);
        let (meant, length) = meaning(special);
        text.extend(meant);
        rest = &special[length..];
    }
    text.push_str(rest);
    text
}

/// What a special character stands for, and how many bytes of the text that is.
fn meaning(special: &str) -> (Option<char>, usize) {
    let first = special.chars().next().map_or(1, char::len_utf8);
    let until = |end: char| special.find(end).map(|at| at + 1);
    match special.as_bytes().first() {
        Some(b'&') => match until(';').and_then(|length| Some((entity(&special[1..length - 1])?, length))) {
            Some((meant, length)) => (Some(meant).filter(|meant| *meant != '\u{200b}'), length),
            None => (Some('&'), 1),
        },
        Some(b'<') => match until('>') {
            Some(length) => (special.starts_with("<br").then_some(' '), length),
            None => (Some('<'), 1),
        },
        _ => (None, first),
    }
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        numeric => char::from_u32(numeric.strip_prefix('#')?.parse().ok()?),
    }
}

/// The lines of the comment with all folds closed.
pub(super) fn folded(markdown: &str) -> Vec<String> {
    let mut read: Vec<String> = vec![];
    let mut table: Vec<Vec<String>> = vec![];
    let mut open = 0_usize;
    for line in markdown.lines().map(str::trim) {
        let inside = open > 0;
        open += line.matches("<details").count();
        open = open.saturating_sub(line.matches("</details>").count());
        if inside {
            continue;
        }
        if let Some(row) = line.strip_prefix('|') {
            table.push(
                row.trim_end_matches('|').split('|').map(|cell| plain(cell).trim().to_owned()).collect(),
            );
            continue;
        }
        read.extend(columns(&std::mem::take(&mut table)));
        let fold = if line.starts_with("<details") { "▸ " } else { "" };
        let text = plain(line.trim_start_matches('#'));
        if !text.trim().is_empty() && text.trim() != "---" {
            read.push(format!("{fold}{}", text.trim()));
        }
    }
    read.extend(columns(&table));
    read
}

/// A table with its columns under each other. The row that says how columns are aligned is no row to read.
fn columns(table: &[Vec<String>]) -> Vec<String> {
    let is_rule = |row: &&Vec<String>| !row.iter().all(|cell| cell.trim_matches(['-', ':']).is_empty());
    let rows: Vec<&Vec<String>> = table.iter().filter(is_rule).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &&Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}  ", width(column)));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_reads_as_on_a_page() {
        let markdown = "<!-- marker -->\n### ✅ ready\n\n| Metric | Now |\n|---|--:|\n| auc | **0&#46;99** |\n| f1 | 1 |\n\n\
                        <details><summary>Gate: 2 of 2</summary>\n\n| hidden |\n\n</details>\n\n---\n<sub>by `demo`</sub>";
        let expected = ["✅ ready", "Metric  Now", "auc     0.99", "f1      1", "▸ Gate: 2 of 2", "by demo"];
        assert_eq!(folded(markdown), expected);
    }

    #[test]
    fn words_are_found_as_they_are_meant() {
        assert_eq!(plain("0&#46;83 < 0&#46;9 &amp; &#8203;#2 `a`<br>b & c"), "0.83 < 0.9 & #2 a b & c");
    }
}
