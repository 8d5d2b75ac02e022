//! The suites of the ports.

use tagship_domain::{CommitId, Provenance, rollout::RolloutId};
use tagship_ports::{
    Problem, Repo as _, StageRegistry as _,
    conformance::{self, RepoFixture},
    conversation::PullRequest,
    repo::NewTag,
    stage_registry::StageChange,
    target::Done,
};
use tagship_registry::Options;
use tagship_release::TagStages;

use crate::host::{COMMIT, Host, at, commit};

#[tokio::test]
async fn the_forge_keeps_its_promises() {
    let host = Host::new();
    conformance::forge(&host.client(), &commit()).await;
    host.fake.world(|world| {
        assert_eq!(world.comment_bodies(7).len(), 3, "one comment per topic");
        assert_eq!(world.deployment_states(), ["success"]);
        assert_eq!(world.releases.len(), 1);
        assert_eq!(world.releases[0]["draft"], false);
    });
}

#[tokio::test]
async fn the_store_keeps_its_promises() {
    for (tells_digests, streams_assets) in [(true, false), (false, false), (true, true)] {
        let host = Host::new();
        host.fake.world(|world| {
            (world.tells_digests, world.streams_assets) = (tells_digests, streams_assets);
        });
        let scratch = tempfile::tempdir().unwrap();
        conformance::artifact_store(&host.client(), scratch.path()).await;
    }
}

#[tokio::test]
async fn journals_keep_their_promises() {
    let host = Host::new();
    let (one, other) = (host.client(), host.client());
    conformance::state_store(&one).await;
    conformance::racing_appends(&one, &other).await;
    conformance::shortened_journals(&one, &other).await;
    let names = host.fake.world(|world| world.refs.keys().cloned().collect::<Vec<_>>());
    assert!(
        names.contains(&"refs/tagship/conformance/c/pricing%3Achurn".to_owned()),
        "named as git does: {names:?}"
    );
}

#[tokio::test]
async fn the_repository_keeps_its_promises() {
    let host = Host::new();
    let (first, head) = host.fake.world(|world| {
        let first = world.add_commit(&[], &[("readme", b"x")]);
        let head = world.add_commit(&[&first], &[("readme", b"x"), ("models/churn.bin", b"weights\0")]);
        world.refs.clear();
        world.refs.insert("refs/heads/main".to_owned(), head.clone());
        (first.parse().unwrap(), head.parse().unwrap())
    });
    let fixture = RepoFixture {
        first,
        head,
        branch: "main".to_owned(),
        path: "models/churn.bin".to_owned(),
        content: b"weights\0".to_vec(),
    };
    let (one, other) = (host.client(), host.client());
    conformance::repo(&one, &fixture).await;
    conformance::racing_tags(&one, &other, &fixture.head).await;
    assert_eq!(one.file_at(&fixture.head, "models").await, Ok(None), "a directory is no file");
    let large = vec![b'x'; 3 << 20];
    let with_large = host.fake.world(|world| world.add_commit(&[], &[("large", &large)]));
    assert_eq!(one.file_at(&with_large.parse().unwrap(), "large").await, Ok(Some(large)));
}

#[tokio::test]
async fn stages_can_be_recorded_without_a_clone() {
    let host = Host::new();
    let client = host.client();
    // GTO knows a version by its commit, so that each needs one of its own.
    let second: CommitId = host.fake.world(|world| {
        world.refs.clear();
        world.add_commit(&[COMMIT], &[("second", b"x")]).parse().unwrap()
    });
    for (version, commit) in [("v1.0.0", commit()), ("v1.1.0", second.clone())] {
        let message = format!("Registering artifact churn version {version}\n");
        client
            .create_tag(&NewTag { name: format!("churn@{version}"), commit, message, at: at(0) })
            .await
            .unwrap();
    }
    let options = Options::default();
    let stages = TagStages { repo: &client, options: &options };
    let change = |version: &str, commit: &CommitId, fence| StageChange {
        model: "churn".parse().unwrap(),
        version: version.parse().unwrap(),
        commit: commit.clone(),
        environment: "production".parse().unwrap(),
        rollout: RolloutId(format!("production-{version}-1")),
        fence,
        reason: "a test".to_owned(),
        by: Provenance { actor: "ada".to_owned(), run: None },
        at: at(i64::try_from(fence).unwrap()),
    };
    assert_eq!(stages.assign(&change("v1.0.0", &commit(), 1)).await, Ok(Done::Applied));
    assert_eq!(stages.assign(&change("v1.0.0", &commit(), 1)).await, Ok(Done::AlreadyThere));
    assert_eq!(stages.assign(&change("v1.1.0", &second, 5)).await, Ok(Done::Applied));
    let late = stages.assign(&change("v1.0.0", &commit(), 2)).await;
    assert_eq!(late.map_err(|error| error.problem), Err(Problem::Fenced));
    assert_eq!(stages.unassign(&change("v1.1.0", &second, 6)).await, Ok(Done::Applied));
    let tags = host.fake.world(|world| world.refs.keys().filter(|name| name.contains('#')).count());
    assert_eq!(tags, 3, "each change is a tag of its own, none is moved");
}

#[tokio::test]
async fn people_marks_issues_and_dispatches_keep_their_promises() {
    let host = Host::new();
    let client = host.client();
    let id = host.fake.world(|world| {
        world.access.insert("ada".to_owned(), "write".to_owned());
        world.add_comment(7, "ada", "/tagship status")
    });
    let pull = PullRequest { number: 7, head: "a".repeat(40).parse().unwrap(), from_fork: false, open: true };
    conformance::conversation(&client, &pull, id, "ada").await;
    conformance::commit_marks(&client, &commit()).await;
    conformance::issue_tracker(&client).await;
    conformance::dispatcher(&client).await;
    host.fake.world(|world| {
        assert_eq!(world.reactions.len(), 2, "each sign once");
        assert_eq!(world.check_runs.len(), 1, "one report, brought up to date");
        assert_eq!(world.statuses.len(), 3, "one status per change");
        let open = world
            .issues
            .values()
            .filter(|issue| issue["state"] == "open" && issue["title"] == "drift of churn");
        assert_eq!(open.count(), 1);
        assert_eq!(world.dispatches.len(), 2);
    });
    let fork = tagship_ports::Conversation::pull_request(&client, 8).await.unwrap();
    assert!(fork.from_fork);
}
