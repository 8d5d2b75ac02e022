//! Everything that is printed. Documents go to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use crate::{context::Context, error::Failure};

/// How wide and how colourful the reader's screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Whether colours are welcome on standard output.
    pub color: bool,
    /// Whether standard output is a terminal.
    pub interactive: bool,
    /// Columns.
    pub width: usize,
    /// Whether workflow commands are understood.
    hosted: bool,
    /// Whether to print more.
    verbose: bool,
}

/// Columns where none are known.
const WIDTH: usize = 80;

impl Screen {
    /// The screen of this process.
    pub fn of(context: &Context, verbose: bool) -> Self {
        let interactive = std::io::stdout().is_terminal();
        Self {
            color: interactive && !context.no_color,
            interactive,
            width: context.columns.unwrap_or(WIDTH).clamp(40, 200),
            hosted: context.hosted,
            verbose: verbose || context.debug,
        }
    }

    /// Prints the answer. A reader that went away is no failure.
    pub fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    /// Says something about the way there.
    pub fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Says something that only those who asked want to know.
    pub fn detail(&self, text: &str) {
        if self.verbose {
            self.say(text);
        }
    }

    /// Prints a failure, on a host as an annotation too.
    pub fn fail(&self, failure: &Failure) {
        self.say(&format!("error: {failure}"));
        if self.hosted {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "::error title=tagship::{}", command_data(&failure.to_string()));
        }
    }
}

/// Text as the data of a workflow command: it cannot start a command of its own.
fn command_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_one_line() {
        assert_eq!(command_data("50%\n::error::x"), "50%25%0A::error::x");
    }
}
