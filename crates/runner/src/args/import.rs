//! Arguments of `tagship import`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use tagship_domain::{Environment, ModelName};

use super::Format;

/// `tagship import`.
#[derive(Debug, Parser)]
#[command(name = "tagship-import")]
pub struct ImportArgs {
    /// The system that the specification is written for.
    #[arg(value_enum, value_name = "SYSTEM")]
    pub system: ImportedSystem,
    /// Files with the specification and the templates that it names; one may hold several documents.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Name of the model; that of the specification by default.
    #[arg(long, value_name = "NAME")]
    pub model: Option<ModelName>,
    /// Environment that versions go to.
    #[arg(long, value_name = "NAME", default_value = "production")]
    pub environment: Environment,
    /// File to write the configuration to; it is printed by default.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite the file where it exists.
    #[arg(long, requires = "output")]
    pub force: bool,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// A system whose specifications are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportedSystem {
    /// Argo Rollouts: a Rollout with its analysis templates.
    Argo,
    /// Flagger: a Canary with its metric templates and alert providers.
    Flagger,
}
