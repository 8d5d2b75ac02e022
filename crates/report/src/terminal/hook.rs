//! Which rules of its protocol a program keeps.

use std::fmt::Write as _;

use serde_json::Value;
use tagship_domain::{
    gate::Outcome,
    hook::{HookReport, HookRule},
};

use super::{paint::Style, table::marked};
use crate::{mark::Mark, sentence::Headline, text::counted};

/// Every rule, then each broken one with what was sent, what came back and what to change.
pub fn hook(report: &HookReport, style: &Style) -> String {
    let mut text = style.headline(&headline(report));
    let row = |rule: &HookRule| {
        let about = match rule.outcome {
            Outcome::Successful => &rule.promise,
            _ => &rule.message,
        };
        (Mark::from(rule.outcome), vec![rule.rule.clone(), about.clone()])
    };
    let rows: Vec<_> = report.rules.iter().map(row).collect();
    text.push_str(&marked(&rows, style));
    for rule in report.with(Outcome::Failed) {
        text.push_str(&broken(rule, style));
    }
    if !report.left.is_empty() {
        let left = format!(
            "left behind: {} of {}; unload them by hand, or check again: it begins with taking them away",
            report.left.join(", "),
            report.model
        );
        let mark = Mark::Alarm;
        text.push('\n');
        text.push_str(&style.headline(&Headline { symbol: mark, tone: mark.tone(), text: left }));
    }
    text
}

fn headline(report: &HookReport) -> Headline {
    let program = report.command.join(" ");
    let broken = report.with(Outcome::Failed).count();
    let unknown = report.with(Outcome::Inconclusive).count();
    let kept = report.with(Outcome::Successful).count();
    let runs = counted(report.runs as usize, "run");
    let (mark, text) = match (broken, unknown) {
        (0, 0) => {
            (Mark::Passed, format!("{program} keeps all {kept} rules that it can break, seen in {runs}"))
        }
        (0, _) => {
            (Mark::Unknown, format!("{program} could not be judged: {}", counted(unknown, "rule") + " left"))
        }
        (_, 0) => (Mark::Failed, format!("{program} breaks {}", counted(broken, "rule"))),
        _ => (
            Mark::Failed,
            format!("{program} breaks {}; {} could not be judged", counted(broken, "rule"), unknown),
        ),
    };
    Headline { symbol: mark, tone: mark.tone(), text }
}

fn broken(rule: &HookRule, style: &Style) -> String {
    let mut text = format!("\n{} {}\n", style.mark(Mark::Failed), style.bold(&style.text(&rule.rule, 80)));
    let mut lines = vec![("rule", rule.promise.clone())];
    lines.extend(rule.sent.as_ref().map(|sent| ("sent", spaced(sent))));
    if let Some(got) = &rule.got {
        let code = got.exit_code.map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
        lines.push(("got", code));
        lines.extend(said("stdout", &got.stdout));
        lines.extend(said("stderr", &got.stderr));
    }
    lines.push(("seen", rule.message.clone()));
    lines.extend(rule.advice.as_ref().map(|advice| ("change", advice.clone())));
    for (name, line) in lines {
        let indented = style.indented(&line, INDENT);
        let rest = indented.get(INDENT..).unwrap_or_default();
        let _ = write!(text, "  {name:<width$}{rest}", width = INDENT - 2);
    }
    text
}

/// An object with room to break lines between its members.
fn spaced(sent: &Value) -> String {
    let Some(members) = sent.as_object() else { return sent.to_string() };
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", members.join(", "))
}

/// Columns before what is said.
const INDENT: usize = 10;

fn said(name: &'static str, text: &str) -> Option<(&'static str, String)> {
    (!text.is_empty()).then(|| (name, text.to_owned()))
}
