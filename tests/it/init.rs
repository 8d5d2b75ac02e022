//! From a repository with a model to one that is delivered: what `init` finds, writes, and leaves alone.

use serde_json::Value;
use tagship_config::yaml;
use tagship_testkit::{Output, Repository, fixtures};

use crate::workbench::{TOKEN, tagship};

const WORKFLOW: &str = ".github/workflows/tagship.yml";

fn run(repository: &Repository, arguments: &[&str]) -> Output {
    tagship(repository.path(), arguments).env("TOKEN", TOKEN).run()
}

/// A repository with a model, its reports, and files that are none of that.
fn with_model() -> Repository {
    let repository = Repository::new();
    for (to, from) in [
        ("models/churn/model.onnx", "model.onnx"),
        ("models/churn/golden.json", "golden.json"),
        ("reports/metrics.json", "metrics.json"),
        ("reports/predictions.csv", "predictions.csv"),
        ("reports/junit.xml", "reports/junit.xml"),
    ] {
        repository.write(to, fixtures::bytes(&format!("models/churn/v1/{from}")));
    }
    repository.write("tests/fixtures/other.onnx", "of a test");
    repository.write("node_modules/x/y.onnx", "of a package");
    repository.write("pom.xml", "<project/>");
    repository.commit("Add a model");
    repository
}

fn read(repository: &Repository, path: &str) -> String {
    std::fs::read_to_string(repository.path().join(path)).unwrap()
}

#[test]
fn what_is_written_is_what_the_next_commands_take() {
    let repository = with_model();
    let done = run(&repository, &["init"]);
    done.assert_code(0);
    for words in ["model churn", "reports/junit.xml", "wrote tagship.yml", "Next:", "tagship validate"] {
        assert!(done.stdout.contains(words), "{words}: {}", done.stdout);
    }
    let config = yaml::to_json(&read(&repository, "tagship.yml")).unwrap();
    let model = &config["models"]["churn"];
    assert_eq!(model["artifact"], "models/churn/model.onnx");
    assert_eq!(model["reports"]["metrics"], "reports/metrics.json");
    assert_eq!(model["validate"]["formats"][0], "onnx");
    assert_eq!(config["models"].as_object().unwrap().len(), 1, "tests and packages have models of their own");
    repository.commit("Deliver it");
    for verb in ["validate", "gate", "status"] {
        run(&repository, &[verb]).assert_code(0);
    }
}

#[test]
fn the_workflow_asks_for_little_and_never_cancels_a_delivery() {
    let repository = with_model();
    let server = ["--url", "http://127.0.0.1:8080", "--admin-url", "http://127.0.0.1:8081"];
    let arguments = [&["init", "--environment", "live", "--action", "acme/tagship@v2"][..], &server].concat();
    run(&repository, &arguments).assert_code(0);
    let text = read(&repository, WORKFLOW);
    let workflow = yaml::to_json(&text).unwrap();
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    let jobs = workflow["jobs"].as_object().unwrap();
    for (name, job) in jobs {
        assert!(job["permissions"].is_object() && job["timeout-minutes"].is_number(), "{name}");
        let uses = job["steps"][1]["uses"].as_str().unwrap();
        assert_eq!(uses, "acme/tagship@v2");
        assert_eq!(job["steps"][0]["with"]["persist-credentials"], false);
        assert_eq!(job["steps"][0]["with"]["fetch-depth"], 0, "versions are tags");
    }
    assert_eq!(jobs["judge"]["permissions"]["contents"], "read");
    assert_eq!(jobs["judge"]["steps"][1].get("env"), None, "a proposed change sees no secret");
    let concurrency = &jobs["deliver"]["concurrency"];
    assert_eq!(
        (&concurrency["cancel-in-progress"], &concurrency["queue"]),
        (&Value::from(false), &"max".into())
    );
    assert!(concurrency["group"].as_str().unwrap().starts_with("tagship-"));
    assert!(text.contains("${{ secrets.TAGSHIP_SERVE_TOKEN }}") && !text.contains("run:"));
    let config = yaml::to_json(&read(&repository, "tagship.yml")).unwrap();
    let target = &config["models"]["churn"]["environments"]["live"]["target"]["local"];
    assert_eq!(target["admin-url"], "http://127.0.0.1:8081");
}

