//! Every fault at every request: the end is right, and nothing is doubled.

use std::{future::Future, pin::Pin};

use serde_json::{Value, json};
use tagship_domain::{
    Duration,
    rollout::DeploymentState::{InProgress, Success},
};
use tagship_github::GitHub;
use tagship_ports::{
    Approvals as _, ArtifactStore as _, Attestations, CommitMarks as _, Conversation as _, Dispatcher as _,
    Forge as _, IssueTracker as _, PortError, Problem, Repo as _, StateStore as _,
    commit_marks::{CheckReport, CommitStatus, MarkState},
    conversation::Reaction,
    dispatcher::Dispatch,
    issue_tracker::Alert,
    repo::NewTag,
    state_store::AppendError,
};
use tagship_testkit::github::{Fault, World};

use crate::host::{Host, at, comment, commit, deployment, digest_of, entry, make, note, put, stored_note};

type Done<'a> = Pin<Box<dyn Future<Output = Result<(), PortError>> + Send + 'a>>;

/// Something that is done, and what must be there before.
struct Act {
    name: &'static str,
    run: for<'a> fn(&'a GitHub) -> Done<'a>,
    before: for<'a> fn(&'a GitHub) -> Done<'a>,
}

fn nothing(_client: &GitHub) -> Done<'_> {
    Box::pin(async { Ok(()) })
}

fn port(error: AppendError) -> PortError {
    match error {
        AppendError::Port(error) => error,
        AppendError::Lost { journal } => {
            PortError::new(Problem::Conflict, journal, "lost, and nobody else wrote")
        }
    }
}

async fn append(client: &GitHub, message: &str, second: i64) -> Result<(), PortError> {
    let tip = client.tip("rollouts/production/churn").await?.map(|entry| entry.id);
    client
        .append("rollouts/production/churn", tip.as_ref(), &entry(message, second))
        .await
        .map(|_| ())
        .map_err(port)
}

fn report(state: MarkState) -> CheckReport {
    CheckReport {
        commit: commit(),
        name: "tagship".to_owned(),
        key: "run-1".to_owned(),
        state,
        title: "churn".to_owned(),
        summary: "fine".to_owned(),
        text: "details".to_owned(),
        details: None,
    }
}

fn alert(body: &str) -> Alert {
    Alert { topic: "drift".to_owned(), title: "Drift".to_owned(), body: body.to_owned(), labels: vec![] }
}

const ACTS: &[Act] = &[
    Act {
        name: "first comment",
        before: nothing,
        run: |client| Box::pin(async { client.comment(&comment(1, "one")).await.map(|_| ()) }),
    },
    Act {
        name: "changed comment",
        before: |client| Box::pin(async { client.comment(&comment(1, "one")).await.map(|_| ()) }),
        run: |client| Box::pin(async { client.comment(&comment(2, "two")).await.map(|_| ()) }),
    },
    Act { name: "new journal", before: nothing, run: |client| Box::pin(append(client, "first", 1)) },
    Act {
        name: "next entry",
        before: |client| Box::pin(append(client, "first", 1)),
        run: |client| Box::pin(append(client, "second", 2)),
    },
    Act {
        name: "tag",
        before: nothing,
        run: |client| {
            Box::pin(async {
                let (name, message) = ("churn#production#1".to_owned(), "first\n".to_owned());
                client.create_tag(&NewTag { name, commit: commit(), message, at: at(0) }).await?;
                client.tags().await.map(|_| ())
            })
        },
    },
    Act {
        name: "deployment",
        before: |client| {
            Box::pin(async {
                client.deployment(&deployment("v0.9.0", Success, 0)).await?;
                client.deployment(&deployment("v1.0.0", InProgress, 1)).await
            })
        },
        run: |client| Box::pin(async { client.deployment(&deployment("v1.0.0", Success, 5)).await }),
    },
    Act {
        name: "first deployment",
        before: nothing,
        run: |client| Box::pin(async { client.deployment(&deployment("v1.0.0", InProgress, 5)).await }),
    },
    Act { name: "release", before: nothing, run: |client| Box::pin(async { client.release(&note()).await }) },
    Act {
        name: "stored file",
        before: nothing,
        run: |client| Box::pin(put(client, "model.onnx", b"weights")),
    },
    Act {
        name: "fetched file",
        before: |client| Box::pin(put(client, "model.onnx", b"weights")),
        run: |client| {
            Box::pin(async {
                let scratch = tempfile::tempdir().unwrap();
                let to = scratch.path().join("model.onnx");
                let got = client.get(&digest_of(b"weights"), &to).await;
                assert_eq!(std::fs::read(&to).ok(), got.is_ok().then(|| b"weights".to_vec()));
                assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), usize::from(got.is_ok()));
                got
            })
        },
    },
    Act {
        name: "release with its files",
        before: nothing,
        run: |client| Box::pin(async { make(client, &stored_note(b"weights")).await }),
    },
    Act {
        name: "check and pull requests",
        before: nothing,
        run: |client| {
            Box::pin(async {
                client.checks(&commit()).await?;
                client.pull_requests_of(&commit()).await.map(|_| ())
            })
        },
    },
    Act {
        name: "marks",
        before: nothing,
        run: |client| {
            Box::pin(async {
                let (context, description) = ("tagship".to_owned(), "fine".to_owned());
                let state = MarkState::Success;
                client
                    .status(&CommitStatus { commit: commit(), context, state, description, details: None })
                    .await?;
                client.check_report(&report(MarkState::Pending)).await?;
                client.check_report(&report(MarkState::Success)).await
            })
        },
    },
    Act {
        name: "issue and its end",
        before: nothing,
        run: |client| {
            Box::pin(async {
                client.raise(&alert("one")).await?;
                client.raise(&alert("two")).await?;
                client.settle("drift").await?;
                client.raise(&alert("three")).await.map(|_| ())
            })
        },
    },
    Act {
        name: "approvals",
        before: nothing,
        run: |client| {
            Box::pin(async {
                let pending = client.pending(Some(&commit())).await?;
                assert_eq!(pending.len(), 1);
                Ok(())
            })
        },
    },
    Act {
        name: "attestations",
        before: nothing,
        run: |client| {
            Box::pin(async {
                let kept = Attestations::of(client, &digest_of(b"weights")).await?;
                assert_eq!(kept.number, 1);
                Ok(())
            })
        },
    },
    Act {
        name: "reaction",
        before: nothing,
        run: |client| {
            Box::pin(async {
                client.access("ada").await?;
                client.pull_request(7).await?;
                client.react(1_000_000, Reaction::Done).await
            })
        },
    },
];

