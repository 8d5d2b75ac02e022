//! What validation found: in the open where it stops the change, folded with the artifacts where it does not.

use tagship_domain::{
    signature::TensorSpec,
    units::ByteSize,
    validation::{ArtifactReport, Finding, GoldenCase, Severity, ValidationReport},
};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{
    facts,
    mark::{self, Mark},
    number,
    text::counted,
};

/// Findings and failed golden cases of a report that did not pass, most severe first.
pub(crate) fn culprits(report: &ValidationReport, rows: usize) -> Block {
    if report.passed()
        && !all(report)
            .any(|(_, finding)| finding.severity >= Severity::Medium && finding.suppressed.is_none())
    {
        return Block::default();
    }
    let mut found: Vec<(&ArtifactReport, &Finding)> = all(report).collect();
    found.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    let mut blocks = Vec::new();
    if !found.is_empty() {
        blocks.push(findings(&found, rows));
    }
    blocks.extend(report.artifacts.iter().filter_map(|artifact| failed_cases(artifact, rows)));
    Block::stack(&blocks)
}

fn all(report: &ValidationReport) -> impl Iterator<Item = (&ArtifactReport, &Finding)> {
    report
        .artifacts
        .iter()
        .flat_map(|artifact| artifact.findings.iter().map(move |finding| (artifact, finding)))
}

fn findings(found: &[(&ArtifactReport, &Finding)], rows: usize) -> Block {
    let header = [
        (Inline::fixed(""), Align::Centre),
        (Inline::fixed("Rule"), Align::Left),
        (Inline::fixed("What and where"), Align::Left),
    ];
    let cells = |(artifact, finding): &(&ArtifactReport, &Finding)| {
        vec![
            Inline::fixed(mark::of(finding).emoji()),
            Inline::code(&finding.rule, 40)
                .and(Inline::fixed("<br>"))
                .and(Inline::fixed(severity_name(finding.severity)).small()),
            Inline::prose(&finding.message, 400)
                .and(Inline::fixed("<br>"))
                .and(place(artifact, finding).small())
                .and(suppressed(finding)),
        ]
    };
    Block::table(&header, &capped(found.iter().map(cells).collect(), rows))
}

/// Why a finding does not count.
fn suppressed(finding: &Finding) -> Inline {
    finding.suppressed.as_deref().map_or(Inline::fixed(""), |reason| {
        Inline::fixed("<br>").and(Inline::fixed("suppressed: ").and(Inline::prose(reason, 200)).small())
    })
}

/// The name of a severity for people.
fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn place(artifact: &ArtifactReport, finding: &Finding) -> Inline {
    let target = finding.target.as_deref().map(|target| Inline::code(target, 100));
    let path = match &finding.member {
        Some(member) => format!("{} → {member}", artifact.path),
        None => artifact.path.clone(),
    };
    let offset = finding.offset.map(|offset| Inline::text(&format!("byte {offset}"), 40));
    Inline::join(target.into_iter().chain([Inline::code(&path, 160)]).chain(offset), " · ")
}

fn failed_cases(artifact: &ArtifactReport, rows: usize) -> Option<Block> {
    let golden = artifact.golden.as_ref()?;
    let failed: Vec<&GoldenCase> = golden.cases.iter().filter(|case| !case.passed).collect();
    if failed.is_empty() {
        let message = golden.message.as_deref()?;
        return Some(Block::paragraph(&Inline::fixed("**Golden cases:** ").and(Inline::prose(message, 400))));
    }
    let header = [
        (Inline::fixed(""), Align::Centre),
        (Inline::fixed("Golden case"), Align::Left),
        (Inline::fixed("What differed"), Align::Left),
    ];
    let cells = |case: &&GoldenCase| {
        vec![
            Inline::fixed("❌"),
            Inline::text(&case.name, 80).bold(),
            case.message.as_deref().map_or(Inline::fixed("–"), |message| Inline::prose(message, 300)),
        ]
    };
    Some(Block::table(&header, &capped(failed.iter().map(cells).collect(), rows)))
}

/// Every artifact with its interface and golden cases, folded.
pub(crate) fn artifacts(report: &ValidationReport, rows: usize) -> Block {
    if report.artifacts.is_empty() {
        return Block::default();
    }
    let line = format!("Validation: {}{}", counted(report.artifacts.len(), "artifact"), golden_words(report));
    let shown = report.artifacts.iter().take(rows);
    let mut blocks: Vec<Block> = shown.map(|artifact| describe(artifact, rows)).collect();
    if report.artifacts.len() > rows {
        let more = format!("… {} more artifacts", report.artifacts.len() - rows);
        blocks.push(Block::paragraph(&Inline::text(&more, 60)));
    }
    Block::fold(&Inline::text(&line, 120), false, &blocks)
}

fn golden_words(report: &ValidationReport) -> String {
    let cases =
        || report.artifacts.iter().filter_map(|artifact| artifact.golden.as_ref()).flat_map(|g| &g.cases);
    match cases().count() {
        0 => String::new(),
        all => format!(
            ", {} of {} passed",
            cases().filter(|case| case.passed).count(),
            counted(all, "golden case")
        ),
    }
}

fn describe(artifact: &ArtifactReport, rows: usize) -> Block {
    let digest = artifact.sha256.as_ref().map(|digest| Inline::code(&digest.to_string(), 80));
    let mark = Mark::judged(artifact.status, artifact.verdict);
    let facts = [
        Inline::fixed(mark.emoji()).and(Inline::fixed(" ")).and(Inline::code(&artifact.path, 160)),
        Inline::text(&artifact.format, 40),
        Inline::text(&ByteSize::bytes(artifact.size).to_string(), 40),
    ];
    let mut blocks = vec![Block::paragraph(&Inline::join(facts.into_iter().chain(digest), " · "))];
    if let Some(facts) = &artifact.facts {
        let words = facts::words(facts);
        let words = words.iter().map(|word| Inline::text(word, 120));
        blocks.push(Block::paragraph(&Inline::join(words, " · ")));
    }
    if let Some(signature) = &artifact.signature {
        let list = |name, specs: &[TensorSpec]| {
            let specs = specs.iter().take(rows).map(|spec| Inline::code(&spec.to_string(), 120));
            Inline::fixed(name).and(Inline::join(specs, ", "))
        };
        let lines = [list("In: ", &signature.inputs), list("Out: ", &signature.outputs)];
        blocks.push(Block::paragraph(&Inline::join(lines, "<br>")));
    }
    blocks.extend(golden(artifact, rows));
    Block::stack(&blocks)
}

fn golden(artifact: &ArtifactReport, rows: usize) -> Option<Block> {
    let cases = artifact.golden.as_ref().map(|golden| &golden.cases).filter(|cases| !cases.is_empty())?;
    let header = [
        (Inline::fixed(""), Align::Centre),
        (Inline::fixed("Golden case"), Align::Left),
        (Inline::fixed("Largest difference"), Align::Right),
        (Inline::fixed("Time"), Align::Right),
    ];
    let cells = |case: &GoldenCase| {
        vec![
            Inline::fixed(if case.passed { Mark::Passed } else { Mark::Failed }.emoji()),
            Inline::text(&case.name, 80),
            case.max_difference
                .map_or(Inline::fixed("–"), |difference| Inline::text(&number::value(difference), 40)),
            Inline::text(&format!("{:.1} ms", case.latency_ms), 40),
        ]
    };
    Some(Block::table(&header, &capped(cases.iter().map(cells).collect(), rows)))
}
