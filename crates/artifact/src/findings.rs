//! Collects what the analysis of one file finds, bounded, and derives status and verdict from it.
//!
//! Invariants: a finding never disappears once added, not even when the list is full (status and verdict
//! still count it); a verdict of pass needs a complete analysis; text from the artifact is escaped and cut
//! before it enters a finding.

use std::{borrow::Cow, collections::HashSet, fmt};

use tagship_domain::validation::{ExcerptLine, Finding, Severity, Status, Verdict};

use crate::{
    facts::Facts,
    rules::{self, Rule},
};

/// Findings listed per file; the rest is counted.
const LISTED: usize = 200;
/// The family of rules about damage and identity.
const INTEGRITY: &str = "INT";
/// Between a container and its member in a path.
const INSIDE: &str = "!/";
/// Characters of untrusted text that a finding may quote.
const QUOTED: usize = 160;
/// Findings of a file that show the opcodes around them.
const EXCERPTS: usize = 32;
/// Characters of a message, which may quote more than one text.
const MESSAGE: usize = 800;

/// Findings of one file.
#[derive(Debug)]
pub(crate) struct Findings {
    /// What the file states about itself.
    pub(crate) facts: Facts,
    list: Vec<Finding>,
    seen: HashSet<(&'static str, Option<String>, String)>,
    /// Names of the members that the analysis is inside of, outermost first.
    members: Vec<String>,
    /// The same as a path, for each hit has it.
    inside: Option<String>,
    /// Hits of the same rule on the same thing as one that is listed.
    repeated: u64,
    /// Findings that have no place in the list.
    unlisted: u64,
    /// Findings that show what is around them.
    excerpts: usize,
    status: Status,
    verdict: Verdict,
}

impl Findings {
    pub(crate) fn new() -> Self {
        Self {
            facts: Facts::default(),
            list: Vec::new(),
            seen: HashSet::new(),
            members: Vec::new(),
            inside: None,
            repeated: 0,
            unlisted: 0,
            excerpts: 0,
            status: Status::Complete,
            verdict: Verdict::Pass,
        }
    }

    /// From here on, findings are about this member of what they were about before.
    pub(crate) fn enter(&mut self, member: &str) {
        self.members.push(clip(member));
        self.inside = Some(self.members.join(INSIDE));
    }

    /// Findings are about the container again.
    pub(crate) fn leave(&mut self) {
        self.members.pop();
        self.inside = (!self.members.is_empty()).then(|| self.members.join(INSIDE));
    }

    /// Adds a finding about the file as a whole.
    pub(crate) fn whole(&mut self, rule: &'static Rule, message: impl Into<String>) {
        self.add(rule, None, None, &message.into());
    }

    /// Adds a finding at a byte offset.
    pub(crate) fn at(&mut self, rule: &'static Rule, offset: u64, message: impl Into<String>) {
        self.add(rule, Some(offset), None, &message.into());
    }

    /// Adds a finding about a named thing. The same rule about the same thing is listed once.
    pub(crate) fn about(
        &mut self,
        rule: &'static Rule,
        offset: Option<u64>,
        target: impl fmt::Display,
        message: impl Into<String>,
    ) {
        self.add(rule, offset, Some(clip(&target.to_string())), &message.into());
    }

    fn add(&mut self, rule: &'static Rule, offset: Option<u64>, target: Option<String>, message: &str) {
        self.status = self.status.max(rule.status);
        self.verdict = self.verdict.max(rule.severity.verdict());
        // A file may be nothing but hits, and a few compressed bytes may be many.
        let about = target.clone().unwrap_or_else(|| cut(message, MESSAGE));
        let key = (rule.id, self.inside.clone(), about);
        if self.seen.contains(&key) {
            self.repeated += 1;
            return;
        }
        if self.list.len() >= LISTED {
            self.unlisted += 1;
            return;
        }
        self.seen.insert(key);
        self.list.push(Finding {
            rule: Cow::Borrowed(rule.id),
            severity: rule.severity,
            member: self.inside.clone(),
            offset,
            target,
            message: cut(message, MESSAGE),
            suppressed: None,
            excerpt: Vec::new(),
        });
    }

    /// How many are listed; the next one gets this place.
    pub(crate) fn listed(&self) -> usize {
        self.list.len()
    }

    /// Adds a line to what is shown around the finding in a place of the list; false where there is enough of that.
    pub(crate) fn excerpt(&mut self, place: usize, line: ExcerptLine) -> bool {
        let shown = self.excerpts;
        let Some(finding) = self.list.get_mut(place) else { return false };
        if finding.excerpt.is_empty() {
            if shown >= EXCERPTS {
                return false;
            }
            self.excerpts += 1;
        }
        finding.excerpt.push(line);
        true
    }

    /// Whether a rule has fired that tells what loading would do, rather than that something is damaged or unknown.
    pub(crate) fn tells_what_is_done(&self) -> bool {
        self.unlisted > 0
            || self
                .list
                .iter()
                .any(|finding| !finding.rule.starts_with(INTEGRITY) && finding.severity >= Severity::High)
    }

    /// Takes over what another collection holds.
    pub(crate) fn append(&mut self, other: Self) {
        self.status = self.status.max(other.status);
        self.verdict = self.verdict.max(other.verdict);
        self.repeated += other.repeated;
        self.unlisted += other.unlisted;
        self.facts.append(other.facts);
        self.excerpts += other.excerpts;
        self.seen.extend(other.seen);
        self.list.extend(other.list);
    }

    /// Everything there is to say of a finished analysis: what is listed, and how many more hits on the same things there
    /// were. `None` where the analysis did not come to its end or not everything is listed.
    pub(crate) fn complete(&self) -> Option<(&[Finding], u64)> {
        let complete = self.status == Status::Complete && self.unlisted == 0 && self.members.is_empty();
        complete.then_some((&self.list, self.repeated))
    }

