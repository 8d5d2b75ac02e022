//! Arguments of `tagship init`.

use std::path::PathBuf;

use clap::Parser;
use tagship_domain::{Environment, ModelName};

use super::Format;

/// `tagship init`.
#[derive(Debug, Parser)]
#[command(name = "tagship-init")]
pub struct InitArgs {
    /// Configuration file to write.
    #[arg(long, default_value = "tagship.yml", value_name = "FILE")]
    pub config: PathBuf,
    /// Name of the model; from its file's name by default. Needs one model.
    #[arg(long, value_name = "NAME")]
    pub model: Option<ModelName>,
    /// File or directory of the model, relative to the top of the repository; looked for by default.
    #[arg(long, value_name = "PATH")]
    pub artifact: Option<String>,
    /// Environment that versions go to.
    #[arg(long, value_name = "NAME", default_value = "production")]
    pub environment: Environment,
    /// Address of the `tagship serve` that serves the environment; without one, versions are judged and not deployed.
    #[arg(long, value_name = "URL", requires = "admin_url")]
    pub url: Option<String>,
    /// Address of its control interface.
    #[arg(long, value_name = "URL", requires = "url")]
    pub admin_url: Option<String>,
    /// Kind of target that `--rbac` is about.
    #[arg(long, value_name = "KIND", requires = "rbac")]
    pub target: Option<String>,
    /// Print the Role that each target of this kind in the configuration needs on its cluster, and its binding, for `kubectl
    /// apply -f -`; write nothing.
    #[arg(long, requires = "target")]
    pub rbac: bool,
    /// The action that the workflow uses.
    #[arg(long, value_name = "NAME@REF", default_value = "tagship/tagship@v1")]
    pub action: String,
    /// Ask nothing, and take what was found.
    #[arg(short, long)]
    pub yes: bool,
    /// Overwrite files that exist.
    #[arg(long)]
    pub force: bool,
    /// Print what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}
