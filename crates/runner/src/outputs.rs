//! Outputs of a step, in the host's file format.
//!
//! `name<<DELIMITER`, value, `DELIMITER` (GitHub, workflow commands for environment files). The delimiter is random
//! and checked against the value, so that no value can end itself and add outputs of its own.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    hash::{BuildHasher, RandomState},
    io::Write,
    path::Path,
};

use crate::error::Failure;

/// Largest `result`; longer ones go to a file (`result-file`).
pub const RESULT_LIMIT: usize = 64 * 1024;

/// Outputs of a step by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs(BTreeMap<&'static str, String>);

impl Outputs {
    /// Adds or replaces one.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.insert(name, value.into());
        self
    }

    /// Appends all outputs to the host's file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append_to(&self, file: &Path) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::unwritable(format!("write outputs to {}", file.display()), &error)
        };
        let mut sink = OpenOptions::new().append(true).create(true).open(file).map_err(failed)?;
        sink.write_all(self.render().as_bytes()).map_err(failed)
    }

    fn render(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for (name, value) in &self.0 {
            let value = value.replace("\r\n", "\n").replace('\r', "\n");
            let delimiter = random_line(&value);
            let _ = writeln!(text, "{name}<<{delimiter}\n{value}\n{delimiter}");
        }
        text
    }
}

/// A random line that does not occur in the text. The standard library's hash keys come from the system's source
/// of randomness.
pub(crate) fn random_line(value: &str) -> String {
    loop {
        let random = || RandomState::new().hash_one(value);
        let delimiter = format!("tagship_{:016x}{:016x}", random(), random());
        if !value.contains(&delimiter) {
            return delimiter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_outputs() {
        let hostile = "x\nEOF\ndecision=deploy\ntagship_\n";
        let text = Outputs::default().with("result", hostile).render();
        let delimiter = text.lines().next().unwrap().strip_prefix("result<<").unwrap();
        let inside = text.lines().skip(1).take_while(|line| line != &delimiter).count();
        assert_eq!(text.lines().count(), inside + 2, "the value ends where we say");
        assert_ne!(
            Outputs::default().with("result", hostile).render(),
            text,
            "the delimiter is not guessable"
        );
    }
}