fn host() -> Host {
    let host = Host::new();
    host.fake.world(|world| {
        world.access.insert("ada".to_owned(), "write".to_owned());
        world.hold_back(5, commit().as_str(), "production", &["ada"], None);
        world.attest(&digest_of(b"weights").to_string(), "https://slsa.dev/provenance/v1");
        let id = world.add_comment(8, "ada", "/tagship status");
        for (_, comment) in &mut world.comments {
            if comment["id"] == json!(id) {
                comment["id"] = json!(1_000_000);
            }
        }
    });
    host
}

/// Everything that people would see, without ids and times.
fn picture(world: &World) -> Value {
    let field = |value: &Value, name: &str| value[name].clone();
    let releases: Vec<Value> = world
        .releases
        .iter()
        .map(|release| {
            let assets: Vec<Value> = release["assets"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|asset| json!([field(asset, "name"), field(asset, "digest")]))
                .collect();
            json!([field(release, "tag_name"), field(release, "draft"), field(release, "body"), assets])
        })
        .collect();
    let issues: Vec<Value> = world
        .issues
        .values()
        .map(|issue| json!([field(issue, "title"), field(issue, "state"), field(issue, "body")]))
        .collect();
    let runs: Vec<Value> =
        world.check_runs.iter().map(|run| json!([field(run, "name"), field(run, "conclusion")])).collect();
    let statuses: Vec<Value> = world.statuses.iter().map(|(_, status)| field(status, "state")).collect();
    let deployments: Vec<Value> =
        world.deployment_statuses.iter().map(|(_, status)| field(status, "state")).collect();
    json!({
        "comments": [world.comment_bodies(7), world.comment_bodies(8)],
        "refs": world.refs,
        "releases": releases,
        "issues": issues,
        "runs": runs,
        "statuses": statuses,
        "deployments": [world.deployment_states(), deployments],
        "reactions": world.reactions.len(),
    })
}

/// What passes when one waits or asks again.
fn passing() -> Vec<Fault> {
    vec![
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::StatusAfter(502),
        Fault::StatusAfter(504),
        Fault::TooMany(Some(3)),
        Fault::TooMany(None),
        Fault::Secondary(Some(2)),
        Fault::Secondary(None),
        Fault::Exhausted(1_900_000_030),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::HalfAnswer,
    ]
}

/// Runs an act on a fresh host with one fault; the number of requests that it took, and what there is in the end.
async fn run(act: &Act, fault: Option<(usize, Fault)>, timeout: Duration) -> (Result<(), PortError>, Host) {
    let host = host();
    let client = host.client_with(tagship_github::Settings { timeout, ..host.settings() });
    (act.before)(&client).await.expect("nothing fails before");
    host.fake.forget_requests();
    if let Some((number, fault)) = fault {
        host.fake.fail_at(number, fault);
    }
    let done = (act.run)(&client).await;
    (done, host)
}