#[test]
fn nothing_is_overwritten_unless_asked_for() {
    let repository = with_model();
    repository.write(WORKFLOW, "mine");
    let refused = run(&repository, &["init"]);
    refused.assert_code(2);
    assert!(refused.stderr.contains(WORKFLOW) && refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(read(&repository, WORKFLOW), "mine");
    assert!(!repository.path().join("tagship.yml").exists(), "not half of it either");
    let shown = run(&repository, &["init", "--dry-run"]);
    assert!(shown.assert_code(0).stdout.contains("artifact: models/churn/model.onnx"), "{}", shown.stdout);
    assert_eq!(read(&repository, WORKFLOW), "mine");
    run(&repository, &["init", "--force"]).assert_code(0);
    assert_ne!(read(&repository, WORKFLOW), "mine");
}

#[test]
fn odd_names_make_a_sound_configuration() {
    let repository = Repository::new();
    let onnx = fixtures::bytes("models/churn/v1/model.onnx");
    for path in
        ["models/a: {b} #c.onnx", "models/ünï/model.onnx", "models/true.onnx", "m-00001-of-00002/x.onnx"]
    {
        repository.write(path, &onnx);
    }
    repository.write("big/model-00001-of-00002.safetensors", "x");
    repository.write("big/model-00002-of-00002.safetensors", "x");
    repository.commit("Add models");
    let done = run(&repository, &["init", "--format", "json"]);
    done.assert_code(0);
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    let artifact = |name: &str| {
        let models = found["models"].as_array().unwrap();
        models.iter().find(|model| model["model"] == name).map(|model| model["artifact"].clone())
    };
    assert_eq!(artifact("big"), Some("big".into()), "pieces are one model");
    assert_eq!(artifact("true"), Some("models/true.onnx".into()));
    assert_eq!(artifact("a---b---c"), Some("models/a: {b} #c.onnx".into()));
    run(&repository, &["status"]).assert_code(0);
}

#[test]
fn models_of_every_library_are_found() {
    let repository = Repository::new();
    for (path, bytes) in [
        ("nets/digits/model.pt", "x"),
        ("nets/mnist.keras", "x"),
        ("nets/faces/saved_model.pb", "x"),
        ("nets/faces/variables/variables.index", "x"),
        ("nets/llm/pytorch_model.bin", "x"),
        ("trees/rank.txt", "tree\nversion=v4\n"),
        ("trees/fraud.json", "{\"learner\": {}}"),
        ("trees/notes.txt", "trees are nice"),
        ("trees/settings.json", "{\"depth\": 3}"),
        ("trees/price.cbm", "x"),
    ] {
        repository.write(path, bytes);
    }
    repository.commit("Add models");
    let done = run(&repository, &["init"]);
    done.assert_code(0);
    for line in [
        "model digits: nets/digits/model.pt (torch)",
        "model mnist: nets/mnist.keras (keras)",
        "model faces: nets/faces (tf-saved-model)",
        "model llm: nets/llm/pytorch_model.bin (torch)",
        "model rank: trees/rank.txt (lightgbm-text)",
        "model fraud: trees/fraud.json (xgboost-json)",
        "model price: trees/price.cbm (catboost)",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    let models = done.stdout.lines().filter(|line| line.starts_with("model "));
    assert_eq!(models.count(), 7, "{}", done.stdout);
}

#[test]
fn without_a_model_there_is_nothing_to_write() {
    let repository = Repository::new();
    let none = run(&repository, &["init"]);
    assert!(none.assert_code(2).stderr.contains("--artifact"), "{}", none.stderr);
    let gone = run(&repository, &["init", "--artifact", "models/gone.onnx"]);
    assert!(gone.assert_code(2).stderr.contains("models/gone.onnx"), "{}", gone.stderr);
    let action = run(&with_model(), &["init", "--action", "evil@v1\n  - run: x"]);
    assert!(action.assert_code(2).stderr.contains("OWNER/NAME@REF"), "{}", action.stderr);
}
