//! The program `tagship-validate`: the same as `tagship validate`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{Read as _, ValidateArgs};

fn main() -> ExitCode {
    tagship_wiring::small_validate(ValidateArgs::read())
}
