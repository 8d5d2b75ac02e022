//! Journals under concurrency.

use std::{collections::BTreeSet, sync::Arc};

use tagship_ports::{StateStore as _, fake::FakeClock, state_store::AppendError};
use tagship_testkit::github::Fault;

use crate::host::{Host, at, entry};

const JOURNAL: &str = "rollouts/production/churn";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_runs_that_append_at_once_make_one_line() {
    let host = Arc::new(Host::new());
    let runs = (0..20).map(|run| {
        let host = Arc::clone(&host);
        tokio::spawn(async move {
            let clock = Arc::new(FakeClock::at(at(run)));
            let client = tagship_github::GitHub::new(host.settings(), clock).unwrap();
            for _ in 0..100 {
                let tip = client.tip(JOURNAL).await.unwrap().map(|entry| entry.id);
                match client.append(JOURNAL, tip.as_ref(), &entry(&format!("run {run}"), run)).await {
                    Ok(id) => return id,
                    Err(AppendError::Lost { .. }) => {}
                    Err(error) => panic!("run {run}: {error}"),
                }
            }
            panic!("run {run} lost a hundred races")
        })
    });
    let mut ids = BTreeSet::new();
    for run in runs.collect::<Vec<_>>() {
        ids.insert(run.await.unwrap());
    }
    let history = host.client().history(JOURNAL, 100).await.unwrap();
    assert_eq!((ids.len(), history.len()), (20, 20), "every run once, nothing lost");
    let said: BTreeSet<String> = history.iter().map(|entry| entry.message.clone()).collect();
    assert_eq!(said, (0..20).map(|run| format!("run {run}")).collect());
    let chain = host.fake.world(|world| world.chain("refs/tagship/rollouts/production/churn"));
    assert_eq!(
        chain,
        history.iter().map(|entry| entry.id.as_str().to_owned()).collect::<Vec<_>>(),
        "one line"
    );
}

#[tokio::test]
async fn an_entry_whose_answer_got_lost_is_found_behind_another_runs() {
    let host = Host::new();
    let (one, other) = (host.client(), host.client());
    let first = one.append(JOURNAL, None, &entry("first", 1)).await.unwrap();
    // The move happens, the answer is lost, and before the repetition another run goes on from it.
    host.fake.fail_next("PATCH", "refs/tagship", Fault::CutAfter);
    host.fake.fail_next("PATCH", "refs/tagship", Fault::Secondary(Some(1)));
    let second = one.append(JOURNAL, Some(&first), &entry("second", 2)).await.unwrap();
    let third = other.append(JOURNAL, Some(&second), &entry("third", 3)).await.unwrap();
    // The same append again, as a run does that was restarted: it is in the line already.
    let again = host.client().append(JOURNAL, Some(&first), &entry("second", 2)).await;
    assert_eq!(again, Ok(second));
    let late = host.client().append(JOURNAL, Some(&first), &entry("late", 4)).await;
    assert!(matches!(late, Err(AppendError::Lost { .. })), "{late:?}");
    assert_eq!(one.tip(JOURNAL).await.unwrap().map(|entry| entry.id), Some(third));
}

#[tokio::test]
async fn nothing_is_ever_forced_or_deleted() {
    let host = Host::new();
    let client = host.client();
    let first = client.append(JOURNAL, None, &entry("first", 1)).await.unwrap();
    client.append(JOURNAL, Some(&first), &entry("second", 2)).await.unwrap();
    for request in host.fake.received() {
        assert_ne!(request.method, "DELETE");
        assert_ne!(request.body["force"], true, "{}", request.target);
        if request.method == "PATCH" {
            assert_eq!(request.body["force"], false, "said, not left to a default");
        }
    }
}

#[tokio::test]
async fn a_long_journal_is_shortened_on_the_condition_that_nobody_appended() {
    let host = Host::new();
    let (one, other) = (host.client(), host.client());
    let mut tip = one.append(JOURNAL, None, &entry("entry 0", 0)).await.unwrap();
    for second in 1..7 {
        tip = one.append(JOURNAL, Some(&tip), &entry(&format!("entry {second}"), second)).await.unwrap();
    }
    // The move happens and its answer is lost: it is found done, and not taken for another run's.
    host.fake.fail_next("POST", "graphql", Fault::CutAfter);
    let newest = one.shorten(JOURNAL, &tip, 3).await.unwrap().unwrap();
    assert_eq!(host.fake.world(|world| world.chain(&format!("refs/tagship/{JOURNAL}"))).len(), 3);
    let late = other.append(JOURNAL, Some(&tip), &entry("late", 9)).await;
    assert!(matches!(late, Err(AppendError::Lost { .. })), "{late:?}");
    assert!(other.append(JOURNAL, Some(&newest), &entry("next", 9)).await.is_ok());
    for request in host.fake.received() {
        let update = &request.body["variables"]["input"]["refUpdates"][0];
        assert!(update.is_null() || update["beforeOid"] == tip.as_str(), "never forced without a condition");
    }
}

#[tokio::test]
async fn a_journal_that_may_not_be_shortened_says_why_and_stays() {
    let host = Host::new();
    let client = host.client();
    let mut tip = client.append(JOURNAL, None, &entry("entry 0", 0)).await.unwrap();
    for second in 1..7 {
        tip = client.append(JOURNAL, Some(&tip), &entry(&format!("entry {second}"), second)).await.unwrap();
    }
    host.fake.world(|world| world.moves_refs = false);
    let refused = client.shorten(JOURNAL, &tip, 3).await.unwrap_err().to_string();
    assert!(
        refused.contains("not accessible by integration") && refused.contains("contents: write"),
        "{refused}"
    );
    host.fake.world(|world| world.protects_refs = true);
    let refused = client.shorten(JOURNAL, &tip, 3).await.unwrap_err().to_string();
    assert!(refused.contains("protected ref") && !refused.contains("contents: write"), "{refused}");
    assert_eq!(client.history(JOURNAL, 10).await.unwrap().len(), 7);
}
