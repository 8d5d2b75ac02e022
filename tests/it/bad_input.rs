//! Bad input ends with the right exit code and a message that says what, where and what to do; nothing half-written
//! is left, and nothing is called a pass.

use std::fs;

use tagship_testkit::{Output, Repository, fixtures};

use crate::workbench::{CONFIG, Workbench, tagship};

#[track_caller]
fn check(done: &Output, code: i32, words: &[&str]) {
    done.assert_code(code);
    let said = format!("{}{}", done.stdout, done.stderr);
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in\n{said}");
    }
}

/// A configuration with one text replaced.
fn configured(bench: &Workbench, old: &str, new: &str) {
    assert!(CONFIG.contains(old));
    bench.clone.write("tagship.yml", CONFIG.replace(old, new));
}

#[test]
fn mistakes_in_the_configuration_point_into_the_file() {
    let bench = Workbench::new();
    for (old, new, words) in [
        ("rules:", "rulez:", &["unknown key `rulez`", "did you mean `rules`?"][..]),
        ("version: 1", "version: 2", &["tagship.yml:1"]),
        ("formats: [onnx]", "formats: [onxx]", &["tagship.yml", "onxx"]),
        ("margin: 0.03", "margin: a lot", &["tagship.yml", "margin"]),
        ("artifact: models/churn/model.onnx", "artifact: ../secret", &["tagship.yml", "artifact"]),
        ("metrics.accuracy >= 0.90", "metric.accuracy >= 0.90", &["metric"]),
        ("metrics.accuracy >= 0.90", "metrics.accuracy >=", &["accuracy floor"]),
        ("junit: [\"reports/*.xml\"]", "junit: { a: b }", &["tagship.yml:6", "junit"]),
        ("models:\n  churn:", "models: []\nother:\n  churn:", &["tagship.yml:2", "models"]),
        ("version: 1", "version: 1\nversion: 1", &["tagship.yml:2", "version"]),
        ("version: 1", "version: &a [*a, *a]", &["tagship.yml:1"]),
        ("version: 1", "version: 1\n  \tbroken: [", &["tagship.yml"]),
    ] {
        configured(&bench, old, new);
        check(&bench.run(&["gate"]), 2, words);
    }
    fs::remove_file(bench.clone.path().join("tagship.yml")).unwrap();
    check(&bench.run(&["status"]), 2, &["tagship.yml", "--config"]);
    assert!(bench.published().is_empty());
}

#[test]
fn unknown_kinds_and_missing_secrets_are_told_with_their_place() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let without_token = tagship(bench.clone.path(), &["rollout"]).run();
    check(&without_token, 2, &["tagship.yml:", "TOKEN is not set"]);
    configured(&bench, "target: { local:", "target: { locale:");
    check(
        &bench.run(&["rollout"]),
        2,
        &["locale", "known kinds are argo-rollouts, exec, flagger, gateway-api, kserve, local"],
    );
    assert!(!bench.published().iter().any(|name| name.contains("rollouts")), "no rollout was begun");
}

#[test]
fn broken_and_hostile_artifacts_never_pass() {
    let bench = Workbench::new();
    let validate = |bytes: &[u8], name: &str| {
        let path = bench.clone.write(name, bytes).display().to_string();
        bench.run(&["validate", &path])
    };
    let onnx = fixtures::bytes("models/churn/v1/model.onnx");
    let truncated = validate(&onnx[..onnx.len() / 2], "cut.onnx");
    assert_ne!(truncated.code, 0, "{}", truncated.stdout);
    assert_ne!(validate(&[7; 300], "noise.bin").code, 0);
    assert_ne!(validate(b"", "empty.onnx").code, 0);
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    check(&validate(pointer, "pointer.onnx"), 1, &["pointer", "fetch the file"]);
    check(&validate(&fixtures::bytes("models/hostile/model.pkl"), "model.pkl"), 1, &["PKL101"]);
    check(&bench.run(&["validate", "nowhere.onnx"]), 3, &["nowhere.onnx does not exist"]);
}

#[test]
fn golden_cases_that_fail_reject_and_those_that_cannot_run_are_no_pass() {
    let bench = Workbench::new();
    let golden = fixtures::text("models/churn/v2/golden.json");
    bench.clone.write("models/churn/golden.json", golden);
    check(&bench.run(&["validate"]), 1, &["golden"]);
    bench.clone.write("models/churn/golden.json", "{}");
    check(&bench.run(&["validate"]), 3, &["golden"]);
}

#[test]
fn reports_that_say_too_little_or_too_much_stop_the_gate() {
    let bench = Workbench::new();
    bench.run(&["validate"]).assert_code(0);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuite><testcase name=\"&b;\"/></testsuite>";
    let entity = "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><testsuite><testcase name=\"&f;\"/></testsuite>";
    for (report, code) in [
        (bomb, 3),
        (entity, 3),
        ("<testsuite></testsuite>", 3),
        ("<testsuite><testcase name=\"a\"><failure/></testcase></testsuite>", 1),
        ("not xml at all", 3),
    ] {
        bench.clone.write("reports/junit.xml", report);
        let done = bench.run(&["gate"]);
        assert_eq!(done.code, code, "{report}\n{}{}", done.stdout, done.stderr);
        assert!(!done.stdout.contains("root:"), "no external entity is read");
    }
    bench.put("v1");
    bench.clone.write("reports/metrics.json", "{\"accuracy\": NaN, \"f1\": 0.9}");
    check(&bench.run(&["gate"]), 1, &["accuracy"]);
    bench.clone.write("reports/metrics.json", "{\"f1\": 0.9}");
    check(&bench.run(&["gate"]), 3, &["metrics.accuracy"]);
    fs::remove_file(bench.clone.path().join("reports/metrics.json")).unwrap();
    check(&bench.run(&["gate"]), 3, &["does not exist"]);
}

