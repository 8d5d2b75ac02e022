//! Rust files as the structural checks see them: which part of a file is production code.

use std::path::Path;

use anyhow::Result;

use crate::workspace::Workspace;

/// A Rust file.
pub(crate) struct RustFile {
    /// Path in the repository.
    pub(crate) path: String,
    text: String,
}

/// Every Rust file of the repository.
pub(crate) fn rust_files(workspace: &Workspace) -> Result<Vec<RustFile>> {
    let paths = workspace
        .files()?
        .into_iter()
        .filter(|path| Path::new(path).extension().is_some_and(|end| end == "rs"));
    paths.map(|path| Ok(RustFile { text: workspace.read(&path)?, path })).collect()
}

impl RustFile {
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Its first line.
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Whether it is test code as a whole: a test, an example or a benchmark.
    pub(crate) fn is_test(&self) -> bool {
        let dev = ["tests", "benches", "examples"];
        self.path.ends_with("/tests.rs") || self.path.split('/').any(|part| dev.contains(&part))
    }

    /// Lines that ship, with their numbers: all before the tests at the end of the file, none of a test file.
    pub(crate) fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = if self.is_test() { vec![] } else { self.text.lines().collect() };
        let inline_tests = |at: usize| {
            lines[at].starts_with("#[cfg(")
                && has_word(lines[at], "test")
                && lines.get(at + 1).is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'))
        };
        let end = (0..lines.len()).find(|at| inline_tests(*at)).unwrap_or(lines.len());
        lines.into_iter().take(end).enumerate().map(|(at, line)| (at + 1, line))
    }

    /// As [`RustFile::production`], without comments. A `//` after a `:` is taken for part of a URL.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.production().map(|(number, line)| {
            let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
            (number, comment.map_or(line, |(at, _)| &line[..at]))
        })
    }
}

/// Whether `word` stands in `line`, whatever the case, and no letter or digit touches it. Underscores separate the words
/// of a name; in a path such as `fs::read` they belong to it.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let (line, word) = (line.to_ascii_lowercase(), word.to_ascii_lowercase());
    let joins = |c: char| c.is_alphanumeric() || (c == '_' && word.contains("::"));
    line.match_indices(&word).any(|(at, found)| {
        let (before, after) = (&line[..at], &line[at + found.len()..]);
        !before.ends_with(joins) && !after.starts_with(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_tests_do_not_ship() {
        let text = "//! Head.\nlet a = 1; // why\nlet u = \"http://x\";\n#[cfg(test)]\nmod tests {\n    let b = 2;\n}\n";
        let file = RustFile::new("crates/a/src/lib.rs", text);
        let code: Vec<_> = file.code().collect();
        assert_eq!(code, [(1, ""), (2, "let a = 1; "), (3, "let u = \"http://x\";")]);
        assert_eq!(RustFile::new("crates/a/tests/it.rs", text).production().count(), 0);
        assert_eq!(RustFile::new("crates/a/src/x/tests.rs", text).production().count(), 0);
    }

    #[test]
    fn a_word_is_not_a_part_of_another() {
        assert!(has_word("use Argo;", "argo") && has_word("argo_rollouts", "argo"));
        assert!(!has_word("cargo metadata", "argo"));
        assert!(has_word("std::fs::read(x)", "fs::read") && !has_word("fs::read_dir(x)", "fs::read"));
    }
}
