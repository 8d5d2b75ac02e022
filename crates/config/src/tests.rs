//! What a user sees: documents that are read, and for every kind of mistake the exact answer.

mod kayenta_mistakes;
mod mistakes;
mod progressive;
mod progressive_mistakes;
mod schema;
mod signing_mistakes;

use proptest::prelude::*;
use serde_json::json;
use tagship_domain::{
    ByteSize, Duration, Environment, ModelName, addition::GlobalUse, bundle::Bundle, plan::Strategy,
};

use crate::{BumpRule, CompareTest, Config, ConfigErrors, Format, ModelConfig, RepoPath};

const FULL: &str = r#"
# yaml-language-server: $schema=./schemas/tagship.schema.json
version: 1
models:
  churn:
    artifact: models/churn
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json, predictions: reports/predictions.csv }
    validate:
      formats: [onnx, safetensors]
      max-size: 2GiB
      golden: { cases: models/churn/golden.json, tolerance: 1e-3, max-latency: 50ms }
      bundles: [numpy, sklearn]
      allow: [{ global: churn.features.Encoder, reason: ours, until: 2027-03-31 }]
    gate:
      checks: [unit, lint]
      tests: { min: 5, allow-flaky: 1 }
      rules:
        - { name: accuracy floor, expr: metrics.accuracy >= 0.90 }
        - name: no regression
          expr: "metrics.f1 >= stable.metrics.f1 - 0.01"
      compare: { test: bootstrap, margin: 0.02 }
      require-baseline: true
    release: { bump: minor, store: { file: { path: releases } } }
    environments:
      staging:
        target: local
      production:
        target: { local: { url: "http://10.0.0.2:8080", token-env: SERVE_TOKEN } }
        strategy: all-at-once
        environment-url: https://churn.example.org/docs?version=1#top
        progress-deadline: 5m
        on-failure: rollback
  pricing:churn:
    artifact: ./models/pricing.onnx
"#;

fn name(text: &str) -> ModelName {
    ModelName::new(text).unwrap()
}

fn errors(text: &str) -> ConfigErrors {
    Config::parse("tagship.yml", text).expect_err(text)
}

/// Every diagnostic on a line: `line:column key.path: message | help`.
fn brief(text: &str) -> Vec<String> {
    let line = |found: crate::Diagnostic| {
        let help = found.help.map_or(String::new(), |help| format!(" | {help}"));
        let at = found.location;
        format!("{}:{} {}: {}{help}", at.line, at.column, at.key_path, found.message)
    };
    errors(text).diagnostics.into_iter().map(line).collect()
}

/// A document with one model, whose body is given.
fn model(body: &str) -> String {
    format!("version: 1\nmodels:\n  m:\n    artifact: a\n{body}")
}

/// Nine lines that would become a thousand million values.
pub(crate) fn alias_bomb() -> String {
    let uses = |level: usize| vec![format!("*a{}", level - 1); 10].join(",");
    let line = |level| format!("a{level}: &a{level} [{}]\n", uses(level));
    "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned() + &(1..9).map(line).collect::<Vec<_>>().concat()
}

#[test]
fn a_full_document_is_read() {
    let config = Config::parse("tagship.yml", FULL).unwrap();
    let churn = &config.models[&name("churn")];
    assert_eq!(churn.artifact.as_str(), "models/churn");
    assert_eq!(churn.reports.junit[0].as_str(), "reports/*.xml");
    assert_eq!(
        churn.validate.formats.iter().copied().collect::<Vec<_>>(),
        [Format::Onnx, Format::Safetensors]
    );
    assert_eq!(churn.validate.max_size, Some(ByteSize::bytes(2 << 30)));
    let golden = churn.validate.golden.as_ref().unwrap();
    assert_eq!((golden.tolerance, golden.max_latency), (1e-3, Some(Duration::from_millis(50))));
    assert_eq!(churn.validate.bundles, [Bundle::Numpy, Bundle::Sklearn].into());
    let allowed = &churn.validate.allow[0];
    assert_eq!(allowed.addition.global.to_string(), "churn.features.Encoder");
    assert_eq!(allowed.addition.call, GlobalUse::Newobj);
    let location = "tagship.yml:13:25 (models.churn.validate.allow[0].global)";
    assert_eq!(allowed.location.to_string(), location);
    assert_eq!(churn.gate.checks, ["unit", "lint"]);
    assert_eq!((churn.gate.tests.min, churn.gate.tests.allow_flaky), (5, 1));
    assert_eq!(churn.gate.rules[1].expr, "metrics.f1 >= stable.metrics.f1 - 0.01");
    assert_eq!(churn.gate.compare.unwrap().test, CompareTest::Bootstrap);
    assert!(churn.gate.require_baseline);
    assert_eq!(churn.release.bump, BumpRule::Minor);
    assert_eq!(churn.release.store.as_ref().unwrap().settings["path"], json!("releases"));
    let production = &churn.environments[&Environment::new("production").unwrap()];
    assert_eq!(production.target.kind, "local");
    assert_eq!(production.target.settings["token-env"], json!("SERVE_TOKEN"));
    let location = production.target.location.as_ref().unwrap().to_string();
    assert_eq!(location, "tagship.yml:28:9 (models.churn.environments.production.target)");
    assert_eq!(production.environment_url.as_deref(), Some("https://churn.example.org/docs?version=1#top"));
    assert_eq!(production.strategy, Strategy::AllAtOnce);
    assert_eq!(production.progress_deadline, Duration::from_secs(300));
}

