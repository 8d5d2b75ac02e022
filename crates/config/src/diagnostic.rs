//! What is wrong with a configuration, and where: file, line, column, key path and an excerpt with a caret.
//!
//! Text only, no colours. Foreign text is shown without control characters, so that a hostile file cannot write
//! to a terminal or a log through its own error message.

use std::fmt;

/// Most problems that are reported at once.
pub(crate) const MAX_DIAGNOSTICS: usize = 20;

/// Most characters of a source line that an excerpt shows.
const EXCERPT_WIDTH: usize = 100;

/// Where something stands in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as the caller named it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Keys from the root, e.g. `models.churn.gate.rules[0].expr`; empty for the root and for broken YAML.
    pub key_path: String,
}

/// One problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it is.
    pub location: Location,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where there is more to say than the message does.
    pub help: Option<String>,
    excerpt: Excerpt,
}

/// Everything that is wrong with a configuration, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", render(.diagnostics))]
pub struct ConfigErrors {
    /// The problems; reading stops after the twentieth.
    pub diagnostics: Vec<Diagnostic>,
}

/// A range of characters in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// Number of the first character, from 0.
    pub(crate) start: usize,
    /// Number of the character behind the last one.
    pub(crate) end: usize,
}

/// The part of a source line that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    line: String,
    caret: usize,
    carets: usize,
}

/// A named text that diagnostics point into.
#[derive(Debug)]
pub(crate) struct SourceText<'a> {
    file: &'a str,
    text: &'a str,
    /// Number of the first character of each line.
    lines: Vec<usize>,
}

impl<'a> SourceText<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let mut lines = vec![0];
        let mut last = ' ';
        for (index, c) in text.chars().enumerate() {
            match (last, c) {
                ('\r', '\n') => *lines.last_mut().unwrap_or(&mut 0) = index + 1,
                (_, '\n' | '\r') => lines.push(index + 1),
                _ => {}
            }
            last = c;
        }
        Self { file, text, lines }
    }

    pub(crate) fn location(&self, span: Span, key_path: &str) -> Location {
        let line = self.lines.partition_point(|start| *start <= span.start).max(1);
        let column = span.start - self.lines[line - 1] + 1;
        Location { file: self.file.to_owned(), line, column, key_path: printable(key_path) }
    }

    pub(crate) fn diagnostic(
        &self,
        span: Span,
        key_path: &str,
        message: String,
        help: Option<String>,
    ) -> Diagnostic {
        let location = self.location(span, key_path);
        let excerpt = self.excerpt(span, location.column - 1);
        Diagnostic { location, message, help, excerpt }
    }

    /// The line on which the span starts, cut to a window around it.
    fn excerpt(&self, span: Span, column: usize) -> Excerpt {
        let line: Vec<char> = self
            .text
            .chars()
            .skip(span.start - column)
            .take_while(|c| !matches!(c, '\n' | '\r'))
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let from = if column < EXCERPT_WIDTH { 0 } else { column - EXCERPT_WIDTH / 4 };
        let shown: String = line.iter().skip(from).take(EXCERPT_WIDTH).collect();
        let caret = column - from;
        let room = shown.chars().count().saturating_sub(caret);
        let carets = span.end.saturating_sub(span.start).min(room).max(1);
        Excerpt { line: shown.trim_end().to_owned(), caret, carets }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)?;
        if self.key_path.is_empty() { Ok(()) } else { write!(f, " ({})", self.key_path) }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Excerpt { line, caret, carets } = &self.excerpt;
        let number = self.location.line.to_string();
        let gutter = number.len();
        writeln!(f, "error: {}", self.message)?;
        writeln!(f, "{:gutter$}--> {}", "", self.location)?;
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{number} | {line}")?;
        write!(f, "{:gutter$} | {:caret$}{:^<carets$}", "", "", "")?;
        match &self.help {
            Some(help) => write!(f, "\n{:gutter$} = help: {help}", ""),
            None => Ok(()),
        }
    }
}

fn render(diagnostics: &[Diagnostic]) -> String {
    let mut parts: Vec<String> = diagnostics.iter().map(Diagnostic::to_string).collect();
    if diagnostics.len() >= MAX_DIAGNOSTICS {
        parts.push(format!("stopped after {MAX_DIAGNOSTICS} errors"));
    }
    parts.join("\n\n")
}

/// Foreign text for a message: control characters escaped, long text cut.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// The known word that was probably meant, where one is close enough.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let allowed = (word.chars().count() / 3).max(1);
    let close = known.iter().map(|candidate| (distance(candidate), *candidate)).min()?;
    (close.0 <= allowed).then_some(close.1)
}

/// A list of words for a message: `` `a`, `b`, `c` ``.
pub(crate) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_the_span_and_control_characters_vanish() {
        let text = SourceText::new("t.yml", "a: 1\r\nb:\tx\u{1b}y\n");
        let found = text.diagnostic(Span { start: 9, end: 12 }, "b", "odd".into(), Some("even".into()));
        let expected = "error: odd\n --> t.yml:2:4 (b)\n  |\n2 | b: x y\n  |    ^^^\n  = help: even";
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn long_lines_are_cut_around_the_span() {
        let long = format!("{}key: 1", " ".repeat(5000));
        let found = SourceText::new("t.yml", &long).diagnostic(
            Span { start: 5000, end: 5003 },
            "",
            "odd".into(),
            None,
        );
        assert!(found.to_string().lines().all(|line| line.len() < 120));
        assert!(found.to_string().contains("key: 1"));
    }

    #[test]
    fn only_close_words_are_suggested() {
        let known = ["rules", "checks", "tests"];
        assert_eq!(nearest("rulez", &known), Some("rules"));
        assert_eq!(nearest("ruels", &known), Some("rules"));
        assert_eq!(nearest("analysis", &known), None);
    }
}
