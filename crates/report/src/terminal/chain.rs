//! The chain of evidence of a release, link by link.

use std::fmt::Write as _;

use tagship_domain::{
    Provenance, Release,
    chain::{
        AttestationLink, Attested, Chain, ChainCheck, ChainOutcome, RolloutLink, SourceLink, StageLink,
        TagLink,
    },
    release::Manifest,
    rollout::Kind,
    units::ByteSize,
};

use super::{documents, paint::Style, table::marked};
use crate::{
    mark::{Mark, Tone},
    sentence::Headline,
    text::counted,
};

/// Columns of the name of a link.
const NAME: usize = 11;

/// Everything that is known about a release, from its bytes to where it serves, and what was checked again.
pub fn chain(chain: &Chain, style: &Style) -> String {
    let mut text = style.headline(&headline(chain));
    let release = &chain.release;
    let mut line = |name: &str, words: String| text.push_str(&link(name, &words, style));
    line("bytes", release.digest.to_string());
    if let Some(manifest) = &chain.manifest {
        line("", artifact(manifest));
        if let Some(origin) = &manifest.origin {
            line("origin", origin.to_string());
        }
    }
    line("manifest", format!("{} in {}", release.manifest, chain.store));
    for place in &chain.places {
        line(&place.layout, place.reference.clone());
    }
    for (index, (kind, file)) in chain.manifest.iter().flat_map(|manifest| &manifest.attachments).enumerate()
    {
        let name = if index == 0 { "documents" } else { "" };
        line(name, format!("{} {}", kind.file_name(), file.sha256));
    }
    if let Some(source) = &chain.source {
        line("commit", commit(source));
        line("", pull_requests(source));
    }
    if let Some(manifest) = &chain.manifest {
        line("released", tag(&chain.tag));
        let findings = manifest.validation.artifacts.iter().map(|artifact| artifact.findings.len()).sum();
        line("validation", format!("{}, {}", manifest.validation.verdict, counted(findings, "finding")));
    }
    line("signature", signature(chain));
    if let Some(attested) = &chain.attested {
        for words in attestations(attested, release) {
            line("attested", words);
        }
    }
    if let Some(stage) = &chain.stage {
        line("stage", format!("{}: {}", stage.environment, tag(&stage.tag)));
        for words in stage.rollout.iter().flat_map(|link| rollout(link, stage)) {
            line("rollout", words);
        }
    }
    if let Some(manifest) = &chain.manifest {
        text.push('\n');
        text.push_str(&documents::gate(&manifest.gate, style));
    }
    if !chain.checks.is_empty() {
        text.push('\n');
        text.push_str(&checks(&chain.checks, style));
    }
    text
}

fn headline(chain: &Chain) -> Headline {
    let release = &chain.release;
    let name = match &chain.stage {
        None => release.to_string(),
        Some(stage) => format!("{release} in {}", stage.environment),
    };
    let broken = chain.checks.iter().filter(|check| check.outcome == ChainOutcome::Broken).count();
    let unknown = chain.checks.iter().filter(|check| check.outcome == ChainOutcome::Unknown).count();
    let (mark, tone, words) = match (chain.checks.len(), broken, unknown) {
        (0, _, _) => (Mark::Neutral, Mark::Neutral.tone(), String::new()),
        (_, 0, 0) => (Mark::Passed, Tone::Good, ": every link of the chain holds".to_owned()),
        (_, 0, some) => {
            (Mark::Unknown, Mark::Unknown.tone(), format!(": {} could not be checked", counted(some, "link")))
        }
        (_, some, _) => (Mark::Failed, Tone::Bad, format!(": {} broken", counted(some, "link"))),
    };
    Headline { symbol: mark, tone, text: format!("{name}{words}") }
}

fn link(name: &str, words: &str, style: &Style) -> String {
    let lines = style.wrap(words, style.columns().saturating_sub(NAME + 4).max(24));
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let _ = writeln!(text, "  {}  {line}", style.dim(&format!("{name:<NAME$}")));
    }
    text
}

fn artifact(manifest: &Manifest) -> String {
    let (files, size) = (counted(manifest.files.len(), "file"), ByteSize::bytes(manifest.size));
    format!("{}, {size} in {files}", manifest.format)
}

fn commit(source: &SourceLink) -> String {
    let SourceLink { commit, subject, author, at, .. } = source;
    format!("{} {subject} ({author}, {})", commit.short(), at.readable())
}

fn pull_requests(source: &SourceLink) -> String {
    match source.pull_requests.as_deref() {
        None => "which pull request brought it is unknown".to_owned(),
        Some([]) => "no pull request brought it".to_owned(),
        Some(numbers) => {
            let numbers = numbers.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(", ");
            format!("pull request {numbers}")
        }
    }
}

fn tag(tag: &TagLink) -> String {
    let reason = tag.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("tag {} {} at {}{reason}", tag.name, by(&tag.by), tag.at.readable())
}

fn by(by: &Provenance) -> String {
    let run = by.run.as_ref().map(|run| format!(" in {run}")).unwrap_or_default();
    format!("by {}{run}", by.actor)
}

fn signature(chain: &Chain) -> String {
    use tagship_domain::release::Attachment;
    let attached =
        chain.manifest.as_ref().and_then(|manifest| manifest.attachments.get(&Attachment::Signature));
    match (&chain.signature, attached) {
        (Some(link), _) => format!("by the trusted key {}", link.key),
        (None, Some(bundle)) => format!("{}, by no key that is trusted here", bundle.sha256),
        (None, None) => "none".to_owned(),
    }
}

fn attestations(attested: &Attested, release: &Release) -> Vec<String> {
    if attested.verified.is_empty() {
        let counted = counted(attested.kept, "attestation");
        return vec![format!(
            "{counted}, none of which is verified here; `tagship verify {release}` says more"
        )];
    }
    let told = |link: &AttestationLink| {
        let AttestationLink { workflow, reference, commit, run } = link;
        let run = run.as_ref().map(|run| format!(" in {run}")).unwrap_or_default();
        format!("by {workflow} for {reference}, commit {}{run}", commit.short())
    };
    attested.verified.iter().map(told).collect()
}

fn rollout(link: &RolloutLink, stage: &StageLink) -> Vec<String> {
    let RolloutLink { id, kind, candidate, phase, message, started, since, .. } = link;
    let verb = match kind {
        Kind::Deploy => "of",
        Kind::Rollback => "back to",
    };
    let mut lines = vec![
        format!("{id} {verb} {candidate} {}", by(&link.by)),
        format!("{phase} at {}, begun at {}: {message}", since.readable(), started.readable()),
    ];
    lines.extend(link.waived.as_ref().map(|who| format!("led on past what was not done {}", by(who))));
    lines.push(format!("`tagship rollout explain --environment {}` says why", stage.environment));
    lines
}

fn checks(checks: &[ChainCheck], style: &Style) -> String {
    let row = |check: &ChainCheck| {
        let mark = match check.outcome {
            ChainOutcome::Holds => Mark::Passed,
            ChainOutcome::Broken => Mark::Failed,
            ChainOutcome::Unknown => Mark::Unknown,
            ChainOutcome::NotApplicable => Mark::Neutral,
        };
        (mark, vec![check.link.name().to_owned(), check.sentence.clone()])
    };
    marked(&checks.iter().map(row).collect::<Vec<_>>(), style)
}
