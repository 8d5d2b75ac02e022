//! What a rule of validation means.

use std::fmt::Write as _;

use tagship_domain::{
    rule::RuleDescription,
    validation::{Severity, Status},
};

use super::paint::Style;
use crate::mark::Mark;

/// The rule with its severity, why it is there, what to do, and where to read more.
pub fn rule(rule: &RuleDescription, style: &Style) -> String {
    let mark = style.mark(Mark::from(rule.severity));
    let mut text = format!("{mark} {} {}\n\n", style.bold(&rule.id), style.bold(&rule.title));
    text.push_str(&style.indented(&consequence(rule), 2));
    for (title, paragraph) in [("Why", &rule.why), ("What to do", &rule.remedy)] {
        let _ = write!(text, "\n{}\n{}", style.bold(title), style.indented(paragraph, 2));
    }
    if !rule.references.is_empty() {
        let _ = writeln!(text, "\n{}", style.bold("More"));
        for reference in &rule.references {
            let _ =
                write!(text, "{}{}", style.indented(&reference.title, 2), style.indented(&reference.url, 4));
        }
    }
    text
}

/// What a hit leads to, in a sentence.
fn consequence(rule: &RuleDescription) -> String {
    let severity = match rule.severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    };
    let analysis = match rule.status {
        Status::Complete => "",
        Status::Incomplete => " The analysis is incomplete, which is never a pass.",
        Status::Error => " The analysis could not end, which is never a pass.",
    };
    format!("A hit is of severity {severity}; the verdict is {}.{analysis}", rule.verdict)
}
