//! Everything that is printed. Documents go to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use crate::{
    commands::{self, Annotation},
    context::Context,
    error::Failure,
};

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
        self.write(&mut std::io::stdout().lock(), text);
    }

    /// Prints the answer as one JSON document, whatever reads it.
    pub fn print_json(&self, json: &str) {
        // The one start of a command that can stand inside of a JSON text, as the same text.
        self.print(&json.replace("##[", "##\\u005b"));
    }

    /// Says something about the way there.
    pub fn say(&self, text: &str) {
        self.write(&mut std::io::stderr().lock(), text);
    }

    /// Much of what is printed comes from elsewhere. Where a host listens for commands, it is told not to.
    fn write(&self, out: &mut dyn Write, text: &str) {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let quoted = if self.hosted { commands::quoted(line) } else { None };
        let _ = writeln!(out, "{}", quoted.as_deref().unwrap_or(line));
        let _ = out.flush();
    }

    /// Puts annotations on the page of the run, as many as a host shows of one step, the worst first. They go the way
    /// of the log, for standard output may be read by a program.
    pub fn annotate(&self, annotations: &[Annotation]) {
        if !self.hosted {
            return;
        }
        for line in commands::annotations(annotations) {
            command(&line);
        }
    }

    /// Folds what is said from here on away under a title, where a host can, until the answer is dropped. Groups do not
    /// nest.
    #[must_use = "the group ends where this is dropped"]
    pub fn group(&self, title: &str) -> Group {
        if self.hosted {
            command(&commands::group(title));
        }
        Group { open: self.hosted }
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
        self.annotate(&[Annotation::error(failure.to_string())]);
    }
}

/// Lines that are folded away; the end of this is the end of them, however it comes.
#[derive(Debug)]
pub struct Group {
    open: bool,
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.open {
            command(commands::END_OF_GROUP);
        }
    }
}

/// Gives the host a command, the way of the log.
fn command(line: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