#[test]
fn what_is_not_written_has_its_default() {
    for text in [
        "version: 1\nmodels: { m: { artifact: a } }",
        "version: 1\nmodels:\n  m:\n    artifact: a\n    gate:\n    release: {}\n    environments:\n",
        "\u{feff}version: 1\r\nmodels:\r\n  m:\r\n    artifact: ./a/\r\n",
        "{\"version\": 1, \"models\": {\"m\": {\"artifact\": \"a\"}}}",
    ] {
        let config = Config::parse("tagship.yml", text).unwrap();
        let expected = ModelConfig::for_artifact(RepoPath::new("a").unwrap());
        assert_eq!(config.models[&name("m")], expected, "{text}");
    }
    let defaults = ModelConfig::for_artifact(RepoPath::new("a").unwrap());
    assert_eq!(defaults.validate.formats.len(), Format::ALL.len());
    assert_eq!((defaults.gate.tests.min, defaults.gate.tests.allow_flaky), (1, 0));
    assert_eq!((defaults.release.bump, defaults.release.store.as_ref()), (BumpRule::Auto, None));
}

#[test]
fn anchors_save_repetition() {
    let text = "version: 1\nmodels:\n  a:\n    artifact: a\n    gate: &gate { checks: [unit] }\n  b:\n    artifact: b\n    gate: *gate\n";
    let config = Config::parse("tagship.yml", text).unwrap();
    assert_eq!(config.models[&name("b")].gate.checks, ["unit"]);
}

#[test]
fn an_error_shows_the_line_and_a_caret() {
    let text = model("    gate:\n      rulez: []\n");
    let expected = "\
error: unknown key `rulez`
 --> tagship.yml:6:7 (models.m.gate.rulez)
  |
6 |       rulez: []
  |       ^^^^^
  = help: did you mean `rules`?";
    assert_eq!(errors(&text).to_string(), expected);
}

#[test]
fn many_errors_come_at_once_and_in_order() {
    let text = "\
version: 1
modles: {}
models:
  m:
    artifact: 3
    gate: { tests: { min: few, max: 9 }, rules: [{ name: 1, expr: x }, { name: y }] }
    watch: {}
";
    assert_eq!(
        brief(text),
        [
            "2:1 modles: unknown key `modles` | did you mean `models`?",
            "5:15 models.m.artifact: expected text, found the number 3 | quote it, `\"3\"`; a duration or size \
             carries a unit, as in `90s` or `64MiB`",
            "6:27 models.m.gate.tests.min: expected a whole number from 0 up, found the text `few`",
            "6:32 models.m.gate.tests.max: unknown key `max` | known here: `min`, `allow-flaky`",
            "6:58 models.m.gate.rules[0].name: expected text, found the number 1 | quote it, `\"1\"`; a duration or \
             size carries a unit, as in `90s` or `64MiB`",
            "6:72 models.m.gate.rules[1]: the key `expr` is missing",
            "7:5 models.m.watch: unknown key `watch` | known here: `artifact`, `reports`, `validate`, `gate`, \
             `release`, `verify`, `mark`, `monitor`, `environments`",
        ]
    );
}

#[test]
fn too_many_errors_end_the_reading() {
    let keys: Vec<String> = (0..100).map(|n| format!("    k{n}: 1\n")).collect();
    let found = errors(&model(&keys.concat()));
    assert_eq!(found.diagnostics.len(), 20);
    assert!(found.to_string().ends_with("stopped after 20 errors"));
}

#[test]
fn text_from_the_file_cannot_write_to_the_terminal() {
    let text = model("    \"\\e[31mred\\r\": 1\n");
    let shown = errors(&text).to_string();
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
}

#[test]
fn what_grows_is_refused() {
    let rung = |level: usize| format!("a{level}: &a{level} [*a{}]\n", level - 1);
    let ladder = "a0: &a0 [1]\n".to_owned() + &(1..200).map(rung).collect::<Vec<_>>().concat();
    let deep = format!("a: {}1{}", "[".repeat(100), "]".repeat(100));
    for (text, answer) in [
        (alias_bomb(), "5:22 : the file holds more than 50000 values"),
        (ladder, "64:12 : lists and mappings are nested deeper than 64 levels"),
        (deep, "1:67 : lists and mappings are nested deeper than 64 levels"),
        ("#".repeat(256 * 1024 + 1), "1:1 : the file has 262145 bytes, more than the 262144 that are read"),
    ] {
        assert_eq!(brief(&text), [answer]);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in r#"[\PC\r\n\t\[\]{}:,&*!|>'"?%@`#-]{0,120}"#) {
        if let Err(found) = Config::parse("tagship.yml", &text) {
            prop_assert!(!found.to_string().is_empty());
        }
    }

    #[test]
    fn any_change_to_a_good_document_is_read_or_refused(
        at in 0..FULL.len(),
        cut in 0_usize..8,
        insert in r#"[\PC\r\n\t\[\]{}:,&*!|>'"-]{0,8}"#,
    ) {
        let mut text: Vec<char> = FULL.chars().collect();
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        text.splice(at..end, insert.chars());
        let text: String = text.into_iter().collect();
        if let Err(found) = Config::parse("tagship.yml", &text) {
            prop_assert!(!found.to_string().is_empty());
        }
    }
}
