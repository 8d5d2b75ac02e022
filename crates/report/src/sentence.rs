//! The words for every state, in one place: comment, terminal, description of a deployment and journal agree.
//!
//! What comes out is plain text on one line, cleaned of everything that hides or moves; a renderer that needs
//! escaping adds it.

mod rollout;

use std::collections::BTreeSet;

use tagship_domain::{
    ModelName,
    decision::{Action, DecisionItem, ReasonCode},
    exit::Exit,
    gate::{GateCheck, GateReport, Outcome},
    report::Section,
    validation::{ArtifactReport, Finding, Status, ValidationReport, Verdict},
};

pub(crate) use rollout::is_preview;
pub use rollout::{DESCRIPTION_LIMIT, description, effect_words, phase_name, rollout, standing};

use crate::{
    mark::{Mark, Tone},
    number, standing as watching,
    text::{clean, counted},
};

/// Longest name that is shown in a sentence.
const NAME_LIMIT: usize = 60;
/// Longest cause that is shown in a headline.
const CAUSE_LIMIT: usize = 110;

/// A state in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// Its symbol.
    pub symbol: Mark,
    /// How it feels.
    pub tone: Tone,
    /// The sentence, without a full stop.
    pub text: String,
}

impl Headline {
    fn new(mark: Mark, text: String) -> Self {
        Self { symbol: mark, tone: mark.tone(), text }
    }
}

/// How a model in an environment stands: its way there, or what was seen since where that is worse. A rollout that went well says
/// nothing about what came after it.
pub fn headline(section: &Section) -> Headline {
    let own = way(section);
    let looked = section.monitoring.as_deref().filter(|report| report.look.is_some());
    match looked.map(watching::standing).filter(|found| found.tone < own.tone) {
        Some(found) => {
            Headline::new(found.mark(), format!("{}, and monitoring says: {}", own.text, found.headline))
        }
        None => own,
    }
}

/// The state of a model on its way to an environment: what got furthest, or what stopped it.
pub(crate) fn way(section: &Section) -> Headline {
    let name = clean(section.model.as_str(), NAME_LIMIT);
    if let Some(state) = &section.rollout {
        return rollout(state);
    }
    if let Some(report) = section.validation.as_ref().filter(|report| !report.passed()) {
        return validation(report, &name);
    }
    if let Some(report) = section.gate.as_ref().filter(|report| report.exit() != Exit::Done) {
        return gate(report, &name);
    }
    if let Some(release) = &section.release {
        let place = section.environment.as_ref().map(|to| format!(" to {}", clean(to.as_str(), NAME_LIMIT)));
        let place = place.unwrap_or_default();
        let text = format!("{name} {} is released, not deployed{place} yet", release.version);
        return Headline::new(Mark::Waiting, text);
    }
    match (&section.gate, &section.validation, &section.next) {
        (Some(_), Some(_), Some(next)) => {
            Headline::new(Mark::Passed, format!("{name} is ready: merging releases {}", next.version))
        }
        (Some(report), ..) => gate(report, &name),
        (None, Some(report), _) => validation(report, &name),
        (None, None, _) => undecided(section, &name),
    }
}

/// Several sections in one line: the worst symbol, and how many stand how.
pub fn overview(sections: &[Section]) -> Headline {
    let headlines: Vec<Headline> = sections.iter().map(headline).collect();
    let Some(worst) = headlines.iter().min_by_key(|headline| headline.tone) else {
        return Headline::new(Mark::Neutral, "Nothing to do".to_owned());
    };
    let count = |tones: &[Tone]| headlines.iter().filter(|headline| tones.contains(&headline.tone)).count();
    let groups = [
        (count(&[Tone::Bad]), "failed"),
        (count(&[Tone::Unknown]), "undecided"),
        (count(&[Tone::Waiting]), "waiting"),
        (count(&[Tone::Running]), "under way"),
        (count(&[Tone::Good]), "good"),
        (count(&[Tone::Neutral]), "skipped"),
    ];
    let groups: Vec<String> =
        groups.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let models: BTreeSet<&ModelName> = sections.iter().map(|section| &section.model).collect();
    let noun = if models.len() == sections.len() { "model" } else { "deployment" };
    let text = format!("{}: {}", counted(headlines.len(), noun), groups.join(", "));
    Headline { symbol: worst.symbol, tone: worst.tone, text }
}

fn undecided(section: &Section, name: &str) -> Headline {
    match &section.decision {
        None => Headline::new(Mark::Waiting, format!("{name} has not been looked at yet")),
        Some(item) => Headline::new(action_mark(item), format!("{name}: {}", clean(&item.sentence, 160))),
    }
}

