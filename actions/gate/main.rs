//! The program `tagship-gate`: the same as `tagship gate`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{GateArgs, Read as _};

fn main() -> ExitCode {
    tagship_wiring::small_gate(GateArgs::read())
}
