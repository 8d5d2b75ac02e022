//! `cargo xtask <task>`: the tasks of this repository, see `tasks.rs`.
#![allow(clippy::print_stderr, reason = "a program for people at a terminal")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match xtask::tasks::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
