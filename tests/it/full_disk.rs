//! Full disks and places that cannot be written: exit code 3, a sentence with place and remedy, nothing half-written,
//! and the next run succeeds.
//!
//! A limit on file sizes stands for the disk: a write fails in the middle of a file, as on a full one, and the test
//! needs no privileges. `cargo xtask e2e` does the same on a file system that is really full.
#![cfg(unix)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use tagship_testkit::{Cli, Output, fixtures};

use crate::workbench::{TOKEN, Workbench};

/// Blocks of 512 bytes that documents of the job, tags and journal entries fit into, and a model does not.
const NO_MODEL: &str = "16";
/// Not even a journal entry fits into this.
const NOTHING: &str = "0";

/// Runs a verb where no file may become longer than this many blocks of 512 bytes.
fn limited(bench: &Workbench, blocks: &str, arguments: &[&str]) -> Output {
    let script = r#"trap "" XFSZ; ulimit -f "$0" && exec "$@""#;
    let shell = Cli::new("sh").args(["-c", script, blocks, env!("CARGO_BIN_EXE_tagship")]).args(arguments);
    shell.current_dir(bench.clone.path()).env("TOKEN", TOKEN).run()
}

#[track_caller]
fn told(done: &Output, words: &[&str]) {
    done.assert_code(3);
    for word in words {
        assert!(done.stderr.contains(word), "{word:?} is missing in\n{}", done.stderr);
    }
    assert!(!done.stderr.contains(".tmp"), "a file that is gone is not named: {}", done.stderr);
}

/// Files below a directory; none where it does not exist.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Temporary files and locks that git or libgit2 left in a repository.
fn litter(repository: &Path) -> Vec<PathBuf> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut left = files(repository);
    left.retain(|path| {
        let name = name(path);
        name.starts_with("tmp_") || path.extension().is_some_and(|end| end == "lock")
    });
    left
}

/// The churn model with a long documentation, so that it is larger than everything else that is written.
fn large_model(bench: &Workbench) {
    let text = vec![b'x'; 100_000];
    // Field 6 of `ModelProto`, the documentation, with its length as a varint.
    let head = [0x32, 0xa0, 0x8d, 0x06];
    let model = [&fixtures::bytes("models/churn/v1/model.onnx")[..], &head, &text].concat();
    bench.clone.write("models/churn/model.onnx", model);
    bench.push("Document the model");
}

fn judged(bench: &Workbench) {
    bench.run(&["validate"]).assert_code(0);
    bench.run(&["gate"]).assert_code(0);
}

#[test]
fn a_document_for_the_next_step_is_whole_or_absent() {
    let bench = Workbench::new();
    let job = bench.clone.path().join(".tagship/job");
    told(&limited(&bench, NOTHING, &["validate"]), &["validation-churn.json", "File too large", "ulimit -f"]);
    assert_eq!(files(&job), Vec::<PathBuf>::new());
    bench.run(&["validate"]).assert_code(0);
    let before = fs::read(job.join("validation-churn.json")).unwrap();
    told(&limited(&bench, NOTHING, &["gate"]), &["gate-churn.json", "File too large"]);
    assert_eq!(files(&job), [job.join("validation-churn.json")]);
    assert_eq!(fs::read(job.join("validation-churn.json")).unwrap(), before);
    bench.run(&["gate"]).assert_code(0);
}

#[test]
fn a_store_without_room_leaves_no_release_and_no_part_of_a_model() {
    let bench = Workbench::new();
    large_model(&bench);
    judged(&bench);
    told(&limited(&bench, NO_MODEL, &["release"]), &[".tagship/store/blobs", "File too large", "ulimit -f"]);
    assert!(bench.published().is_empty(), "no tag names bytes that are not there");
    assert_eq!(files(&bench.clone.path().join(".tagship/store")), Vec::<PathBuf>::new());
    bench.run(&["release"]).assert_code(0);
    bench.run(&["pull", "churn@v0.1.0", "--output", "out"]).assert_code(0);
    let fetched = fs::read(bench.clone.path().join("out/model.onnx")).unwrap();
    assert_eq!(fetched, fs::read(bench.clone.path().join("models/churn/model.onnx")).unwrap());
}

