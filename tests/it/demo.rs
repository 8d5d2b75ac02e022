//! The demo ends as told, and leaves a repository that tells the same story.

use tagship_testkit::Cli;

use crate::workbench::tagship;

#[test]
fn every_act_ends_as_told() {
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("kept");
    let demo = Cli::new(env!("CARGO_BIN_EXE_tagship")).arg("demo").arg("--keep").arg(&kept);
    let done = demo.current_dir(directory.path()).run();
    done.assert_code(0);
    assert!(!done.stdout.contains('\u{1b}'), "a pipe gets no escape sequences");
    let widest = done.stdout.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 200, "lines of {widest} characters");

    let clone = kept.join("clone");
    let registry = tagship(&clone, &["registry", "show", "--format", "json"]).run();
    registry.assert_code(0);
    let shown: serde_json::Value = serde_json::from_str(&registry.stdout).unwrap();
    assert_eq!(shown["churn"]["stage"]["production"], "v0.1.0", "rolled back to the first version");
    assert_eq!(shown["churn"]["version"], "v0.2.0", "the second one stays released");
    let status = tagship(&clone, &["status"]).run();
    status.assert_code(0);
    assert!(status.stdout.contains("instead of v0.2.0"), "{}", status.stdout);
}
