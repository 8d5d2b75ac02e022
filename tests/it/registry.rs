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
