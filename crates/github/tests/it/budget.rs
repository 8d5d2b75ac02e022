//! What things cost: requests, pages, and the pace of writes.

use serde_json::json;
use tagship_domain::rollout::DeploymentState::{InProgress, Success};
use tagship_github::{GitHub, Spent};
use tagship_ports::{
    ArtifactStore as _, Clock as _, Forge as _, StateStore as _,
    forge::{CheckState, CommentOutcome},
};

use crate::host::{COMMIT, Host, at, comment, commit, deployment, digest_of, entry, make, note, stored_note};

/// Requests that count, since the last look.
struct Counter<'a>(&'a GitHub, Spent);

impl<'a> Counter<'a> {
    fn of(client: &'a GitHub) -> Self {
        Self(client, client.spent())
    }

    fn counted(&mut self) -> u64 {
        let now = self.0.spent();
        let counted = now.counted - self.1.counted;
        self.1 = now;
        counted
    }
}

#[tokio::test]
async fn the_usual_things_cost_few_requests() {
    let host = Host::new();
    let client = host.client();
    let mut cost = Counter::of(&client);
    client.comment(&comment(1, "one")).await.unwrap();
    assert_eq!(cost.counted(), 4, "who we are, look, post, look again");
    client.comment(&comment(2, "two")).await.unwrap();
    // The look after the post is still true.
    assert_eq!(cost.counted(), 1, "change");
    client.comment(&comment(2, "two")).await.unwrap();
    assert_eq!(cost.counted(), 1, "look");
    client.comment(&comment(2, "two")).await.unwrap();
    assert_eq!(cost.counted(), 0, "nothing has changed");

    let first = client.append("a/b", None, &entry("first", 1)).await.unwrap();
    assert_eq!(cost.counted(), 3, "tree, commit, reference");
    client.tip("a/b").await.unwrap();
    assert_eq!(cost.counted(), 1, "the reference; what it names is known");
    client.tip("a/b").await.unwrap();
    assert_eq!(cost.counted(), 0, "nothing has changed");
    client.append("a/b", Some(&first), &entry("second", 2)).await.unwrap();
    assert_eq!(cost.counted(), 3, "tree, commit, reference");
    client.history("a/b", 100).await.unwrap();
    assert_eq!(cost.counted(), 1, "all entries are known");

    client.deployment(&deployment("v1.0.0", InProgress, 1)).await.unwrap();
    assert_eq!(cost.counted(), 4, "look, create, look who was first, status");
    client.deployment(&deployment("v1.0.0", InProgress, 2)).await.unwrap();
    assert_eq!(cost.counted(), 2, "look at its statuses, status; the list has not changed");
    client.deployment(&deployment("v1.0.0", Success, 3)).await.unwrap();
    assert_eq!(cost.counted(), 2, "look at its statuses, status");

    client.release(&note()).await.unwrap();
    assert_eq!(cost.counted(), 5, "look, draft, upload, the tag, publish");
    client.release(&note()).await.unwrap();
    assert_eq!(cost.counted(), 1, "look");
    client.checks(&commit()).await.unwrap();
    assert_eq!(cost.counted(), 2);
    client.checks(&commit()).await.unwrap();
    assert_eq!(cost.counted(), 0, "nothing has changed");
}

#[tokio::test]
async fn a_release_with_its_files_costs_nine_requests() {
    let host = Host::new();
    let client = host.client();
    let mut cost = Counter::of(&client);
    let note = stored_note(b"weights");
    make(&client, &note).await.unwrap();
    assert_eq!(cost.counted(), 9, "look, draft, four files, look, the tag, publish");
    make(&client, &note).await.unwrap();
    assert_eq!(cost.counted(), 1, "look");
    let fresh = host.client();
    fresh.get_bytes(&digest_of(b"weights"), 100).await.unwrap();
    assert_eq!(fresh.spent().counted, 2, "look, the address of the bytes");
    fresh.get_bytes(&digest_of(b"golden"), 100).await.unwrap();
    assert_eq!(fresh.spent().counted, 3, "the address of the bytes");
}

#[tokio::test]
async fn a_run_that_knows_nothing_reads_an_entry_in_few_requests() {
    let host = Host::new();
    host.client().append("a/b", None, &entry("first", 1)).await.unwrap();
    let fresh = host.client();
    let tip = fresh.tip("a/b").await.unwrap().unwrap();
    assert_eq!(tip.message, "first");
    assert_eq!(fresh.spent().counted, 4, "reference, commit, tree, one blob");
}

#[tokio::test]
async fn every_page_is_read() {
    let host = Host::new();
    host.fake.world(|world| {
        for number in 0..250 {
            world.add_comment(7, "ada", &format!("comment {number}"));
        }
    });
    let client = host.client();
    client.comment(&comment(1, "one")).await.unwrap();
    assert_eq!(host.client().comment(&comment(1, "one")).await, Ok(CommentOutcome::Unchanged));
    host.fake.world(|world| {
        assert_eq!(world.comments.len(), 251);
        for number in 0..130 {
            let run =
                json!({ "name": format!("run {number:03}"), "head_sha": COMMIT, "conclusion": "success" });
            let mut run = run;
            run["status"] = json!(if number == 129 { "in_progress" } else { "completed" });
            run["check_suite"] = json!({ "id": number });
            world.check_runs.push(run);
        }
        for number in 0..110 {
            let state = if number == 109 { "error" } else { "success" };
            let status = json!({ "context": format!("status {number:03}"), "state": state });
            world.statuses.push((COMMIT.to_owned(), status));
        }
        // Another workflow's check of the same name is not green.
        let run = json!({
            "name": "run 000", "head_sha": COMMIT, "status": "completed", "conclusion": "timed_out",
            "check_suite": { "id": 1000 },
        });
        world.check_runs.push(run);
    });
    let checks = client.checks(&commit()).await.unwrap();
    assert_eq!(checks.len(), 240);
    let state = |name: &str| checks.iter().find(|check| check.name == name).unwrap().state;
    assert_eq!(state("run 000"), CheckState::Failure);
    assert_eq!(state("run 001"), CheckState::Success);
    assert_eq!(state("run 129"), CheckState::Pending);
    assert_eq!(state("status 109"), CheckState::Failure);
}

#[tokio::test]
async fn writes_that_people_see_are_a_second_apart() {
    let host = Host::new();
    let client = host.client();
    client.comment(&comment(0, "zero")).await.unwrap();
    let before = host.clock.now();
    for second in 1..6 {
        client.comment(&comment(second, &format!("{second}"))).await.unwrap();
    }
    let took = host.clock.now().since(before).std().as_secs();
    assert_eq!(took, 5);
    // Objects that nobody sees are not held up.
    client.append("a/b", None, &entry("first", 1)).await.unwrap();
    assert_eq!(host.clock.now().since(before).std().as_secs(), took + 1, "the reference alone");
    assert!(host.clock.now() > at(0));
}
