//! Colours, symbols and line breaks.

use crate::{
    mark::{Mark, Tone},
    sentence::Headline,
    text::{clean, columns},
};

/// Narrowest width that is used; a narrower terminal wraps by itself.
const NARROWEST: usize = 40;
/// Longest word in columns that running text keeps whole: longer than a digest with its algorithm, and most paths.
const WHOLE: usize = 100;

/// How the terminal wants things rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used.
    pub color: bool,
    /// Columns of a line.
    pub width: usize,
    /// Whether characters outside ASCII can be shown.
    pub unicode: bool,
}

impl Style {
    /// The width that lines are laid out for.
    pub(crate) fn columns(&self) -> usize {
        self.width.max(NARROWEST)
    }

    /// `text` in the colour of a tone (ECMA-48, the eight basic colours: readable on dark and light).
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Unknown | Tone::Waiting => "33",
            Tone::Running => "36",
            Tone::Neutral => "2",
        };
        self.code(code, text)
    }

    /// `text` in bold.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.code("1", text)
    }

    /// `text` in the background.
    pub(crate) fn dim(&self, text: &str) -> String {
        self.code("2", text)
    }

    fn code(&self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// A symbol in its colour.
    pub(crate) fn mark(&self, mark: Mark) -> String {
        self.paint(mark.tone(), mark.glyph(self.unicode))
    }

    /// A headline, wrapped, with its symbol in front.
    pub(crate) fn headline(&self, headline: &Headline) -> String {
        let glyph = headline.symbol.glyph(self.unicode);
        let indent = columns(glyph) + 1;
        let lines = self.wrap(&headline.text, self.columns() - indent);
        let lines: Vec<String> = lines.iter().map(|line| self.bold(line)).collect();
        let between = format!("\n{}", " ".repeat(indent));
        format!("{} {}\n", self.paint(headline.tone, glyph), lines.join(&between))
    }

    /// Foreign text as it may stand on a line of this terminal.
    pub(crate) fn text(&self, foreign: &str, limit: usize) -> String {
        let text = clean(foreign, limit);
        if self.unicode { text } else { ascii(&text) }
    }

    /// A line that was laid out in columns, and whose foreign texts were cleaned.
    pub(crate) fn laid_out(&self, line: &str) -> String {
        if self.unicode { line.to_owned() } else { ascii(line) }
    }

    /// Foreign text broken between words into lines of at most `width` columns. A word that is a little longer, as a digest
    /// or an address, stays whole: somebody will copy it.
    pub(crate) fn wrap(&self, foreign: &str, width: usize) -> Vec<String> {
        self.broken(foreign, width, WHOLE)
    }

    /// The same for the cell of a table, where every word that is too long is broken.
    pub(crate) fn wrap_cell(&self, foreign: &str, width: usize) -> Vec<String> {
        self.broken(foreign, width, 0)
    }

    fn broken(&self, foreign: &str, width: usize, whole: usize) -> Vec<String> {
        let text = self.text(foreign, 2_000);
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let width = width.max(8);
            place(&mut lines, word, width, if columns(word) <= whole { whole.max(width) } else { width });
        }
        lines
    }

    /// Lines that stand two columns to the right of what they belong to.
    pub(crate) fn indented(&self, foreign: &str, indent: usize) -> String {
        let lines = self.wrap(foreign, self.columns().saturating_sub(indent));
        indent_lines(lines.iter().map(String::as_str), indent)
    }
}

/// Each line behind `indent` spaces and with a line feed.
pub(crate) fn indent_lines<'a>(lines: impl Iterator<Item = &'a str>, indent: usize) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&" ".repeat(indent));
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Puts a word behind the last line of `width` columns or below it; it is broken where it has more than `most` columns.
fn place(lines: &mut Vec<String>, word: &str, width: usize, most: usize) {
    let Some(line) = lines.last_mut() else { return };
    let space = usize::from(!line.is_empty());
    if columns(line) + space + columns(word) <= width {
        if space == 1 {
            line.push(' ');
        }
        line.push_str(word);
        return;
    }
    if space == 1 {
        lines.push(String::new());
    }
    let mut piece = String::new();
    for character in word.chars() {
        if !piece.is_empty() && columns(&piece) + columns(character.encode_utf8(&mut [0; 4])) > most {
            put(lines, std::mem::take(&mut piece));
            lines.push(String::new());
        }
        piece.push(character);
    }
    put(lines, piece);
}

fn put(lines: &mut [String], piece: String) {
    if let Some(last) = lines.last_mut() {
        *last = piece;
    }
}

/// `text` in ASCII: our own typography has a plain form, anything else becomes a question mark.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => plain.push_str("..."),
            '–' | '—' => plain.push('-'),
            '→' => plain.push_str("->"),
            '≤' => plain.push_str("<="),
            '≥' => plain.push_str(">="),
            '▲' => plain.push('^'),
            '▼' => plain.push('v'),
            '█' => plain.push('#'),
            '░' => plain.push('.'),
            '·' => plain.push('|'),
            c if c.is_ascii() => plain.push(c),
            _ => plain.push('?'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Style = Style { color: false, width: 40, unicode: true };

    #[test]
    fn a_digest_stays_whole_for_whoever_copies_it() {
        let digest = format!("sha256:{}", "a1".repeat(32));
        let lines = NARROW.wrap(&format!("the manifest {digest} is there"), 40);
        assert_eq!(lines, ["the manifest", digest.as_str(), "is there"]);
    }

    #[test]
    fn what_is_far_too_long_and_every_long_cell_is_broken() {
        let lines = NARROW.wrap(&"x".repeat(150), 40);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [40, 40, 40, 30]);
        assert_eq!(NARROW.wrap_cell("0123456789abc", 8), ["01234567", "89abc"]);
    }
}