/// The symbol of a decision that nothing has followed yet.
pub fn action_mark(item: &DecisionItem) -> Mark {
    match item.action {
        Action::Skip if item.reason_code == ReasonCode::EnvironmentLocked => Mark::Waiting,
        Action::Skip => Mark::Neutral,
        Action::Rollback | Action::Abort => Mark::Back,
        Action::ValidateOnly
        | Action::Tick
        | Action::Pause
        | Action::Resume
        | Action::Promote
        | Action::PromoteFull
        | Action::Deploy
        | Action::Retry => Mark::Waiting,
    }
}

/// What validation said about `subject`.
pub fn validation(report: &ValidationReport, subject: &str) -> Headline {
    let mark = Mark::from(report);
    let cause = worst_finding(report).map(|finding| finding_words(finding, CAUSE_LIMIT));
    let text = match (mark, cause) {
        (Mark::Failed, Some(cause)) => format!("{subject} is rejected: {cause}"),
        (Mark::Failed, None) => format!("{subject} is rejected"),
        (Mark::Unknown, _) => format!("{subject} could not be judged: {}", incomplete_cause(report)),
        (_, Some(cause)) if report.verdict == Verdict::Warn => {
            format!("{subject} passed validation with a warning: {cause}")
        }
        _ => format!("{subject} passed validation"),
    };
    Headline::new(mark, text)
}

/// The most severe finding of all artifacts, the first of several.
pub(crate) fn worst_finding(report: &ValidationReport) -> Option<&Finding> {
    let findings = report.artifacts.iter().flat_map(ArtifactReport::counted);
    findings.reduce(|worst, finding| if finding.severity > worst.severity { finding } else { worst })
}

fn finding_words(finding: &Finding, limit: usize) -> String {
    // Findings say what is wrong, then what to do; a headline has room for the first.
    let (wrong, _) = finding.message.split_once("; ").unwrap_or((&finding.message, ""));
    format!("{} ({})", clean(wrong, limit), clean(&finding.rule, 20))
}

fn incomplete_cause(report: &ValidationReport) -> String {
    let Some(artifact) = report.artifacts.iter().find(|artifact| artifact.status != Status::Complete) else {
        return "there was nothing to judge".to_owned();
    };
    let golden = artifact.golden.as_ref().filter(|golden| golden.status != Status::Complete);
    let golden = golden.and_then(|golden| golden.message.as_deref());
    match (artifact.counted().next(), golden) {
        (Some(finding), _) => finding_words(finding, CAUSE_LIMIT),
        (None, Some(message)) => clean(message, CAUSE_LIMIT),
        (None, None) => clean(&format!("the analysis of {} did not finish", artifact.path), CAUSE_LIMIT),
    }
}

/// What the gate said about `subject`.
pub fn gate(report: &GateReport, subject: &str) -> Headline {
    let mark = Mark::from(report.outcome);
    let text = match report.exit() {
        Exit::Done => format!("{subject} passed the gate, {}", gate_count(report)),
        Exit::Negative => format!("{subject}: gate failed, {}", culprits(report)),
        _ => format!("{subject}: the gate could not decide, {}", culprits(report)),
    };
    let mark = if report.exit() == Exit::Incomplete { Mark::Unknown } else { mark };
    Headline::new(mark, text)
}

/// `5 of 5 checks`, leaving out those that do not apply.
pub fn gate_count(report: &GateReport) -> String {
    let (good, all) = gate_numbers(report);
    format!("{good} of {}", counted(all, "check"))
}

/// Checks that passed, and all that apply.
pub(crate) fn gate_numbers(report: &GateReport) -> (usize, usize) {
    let of = |outcome| report.checks.iter().filter(|check| check.outcome == outcome).count();
    (of(Outcome::Successful), report.checks.len() - of(Outcome::NotApplicable))
}

fn culprits(report: &GateReport) -> String {
    let guilty: Vec<&GateCheck> =
        report.checks.iter().filter(|check| check.outcome == report.outcome).collect();
    match guilty.split_first() {
        None => "no check applies".to_owned(),
        Some(_) if report.outcome <= Outcome::Successful => "no check applies".to_owned(),
        Some((first, [])) => check_words(first),
        Some((first, rest)) => format!("{} and {} more", check_words(first), rest.len()),
    }
}

/// A check in a few words: `accuracy is 0.83, not >= 0.90` for a plain bound that was missed, else its name.
fn check_words(check: &GateCheck) -> String {
    let name = || clean(&check.name, NAME_LIMIT);
    let ([seen], Some(expression), Outcome::Failed) =
        (check.saw.as_slice(), check.expression.as_deref(), check.outcome)
    else {
        return name();
    };
    let words: Vec<&str> = expression.split_whitespace().collect();
    let ([path, operator, bound], Some(number)) =
        (words.as_slice(), seen.value.as_ref().and_then(serde_json::Value::as_f64))
    else {
        return name();
    };
    if *path != seen.path || bound.parse::<f64>().is_err() {
        return name();
    }
    let metric = path.strip_prefix("metrics.").unwrap_or(path);
    clean(&format!("{metric} is {}, not {operator} {bound}", number::value(number)), CAUSE_LIMIT)
}
