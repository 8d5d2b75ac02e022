//! The program `tagship-release`: the same as `tagship release`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{Read as _, ReleaseArgs};

fn main() -> ExitCode {
    tagship_wiring::release(ReleaseArgs::read())
}
