//! The registry by hand: what a person changes with a tag, and what only a rollout may change.

use tagship_testkit::Repository;

use crate::workbench::{Workbench, tagship};

fn names(repository: &Repository) -> Vec<String> {
    repository.git(&["tag", "--list"]).lines().map(str::to_owned).collect()
}

#[test]
fn a_tag_by_hand_is_published_with_who_and_why() {
    let bench = Workbench::new();
    let planned = bench.run(&["registry", "register", "lead", "--dry-run"]);
    assert!(planned.assert_code(0).stdout.contains("would make tag lead@v0.1.0"), "{}", planned.stdout);
    assert_eq!(names(&bench.clone), [""; 0]);
    bench.run(&["registry", "register", "lead", "--reason", "first\nTagship-Actor: root"]).assert_code(0);
    bench.run(&["registry", "assign", "lead@v0.1.0", "staging"]).assert_code(0);
    assert_eq!(names(&bench.origin), ["lead#staging#1", "lead@v0.1.0"]);
    let message = bench.origin.git(&["tag", "--list", "lead@v0.1.0", "--format=%(contents)"]);
    let lines: Vec<&str> = message.trim_end().lines().collect();
    assert_eq!(lines[0], "Registering artifact lead version v0.1.0");
    assert_eq!(lines.last(), Some(&"Tagship-Reason: first Tagship-Actor: root"));
    assert_eq!(lines.iter().filter(|line| line.starts_with("Tagship-Actor: ")).count(), 1);

    let checked = bench.run(&["registry", "check", "lead#staging#1", "--format", "json"]);
    let checked: serde_json::Value = serde_json::from_str(&checked.assert_code(0).stdout).unwrap();
    assert_eq!(
        (&checked["event"], &checked["version"], &checked["stage"]),
        (&"assignment".into(), &"v0.1.0".into(), &"staging".into())
    );
    let again = bench.run(&["registry", "assign", "lead@v0.1.0", "staging"]);
    assert!(again.assert_code(0).stdout.contains("so already"), "{}", again.stdout);
    assert_eq!(names(&bench.origin).len(), 2);
}

#[test]
fn two_clones_that_register_at_once_both_get_a_number() {
    let bench = Workbench::new();
    let other = Repository::clone_of(&bench.origin);
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    // The other one does not know that tag yet, and its own commit is a new version.
    other.write("notes.txt", "more");
    other.git(&["add", "notes.txt"]);
    other.git(&["commit", "--quiet", "--message", "Train again"]);
    tagship(other.path(), &["registry", "register", "lead"]).run().assert_code(0);
    assert_eq!(names(&bench.origin), ["lead@v0.1.0", "lead@v0.1.1"]);
    assert_eq!(names(&other), ["lead@v0.1.0", "lead@v0.1.1"]);
}

#[test]
fn what_is_rolled_out_is_moved_by_rollouts_alone() {
    let bench = Workbench::new();
    bench.run(&["registry", "register", "churn"]).assert_code(0);
    for words in [["assign", "churn@v0.1.0", "production"], ["unassign", "churn@v0.1.0", "production"]] {
        let refused = bench.run(&["registry", words[0], words[1], words[2]]);
        refused.assert_code(2);
        for word in ["rolled out there", "tagship rollout --model churn --environment production"] {
            assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
        }
    }
    assert_eq!(names(&bench.origin), ["churn@v0.1.0"]);
    bench.run(&["registry", "assign", "churn@v0.1.0", "archive"]).assert_code(0);
}

