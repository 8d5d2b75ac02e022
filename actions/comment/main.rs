//! The program `tagship-comment`: the same as `tagship comment`, and nothing else.

use std::process::ExitCode;

use tagship_runner::args::{CommentArgs, Read as _};

fn main() -> ExitCode {
    tagship_wiring::comment(CommentArgs::read())
}
