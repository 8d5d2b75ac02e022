//! Writes the journal of a rollout into a repository, a long one or one that waits for a person, and reads it back. Budgets are
//! measured on them; it is not shipped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool of benches reports by panicking")]
#![allow(clippy::print_stdout, reason = "its answer is for the bench that runs it")]

#[path = "../tests/it/long_rollout/written.rs"]
mod written;

use std::{env, path::Path, time::Instant};

use tagship_git::GitRepo;
use tagship_ports::StateStore as _;
use tagship_rollout::{chain, journal_name};

/// How often a journal is read.
const TIMES: usize = 21;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let journals = |directory: &String| GitRepo::discover(Path::new(directory)).unwrap();
    match &arguments[..] {
        [repository, read] if read == "read" => println!("{}", median_read(&journals(repository)).await),
        [repository, looks] => {
            let looks = looks.parse().unwrap();
            written::looked_at(&journals(repository), looks, written::counted()).await;
        }
        [repository] => written::waiting(&journals(repository)).await,
        _ => panic!("usage: journals REPOSITORY [LOOKS|read]"),
    }
}

/// Seconds from the repository to the states and looks of the rollout, in the middle of some times.
async fn median_read(journals: &GitRepo) -> f64 {
    let name = journal_name(&"production".parse().unwrap(), &"churn".parse().unwrap());
    let mut seconds = vec![];
    for _ in 0..TIMES {
        let began = Instant::now();
        let entries = journals.history(&name, usize::MAX).await.unwrap();
        assert!(!chain(entries, None).unwrap().is_empty());
        seconds.push(began.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    seconds[TIMES / 2]
}
