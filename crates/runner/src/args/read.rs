//! Reading the arguments of a process.

use clap::{CommandFactory, Parser};

use crate::{context::hosted, error::Failure, inputs::with_inputs};

/// Arguments of a program.
pub trait Read: Sized {
    /// Reads the process's arguments, in a workflow together with the inputs of its step. Prints help and exits where
    /// that was asked for.
    ///
    /// # Errors
    /// When they are wrong: in a workflow, whose later steps want to know; elsewhere that is printed, and it exits.
    fn read() -> Result<Self, Failure>;
}

impl<A: Parser> Read for A {
    fn read() -> Result<Self, Failure> {
        let command = <Self as CommandFactory>::command();
        let mut arguments: Vec<_> = std::env::args_os().collect();
        if !hosted() {
            return Ok(Self::parse_from(arguments));
        }
        arguments = with_inputs(&command, arguments)?;
        let read = command.try_get_matches_from(arguments);
        match read.and_then(|matches| Self::from_arg_matches(&matches)) {
            Err(error) if !error.use_stderr() => error.exit(),
            read => read.map_err(|error| {
                let text = error.to_string();
                Failure::usage(text.trim_end().strip_prefix("error: ").unwrap_or(&text).trim_end())
            }),
        }
    }
}
