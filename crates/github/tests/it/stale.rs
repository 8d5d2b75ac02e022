//! Reads that lag behind writes, and what several runs left behind.

use tagship_domain::rollout::DeploymentState::{Failure, InProgress, Success};
use tagship_ports::{Clock as _, Forge as _, Problem, StateStore as _, forge::CommentOutcome};
use tagship_testkit::github::Fault;

use crate::host::{Host, comment, deployment, entry, note};

#[tokio::test]
async fn a_comment_that_the_first_list_does_not_show_yet_is_not_doubled() {
    let host = Host::new();
    host.client().comment(&comment(1, "one")).await.unwrap();
    host.fake.fail_next("GET", "/issues/7/comments", Fault::Stale);
    host.client().comment(&comment(2, "two")).await.unwrap();
    let bodies = host.fake.world(|world| {
        world.comment_bodies(7).iter().map(|body| body.lines().last().unwrap().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(bodies, ["two"]);
}

#[tokio::test]
async fn doubles_of_runs_that_raced_are_healed_and_the_newest_text_stays() {
    let host = Host::new();
    let client = host.client();
    client.comment(&comment(5, "five")).await.unwrap();
    host.fake.world(|world| {
        let text = world.comment_bodies(7)[0].to_owned();
        let nine = text.replace("five", "nine").replace("2030-03-17T17:46:45Z", "2030-03-17T17:46:49Z");
        assert_ne!(nine.lines().next(), text.lines().next(), "the marker's time was replaced");
        let login = world.login.clone();
        world.add_comment(7, &login, &nine);
        world.add_comment(7, "mallory", &nine.replace("nine", "evil"));
    });
    assert_eq!(client.comment(&comment(7, "seven")).await, Ok(CommentOutcome::NewerThere));
    let bodies = host.fake.world(|world| {
        world.comment_bodies(7).iter().map(|body| body.lines().last().unwrap().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(
        bodies,
        ["nine", "evil"],
        "the first comment has the newest text; another's comment is not ours"
    );
}

#[tokio::test]
async fn our_own_entry_is_the_tip_even_where_the_read_lags() {
    let host = Host::new();
    let client = host.client();
    let first = client.append("a/b", None, &entry("first", 1)).await.unwrap();
    host.fake.fail_next("GET", "/git/ref/", Fault::Stale);
    assert_eq!(client.tip("a/b").await.unwrap().map(|entry| entry.id), Some(first.clone()), "not there yet");
    let second = client.append("a/b", Some(&first), &entry("second", 2)).await.unwrap();
    host.fake.fail_next("GET", "/git/ref/", Fault::Stale);
    assert_eq!(client.tip("a/b").await.unwrap().map(|entry| entry.id), Some(second), "still the one before");
}

#[tokio::test]
async fn a_success_ends_earlier_ones_of_the_same_model_and_environment_only() {
    let host = Host::new();
    let client = host.client();
    let mut other_model = deployment("v5.0.0", Success, 1);
    other_model.release.model = "pricing".parse().unwrap();
    let mut staging = deployment("v1.0.0", Success, 1);
    staging.environment = "staging".parse().unwrap();
    let failed = deployment("v0.8.0", Failure, 2);
    for status in [&other_model, &staging, &failed, &deployment("v0.9.0", Success, 3)] {
        client.deployment(status).await.unwrap();
    }
    client.deployment(&deployment("v1.0.0", InProgress, 4)).await.unwrap();
    let states = |host: &Host| {
        host.fake.world(|world| world.deployment_states().into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(states(&host), ["success", "success", "failure", "success", "in_progress"]);
    client.deployment(&deployment("v1.0.0", Success, 5)).await.unwrap();
    assert_eq!(states(&host), ["success", "success", "failure", "inactive", "success"]);
    client.deployment(&deployment("v1.0.0", InProgress, 4)).await.unwrap();
    assert_eq!(states(&host)[4], "success", "a late status hides nothing");
}

#[tokio::test]
async fn a_doubled_deployment_is_healed_by_the_next_status() {
    let host = Host::new();
    let client = host.client();
    client.deployment(&deployment("v1.0.0", InProgress, 1)).await.unwrap();
    host.fake.world(|world| {
        let mut double = world.deployments[0].clone();
        double["id"] = world.next_id().into();
        world.deployments.push(double);
    });
    client.deployment(&deployment("v1.0.0", Success, 2)).await.unwrap();
    host.fake.world(|world| assert_eq!(world.deployment_states(), ["success"]));
}

#[tokio::test]
async fn drafts_that_raced_are_removed_and_broken_uploads_are_done_again() {
    let host = Host::new();
    let client = host.client();
    client.release(&note()).await.unwrap();
    host.fake.world(|world| {
        // As if the run had died in the middle of the upload, and another one had begun too.
        world.releases[0]["draft"] = true.into();
        world.releases[0]["assets"][0]["state"] = "starter".into();
        let mut double = world.releases[0].clone();
        double["id"] = world.next_id().into();
        double["assets"] = serde_json::json!([]);
        world.releases.push(double);
    });
    client.release(&note()).await.unwrap();
    host.fake.world(|world| {
        assert_eq!(world.releases.len(), 1);
        assert_eq!(world.releases[0]["draft"], false);
        assert_eq!(world.releases[0]["assets"][0]["state"], "uploaded");
    });
}

#[tokio::test]
async fn an_upload_that_may_still_run_is_waited_for_and_one_that_broke_off_is_not() {
    for (age, waits) in [(-30, true), (-90, false)] {
        let host = Host::new();
        let client = host.client();
        client.release(&note()).await.unwrap();
        let began = host.clock.now();
        let created = tagship_domain::Timestamp::from_seconds(began.as_seconds() + age).unwrap();
        host.fake.world(|world| {
            world.releases[0]["draft"] = true.into();
            world.releases[0]["assets"][0]["state"] = "starter".into();
            world.releases[0]["assets"][0]["created_at"] = created.to_string().into();
        });
        let removals =
            |host: &Host| host.fake.requests().iter().filter(|request| request.starts_with("DELETE")).count();
        let before = removals(&host);
        client.release(&note()).await.unwrap();
        let waited = host.clock.now().as_seconds() - began.as_seconds();
        assert_eq!(waited >= 30, waits, "{waited} seconds, begun {age}");
        assert_eq!(removals(&host) - before, 1, "it has broken off in the end");
        host.fake.world(|world| assert_eq!(world.releases[0]["assets"][0]["state"], "uploaded"));
    }
}

#[tokio::test]
async fn a_release_never_makes_a_tag_and_never_changes_its_bytes() {
    let host = Host::new();
    let client = host.client();
    let mut untagged = note();
    untagged.tag = "churn@v9.9.9".to_owned();
    let error = client.release(&untagged).await.unwrap_err();
    assert_eq!(error.problem, Problem::NotFound, "{error}");
    host.fake.world(|world| assert!(!world.refs.contains_key("refs/tags/churn@v9.9.9")));

    client.release(&note()).await.unwrap();
    let mut other_text = note();
    other_text.body = "Better words.".to_owned();
    client.release(&other_text).await.unwrap();
    let mut other_bytes = note();
    other_bytes.manifest = "{}\n".to_owned();
    let error = client.release(&other_bytes).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    host.fake.world(|world| {
        let release = world.releases.iter().find(|release| release["tag_name"] == "churn@v1.0.0").unwrap();
        assert!(release["body"].as_str().unwrap().ends_with("\nBetter words."), "{}", release["body"]);
        assert_eq!(release["assets"].as_array().unwrap().len(), 1);
    });
}

#[tokio::test]
async fn a_draft_that_is_refused_because_another_run_was_faster_is_looked_for_again() {
    let host = Host::new();
    host.fake.fail_next("POST", "/releases", Fault::Status(422));
    host.client().release(&note()).await.unwrap();
    let releases = host.fake.world(|world| world.releases.clone());
    assert_eq!(releases.len(), 1, "{releases:#?}");
}
