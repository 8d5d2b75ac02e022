//! The program `tagship-rollback`: the same as `tagship rollback`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{Read as _, RollbackArgs};

fn main() -> ExitCode {
    tagship_wiring::rollback(RollbackArgs::read())
}
