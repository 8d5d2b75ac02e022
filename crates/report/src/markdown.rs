//! The comment and the step summary, in the Markdown that forges render.

use tagship_domain::report::StatusReport;

use crate::sentence;

/// How long a comment may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most characters.
    pub characters: usize,
    /// Most bytes.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { characters: 60_000, bytes: 240_000 }
    }
}

/// The comment under a pull request.
pub fn comment(report: &StatusReport, _limits: &Limits) -> String {
    summary(report)
}

/// The step summary of a run.
pub fn summary(report: &StatusReport) -> String {
    report
        .sections
        .iter()
        .map(|section| {
            let headline = sentence::headline(section);
            format!("### {} {}\n", headline.symbol.emoji(), headline.text)
        })
        .collect()
}
