//! A GitHub of one repository as a process, to run workflows against by hand.
//!
//! `github [REPOSITORY]` shows what git pushes to the bare repository at that path, prints the environment that a run
//! needs, and serves until it is ended. What it holds lies below `/debug` (`crates/testkit/src/github/debug.rs`).
#![allow(clippy::print_stdout, reason = "it says where it is")]

use std::thread;

use tagship_testkit::github::FakeGitHub;

fn main() {
    let github = FakeGitHub::start();
    github.world(|world| world.one_server = true);
    if let Some(repository) = std::env::args().nth(1) {
        github.follow_path(repository.as_ref());
    }
    println!("GITHUB_API_URL={}", github.api_url());
    println!("GITHUB_GRAPHQL_URL={}", github.graphql_url());
    println!("GITHUB_SERVER_URL={}", github.server_url());
    println!("GITHUB_REPOSITORY={}", github.repository());
    println!("GITHUB_TOKEN={}", github.token());
    println!("# state: {0}/debug/state  requests: {0}/debug/requests", github.server_url());
    loop {
        thread::park();
    }
}
