//! Checkouts that know too little: no commit yet, no history, no tags, changes that are not committed. Every verb
//! says what is missing and how to get it, and none guesses.

use tagship_testkit::{Output, Repository, fixtures};

use crate::workbench::{CONFIG, TOKEN, Workbench, tagship};

/// Every verb that reads the registry or the history, with the least arguments.
const READERS: [&[&str]; 6] = [
    &["status"],
    &["registry", "show"],
    &["gate"],
    &["rollout"],
    &["rollback"],
    &["pull", "churn@v0.1.0", "--output", "out"],
];

fn run(repository: &Repository, arguments: &[&str]) -> Output {
    tagship(repository.path(), arguments).env("TOKEN", TOKEN).run()
}

fn push_of(repository: &Repository, commit: &str) -> Output {
    let payload =
        format!(r#"{{"ref":"refs/heads/main","after":"{commit}","repository":{{"default_branch":"main"}}}}"#);
    let path = repository.write(".tagship/push.json", payload).display().to_string();
    run(repository, &["run", "--event-name", "push", "--event-path", &path])
}

#[test]
fn before_the_first_commit_files_can_be_judged_and_nothing_else() {
    let repository = Repository::new();
    repository.write("tagship.yml", CONFIG);
    for (to, from) in [
        ("models/churn/model.onnx", "model.onnx"),
        ("models/churn/golden.json", "golden.json"),
        ("reports/metrics.json", "metrics.json"),
        ("reports/junit.xml", "reports/junit.xml"),
    ] {
        repository.write(to, fixtures::bytes(&format!("models/churn/v1/{from}")));
    }
    run(&repository, &["validate"]).assert_code(0);
    let nowhere = "0123456789012345678901234567890123456789";
    for done in [run(&repository, &["gate"]), run(&repository, &["comment"]), push_of(&repository, nowhere)] {
        done.assert_code(2);
        assert!(done.stderr.contains("no commit yet; make a first commit"), "{}", done.stderr);
    }
    run(&repository, &["release"]).assert_code(3);
    assert!(repository.references().is_empty());
}

#[test]
fn a_shallow_clone_is_told_how_to_become_whole() {
    let bench = Workbench::new();
    one_released_and_one_committed(&bench);
    let published = bench.published();
    let shallow = Repository::shallow_clone_of(&bench.origin, 1);
    run(&shallow, &["validate"]).assert_code(0);
    let head = shallow.git(&["rev-parse", "HEAD"]);
    let event = std::iter::once(push_of(&shallow, &head));
    for done in READERS.into_iter().map(|arguments| run(&shallow, arguments)).chain(event) {
        done.assert_code(3);
        let said = &done.stderr;
        assert!(said.contains("fetch-depth: 0") && said.contains("--unshallow --tags"), "{said}");
    }
    assert_eq!(bench.published(), published, "nothing was written on a guess");
    // The advice helps.
    shallow.git(&["fetch", "--quiet", "--unshallow", "--tags"]);
    assert!(run(&shallow, &["registry", "show"]).assert_code(0).stdout.contains("v0.1.0"));
}

#[test]
fn a_clone_without_tags_is_no_empty_registry() {
    let bench = Workbench::new();
    one_released_and_one_committed(&bench);
    let tagless = Repository::clone_of(&bench.origin);
    tagless.git(&["tag", "--delete", "churn@v0.1.0"]);
    assert!(run(&tagless, &["registry", "show"]).assert_code(0).stdout.contains("v0.1.0"));
    let store = bench.clone.path().join(".tagship/store").display().to_string();
    // The next version follows the one that the clone did not know of.
    tagless.git(&["tag", "--delete", "churn@v0.1.0"]);
    run(&tagless, &["validate"]).assert_code(0);
    run(&tagless, &["gate"]).assert_code(0);
    // The store of the first release lies in the other clone.
    tagless.write(
        "tagship.yml",
        CONFIG.replace(
            "    environments:",
            &format!("    release: {{ store: {{ file: {{ path: {store} }} }} }}\n    environments:"),
        ),
    );
    let released = run(&tagless, &["release"]);
    assert!(released.assert_code(0).stdout.contains("v0.2.0"), "{}", released.stdout);
    // Where the origin cannot be asked either, nothing is assumed.
    tagless.git(&["tag", "--delete", "churn@v0.1.0", "churn@v0.2.0"]);
    tagless.git(&["remote", "set-url", "origin", "nowhere"]);
    run(&tagless, &["registry", "show"]).assert_code(3);
}

/// Version v0.1.0 released, and other bytes committed after it.
fn one_released_and_one_committed(bench: &Workbench) {
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    bench.put("v2");
    bench.push("Add v2");
}

#[test]
fn what_is_not_committed_is_not_released_whatever_kind_of_change_it_is() {
    let bench = Workbench::new();
    bench.put("v2");
    let modified = |bench: &Workbench| {
        for verb in ["validate", "gate"] {
            bench.run(&[verb]).assert_code(0);
        }
        bench.run(&["release"])
    };
    for staged in [false, true] {
        if staged {
            bench.clone.git(&["add", "models"]);
        }
        let done = modified(&bench);
        done.assert_code(2);
        assert!(done.stderr.contains("models/churn/model.onnx"), "{}", done.stderr);
        assert!(bench.published().is_empty());
    }
    // What is no part of the artifact may differ: reports are written by the job itself.
    bench.push("Add v2");
    bench.clone.write("reports/notes.txt", "by hand");
    modified(&bench).assert_code(0);
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let bench = Workbench::with_server();
    bench.run_push().assert_code(0);
    bench.put("v2");
    bench.push("Add v2");
    for verb in ["validate", "gate", "release"] {
        bench.run(&[verb]).assert_code(0);
    }
    newer(&bench);
    let refs = || bench.origin.git(&["for-each-ref"]);
    let before = refs();
    for arguments in [
        &["rollout"][..],
        &["rollout", "--once"],
        &["rollout", "--all"],
        &["rollout", "--abort"],
        &["rollback"],
        &["status"],
    ] {
        let done = bench.run(arguments);
        done.assert_code(3);
        let said = &done.stderr;
        assert!(
            said.contains("tagship/rollout/v2") && said.contains("rollouts/production/churn"),
            "{arguments:?}: {said}"
        );
        assert_eq!(refs(), before, "{arguments:?} wrote something");
    }
    assert_eq!(bench.production().as_deref(), Some("v0.1.0"));
}

/// Appends the newest entry of the journal once more, as a later version of Tagship would write it.
fn newer(bench: &Workbench) {
    const JOURNAL: &str = "refs/tagship/rollouts/production/churn";
    let clone = &bench.clone;
    clone.git(&["fetch", "--quiet", "origin", &format!("+{JOURNAL}:{JOURNAL}")]);
    clone.git(&["checkout", "--quiet", "--detach", JOURNAL]);
    let path = clone.git(&["grep", "--files-with-matches", "tagship/rollout/v1"]);
    let state = std::fs::read_to_string(clone.path().join(&path)).unwrap();
    clone.write(&path, state.replace("tagship/rollout/v1", "tagship/rollout/v2"));
    clone.git(&["add", &path]);
    clone.git(&["commit", "--quiet", "--message", "production/churn: of a newer version"]);
    clone.git(&["push", "--quiet", "origin", &format!("HEAD:{JOURNAL}")]);
    clone.git(&["checkout", "--quiet", "main"]);
}
