//! What every conversation, marker of commits, issue tracker and dispatcher must do.

use serde_json::{Map, Value};
use tagship_domain::CommitId;

use crate::{
    CommitMarks, Conversation, Dispatcher, IssueTracker, Problem,
    commit_marks::{CheckReport, CommitStatus, MarkState},
    conversation::{Access, PullRequest, Reaction},
    dispatcher::Dispatch,
    issue_tracker::{Alert, AlertOutcome},
};

/// People and pull requests are told apart. There must be `pull_request` but none with the number 404, a comment of
/// the given id, and `writer` must have exactly write access.
pub async fn conversation(forge: &dyn Conversation, pull_request: &PullRequest, comment: u64, writer: &str) {
    assert_eq!(forge.pull_request(pull_request.number).await.as_ref(), Ok(pull_request));
    let none = forge.pull_request(404).await.expect_err("there is no such pull request");
    assert_eq!(none.problem, Problem::NotFound, "{none}");
    assert_eq!(forge.shown(pull_request.number, "nothing of ours").await, Ok(None));
    for reaction in [Reaction::Seen, Reaction::Done, Reaction::Done] {
        assert_eq!(forge.react(comment, reaction).await, Ok(()), "a sign can be given again");
    }
    assert_eq!(forge.access(writer).await, Ok(Access::Write));
    assert_eq!(forge.access("nobody-we-know").await, Ok(Access::None), "someone unknown is no error");
}

/// Marks can be set again and change. `commit` must exist and have no marks.
pub async fn commit_marks(forge: &dyn CommitMarks, commit: &CommitId) {
    let status = |state, description: &str| CommitStatus {
        commit: commit.clone(),
        context: "tagship/churn".to_owned(),
        state,
        description: description.to_owned(),
        details: Some("https://example.org/run/1".to_owned()),
    };
    let report = |state, summary: &str| CheckReport {
        commit: commit.clone(),
        name: "tagship".to_owned(),
        key: "run-1".to_owned(),
        state,
        title: "churn".to_owned(),
        summary: summary.to_owned(),
        text: String::new(),
        details: None,
    };
    for (state, words) in [
        (MarkState::Pending, "working"),
        (MarkState::Pending, "working"),
        (MarkState::Success, "done"),
        (MarkState::Error, "é".repeat(500).as_str()),
    ] {
        assert_eq!(forge.status(&status(state, words)).await, Ok(()), "{state:?} {words}");
        assert_eq!(forge.check_report(&report(state, words)).await, Ok(()), "{state:?} {words}");
    }
}

/// One issue is open per topic. The tracker must know no topic `drift` and `slo`.
pub async fn issue_tracker(tracker: &dyn IssueTracker) {
    let alert = |topic: &str, body: &str| Alert {
        topic: topic.to_owned(),
        title: format!("{topic} of churn"),
        body: body.to_owned(),
        labels: vec!["tagship".to_owned()],
    };
    assert_eq!(tracker.settle("drift").await, Ok(None), "nothing to close is no error");
    let Ok(AlertOutcome::Opened(number)) = tracker.raise(&alert("drift", "one")).await else {
        unreachable!("the first alert of a topic opens an issue")
    };
    assert_eq!(tracker.raise(&alert("drift", "one")).await, Ok(AlertOutcome::Unchanged(number)));
    assert_eq!(tracker.raise(&alert("drift", "two <!-- x -->")).await, Ok(AlertOutcome::Updated(number)));
    assert_eq!(tracker.raise(&alert("drift", "two <!-- x -->")).await, Ok(AlertOutcome::Unchanged(number)));
    let other = tracker.raise(&alert("slo", "one")).await;
    assert!(matches!(other, Ok(AlertOutcome::Opened(next)) if next != number), "topics are apart: {other:?}");
    assert_eq!(tracker.settle("drift").await, Ok(Some(number)));
    assert_eq!(tracker.settle("drift").await, Ok(None), "it is closed already");
    let again = tracker.raise(&alert("drift", "three")).await;
    assert!(
        matches!(again, Ok(AlertOutcome::Opened(next)) if next != number),
        "a closed issue rests: {again:?}"
    );
}

/// What keeps the limits is started, the rest is refused before anything happens. Workflow `deploy.yml` must exist
/// on `main`.
pub async fn dispatcher(dispatcher: &dyn Dispatcher) {
    let payload = |keys: usize, size: usize| -> Map<String, Value> {
        (0..keys).map(|key| (format!("key-{key}"), Value::from("x".repeat(size)))).collect()
    };
    let event = |name: &str, payload| Dispatch::Event { name: name.to_owned(), payload };
    let workflow = |inputs: usize| Dispatch::Workflow {
        file: "deploy.yml".to_owned(),
        reference: "main".to_owned(),
        inputs: (0..inputs).map(|key| (format!("key-{key}"), "x".to_owned())).collect(),
    };
    for good in [event("tagship-promoted", payload(10, 5)), workflow(2)] {
        assert_eq!(dispatcher.dispatch(&good).await, Ok(()), "{}", good.what());
    }
    let bad = [
        event("", payload(1, 1)),
        event(&"x".repeat(101), payload(1, 1)),
        event("many", payload(11, 1)),
        event("large", payload(1, 1 << 16)),
        workflow(26),
    ];
    for bad in bad {
        let error = dispatcher.dispatch(&bad).await.expect_err("it breaks a limit");
        assert_eq!(error.problem, Problem::Invalid, "{error}");
    }
}
