//! Writes the journal of a rollout into a repository: a long one, or one that waits for a person. Budgets are measured on
//! them; it is not shipped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool of benches reports by panicking")]

#[path = "../tests/it/long_rollout/written.rs"]
mod written;

use std::{env, path::Path};

use tagship_git::GitRepo;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let journals = |directory: &String| GitRepo::discover(Path::new(directory)).unwrap();
    match &arguments[..] {
        [repository, looks] => {
            let looks = looks.parse().unwrap();
            written::looked_at(&journals(repository), looks, written::counted()).await;
        }
        [repository] => written::waiting(&journals(repository)).await,
        _ => panic!("usage: journals REPOSITORY [LOOKS]"),
    }
}
