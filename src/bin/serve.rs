//! The program `tagship-serve`: the model server.

use std::process::ExitCode;

use tagship_runner::args::{Read as _, ServeArgs};

fn main() -> ExitCode {
    tagship::serve(ServeArgs::read())
}