const PLENTY: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_at_every_request_leaves_what_none_would() {
    let mut cases = 0;
    for act in ACTS {
        let (done, host) = run(act, None, PLENTY).await;
        assert_eq!(done, Ok(()), "{}", act.name);
        let expected = host.fake.world(|world| picture(world));
        let requests = host.fake.requests();
        for (number, request) in requests.iter().enumerate() {
            for fault in passing() {
                let (done, host) = run(act, Some((number, fault.clone())), PLENTY).await;
                let what = format!("{}: {fault:?} at {request}", act.name);
                assert_eq!(done, Ok(()), "{what}");
                assert_eq!(host.fake.world(|world| picture(world)), expected, "{what}");
                assert!(host.fake.requests().len() > requests.len() - 1, "{what}: it was sent again");
                cases += 1;
            }
        }
    }
    assert!(cases > 300, "{cases} cases");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_that_says_nothing_is_not_waited_for_for_ever() {
    for act in ACTS.iter().filter(|act| ["first comment", "next entry", "release"].contains(&act.name)) {
        let (_, host) = run(act, None, PLENTY).await;
        let expected = host.fake.world(|world| picture(world));
        let writes: Vec<usize> = host
            .fake
            .requests()
            .iter()
            .enumerate()
            .filter(|(_, request)| !request.starts_with("GET"))
            .map(|(number, _)| number)
            .collect();
        for number in writes {
            let (done, host) = run(act, Some((number, Fault::Silence)), Duration::from_millis(400)).await;
            assert_eq!(done, Ok(()), "{} {number}", act.name);
            assert_eq!(host.fake.world(|world| picture(world)), expected, "{} {number}", act.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_refused_can_be_done_later() {
    for act in ACTS {
        let (_, host) = run(act, None, PLENTY).await;
        let expected = host.fake.world(|world| picture(world));
        for (number, request) in host.fake.requests().iter().enumerate() {
            for fault in [Fault::Forbidden("contents=write"), Fault::Status(400), Fault::Garbage] {
                let (done, host) = run(act, Some((number, fault.clone())), PLENTY).await;
                let what = format!("{}: {fault:?} at {request}", act.name);
                // Who the token is may stay unknown: then it is a workflow's.
                // A storage is asked again with a new link, whatever it says.
                let optional = request.contains("graphql") || request.contains("/storage/");
                assert!(done.is_err() || optional, "{what}: it went unnoticed");
                if act.name.contains("issue") {
                    // It goes through several states; the first part would be repeated.
                    continue;
                }
                let client = host.client();
                let again = (act.run)(&client).await;
                assert_eq!(again, Ok(()), "{what}: again");
                assert_eq!(host.fake.world(|world| picture(world)), expected, "{what}: again");
            }
        }
    }
}

#[tokio::test]
async fn a_dispatch_is_never_sent_twice_when_it_may_have_worked() {
    let event = Dispatch::Event { name: "tagship".to_owned(), payload: serde_json::Map::new() };
    for fault in [Fault::StatusAfter(502), Fault::CutAfter, Fault::HalfAnswer] {
        let host = Host::new();
        host.fake.fail_next("POST", "dispatches", fault.clone());
        let error = host.client().dispatch(&event).await.unwrap_err();
        assert!(error.to_string().contains("may have started"), "{fault:?}: {error}");
        assert_eq!(host.fake.world(|world| world.dispatches.len()), 1, "{fault:?}");
    }
    let host = Host::new();
    host.fake.fail_next("POST", "dispatches", Fault::Secondary(Some(1)));
    assert_eq!(host.client().dispatch(&event).await, Ok(()), "a refusal before the act is safe to repeat");
    assert_eq!(host.fake.world(|world| world.dispatches.len()), 1);
}

#[tokio::test]
async fn a_host_that_stays_broken_ends_in_an_error_and_leaves_nothing_half_done() {
    let host = host();
    host.fake.fail_always("POST", "/comments", Fault::Status(500));
    let error = host.client().comment(&comment(1, "one")).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable, "{error}");
    assert!(host.fake.world(|world| world.comment_bodies(7).is_empty()));
    host.fake.recover();
    host.fake.fail_always("GET", "/comments", Fault::TooMany(Some(86_400)));
    let error = host.client().comment(&comment(1, "one")).await.unwrap_err();
    assert!(error.to_string().contains("no more requests for 86400 s"), "{error}");
}
