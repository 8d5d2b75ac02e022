//! docs/reference/rules.md and docs/rules: what each rule of `tagship validate` says, why it is there, and what to do.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Serialize;
use tagship_artifact::rules::{ALL, Rule};
use tagship_domain::validation::Verdict;

use super::{Generated, MARK, row};

/// The families of rules, by the letters that their ids begin with.
const FAMILIES: &[(&str, &str)] = &[
    ("INT", "Integrity: the bytes are not what they should be"),
    ("ARC", "Archives and compressed streams"),
    ("PKL", "Pickle"),
    ("TOR", "PyTorch"),
    ("NPY", "numpy"),
    ("STF", "safetensors"),
    ("ONX", "ONNX"),
    ("GGU", "GGUF"),
    ("KER", "Keras"),
    ("HDF", "HDF5"),
    ("TFS", "TensorFlow"),
    ("SKO", "skops"),
    ("SEC", "Content that no model needs, and text that runs"),
    ("POL", "Policy: `validate` in `tagship.yml`"),
];

const INTRODUCTION: &str = "# Rules of `tagship validate`

A finding has the id of a rule. Its severity decides the verdict; *analysis* says how far the analysis can have got
where the rule hits. A pass needs a complete analysis and no finding above low: `incomplete` and `error` are never a pass.

";

pub(super) fn generate() -> Result<Vec<Generated>> {
    let mut files = vec![overview()?];
    for rule in ALL {
        files.push(page(rule)?);
    }
    Ok(files)
}

/// A page about one rule.
fn page(rule: &Rule) -> Result<Generated> {
    let rule = rule.describe();
    let mut page = format!("{MARK}# {}: {}\n\n", rule.id, rule.title);
    page.push_str("| severity | verdict | analysis |\n|---|---|---|\n");
    page.push_str(&row(&[&word(&rule.severity)?, &rule.verdict.to_string(), &word(&rule.status)?]));
    let _ = write!(page, "\n## Why\n\n{}\n\n## What to do\n\n{}\n", rule.why, rule.remedy);
    if !rule.references.is_empty() {
        page.push_str("\n## More\n\n");
        for reference in &rule.references {
            let _ = writeln!(page, "- [{}]({})", reference.title, reference.url);
        }
    }
    page.push_str("\n[All rules](../reference/rules.md)\n");
    Ok(Generated { path: format!("docs/rules/{}.md", rule.id).into(), content: page })
}

fn overview() -> Result<Generated> {
    let mut page = format!("{MARK}{INTRODUCTION}");
    for (letters, title) in FAMILIES {
        let _ = writeln!(page, "## {title}\n");
        page.push_str(
            "| rule | says | severity | verdict | analysis | what to do |\n|---|---|---|---|---|---|\n",
        );
        for rule in ALL.iter().filter(|rule| rule.id.starts_with(letters)) {
            page.push_str(&line(rule)?);
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    Ok(Generated { path: "docs/reference/rules.md".into(), content: page })
}

fn line(rule: &Rule) -> Result<String> {
    let verdict: Verdict = rule.severity.verdict();
    Ok(row(&[
        &format!("[`{0}`](../rules/{0}.md)", rule.id),
        rule.title,
        &word(&rule.severity)?,
        &verdict.to_string(),
        &word(&rule.status)?,
        rule.remedy,
    ]))
}

/// A word as it stands in documents.
fn word<T: Serialize>(value: &T) -> Result<String> {
    let json = serde_json::to_value(value)?;
    json.as_str().map(str::to_owned).context("a word is a JSON string")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_a_family() {
        let page = &overview().unwrap().content;
        for rule in ALL {
            assert!(page.contains(&format!("| [`{}`]", rule.id)), "{}", rule.id);
        }
    }
}
