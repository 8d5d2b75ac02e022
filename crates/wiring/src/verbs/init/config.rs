//! The text of `tagship.yml`.

use std::fmt::Write as _;

use super::propose::{Proposal, ProposedModel};

/// The variable and the secret that hold the model server's token.
pub(super) const TOKEN: &str = "TAGSHIP_SERVE_TOKEN";

/// The configuration, with what else there is in comments.
pub(super) fn render(proposal: &Proposal) -> String {
    let mut text =
        "# Continuous delivery of the models in this repository; `tagship schema` prints every key.\n\
                    version: 1\nmodels:\n"
            .to_owned();
    for model in &proposal.models {
        let _ =
            write!(text, "  {}:\n    artifact: {}\n", quoted(model.name.as_str()), quoted(&model.artifact));
        text.push_str(&reports(model));
        text.push_str(&validate(model));
        text.push_str(&gate(model));
        text.push_str(&environments(proposal));
    }
    text
}

fn reports(model: &ProposedModel) -> String {
    let mut text = String::new();
    if !model.junit.is_empty() {
        let list: Vec<String> = model.junit.iter().map(|path| quoted(path)).collect();
        let _ = writeln!(text, "      junit: [{}]", list.join(", "));
    }
    for (key, path) in [("metrics", &model.metrics), ("predictions", &model.predictions)] {
        text.push_str(
            &path.as_ref().map(|path| format!("      {key}: {}\n", quoted(path))).unwrap_or_default(),
        );
    }
    if text.is_empty() {
        "    # reports: { junit: [\"reports/*.xml\"], metrics: reports/metrics.json }\n".to_owned()
    } else {
        format!("    reports:\n{text}")
    }
}

fn validate(model: &ProposedModel) -> String {
    let golden = match &model.golden {
        Some(cases) => format!("      golden: {{ cases: {} }}\n", quoted(cases)),
        None => {
            "      # golden: { cases: golden.json }    # inputs with the outputs that the model must give\n"
                .to_owned()
        }
    };
    format!("    validate:\n      formats: [{}]    # anything else is rejected\n{golden}", model.format)
}

fn gate(model: &ProposedModel) -> String {
    let Some(metric) = &model.guarded else {
        return "    # gate: { rules: [ { name: accuracy floor, expr: metrics.accuracy >= 0.90 } ] }\n"
            .to_owned();
    };
    format!(
        "    gate:\n      rules:\n        - {{ name: no regression, expr: metrics.{metric} >= stable.metrics.{metric} - 0.01 }}\n        \
         # - {{ name: {metric} floor, expr: metrics.{metric} >= 0.90 }}\n"
    )
}

fn environments(proposal: &Proposal) -> String {
    let environment = quoted(proposal.environment.as_str());
    match &proposal.server {
        Some((url, admin)) => format!(
            "    environments:\n      {environment}:\n        target:\n          local: {{ url: {}, admin-url: {}, token-env: \
             {TOKEN} }}\n        # strategy: {{ canary: {{ steps: [ {{ set-weight: 10 }}, {{ pause: 10m }} ] }} }}\n",
            quoted(url),
            quoted(admin)
        ),
        None => format!(
            "    # environments:\n    #   {environment}:\n    #     target:\n    #       local: {{ url: \"http://HOST:8080\", \
             admin-url: \"http://HOST:8081\", token-env: {TOKEN} }}\n"
        ),
    }
}

/// A text as YAML takes it: plain where nothing in it could mean more, else in double quotes as JSON has them.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if safe { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