#[test]
fn an_unknown_tag_is_an_error_and_not_an_empty_answer() {
    let bench = Workbench::new();
    for tag in ["lead@v0.1.0", "HEAD", "v1"] {
        let unknown = bench.run(&["registry", "check", tag]);
        unknown.assert_code(2);
        assert!(unknown.stderr.contains("no tag of the registry"), "{}", unknown.stderr);
    }
    let sound = bench.run(&["registry", "doctor", "--format", "json"]);
    assert_eq!(sound.assert_code(0).stdout.trim(), r#"{"findings":[]}"#);
}

#[test]
fn what_a_journal_tells_of_is_moved_by_rollouts_alone_too() {
    let bench = Workbench::new();
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    let tree = bench.origin.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
    let commit = bench.origin.git(&[&who[..], &["commit-tree", &tree, "-m", "A rollout"]].concat());
    bench.origin.git(&["update-ref", "refs/tagship/rollouts/eu+west/lead", &commit]);
    let refused = bench.run(&["registry", "assign", "lead@v0.1.0", "eu/west"]);
    refused.assert_code(2);
    assert!(refused.stderr.contains("lead is rolled out there"), "{}", refused.stderr);
    bench.run(&["registry", "assign", "lead@v0.1.0", "archive"]).assert_code(0);
}

#[test]
fn a_registry_whose_models_are_all_deprecated_says_so() {
    let bench = Workbench::new();
    assert!(bench.run(&["registry", "show"]).stdout.contains("no model is registered yet"));
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    bench.run(&["registry", "deprecate", "lead"]).assert_code(0);
    let shown = bench.run(&["registry", "show"]);
    assert!(shown.assert_code(0).stdout.contains("every model is deprecated: lead"), "{}", shown.stdout);
}

#[test]
fn descriptions_of_models_are_shown_and_a_bad_one_takes_nothing_else_away() {
    let bench = Workbench::new();
    let describe = |text: &str| {
        bench.clone.write("artifacts.yaml", text);
        bench.push("Describe");
    };
    describe("lead: { type: model, custom: { z: 1, a: 2 } }\nzeta: {}\n");
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    let shown = bench.run(&["registry", "show"]).stdout;
    assert!(shown.contains("*zeta") && !shown.contains("*lead"), "{shown}");
    let lead = || bench.run(&["registry", "show", "lead", "--format", "json"]).assert_code(0).stdout.clone();
    let words = lead().split_whitespace().collect::<String>();
    assert!(words.contains(r#""source":"gto","artifact":{"type":"model""#), "{words}");
    assert!(words.contains(r#""custom":{"z":1,"a":2}"#), "the order is kept: {words}");

    describe("lead: { type: [] }\nzeta: {}\n");
    assert!(bench.run(&["registry", "show"]).assert_code(0).stdout.contains("*zeta"));
    let sick = bench.run(&["registry", "doctor"]);
    sick.assert_code(1);
    assert!(sick.stdout.contains("annotation-invalid: the description of lead"), "{}", sick.stdout);
    describe("[");
    assert!(lead().contains("v0.1.0"));
    let sick = bench.run(&["registry", "doctor"]);
    assert!(sick.stdout.contains("annotations-unreadable: artifacts.yaml at "), "{}", sick.stdout);
    bench.clone.write(".gto", "stage: [dev]\n");
    let refused = bench.run(&["registry", "show"]);
    assert!(refused.assert_code(2).stderr.contains("stage is none of GTO's settings"), "{}", refused.stderr);
}

#[test]
fn what_is_wrong_is_put_right_without_deleting_a_tag() {
    let bench = Workbench::new();
    let doctor = |words: &[&str]| bench.run(&[&["registry", "doctor"], words].concat());
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    bench.run(&["registry", "assign", "lead@v0.1.0", "staging"]).assert_code(0);
    bench.run(&["registry", "deregister", "lead@v0.1.0"]).assert_code(0);
    let before = names(&bench.origin);
    bench.clone.git(&["tag", "lead#dev#9"]);
    let unsettled = doctor(&["--repair", "--yes"]);
    unsettled.assert_code(1);
    for words in [
        "tag-not-published: lead#dev#9",
        "by hand: if it is meant, publish it",
        "withdrawn-in-stage: lead@v0.1.0",
        "by hand: first settle the tags of this model",
    ] {
        assert!(unsettled.stdout.contains(words), "{words}: {}", unsettled.stdout);
    }
    bench.clone.git(&["tag", "--delete", "lead#dev#9"]);
    let shown = doctor(&["--repair"]);
    assert!(shown.assert_code(1).stdout.contains("would make tag lead#staging!#2"), "{}", shown.stdout);
    assert_eq!(names(&bench.origin), before, "only shown");
    let done = doctor(&["--repair", "--yes"]);
    assert!(done.assert_code(0).stdout.contains("done: made tag lead#staging!#2"), "{}", done.stdout);
    assert_eq!(names(&bench.origin).len(), before.len() + 1, "nothing was deleted");
    assert!(doctor(&["--repair", "--yes"]).assert_code(0).stdout.contains("every registry tag makes sense"));
    assert_eq!(doctor(&["--yes"]).code, 2, "it belongs to --repair");
}

#[test]
fn a_tag_that_differs_stops_no_other_repair_and_what_to_do_is_always_said() {
    let bench = Workbench::new();
    let doctor = |words: &[&str]| bench.run(&[&["registry", "doctor"], words].concat());
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    bench.run(&["registry", "register", "other"]).assert_code(0);
    bench.run(&["registry", "assign", "lead@v0.1.0", "staging"]).assert_code(0);
    bench.run(&["registry", "deregister", "lead@v0.1.0"]).assert_code(0);
    bench.clone.git(&["tag", "--delete", "lead@v0.1.0!"]);
    bench.clone.git(&["tag", "--annotate", "--force", "--message", "mine", "other@v0.1.0", "HEAD"]);
    let done = doctor(&["--repair", "--yes"]);
    done.assert_code(1);
    for words in [
        "tag-not-fetched: lead@v0.1.0!",
        "done: git fetch --tags",
        "done: made tag lead#staging!#2",
        "tag-differs-from-remote: other@v0.1.0",
        "`git fetch origin tag other@v0.1.0`",
    ] {
        assert!(done.stdout.contains(words), "{words}: {}", done.stdout);
    }
    bench.clone.git(&["tag", "other#dev#7"]);
    let shown = doctor(&[]);
    assert!(
        shown.assert_code(1).stdout.contains("`git tag --annotate --force 'other#dev#7' 'other#dev#7'`"),
        "{}",
        shown.stdout
    );
}

#[test]
fn a_bad_description_at_the_commit_of_a_version_is_told() {
    let bench = Workbench::new();
    bench.clone.write("artifacts.yaml", "lead: { type: [] }\nnever: { type: [] }\n");
    bench.push("Describe");
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    bench.clone.write("artifacts.yaml", "lead: { type: model }\n");
    bench.push("Correct it");
    let sick = bench.run(&["registry", "doctor"]);
    sick.assert_code(1);
    assert_eq!(
        sick.stdout.matches("annotation-invalid: the description of lead at ").count(),
        1,
        "{}",
        sick.stdout
    );
    assert!(sick.stdout.contains("by hand: correct it in a new commit"), "{}", sick.stdout);
    assert!(!sick.stdout.contains("never"), "{}", sick.stdout);
}

#[test]
fn a_shallow_clone_is_deepened_on_demand() {
    let bench = Workbench::new();
    bench.run(&["registry", "register", "lead"]).assert_code(0);
    bench.clone.write("notes.txt", "more");
    bench.push("Train again");
    let shallow = tempfile::tempdir().unwrap();
    let from = format!("file://{}", bench.origin.path().display());
    let into = shallow.path().join("clone").display().to_string();
    bench.origin.git(&["clone", "--quiet", "--depth", "1", "--branch", "main", &from, &into]);
    let run = |words: &[&str]| tagship(std::path::Path::new(&into), &[&["registry"], words].concat()).run();
    assert!(run(&["show"]).stderr.contains("the clone is shallow"));
    let shown = run(&["doctor", "--repair"]);
    assert!(
        shown.assert_code(1).stdout.contains("would run `git fetch --unshallow --tags`"),
        "{}",
        shown.stdout
    );
    run(&["doctor", "--repair", "--yes"]).assert_code(0);
    assert!(run(&["show"]).assert_code(0).stdout.contains("lead"));
}