    /// What [`complete`](Self::complete) told of an earlier analysis; `None` where this analysis never finds that.
    pub(crate) fn remembered(list: Vec<Finding>, repeated: u64) -> Option<Self> {
        let mut findings = Self::new();
        for finding in &list {
            let rule = rules::find(&finding.rule)?;
            if rule.severity != finding.severity || finding.suppressed.is_some() {
                return None;
            }
            findings.status = findings.status.max(rule.status);
            findings.verdict = findings.verdict.max(rule.severity.verdict());
            let about = finding.target.as_ref().unwrap_or(&finding.message).clone();
            findings.seen.insert((rule.id, finding.member.clone(), about));
        }
        findings.list = list;
        findings.repeated = repeated;
        Some(findings).filter(|findings| findings.complete().is_some())
    }

    /// How far the analysis got and what it thinks so far.
    pub(crate) fn outcome(&self) -> (Status, Verdict) {
        judge(self.status, self.verdict)
    }

    /// The findings, most severe first. `file` is the path of the file inside its directory, where it has one; it
    /// comes before the members inside the file.
    pub(crate) fn into_list(mut self, file: Option<&str>) -> Vec<Finding> {
        if self.unlisted > 0 {
            let unlisted = self.unlisted;
            self.whole_unlimited(&rules::MORE, format!("{unlisted} more are not listed"));
        }
        if self.repeated > 0 {
            let repeated = self.repeated;
            self.whole_unlimited(&rules::REPEATED, format!("{repeated} more hits on what is listed already"));
        }
        for finding in &mut self.list {
            finding.member = match (file, finding.member.take()) {
                (Some(file), Some(member)) => Some(format!("{file}{INSIDE}{member}")),
                (file, member) => file.map(str::to_owned).or(member),
            };
        }
        self.list.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.offset.cmp(&b.offset)));
        self.list
    }

    fn whole_unlimited(&mut self, rule: &'static Rule, message: String) {
        self.list.push(Finding {
            rule: Cow::Borrowed(rule.id),
            severity: rule.severity,
            member: None,
            offset: None,
            target: None,
            message,
            suppressed: None,
            excerpt: Vec::new(),
        });
    }
}

/// A pass needs a complete analysis: what could not be judged is at least worth a look.
pub(crate) fn judge(status: Status, verdict: Verdict) -> (Status, Verdict) {
    let verdict = if status == Status::Complete { verdict } else { verdict.max(Verdict::Warn) };
    (status, verdict)
}

/// Untrusted text made safe to print: control characters escaped, length bounded.
pub(crate) fn clip(text: &str) -> String {
    cut(text, QUOTED)
}

/// Untrusted text made safe to print in at most `limit` characters, and whether that is all of it.
pub(crate) fn escape(text: &str, limit: usize) -> (String, bool) {
    let mut out = String::new();
    let mut room = limit;
    for c in text.chars() {
        let shown: String = printable(c).collect();
        let width = shown.chars().count();
        if width > room {
            return (out, false);
        }
        room -= width;
        out.push_str(&shown);
    }
    (out, true)
}

/// Text of at most as many characters, before any of them is escaped.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(limit).flat_map(printable).collect();
    if text.chars().nth(limit).is_some() {
        out.push('…');
    }
    out
}

fn printable(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let (plain, code) = if escaped { (None, Some(c.escape_default())) } else { (Some(c), None) };
    plain.into_iter().chain(code.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_still_counts_what_it_drops() {
        let mut findings = Findings::new();
        for n in 0..LISTED + 5 {
            findings.about(&rules::MORE, None, n, "x");
        }
        findings.about(&rules::EMPTY, None, "late", "x");
        assert_eq!(findings.outcome(), (Status::Error, Verdict::Reject));
        assert!(findings.into_list(None).iter().any(|f| f.message == "6 more are not listed"));
    }

    #[test]
    fn members_are_named_from_the_outside_in() {
        let mut findings = Findings::new();
        findings.enter("a.zip");
        findings.enter("data.pkl");
        findings.about(&rules::EMPTY, None, "x", "x");
        findings.leave();
        findings.about(&rules::EMPTY, None, "x", "x");
        findings.leave();
        let list = findings.into_list(Some("m.nemo"));
        let members: Vec<_> = list.iter().filter_map(|finding| finding.member.as_deref()).collect();
        assert_eq!(members, ["m.nemo!/a.zip!/data.pkl", "m.nemo!/a.zip"]);
    }

    #[test]
    fn what_is_hit_again_is_counted_and_not_lost() {
        let mut findings = Findings::new();
        for _ in 0..3 {
            findings.about(&rules::CUSTOM_DOMAIN, None, "com.example::Op", "x");
        }
        let list = findings.into_list(None);
        let rules: Vec<&str> = list.iter().map(|finding| finding.rule.as_ref()).collect();
        assert_eq!(rules, [rules::CUSTOM_DOMAIN.id, rules::REPEATED.id]);
        assert!(list[1].message.starts_with("2 more hits"), "{list:#?}");
    }

    #[test]
    fn hostile_text_is_escaped_and_cut() {
        let mut findings = Findings::new();
        findings.whole(&rules::EMPTY, format!("it says \u{1b}[2J{}", "x".repeat(2 * MESSAGE)));
        let message = findings.into_list(None).remove(0).message;
        assert!(message.starts_with("it says \\u{1b}[2Jxx"), "{message}");
        assert!(message.chars().count() < MESSAGE + 10);
        assert_eq!(clip("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(clip(&"x".repeat(1000)).chars().count(), QUOTED + 1);
    }
}
