//! The program `tagship-decide`: the same as `tagship decide`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{DecideArgs, Read as _};

fn main() -> ExitCode {
    tagship_wiring::small_decide(DecideArgs::read())
}
