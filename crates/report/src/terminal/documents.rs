//! Decision, validation, gate and release.

use tagship_domain::{
    decision::Decision,
    gate::{GateReport, MetricDiff, Outcome},
    release::Release,
    units::ByteSize,
    validation::{ArtifactReport, Finding, ValidationReport, Verdict},
};

use super::{
    paint::Style,
    table::{annotated, list, marked, table},
};
use crate::{
    excerpt, facts,
    mark::{self, Mark},
    number, sentence,
    text::counted,
};

/// Findings of one artifact whose opcodes are shown; the document has more.
const EXCERPTS: usize = 3;
/// Most rows of one list; a terminal is no place for five hundred findings.
const ROWS: usize = 40;

/// What was decided, one line per model and environment.
pub fn decision(decision: &Decision, style: &Style) -> String {
    let mut text = style.indented(&decision.sentence, 0);
    if decision.items.len() > 1 {
        let row = |item: &tagship_domain::decision::DecisionItem| {
            let environment = item.environment.as_ref().map_or("-".to_owned(), ToString::to_string);
            vec![item.model.to_string(), environment, item.action.to_string(), item.sentence.clone()]
        };
        let rows: Vec<Vec<String>> = decision.items.iter().map(row).collect();
        text.push('\n');
        text.push_str(&table(&["MODEL", "ENVIRONMENT", "ACTION", "WHY"], &rows, style));
    }
    text
}

/// What validation says about each artifact, with the findings and what to do about them.
pub fn validation(report: &ValidationReport, style: &Style) -> String {
    let subject = match report.artifacts.as_slice() {
        [only] => style.text(&only.path, 80),
        artifacts => {
            let all = counted(artifacts.len(), "artifact");
            let is_clean = report.passed() && report.verdict == Verdict::Pass;
            if is_clean { all } else { format!("at least one of {all}") }
        }
    };
    let mut text = style.headline(&sentence::validation(report, &subject));
    for artifact in report.artifacts.iter().take(ROWS) {
        text.push_str(&style.indented(&identity(artifact), 2));
        if let Some(facts) = &artifact.facts {
            text.push_str(&style.indented(&facts::words(facts).join(" · "), 2));
        }
        text.push_str(&findings(&artifact.findings, style));
        text.push_str(&cases(artifact, style));
    }
    text.push_str(&more(report.artifacts.len(), "artifact"));
    text
}

fn identity(artifact: &ArtifactReport) -> String {
    let size = ByteSize::bytes(artifact.size);
    let digest = artifact.sha256.as_ref().map(|digest| format!(" · sha256:{}", digest.short()));
    format!("{} · {} · {size}{}", artifact.path, artifact.format, digest.unwrap_or_default())
}

fn findings(findings: &[Finding], style: &Style) -> String {
    let row = |finding: &Finding| {
        let about: Vec<&str> =
            finding.target.as_deref().into_iter().chain(finding.member.as_deref()).collect();
        let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(" in ")) };
        let reason = finding.suppressed.as_deref();
        let suppressed = reason.map(|reason| format!(" · suppressed: {reason}")).unwrap_or_default();
        let cells = vec![finding.rule.to_string(), format!("{}{about}{suppressed}", finding.message)];
        (mark::of(finding), cells)
    };
    let rows: Vec<(Mark, Vec<String>)> = findings.iter().take(ROWS).map(row).collect();
    annotated(&rows, &excerpts(findings, style), style) + &more(findings.len(), "finding")
}

/// The opcodes around the first findings that reject, below the finding that each belongs to.
fn excerpts(findings: &[Finding], style: &Style) -> Vec<Vec<String>> {
    let mut shown = 0;
    let lines = |finding: &Finding| {
        let rejects = finding.severity.verdict() == Verdict::Reject && finding.suppressed.is_none();
        if !rejects || finding.excerpt.is_empty() || shown == EXCERPTS {
            return Vec::new();
        }
        shown += 1;
        excerpt::lines(&finding.excerpt).iter().map(|line| style.laid_out(line)).collect()
    };
    findings.iter().take(ROWS).map(lines).collect()
}