#[test]
fn a_journal_without_room_begins_nothing() {
    let bench = Workbench::with_server();
    judged(&bench);
    bench.run(&["release"]).assert_code(0);
    let before = bench.published();
    told(
        &limited(&bench, NOTHING, &["rollout"]),
        &["append to journal rollouts/production/churn", "File too large", "ulimit -f"],
    );
    assert_eq!(bench.published(), before);
    for repository in [&bench.clone, &bench.origin] {
        assert_eq!(litter(repository.path()), Vec::<PathBuf>::new());
    }
    bench.run(&["rollout"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn an_origin_without_room_is_no_question_of_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Workbench::with_server();
    judged(&bench);
    bench.run(&["release"]).assert_code(0);
    let before = bench.published();
    // The far end of a push, with the limit that our own end does not have.
    let script = "#!/bin/sh\ntrap \"\" XFSZ\nulimit -f 0\nexec git receive-pack \"$@\"\n";
    let receive = bench.clone.write(".tagship/receive", script);
    fs::set_permissions(&receive, fs::Permissions::from_mode(0o755)).unwrap();
    bench.clone.git(&["config", "remote.origin.receivepack", &receive.display().to_string()]);
    let done = bench.run(&["rollout", "--once"]);
    told(&done, &["append to journal rollouts/production/churn", "origin could not write it", "free space"]);
    assert!(!done.stderr.contains("credentials"), "{}", done.stderr);
    assert_eq!(bench.published(), before);
    bench.clone.git(&["config", "--unset", "remote.origin.receivepack"]);
    bench.run(&["rollout"]).assert_code(0);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

#[test]
fn a_comment_is_the_old_one_or_the_new_one() {
    let bench = Workbench::new();
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    bench.clone.write(".tagship/forge/pull-requests/7.json", format!(r#"{{"head":"{head}"}}"#));
    let comments = bench.clone.path().join(".tagship/forge/comments");
    bench.run(&["validate"]).assert_code(0);
    told(&limited(&bench, NOTHING, &["comment"]), &["comments/7-status.md", "File too large", "ulimit -f"]);
    assert_eq!(files(&comments), Vec::<PathBuf>::new());
    bench.run(&["comment"]).assert_code(0);
    let before = fs::read(comments.join("7-status.md")).unwrap();
    bench.run(&["gate"]).assert_code(0);
    told(&limited(&bench, NOTHING, &["comment"]), &["comments/7-status.md"]);
    assert_eq!(files(&comments), [comments.join("7-status.md")]);
    assert_eq!(fs::read(comments.join("7-status.md")).unwrap(), before);
    bench.run(&["comment"]).assert_code(0);
    assert_ne!(fs::read(comments.join("7-status.md")).unwrap(), before);
}

#[test]
fn a_pull_without_room_leaves_no_part_of_a_release() {
    let bench = Workbench::new();
    large_model(&bench);
    judged(&bench);
    bench.run(&["release"]).assert_code(0);
    let made = bench.clone.path().join("made");
    fs::create_dir(&made).unwrap();
    for output in ["new", "made"] {
        let pull = ["pull", "churn@v0.1.0", "--output", output];
        told(&limited(&bench, NO_MODEL, &pull), &["model.onnx", "File too large", "ulimit -f"]);
        assert!(output == "made" || !bench.clone.path().join(output).exists());
        assert_eq!(files(&made), Vec::<PathBuf>::new());
    }
    // An empty directory that exists is used as it is: it may be a mount.
    for output in ["new", "made"] {
        bench.run(&["pull", "churn@v0.1.0", "--output", output]).assert_code(0);
        let directory = bench.clone.path().join(output);
        assert_eq!(files(&directory), [directory.join("model.onnx")]);
    }
    let names = fs::read_dir(bench.clone.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left = names.filter(|name| name.to_string_lossy().contains("pull")).count();
    assert_eq!(left, 0, "nothing is left beside");
}

#[test]
fn what_stands_where_a_directory_should_be_is_named() {
    let bench = Workbench::new();
    let head = bench.clone.git(&["rev-parse", "HEAD"]);
    bench.clone.write(".tagship/forge/pull-requests/7.json", format!(r#"{{"head":"{head}"}}"#));
    bench.clone.write(".tagship/forge/comments", "a file");
    judged(&bench);
    told(&bench.run(&["comment"]), &[".tagship/forge/comments"]);
    bench.clone.write(".tagship/store", "a file");
    told(&bench.run(&["release"]), &[".tagship/store"]);
    fs::remove_dir_all(bench.clone.path().join(".tagship/job")).unwrap();
    bench.clone.write(".tagship/job", "a file");
    told(&bench.run(&["validate"]), &[".tagship/job"]);
    assert!(bench.published().is_empty());
    for path in ["job", "store", "forge/comments"] {
        fs::remove_file(bench.clone.path().join(".tagship").join(path)).unwrap();
    }
    judged(&bench);
    bench.run(&["release"]).assert_code(0);
    bench.run(&["comment"]).assert_code(0);
}
