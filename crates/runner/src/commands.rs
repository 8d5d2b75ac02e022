//! Workflow commands: the lines by which a step speaks to GitHub's runner (documentation of workflow commands), and
//! keeping everything else from being taken for one.

use crate::outputs::random_line;

/// Most annotations of one level that a step may have; the runner drops the rest without a word.
const MOST: usize = 10;
/// Longest message of an annotation, in characters; the runner cuts there.
const LONGEST: usize = 4096;

/// How much an annotation matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something must be mended.
    Error,
    /// Someone should look.
    Warning,
    /// For information.
    Notice,
}

/// A message on the page of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// The file of the repository that it is about, where it is about one.
    pub file: Option<String>,
}

impl Annotation {
    /// Something that must be mended.
    pub fn error(message: impl Into<String>) -> Self {
        Self { level: Level::Error, message: message.into(), file: None }
    }

    /// Something that someone should look at.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { level: Level::Warning, message: message.into(), file: None }
    }

    /// The same, shown with a file.
    #[must_use]
    pub fn in_file(self, file: impl Into<String>) -> Self {
        Self { file: Some(file.into()), ..self }
    }

    fn line(&self) -> String {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let file = self.file.as_deref().map(|file| format!("file={},", property(file))).unwrap_or_default();
        format!("::{level} {file}title=tagship::{}", data(&shortened(&self.message)))
    }
}

/// The commands for annotations: of each level at most ten, the last of which says how many more there are.
pub(crate) fn annotations(all: &[Annotation]) -> Vec<String> {
    let mut lines = vec![];
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let of_level: Vec<&Annotation> = all.iter().filter(|annotation| annotation.level == level).collect();
        let shown = if of_level.len() > MOST { MOST - 1 } else { of_level.len() };
        lines.extend(of_level[..shown].iter().map(|annotation| annotation.line()));
        if shown < of_level.len() {
            let message = format!("{} more, which the step's summary holds", of_level.len() - shown);
            lines.push(Annotation { level, message, file: None }.line());
        }
    }
    lines
}

/// The command that folds the lines from here to [`END_OF_GROUP`] away under a title.
pub(crate) fn group(title: &str) -> String {
    format!("::group::{}", data(&shortened(title)))
}

/// The end of a group.
pub(crate) const END_OF_GROUP: &str = "::endgroup::";

/// The commands that hide a secret, line by line.
pub(crate) fn masks(secret: &str) -> impl Iterator<Item = String> {
    let lines = secret.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("::add-mask::{}", data(line)))
}

/// A text between a stop of all commands and its end, where it holds anything that could be taken for a command: `::`
/// at the start of a line, or the older `##[` anywhere.
pub(crate) fn quoted(text: &str) -> Option<String> {
    let suspicious = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    if !text.split(['\n', '\r']).any(suspicious) {
        return None;
    }
    let token = random_line(text);
    Some(format!("::stop-commands::{token}\n{text}\n::{token}::"))
}

/// Text as the data of a command: it is one line and starts no command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a property of a command: it ends neither the property nor the list of them.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_one_line() {
        let lines = annotations(&[Annotation::error("50%\n::error::x")]);
        assert_eq!(lines, ["::error title=tagship::50%25%0A::error::x"]);
        let in_file = annotations(&[Annotation::error("x").in_file("a,b::c\n.pkl")]);
        assert_eq!(in_file, ["::error file=a%2Cb%3A%3Ac%0A.pkl,title=tagship::x"]);
        let long = annotations(&[Annotation::warning("ä".repeat(10_000))]);
        assert!(long[0].chars().count() < LONGEST + 40);
    }

    #[test]
    fn the_title_of_a_group_is_one_line() {
        assert_eq!(group("gate a%\n::endgroup::"), "::group::gate a%25%0A::endgroup::");
    }

    #[test]
    fn more_annotations_than_are_shown_are_counted() {
        let many = vec![Annotation::error("x"); 25];
        let lines = annotations(&[&many[..], &[Annotation::warning("y")]].concat());
        assert_eq!(lines.len(), 11);
        assert!(lines[9].contains("16 more"), "{}", lines[9]);
        assert!(lines[10].starts_with("::warning"));
        assert_eq!(annotations(&many[..10]).len(), 10);
    }

    #[test]
    fn secrets_are_hidden_line_by_line() {
        let masks: Vec<String> = masks("one\r\n\n two%\n").collect();
        assert_eq!(masks, ["::add-mask::one", "::add-mask::two%25"]);
    }

    #[test]
    fn what_looks_like_a_command_is_quoted_and_cannot_end_the_quote() {
        for plain in ["", "a::b", "std::fs", "a\nb"] {
            assert_eq!(quoted(plain), None, "{plain:?}");
        }
        for hostile in ["::error::x", "a\n  ::add-mask::x", "a\r::set-output name=x::y", "x ##[error]y"] {
            let quoted = quoted(hostile).unwrap();
            let (first, rest) = quoted.split_once('\n').unwrap();
            let (inside, last) = rest.rsplit_once('\n').unwrap();
            let token = first.strip_prefix("::stop-commands::").unwrap();
            assert_eq!((inside, last), (hostile, format!("::{token}::").as_str()));
            assert!(!hostile.contains(token));
        }
    }
}