#[test]
fn a_baseline_that_cannot_be_read_is_no_licence_to_pass() {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    bench.put("v2");
    bench.push("Add v2");
    bench.run(&["validate"]).assert_code(0);
    let (store, away) = (bench.clone.path().join(".tagship/store"), bench.clone.path().join(".tagship/away"));
    fs::rename(&store, &away).unwrap();
    // The settings name another store than the baseline lies in.
    check(&bench.run(&["gate"]), 2, &[".tagship/store", "does not exist", "check that the store"]);
    check(&bench.run_push(), 2, &[".tagship/store", "does not exist"]);
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
    fs::rename(&away, &store).unwrap();
    bench.run(&["gate"]).assert_code(0);
}

#[test]
fn nothing_is_released_that_was_not_judged_or_is_not_committed() {
    let bench = Workbench::new();
    check(&bench.run(&["release"]), 3, &["nothing was validated and gated"]);
    bench.run(&["validate"]).assert_code(0);
    bench.run(&["gate"]).assert_code(0);
    bench.put("v2");
    assert_ne!(bench.run(&["release"]).code, 0, "other bytes than the judged ones");
    bench.run(&["validate"]).assert_code(0);
    bench.run(&["gate"]).assert_code(0);
    check(&bench.run(&["release"]), 2, &["model.onnx", "commit"]);
    assert!(bench.published().is_empty());
}

#[test]
fn a_file_of_the_judged_size_with_other_bytes_is_not_released() {
    let bench = Workbench::new();
    bench.run(&["validate"]).assert_code(0);
    bench.run(&["gate"]).assert_code(0);
    let model = bench.clone.path().join("models/churn/model.onnx");
    let mut bytes = fs::read(&model).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&model, bytes).unwrap();
    bench.push("Change a byte");
    check(&bench.run(&["release"]), 3, &["model.onnx changed since it was judged", "run again"]);
    assert!(bench.published().is_empty());
}

#[test]
fn repositories_that_cannot_be_trusted_are_refused() {
    let nowhere = tempfile::tempdir().unwrap();
    check(&tagship(nowhere.path(), &["status"]).run(), 2, &["not a git repository"]);
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    bench.put("v2");
    bench.push("Add v2");
    let shallow = Repository::shallow_clone_of(&bench.origin, 1);
    check(&tagship(shallow.path(), &["registry", "show"]).run(), 3, &["fetch-depth: 0"]);
}

#[test]
fn names_that_do_not_exist_are_told_with_those_that_do() {
    let bench = Workbench::new();
    check(&bench.run(&["validate", "--model", "fraud"]), 2, &["no model fraud", "churn"]);
    check(&bench.run(&["rollout", "--environment", "qa"]), 2, &["qa", "production"]);
    check(&bench.run(&["rollout"]), 2, &["no release yet", "tagship release"]);
    check(&bench.run(&["rollback"]), 1, &["held no other version"]);
    check(&bench.run(&["pull", "churn@v9.0.0"]), 2, &["v9.0.0"]);
    check(&bench.run(&["pull", "churn"]), 2, &["model@version"]);
    check(&bench.run(&["decide"]), 2, &["--event-path"]);
    bench.clone.write(".tagship/bad.json", "{\"ref\": 1}");
    check(&bench.run(&["decide", "--event-name", "push", "--event-path", ".tagship/bad.json"]), 2, &["ref"]);
    check(
        &bench.run(&["decide", "--event-name", "watch", "--event-path", ".tagship/bad.json"]),
        0,
        &["watch"],
    );
}

#[test]
fn an_unreachable_target_moves_nothing_and_the_run_can_go_on_later() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let done = bench.run(&["rollout", "--once"]);
    done.assert_code(6);
    assert_eq!(bench.production(), None);
}

#[test]
fn damaged_bytes_are_never_handed_out() {
    let bench = Workbench::new();
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    let blobs = bench.clone.path().join(".tagship/store/blobs/sha256");
    for directory in fs::read_dir(blobs).unwrap() {
        for blob in fs::read_dir(directory.unwrap().path()).unwrap() {
            fs::write(blob.unwrap().path(), "damaged").unwrap();
        }
    }
    check(&bench.run(&["pull", "churn@v0.1.0", "--output", "out"]), 3, &["damaged"]);
    assert!(!bench.clone.path().join("out/model.onnx").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_is_no_pass() {
    let bench = Workbench::new();
    let done = bench.cli(&["validate"]).env("GITHUB_OUTPUT", "/dev/full").run();
    check(&done, 3, &["write outputs to /dev/full", "No space left", "free some space"]);
}

#[test]
fn a_server_says_why_it_does_not_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let serve = |token: &str, arguments: &[&str]| {
        tagship(directory.path(), &["serve"]).args(arguments).env("TAGSHIP_SERVE_TOKEN", token).run()
    };
    let good = "a-token-of-the-black-box-tests";
    check(&serve(good, &["--listen", &address]), 3, &[&address, "another program uses this port"]);
    check(&serve("short", &[]), 2, &["token"]);
    check(&tagship(directory.path(), &["serve"]).run(), 2, &["TAGSHIP_SERVE_TOKEN"]);
    fs::write(directory.path().join("file"), "").unwrap();
    let blocked =
        serve(good, &["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--state", "file/state"]);
    check(&blocked, 3, &["file/state"]);
}
