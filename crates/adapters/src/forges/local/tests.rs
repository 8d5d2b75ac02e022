//! The local forge on a real directory.

use tagship_domain::{Digest, ModelName};
use tagship_ports::conformance;

use super::*;

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000 + second).unwrap()
}

fn comment(second: i64, body: &str) -> Comment {
    Comment {
        pull_request: 7,
        topic: "status".to_owned(),
        about: None,
        written: at(second),
        body: body.to_owned(),
        only_refreshes: false,
    }
}

fn status(rollout: &str, model: &str, state: DeploymentState, second: i64) -> DeploymentStatus {
    let model: ModelName = model.parse().unwrap();
    let release = Release {
        model,
        version: "v1.0.0".parse().unwrap(),
        digest: Digest::from_bytes([1; 32]),
        manifest: Digest::from_bytes([2; 32]),
        commit: commit('c'),
    };
    DeploymentStatus {
        environment: "production".parse().unwrap(),
        release,
        rollout: RolloutId(rollout.to_owned()),
        state,
        description: "v1.0.0 serves".to_owned(),
        at: at(second),
        url: None,
    }
}

fn state_of(root: &Path, name: &str) -> DeploymentState {
    let path = root.join("deployments/production").join(format!("{name}.json"));
    read_json::<DeploymentFile>(&path).unwrap().unwrap().state
}

#[tokio::test]
async fn behaves_like_every_forge() {
    let directory = tempfile::tempdir().unwrap();
    conformance::forge(&LocalForge::new(directory.path()), &commit('f')).await;
}

#[tokio::test]
async fn a_comment_is_a_file_that_people_can_read() {
    let directory = tempfile::tempdir().unwrap();
    let forge = LocalForge::new(directory.path());
    forge.comment(&comment(10, "## Deployed\n\nv1.0.0\n")).await.unwrap();
    let text = fs::read_to_string(directory.path().join("comments/7-status.md")).unwrap();
    let (marker, body) = text.split_once('\n').unwrap();
    assert!(marker.starts_with("<!-- tagship:status "), "{marker}");
    assert_eq!(body, "## Deployed\n\nv1.0.0\n");
}

#[tokio::test]
async fn nothing_older_than_an_unchanged_comment_replaces_it() {
    let directory = tempfile::tempdir().unwrap();
    let forge = LocalForge::new(directory.path());
    forge.comment(&comment(10, "good")).await.unwrap();
    assert_eq!(forge.comment(&comment(30, "good")).await, Ok(CommentOutcome::Unchanged));
    assert_eq!(forge.comment(&comment(20, "late")).await, Ok(CommentOutcome::NewerThere));
}

#[tokio::test]
async fn a_comment_that_people_broke_is_written_anew() {
    let directory = tempfile::tempdir().unwrap();
    let forge = LocalForge::new(directory.path());
    forge.comment(&comment(10, "good")).await.unwrap();
    fs::write(forge.comment_path(7, "status"), "edited by hand").unwrap();
    assert_eq!(forge.comment(&comment(5, "good")).await, Ok(CommentOutcome::Updated));
}

#[tokio::test]
async fn what_a_person_changed_is_not_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let forge = LocalForge::new(directory.path());
    let refresh = |second, body| Comment { only_refreshes: true, ..comment(second, body) };
    forge.comment(&comment(10, "good\n")).await.unwrap();
    assert_eq!(forge.comment(&refresh(20, "better\n")).await, Ok(CommentOutcome::Updated));
    let path = forge.comment_path(7, "status");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}and a word of mine\n")).unwrap();
    assert_eq!(forge.comment(&refresh(30, "best\n")).await, Ok(CommentOutcome::Edited));
    assert!(fs::read_to_string(&path).unwrap().contains("a word of mine"));
    assert_eq!(
        forge.comment(&comment(15, "late\n")).await,
        Ok(CommentOutcome::NewerThere),
        "its time is read"
    );
}

#[tokio::test]
async fn a_success_takes_over_and_a_late_status_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let forge = LocalForge::new(directory.path());
    for status in [
        status("one", "churn", DeploymentState::Success, 10),
        status("other", "fraud", DeploymentState::Success, 10),
        status("two", "churn", DeploymentState::InProgress, 20),
        status("two", "churn", DeploymentState::Success, 30),
        status("two", "churn", DeploymentState::InProgress, 25),
    ] {
        forge.deployment(&status).await.unwrap();
    }
    let root = directory.path();
    assert_eq!(state_of(root, "churn-one"), DeploymentState::Inactive);
    assert_eq!(state_of(root, "churn-two"), DeploymentState::Success);
    assert_eq!(state_of(root, "fraud-other"), DeploymentState::Success, "another model");
    forge.deployment(&status("one", "churn", DeploymentState::Success, 10)).await.unwrap();
    assert_eq!(
        state_of(root, "churn-one"),
        DeploymentState::Inactive,
        "a repeated old success stays replaced"
    );
}

#[tokio::test]
async fn people_write_pull_requests_and_checks() {
    let directory = tempfile::tempdir().unwrap();
    let forge = LocalForge::new(directory.path());
    let write = |path: &str, text: String| {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("pull-requests/9.json", format!(r#"{{"head":"{}"}}"#, commit('a')));
    write("pull-requests/3.json", format!(r#"{{"head":"{}","merge":"{}"}}"#, commit('b'), commit('a')));
    write("pull-requests/notes.txt", "not a pull request".to_owned());
    assert_eq!(forge.pull_requests_of(&commit('a')).await, Ok(vec![3, 9]));
    assert_eq!(forge.pull_requests_of(&commit('b')).await, Ok(vec![3]));

    let states = r#"{"build":"success","lint":"pending","unit":"cancelled"}"#;
    write(&format!("checks/{}.json", commit('a')), states.to_owned());
    let checks = forge.checks(&commit('a')).await.unwrap();
    let states: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.state)).collect();
    assert_eq!(
        states,
        [("build", CheckState::Success), ("lint", CheckState::Pending), ("unit", CheckState::Failure)]
    );

    write("pull-requests/4.json", "{".to_owned());
    let error = forge.pull_requests_of(&commit('a')).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.operation.ends_with("4.json"), "{error}");
}

#[tokio::test]
async fn a_file_in_the_way_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("comments"), b"").unwrap();
    let error = LocalForge::new(directory.path()).comment(&comment(10, "good")).await.unwrap_err();
    assert!(error.to_string().contains("comments"), "{error}");
}

#[test]
fn names_stay_one_component() {
    assert_eq!(file_name("churn@v1.0.0"), "churn@v1.0.0");
    assert_eq!(file_name("../a/b"), "%2E.%2Fa%2Fb");
}
