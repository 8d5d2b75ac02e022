//! Arguments of `tagship target`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tagship_domain::{Duration, ModelName};

use super::Format;

/// `tagship target`.
#[derive(Debug, Parser)]
#[command(name = "tagship-target")]
pub struct TargetArgs {
    /// What to do.
    #[command(subcommand)]
    pub question: TargetQuestion,
}

impl TargetArgs {
    /// How the answer is printed.
    pub fn format(&self) -> Format {
        match &self.question {
            TargetQuestion::Check(args) => args.format,
        }
    }
}

/// What can be asked about a target.
#[derive(Debug, Subcommand)]
pub enum TargetQuestion {
    /// Ask a program of target exec everything that a rollout may ask, and say which rule it breaks.
    ///
    /// It loads two versions of a model that nobody needs, moves the traffic of that model between them, kills some of
    /// its own runs part way, and unloads both in the end. Where the program serves the model already, nothing is
    /// ordered. Run it where rollouts run it: in the repository's top directory.
    Check(CheckArgs),
}

/// `tagship target check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The model that the program is asked about; one that nobody serves.
    #[arg(long, value_name = "NAME", default_value = "tagship-check")]
    pub model: ModelName,
    /// Bytes of a version, where the program needs a real model; a second one is the version that takes over, else both
    /// have these bytes. By default a file of a few bytes each.
    #[arg(long, value_name = "PATH")]
    pub artifact: Vec<PathBuf>,
    /// Environment variables that the program gets, beside those that every program needs.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub env: Vec<String>,
    /// How long one question may take.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub timeout: Duration,
    /// How long an order may be under way.
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub patience: Duration,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// The program and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub command: Vec<String>,
}
