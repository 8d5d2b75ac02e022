//! The journal of a rollout that is looked at a thousand times, each time by another run.

mod written;

use tagship_domain::{
    kayenta::{KayentaMetric, SCORE},
    rollout::Phase,
};
use tagship_git::GitRepo;
use tagship_ports::StateStore;
use tagship_rollout::{journal_name, state_of};
use tagship_testkit::Repository;

/// Looks of the rollout.
const LOOKS: u64 = 1_000;
/// The most bytes that a journal of so many looks may take where it is kept.
const MOST: usize = 1_000_000;

/// Bytes of everything that a ref leads to, as a host keeps it and as it travels.
fn packed(repository: &Repository, reference: &str) -> usize {
    repository.git(&["repack", "-adq", "--window=50"]);
    let ids = repository.git(&["rev-list", "--objects", "--disk-usage", reference]);
    ids.trim().parse().unwrap()
}

#[tokio::test]
async fn the_journal_of_a_thousand_looks_stays_small() {
    let repository = Repository::new();
    repository.commit("First");
    let journals = GitRepo::discover(repository.path()).unwrap();
    written::looked_at(&journals, LOOKS, written::counted()).await;
    let journal = journal_name(&"production".parse().unwrap(), &"churn".parse().unwrap());
    let entries = journals.history(&journal, 2_000).await.unwrap();
    let state = state_of(&entries[0]).unwrap();
    assert_eq!(state.phase, Phase::Progressing, "{}", state.message);
    let looks = state.judges["errors"].looks.measured;
    assert!(looks >= 1_000 && entries.len() >= 1_000, "{looks} looks in {} entries", entries.len());
    let bytes = packed(&repository, "refs/tagship/rollouts/production/churn");
    println!("{} entries with {looks} looks take {bytes} bytes", entries.len());
    assert!(bytes <= MOST, "{bytes} bytes");
}

#[tokio::test]
async fn values_that_are_compared_once_do_not_swell_the_journal() {
    let repository = Repository::new();
    repository.commit("First");
    let journals = GitRepo::discover(repository.path()).unwrap();
    written::looked_at(&journals, LOOKS, written::collected()).await;
    let journal = journal_name(&"production".parse().unwrap(), &"churn".parse().unwrap());
    let entries = journals.history(&journal, 2_000).await.unwrap();
    let state = state_of(&entries[0]).unwrap();
    let looks = state.judges["errors"].looks.measured;
    assert!(looks >= 1_000 && entries.len() >= 1_000, "{looks} looks in {} entries", entries.len());
    assert_eq!(state.judges["p99"].n, KayentaMetric::MOST_SAMPLES, "{}", state.judges["p99"].message);
    assert!(state.judges.contains_key(SCORE), "{}", state.message);
    let bytes = packed(&repository, "refs/tagship/rollouts/production/churn");
    println!("{} entries with {looks} looks take {bytes} bytes", entries.len());
    assert!(bytes <= MOST, "{bytes} bytes");
}
