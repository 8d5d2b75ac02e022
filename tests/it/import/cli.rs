//! The command: what is printed where, what is written, and how it ends.

use serde_json::Value;
use tagship_config::Config;
use tagship_testkit::Output;

use super::specs::{LATENCY, RATE, USED, argo_canary, flagger};
use crate::workbench::tagship;

fn import(files: &[(&str, &str)], arguments: &[&str]) -> (tempfile::TempDir, Output) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let all: Vec<&str> = ["import"].iter().chain(arguments).copied().collect();
    let done = tagship(directory.path(), &all).run();
    (directory, done)
}

fn canary() -> String {
    argo_canary(
        "[{ setWeight: 20 }, { pause: {} }]",
        &format!("analysis: {USED}"),
        "interval: 1m\n      successCondition: result[0] >= 0.95",
    )
}

#[test]
fn the_configuration_is_printed_and_the_notes_stand_beside_it() {
    let (_directory, done) = import(&[("spec.yml", &canary())], &["argo", "spec.yml"]);
    done.assert_code(0);
    let config = Config::parse("tagship.yml", &done.stdout).unwrap();
    assert!(config.models.keys().any(|name| name.as_str() == "scorer"));
    for words in ["NOTE", "differs", "left out", "by hand", "all stand in the file too"] {
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    assert!(done.stdout.contains("# differs: spec.metrics[0]: NaN is a failure there"), "{}", done.stdout);
}

#[test]
fn templates_may_stand_in_files_of_their_own() {
    let spec = canary();
    let (rollout, template) = spec.split_once("---").unwrap();
    let files = [("rollout.yml", rollout), ("template.yml", template)];
    let (_directory, apart) = import(&files, &["argo", "rollout.yml", "template.yml"]);
    let (_directory, together) = import(&[("spec.yml", &spec)], &["argo", "spec.yml"]);
    assert_eq!(apart.assert_code(0).stdout, together.stdout);
    let (_directory, without) = import(&files, &["argo", "rollout.yml"]);
    assert!(without.assert_code(0).stdout.contains("import again with it"), "{}", without.stdout);
    assert!(!without.stdout.contains("analysis:"));
}

#[test]
fn json_is_one_document_with_every_note() {
    let spec = flagger(&format!(
        "interval: 1m\n    threshold: 5\n    maxWeight: 50\n    stepWeight: 10\n    metrics: [{RATE}, {LATENCY}]"
    ));
    let (_directory, done) = import(&[("spec.yml", &spec)], &["flagger", "spec.yml", "--format", "json"]);
    let document: Value = serde_json::from_str(&done.assert_code(0).stdout).unwrap();
    assert_eq!(document["schema"], "tagship/import/v1");
    assert!(Config::parse("tagship.yml", document["config"].as_str().unwrap()).is_ok());
    let notes = document["notes"].as_array().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note["kind"] == "differs" && note["at"] == "Canary/scorer spec.analysis.threshold")
    );
}

#[test]
fn a_file_is_written_and_never_overwritten_unasked() {
    let spec = canary();
    let (directory, done) = import(
        &[("spec.yml", &spec)],
        &["argo", "spec.yml", "--output", "out/tagship.yml", "--model", "churn", "--environment", "staging"],
    );
    assert_eq!(done.assert_code(0).stdout.trim(), "wrote out/tagship.yml");
    let path = directory.path().join("out/tagship.yml");
    let text = std::fs::read_to_string(&path).unwrap();
    let config = Config::parse("tagship.yml", &text).unwrap();
    let (model, settings) = config.models.iter().next().unwrap();
    assert_eq!((model.as_str(), settings.environments.keys().next().unwrap().as_str()), ("churn", "staging"));
    std::fs::write(&path, "mine").unwrap();
    let again =
        tagship(directory.path(), &["import", "argo", "spec.yml", "--output", "out/tagship.yml"]).run();
    again.assert_code(2);
    assert!(again.stderr.contains("it exists") && again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let forced =
        tagship(directory.path(), &["import", "argo", "spec.yml", "--output", "out/tagship.yml", "--force"])
            .run();
    forced.assert_code(0);
    assert!(Config::parse("tagship.yml", &std::fs::read_to_string(&path).unwrap()).is_ok());
}

#[test]
fn what_is_no_specification_says_so() {
    for (text, system, words) in [
        ("a: [", "argo", "read YAML"),
        ("kind: Service\nmetadata: { name: a }\n", "argo", "no Rollout found"),
        ("kind: Canary\nmetadata: { name: a }\nspec: {}\n", "flagger", "spec.analysis: it is missing"),
        (
            "kind: Rollout\nmetadata: { name: a }\nspec: { strategy: { canary: { steps: [{ setWeight: many }] } } }\n",
            "argo",
            "Rollout/a spec.strategy.canary.steps[0].setWeight: expected a whole number, found \"many\"",
        ),
        ("kind: Rollout\n---\nkind: Rollout\n", "argo", "2 of the kind Rollout"),
    ] {
        let (_directory, done) = import(&[("spec.yml", text)], &[system, "spec.yml"]);
        done.assert_code(2);
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    let (_directory, done) = import(&[], &["argo", "none.yml"]);
    done.assert_code(2);
}