fn cases(artifact: &ArtifactReport, style: &Style) -> String {
    let Some(golden) = &artifact.golden else { return String::new() };
    let passed = golden.cases.iter().filter(|case| case.passed).count();
    let mut rows = Vec::new();
    if !golden.cases.is_empty() {
        let mark = if passed == golden.cases.len() { Mark::Passed } else { Mark::Failed };
        let words = format!("{passed} of {} passed", counted(golden.cases.len(), "golden case"));
        rows.push((mark, vec![words]));
    }
    for case in golden.cases.iter().filter(|case| !case.passed).take(ROWS) {
        let why = case.message.as_deref().unwrap_or("no reason was given");
        rows.push((Mark::Failed, vec![format!("{}: {why}", case.name)]));
    }
    if let Some(message) = &golden.message {
        rows.push((Mark::Unknown, vec![message.clone()]));
    }
    marked(&rows, style)
}

fn more(count: usize, noun: &str) -> String {
    let left_out = count.saturating_sub(ROWS);
    if left_out == 0 {
        String::new()
    } else {
        format!("  and {}\n", counted(left_out, &format!("more {noun}")))
    }
}

/// What the gate says: its checks, what did not pass first, and the metrics beside the stable version's.
pub fn gate(report: &GateReport, style: &Style) -> String {
    let subject = report.model.as_ref().map_or("the candidate".to_owned(), ToString::to_string);
    let mut text = style.headline(&sentence::gate(report, &subject));
    let mut checks: Vec<_> = report.checks.iter().collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.outcome > Outcome::Successful));
    let row = |check: &&tagship_domain::gate::GateCheck| {
        (Mark::from(check.outcome), vec![check.name.clone(), check.message.clone()])
    };
    let rows: Vec<(Mark, Vec<String>)> = checks.iter().take(ROWS).map(row).collect();
    text.push_str(&marked(&rows, style));
    text.push_str(&more(report.checks.len(), "check"));
    if !report.metrics.is_empty() {
        text.push('\n');
        text.push_str(&metrics(report, style));
    }
    text
}

fn metrics(report: &GateReport, style: &Style) -> String {
    let shown = |number: Option<f64>| number.map_or("-".to_owned(), number::value);
    let row = |metric: &MetricDiff| {
        let (candidate, stable) = match (metric.candidate, metric.stable) {
            (Some(candidate), Some(stable)) => number::pair(candidate, stable),
            (candidate, stable) => (shown(candidate), shown(stable)),
        };
        let change = metric.candidate.zip(metric.stable).and_then(|(new, old)| number::change(new, old));
        let change = change.map(|change| format!("{} {}", change.arrow, change.text)).unwrap_or_default();
        vec![metric.name.clone(), candidate, stable, change]
    };
    let rows: Vec<Vec<String>> = report.metrics.iter().take(ROWS).map(row).collect();
    let stable = report.stable.as_ref().map_or("STABLE".to_owned(), |version| format!("STABLE {version}"));
    table(&["METRIC", "CANDIDATE", &stable, "CHANGE"], &rows, style) + &more(report.metrics.len(), "metric")
}

/// A release, and why it got its version.
pub fn release(release: &Release, because: Option<&str>, style: &Style) -> String {
    let symbol = style.mark(Mark::Passed);
    let name = style.bold(&style.text(&release.to_string(), 120));
    let mut text = format!("{symbol} {name} is released\n");
    let mut rows = vec![
        vec!["bytes".to_owned(), release.digest.to_string()],
        vec!["from".to_owned(), format!("commit {}", release.commit)],
    ];
    rows.extend(because.map(|because| vec!["why".to_owned(), because.to_owned()]));
    text.push_str(&list(&rows, style));
    text
}
