//! Models that a job of the workflow made: fetched from the artifacts of its run.

use std::{
    fs,
    io::{Cursor, Write as _},
};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{hosted::Hosted, workbench::Workbench};

/// A repository without a model in it, whose first run keeps one.
fn hosted(run: u64) -> Hosted {
    let bench = Workbench::with_server();
    let config = bench.clone.path().join("tagship.yml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("models/churn/model.onnx", "run-artifact:model")).unwrap();
    let model = fs::read(bench.clone.path().join("models/churn/model.onnx")).unwrap();
    fs::remove_file(bench.clone.path().join("models/churn/model.onnx")).unwrap();
    bench.push("The model is made by the workflow");
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    zip.start_file("model.onnx", SimpleFileOptions::default()).unwrap();
    zip.write_all(&model).unwrap();
    let archive = zip.finish().unwrap().into_inner();
    let hosted = Hosted::of(bench);
    hosted.github.world(|world| world.keep_artifact(run, "model", archive));
    hosted
}

/// The payload of a run that has ended, for this repository or a fork.
fn ended(hosted: &Hosted, run: u64, of: &str) -> Value {
    let home = hosted.github.repository();
    json!({
        "action": "completed", "repository": { "default_branch": "main", "full_name": home },
        "workflow_run": {
            "id": run, "name": "train", "status": "completed", "conclusion": "success", "event": "push",
            "head_sha": hosted.head(), "head_branch": "main", "head_repository": { "full_name": of },
        },
    })
}

#[test]
fn a_model_of_the_same_run_is_released_and_deployed() {
    let hosted = hosted(1);
    let step = hosted.push();
    step.done.assert_code(0);
    assert_eq!(hosted.bench.production().as_deref(), Some("v0.1.0"), "{:?}", step.done);
    let explained = hosted.step(&["registry", "explain", "churn@v0.1.0"], "push", &json!({})).done;
    assert!(explained.stdout.contains("run-artifact:model"), "{explained:?}");
    let told: String = explained.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("of run 1, attempt 1"), "{explained:?}");
}

#[test]
fn a_model_of_the_run_that_this_one_follows_is_found_and_a_forks_is_not() {
    let hosted = hosted(70);
    let of_fork = hosted.step(&["validate"], "workflow_run", &ended(&hosted, 70, "someone/shop"));
    assert!(of_fork.done.assert_code(2).stderr.contains("there is no such artifact"), "{:?}", of_fork.done);
    let own = ended(&hosted, 70, hosted.github.repository());
    hosted.step(&["validate"], "workflow_run", &own).done.assert_code(0);
}

#[test]
fn a_schedule_asks_no_run_and_without_a_token_it_says_what_to_do() {
    let hosted = hosted(70);
    let schedule = json!({ "schedule": "0 * * * *", "repository": { "default_branch": "main" } });
    let step = hosted.step(&["decide"], "schedule", &schedule);
    step.done.assert_code(0);
    assert!(!step.done.stdout.contains("source-unreadable"), "{:?}", step.done);
    let here = hosted.bench.run(&["validate"]);
    assert!(here.stderr.contains("`actions: read`"), "{here:?}");
}
