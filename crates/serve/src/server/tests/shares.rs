//! Shares of traffic under load, while weights change.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use super::*;

const CONNECTIONS: usize = 24;
/// Requests that must be counted under each weight.
const COUNTED: usize = 1000;
/// Up, down, far and near, and both ends.
const WEIGHTS: [u8; 20] = [0, 1, 5, 10, 25, 50, 75, 90, 99, 100, 50, 3, 97, 0, 100, 1, 33, 66, 10, 0];

/// What the askers counted while one weight was in force.
#[derive(Default)]
struct Tally {
    all: AtomicUsize,
    candidate: AtomicUsize,
}

/// Askers without a break. They count an answer when the same weight was in force before the request was sent and
/// after the answer came.
struct Load {
    /// Twice the number of the weight in force; odd while it changes.
    phase: AtomicUsize,
    done: AtomicBool,
    tallies: Vec<Tally>,
    /// Whether every request is another client's.
    sticky: bool,
}

impl Load {
    fn new(sticky: bool) -> Arc<Self> {
        let tallies = WEIGHTS.iter().map(|_| Tally::default()).collect();
        Arc::new(Self { phase: AtomicUsize::new(1), done: AtomicBool::new(false), tallies, sticky })
    }

    /// Asks until the load is done.
    async fn ask(self: Arc<Self>, mut client: Client, number: usize) {
        for request_number in 0_usize.. {
            if self.done.load(SeqCst) {
                return;
            }
            client.header = self.sticky.then(|| ("X-Client", format!("{number}-{request_number}")));
            let before = self.phase.load(SeqCst);
            let (status, body) = client.json("POST", "/v2/models/churn/infer", &request("a")).await;
            assert_eq!(status, 200, "{body}");
            if before.is_multiple_of(2) && self.phase.load(SeqCst) == before {
                let tally = &self.tallies[before / 2];
                tally.candidate.fetch_add(usize::from(body["model_version"] == "v1.1.0"), SeqCst);
                tally.all.fetch_add(1, SeqCst);
            }
        }
    }
}

/// Whether `hits` of `n` are within six standard deviations of a share in percent; both ends are exact.
#[allow(clippy::cast_precision_loss, reason = "a few thousand requests")]
fn is_share(hits: usize, n: usize, percent: u8) -> bool {
    let (n, share) = (n as f64, f64::from(percent) / 100.0);
    (hits as f64 - n * share).abs() <= 6.0 * (n * share * (1.0 - share)).sqrt()
}

async fn two_versions(at: &Path) -> Running {
    let server = start(at).await;
    for (version, content) in [("v1.0.0", "label 1"), ("v1.1.0", "label 2")] {
        assert_eq!(server.load(version, content, 1).await.0, 200);
    }
    server.promote("v1.0.0", 1).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_follow_every_change_of_weights_and_no_request_fails() {
    shares_follow_weights(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_of_clients_follow_every_change_of_weights_and_no_request_fails() {
    shares_follow_weights(true).await;
}

async fn shares_follow_weights(sticky: bool) {
    let at = tempfile::tempdir().unwrap();
    let server = two_versions(at.path()).await;
    if sticky {
        server.order("routing", json!({ "fence": 1, "sticky": "x-client", "shadow": null })).await;
    }
    let load = Load::new(sticky);
    let mut askers = Vec::new();
    for number in 0..CONNECTIONS {
        askers.push(tokio::spawn(Arc::clone(&load).ask(server.client().await, number)));
    }
    for (number, weight) in WEIGHTS.into_iter().enumerate() {
        let order = json!({ "fence": 2 + number, "version": "v1.1.0", "weight": weight });
        server.order("weight", order).await;
        load.phase.store(2 * number, SeqCst);
        let tally = &load.tallies[number];
        while tally.all.load(SeqCst) < COUNTED && !askers.iter().any(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        load.phase.store(2 * number + 1, SeqCst);
    }
    load.done.store(true, SeqCst);
    for asker in askers {
        asker.await.unwrap();
    }
    for (tally, weight) in load.tallies.iter().zip(WEIGHTS) {
        let (candidate, all) = (tally.candidate.load(SeqCst), tally.all.load(SeqCst));
        assert!(all >= COUNTED && is_share(candidate, all, weight), "{candidate} of {all} at {weight}%");
    }
    let status = server.status().await;
    let counted: BTreeMap<&str, u64> = status["arms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|arm| (arm["version"].as_str().unwrap(), arm["counters"]["requests"].as_u64().unwrap()))
        .collect();
    let seen: usize = load.tallies.iter().map(|tally| tally.all.load(SeqCst)).sum();
    assert!(counted.values().sum::<u64>() >= seen as u64, "{counted:?}");
    assert!(status["arms"].as_array().unwrap().iter().all(|arm| arm["counters"]["errors"] == 0));
}

/// Clients of one asker.
const CLIENTS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_leaves_the_candidate_while_its_share_grows() {
    let at = tempfile::tempdir().unwrap();
    let server = two_versions(at.path()).await;
    server.order("routing", json!({ "fence": 1, "sticky": "X-Client", "shadow": null })).await;
    let (done, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut askers = Vec::new();
    for asker in 0..CONNECTIONS {
        let (done, rounds, mut client) = (Arc::clone(&done), Arc::clone(&rounds), server.client().await);
        askers.push(tokio::spawn(async move {
            let mut on_candidate = [false; CLIENTS];
            let mut last = false;
            // One more round after the last change.
            while !last {
                last = done.load(SeqCst);
                for (number, was) in on_candidate.iter_mut().enumerate() {
                    client.header = Some(("x-client", format!("{asker}-{number}")));
                    let (status, body) = client.json("POST", "/v2/models/churn/infer", &request("a")).await;
                    assert_eq!(status, 200, "{body}");
                    let is = body["model_version"] == "v1.1.0";
                    assert!(is || !*was, "client {asker}-{number} left the candidate");
                    *was = is;
                }
                rounds.fetch_add(1, SeqCst);
            }
            on_candidate
        }));
    }
    for (number, weight) in [0, 1, 2, 5, 10, 20, 35, 50, 60, 75, 90, 99].into_iter().enumerate() {
        server.order("weight", json!({ "fence": 2 + number, "version": "v1.1.0", "weight": weight })).await;
        let until = rounds.load(SeqCst) + CONNECTIONS;
        while rounds.load(SeqCst) < until && !askers.iter().any(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    }
    done.store(true, SeqCst);
    let mut on_candidate = 0;
    for asker in askers {
        on_candidate += asker.await.unwrap().into_iter().filter(|is| *is).count();
    }
    assert!(is_share(on_candidate, CONNECTIONS * CLIENTS, 99), "{on_candidate} at 99%");
}
