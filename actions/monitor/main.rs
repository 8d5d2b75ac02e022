//! The program `tagship-monitor`: the same as `tagship monitor`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{MonitorArgs, Read as _};

fn main() -> ExitCode {
    tagship_wiring::monitor(MonitorArgs::read())
}
