//! Holds every kind of request that the crate sends against the host's published description.
//!
//! `contract PRISM DESCRIPTION`: prism stands as a validating proxy between the client and a GitHub on this machine.
//! It refuses requests and answers that the description does not allow, so that the suites of the ports fail.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a check of the repository reports by panicking"
)]

use std::{fs, sync::Arc};

use tagship_domain::{CommitId, Digest, Release, Timestamp};
use tagship_github::{GitHub, Settings};
use tagship_ports::{
    Approvals as _,
    conformance::{self, RepoFixture},
    conversation::PullRequest,
    fake::FakeClock,
    forge::{Comment, Forge as _, ReleaseNote},
};
use tagship_testkit::{Prism, github::FakeGitHub};

const COMMIT: &str = "cccccccccccccccccccccccccccccccccccccccc";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [prism, description] = arguments.as_slice() else { panic!("contract PRISM DESCRIPTION") };
    let fake = FakeGitHub::start();
    let (first, head) = prepare(&fake);
    let proxy = Prism::start(prism.as_ref(), description.as_ref(), &fake);
    let settings = || Settings {
        run_url: Some("https://example.org/acme/shop/actions/runs/1".to_owned()),
        ..Settings::new(
            proxy.api_url(),
            fake.server_url(),
            proxy.graphql_url(),
            fake.repository(),
            fake.token(),
        )
    };
    let clock = Arc::new(FakeClock::at(Timestamp::from_seconds(1_900_000_000).unwrap()));
    let client = || GitHub::new(settings(), clock.clone()).unwrap();
    suites(&client(), &client(), &fake, &first, &head).await;
    let requests = fake.received().len();
    let violations = proxy.violations();
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
    println!("{requests} requests keep to the description");
    assert!(requests > 100, "the suites went through the proxy");
}

/// What the suites demand to be there.
fn prepare(fake: &FakeGitHub) -> (CommitId, CommitId) {
    fake.world(|world| {
        world.add_commit_as(COMMIT);
        world.add_pull(7, &"a".repeat(40), false);
        world.add_pull(8, &"b".repeat(40), false);
        world.access.insert("ada".to_owned(), "write".to_owned());
        let first = world.add_commit(&[], &[("readme", b"x")]);
        let head = world.add_commit(&[&first], &[("readme", b"x"), ("models/churn.bin", b"weights\0")]);
        world.refs.clear();
        world.refs.insert("refs/heads/main".to_owned(), head.clone());
        (first.parse().unwrap(), head.parse().unwrap())
    })
}

async fn suites(client: &GitHub, other: &GitHub, fake: &FakeGitHub, first: &CommitId, head: &CommitId) {
    let fixture = RepoFixture {
        first: first.clone(),
        head: head.clone(),
        branch: "main".to_owned(),
        path: "models/churn.bin".to_owned(),
        content: b"weights\0".to_vec(),
    };
    conformance::repo(client, &fixture).await;
    conformance::racing_tags(client, other, head).await;
    conformance::state_store(client).await;
    conformance::racing_appends(client, other).await;
    let commit: CommitId = COMMIT.parse().unwrap();
    conformance::forge(client, &commit).await;
    more_writes(client, fake).await;
    let id = fake.world(|world| world.add_comment(7, "ada", "/tagship status"));
    let head = "a".repeat(40).parse().unwrap();
    let pull = PullRequest { number: 7, head, from_fork: false, open: true };
    conformance::conversation(client, &pull, id, "ada").await;
    conformance::commit_marks(client, &commit).await;
    conformance::issue_tracker(client).await;
    conformance::dispatcher(client).await;
    let waits = "c".repeat(40);
    fake.world(|world| world.hold_back(5, &waits, "production", &["ada"], Some("ml")));
    for commit in [None, Some(&commit)] {
        assert_eq!(client.pending(commit).await.unwrap()[0].reviewers, ["ada", "team ml"]);
    }
}

/// What the suites leave out: a file from disk, another text of a release, and the removal of doubles.
async fn more_writes(client: &GitHub, fake: &FakeGitHub) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"abc").unwrap();
    let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap();
    client.attach_file("churn@v1.0.0", "model.bin", file.path(), &digest).await.unwrap();
    let (release, note) =
        fake.world(|world| (world.releases[0].clone(), world.comment_bodies(7)[0].to_owned()));
    let manifest = release["assets"][0]["id"].as_u64().unwrap();
    fake.world(|world| {
        // As runs leave it that raced or died: a double of the draft, an upload that broke off, a second comment.
        world.releases[0]["draft"] = true.into();
        world.releases[0]["assets"][0]["state"] = "open".into();
        let mut double = world.releases[0].clone();
        (double["id"], double["assets"]) = (world.next_id().into(), serde_json::json!([]));
        world.releases.push(double);
        let login = world.login.clone();
        world.add_comment(7, &login, &note);
    });
    let release = Release {
        model: "churn".parse().unwrap(),
        version: "v1.0.0".parse().unwrap(),
        digest: Digest::from_bytes([1; 32]),
        manifest: Digest::from_bytes([2; 32]),
        commit: COMMIT.parse().unwrap(),
    };
    for body in ["First.", "Better words."] {
        let (tag, manifest) = ("churn@v1.0.0".to_owned(), "{}\n".to_owned());
        let (model, body) = (release.model.clone(), body.to_owned());
        client.release(&ReleaseNote { tag, model, release: release.clone(), body, manifest }).await.unwrap();
    }
    let written = Timestamp::from_seconds(1_900_000_900).unwrap();
    let (topic, body) = ("status".to_owned(), "the last".to_owned());
    let comment = Comment { pull_request: 7, topic, about: None, written, body, only_refreshes: false };
    client.comment(&comment).await.unwrap();
    fake.world(|world| {
        assert_eq!((world.releases.len(), world.comment_bodies(7).len()), (1, 3));
        assert_ne!(world.releases[0]["assets"][1]["id"].as_u64(), Some(manifest), "uploaded again");
    });
}
