//! What the audience sees: acts, steps with their durations, facts, excerpts. Plain lines, each printed when it is
//! true; nothing is ever drawn over.

use std::time::Duration;

use tagship_report::{Mark, terminal::Style};
use tagship_runner::Screen;

/// Columns before a step's mark.
const STEP: usize = 3;
/// Columns before a fact.
const FACT: usize = 5;

/// Prints the demo as it happens.
#[derive(Debug)]
pub(super) struct Timeline {
    screen: Screen,
    style: Style,
}

/// How text looks where colours are welcome; SGR codes of ECMA-48.
#[derive(Debug, Clone, Copy)]
enum Look {
    Strong,
    Faint,
    Good,
    Bad,
}

impl Timeline {
    /// A timeline on a screen.
    pub(super) fn new(screen: Screen) -> Self {
        Self { screen, style: crate::style(&screen) }
    }

    /// Columns of the screen.
    pub(super) fn width(&self) -> usize {
        self.style.width
    }

    /// What all this is.
    pub(super) fn title(&self, title: &str, text: &str) {
        self.screen.print(&self.paint(Look::Strong, title));
        for line in wrap(text, self.style.width) {
            self.screen.print(&self.paint(Look::Faint, &line));
        }
    }

    /// An act begins.
    pub(super) fn act(&self, number: usize, headline: &str, told: &str) {
        let line = format!("{number}  {headline}");
        self.screen.print(&format!("\n{}", self.paint(Look::Strong, &line)));
        for line in wrap(told, self.style.width - STEP) {
            self.screen.print(&format!("{:STEP$}{}", "", self.paint(Look::Faint, &line)));
        }
    }

    /// A step was done as told.
    pub(super) fn step(&self, what: &str, took: Duration) {
        self.marked(Mark::Passed, what, took);
    }

    /// A step refused something, as told.
    pub(super) fn refusal(&self, what: &str, took: Duration) {
        self.marked(Mark::Failed, what, took);
    }

    fn marked(&self, mark: Mark, what: &str, took: Duration) {
        let took = format!("{:.2} s", took.as_secs_f64());
        let look = if mark == Mark::Passed { Look::Good } else { Look::Bad };
        let glyph = mark.glyph(self.style.unicode);
        let used = STEP + glyph.chars().count() + 1 + took.len() + 1;
        let what = clip(what, self.style.width.saturating_sub(used));
        let gap = self.style.width.saturating_sub(used + what.chars().count()) + 1;
        let (glyph, took) = (self.paint(look, glyph), self.paint(Look::Faint, &took));
        self.screen.print(&format!("{:STEP$}{glyph} {what}{:gap$}{took}", "", ""));
    }

    /// Something worth knowing about the step before.
    pub(super) fn fact(&self, text: &str) {
        for line in wrap(text, self.style.width - FACT) {
            self.screen.print(&format!("{:FACT$}{line}", ""));
        }
    }

    /// The first lines of a document. What does not fit in a line is cut.
    pub(super) fn excerpt(&self, title: &str, lines: &[String]) {
        self.screen.print(&format!("{:FACT$}{}", "", self.paint(Look::Faint, title)));
        let bar = self.paint(Look::Faint, if self.style.unicode { "│" } else { "|" });
        for line in lines {
            let line = clip(line, self.style.width - FACT - 3);
            self.screen.print(format!("{:FACT$}{bar} {line}", "").trim_end());
        }
    }

    /// Lines as they are, for commands to copy.
    pub(super) fn verbatim(&self, text: &str) {
        self.screen.print(text);
    }

    /// How it ended.
    pub(super) fn end(&self, text: &str) {
        let mark = self.paint(Look::Good, Mark::Passed.glyph(self.style.unicode));
        self.screen.print(&format!("\n{mark}  {}", self.paint(Look::Strong, text)));
    }

    fn paint(&self, look: Look, text: &str) -> String {
        let code = match look {
            _ if !self.style.color => return text.to_owned(),
            Look::Strong => 1,
            Look::Faint => 2,
            Look::Good => 32,
            Look::Bad => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Text in lines of at most so many columns, broken at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A line of at most so many columns.
fn clip(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a-word-that-is-too-long yes", 5), ["a-word-that-is-too-long", "yes"]);
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("abcd", 4), "abcd");
    }
}
