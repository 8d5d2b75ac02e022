//! The program `tagship-rollout`: the same as `tagship rollout`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{Read as _, RolloutArgs};

fn main() -> ExitCode {
    tagship_wiring::rollout(RolloutArgs::read())
}
