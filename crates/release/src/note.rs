//! The text of a release, for people: what it is, how it was judged, how to get it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use tagship_domain::{ByteSize, Manifest, gate::Outcome};

use crate::{card::code, since::Since};

/// Most characters of a commit's first line.
const SUBJECT: usize = 200;

/// Markdown for the forge's release page. Foreign text (names of metrics, messages of commits) stands in code spans only.
pub(crate) fn release_note(manifest: &Manifest, since: &Since) -> String {
    let mut text = format!(
        "**{}** {} · {} · {} · `{}`\n\n",
        manifest.model,
        manifest.version,
        manifest.format,
        ByteSize::bytes(manifest.size),
        manifest.digest
    );
    text.push_str(&metrics(manifest, since.previous.as_ref()));
    let passed = manifest.gate.checks.iter().filter(|check| check.outcome == Outcome::Successful).count();
    let _ = writeln!(
        text,
        "Validation: {}. Gate: {} ({passed} of {} checks).\n",
        manifest.validation.verdict,
        manifest.gate.outcome,
        manifest.gate.checks.len()
    );
    text.push_str(&changes(since));
    let _ = writeln!(text, "```\ntagship pull {}@{}\n```", manifest.model, manifest.version);
    text
}

/// Every metric, beside that of the version before where there is one.
fn metrics(manifest: &Manifest, previous: Option<&Manifest>) -> String {
    let (new, none) = (&manifest.metrics, BTreeMap::new());
    let old = previous.map_or(&none, |previous| &previous.metrics);
    let names: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
    if names.is_empty() {
        return String::new();
    }
    let mut text = match previous {
        None => "| metric | value |\n|---|---:|\n".to_owned(),
        Some(previous) => format!(
            "| metric | {} | {} | change |\n|---|---:|---:|---:|\n",
            previous.version, manifest.version
        ),
    };
    let shown = |value: Option<&f64>| value.map_or("-".to_owned(), f64::to_string);
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        let _ = match previous {
            None => writeln!(text, "| {} | {} |", code(name), shown(after)),
            Some(_) => {
                let change =
                    before.zip(after).map_or("-".to_owned(), |(before, after)| change(*before, *after));
                writeln!(text, "| {} | {} | {} | {change} |", code(name), shown(before), shown(after))
            }
        };
    }
    text.push('\n');
    text
}

/// A difference with its sign, to six digits behind the point.
fn change(before: f64, after: f64) -> String {
    let text = format!("{:+.6}", after - before);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if matches!(short, "+0" | "-0") { "0".to_owned() } else { short.to_owned() }
}

/// The commits since the version before.
fn changes(since: &Since) -> String {
    let Some(previous) = &since.previous else { return String::new() };
    if since.commits.is_empty() {
        return String::new();
    }
    let mut text = format!("Commits since {}:\n\n", previous.version);
    for (id, subject) in &since.commits {
        let subject: String = subject.chars().take(SUBJECT).collect();
        let _ = writeln!(text, "- {} {}", id.short(), code(&subject));
    }
    if !since.complete {
        text.push_str("- and earlier ones\n");
    }
    text.push('\n');
    text
}
