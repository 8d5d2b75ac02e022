//! The program `tagship`: every verb.

use std::process::ExitCode;

use tagship_runner::args::{Cli, Read as _};

fn main() -> ExitCode {
    tagship::run(Cli::read())
}
