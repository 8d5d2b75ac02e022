//! The model card of a release: the README beside the model, completed with what was measured and decided.
//!
//! The author's words stay as they are: what is added stands in a block of the front matter and in a section at the end,
//! and takes the place of what an earlier release added.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tagship_domain::{ByteSize, Manifest, gate::Outcome, release::Attachment};

/// Key of the block in the front matter.
const BLOCK: &str = "tagship";
/// What begins and ends the section.
const BEGIN: &str = "<!-- tagship: begin -->";
const END: &str = "<!-- tagship: end -->";

/// A README as its author wrote it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readme {
    /// Text of the front matter, without the lines around it; empty where there is none.
    pub front: String,
    /// The same as data.
    pub data: Map<String, Value>,
    /// Everything below.
    pub body: String,
}

impl Readme {
    /// One text of the front matter.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// One list of texts of the front matter; a text alone is a list of one.
    pub(crate) fn texts(&self, key: &str) -> Vec<&str> {
        match self.data.get(key) {
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => vec![],
        }
    }
}

/// The card of a release.
pub(crate) fn model_card(readme: &Readme, manifest: &Manifest) -> String {
    let mut card = String::from("---\n");
    let own = without_block(&readme.front);
    if !own.trim().is_empty() {
        card.push_str(own.trim_end());
        card.push('\n');
    }
    card.push_str(&model_index(readme, manifest));
    card.push_str(&block(manifest));
    card.push_str("---\n");
    let body = without_section(&readme.body);
    let body = if body.trim().is_empty() { format!("\n# {}\n", manifest.model) } else { body };
    card.push_str(&body);
    if !body.ends_with('\n') {
        card.push('\n');
    }
    card.push_str(&section(manifest));
    card
}

/// The author's lines of the front matter.
fn without_block(front: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in front.split_inclusive('\n') {
        let is_nested = line.starts_with([' ', '\t']) || line.trim().is_empty();
        inside = if inside && is_nested { true } else { line.starts_with(&format!("{BLOCK}:")) };
        if !inside {
            text.push_str(line);
        }
    }
    text
}

/// The author's part of the page.
fn without_section(body: &str) -> String {
    match (body.find(BEGIN), body.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{}", body[..begin].trim_end_matches('\n').to_owned() + "\n", &body[end + END.len()..])
                .trim_end()
                .to_owned()
                + "\n"
        }
        _ => body.to_owned(),
    }
}

/// Results in the form that hubs show, where the author says what for and on which data. JSON is YAML.
fn model_index(readme: &Readme, manifest: &Manifest) -> String {
    let (Some(task), Some(dataset)) =
        (readme.text("pipeline_tag"), readme.texts("datasets").first().copied())
    else {
        return String::new();
    };
    if readme.data.contains_key("model-index") || manifest.metrics.is_empty() {
        return String::new();
    }
    let metrics: Vec<Value> =
        manifest.metrics.iter().map(|(name, value)| json!({ "type": name, "value": value })).collect();
    let results = json!([{
        "name": manifest.model,
        "results": [{ "task": { "type": task }, "dataset": { "type": dataset, "name": dataset }, "metrics": metrics }],
    }]);
    format!("model-index: {results}\n")
}

fn block(manifest: &Manifest) -> String {
    let mut block = format!("{BLOCK}:\n");
    let mut line = |key: &str, value: Value| {
        let _ = writeln!(block, "  {key}: {value}");
    };
    line("model", json!(manifest.model));
    line("version", json!(manifest.version));
    line("digest", json!(manifest.digest));
    line("format", json!(manifest.format));
    line("commit", json!(manifest.commit));
    line("created", json!(manifest.created));
    line("validation", json!(manifest.validation.verdict));
    line("gate", json!(manifest.gate.outcome));
    line("metrics", json!(manifest.metrics));
    if let Some(signature) = &manifest.signature {
        line("signature", json!(signature));
    }
    if let Some(bundle) = manifest.attachments.get(&Attachment::Signature) {
        line("signed", json!(bundle.sha256));
    }
    block
}

fn section(manifest: &Manifest) -> String {
    let Manifest { model, version, digest, format, files, size, .. } = manifest;
    let mut text = format!("\n{BEGIN}\n## Release {version}\n\n");
    let size = ByteSize::bytes(*size);
    let _ = writeln!(text, "`{digest}`: {format}, {size} in {} file(s).\n", files.len());
    if let Some(signature) = &manifest.signature {
        text.push_str("| | name and type |\n|---|---|\n");
        let tensors = signature.inputs.iter().map(|tensor| ("input", tensor));
        for (side, tensor) in tensors.chain(signature.outputs.iter().map(|tensor| ("output", tensor))) {
            let _ = writeln!(text, "| {side} | {} |", code(&tensor.to_string()));
        }
        text.push('\n');
    }
    if !manifest.metrics.is_empty() {
        text.push_str("| metric | value |\n|---|---:|\n");
        for (name, value) in &manifest.metrics {
            let _ = writeln!(text, "| {} | {value} |", code(name));
        }
        text.push('\n');
    }
    let checks = &manifest.gate.checks;
    let passed = checks.iter().filter(|check| check.outcome == Outcome::Successful).count();
    let _ = writeln!(
        text,
        "Validation: {}. Gate: {} ({passed} of {} checks).\n",
        manifest.validation.verdict,
        manifest.gate.outcome,
        checks.len()
    );
    let _ =
        writeln!(text, "```\ntagship pull {model}@{version}\ntagship verify {model}@{version}\n```\n{END}");
    text
}

/// Foreign text as a code span that ends neither its cell nor itself.
pub(crate) fn code(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("`{}`", clean.replace('`', "'").replace('|', "\\|"))
}
