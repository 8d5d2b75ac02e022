//! The program `tagship-serve`: the model server.

use std::process::ExitCode;

use tagship_runner::args::{ServeArgs, Verb};

fn main() -> ExitCode {
    tagship::run(Verb::Serve(ServeArgs::read()))
}
