//! Arguments of `tagship sign` and `tagship verify`.

use std::path::PathBuf;

use clap::{Args, Parser};

use super::{Common, Format};

/// `tagship sign`.
#[derive(Debug, Parser)]
#[command(name = "tagship-sign")]
pub struct SignArgs {
    /// Directory or file of the model.
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Environment variable that holds the private key: PEM on P-256, P-384 or P-521, unencrypted.
    #[arg(long, value_name = "NAME", default_value = "TAGSHIP_SIGNING_KEY")]
    pub key_env: String,
    /// File that takes the signature; PATH.sig.json by default.
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Overwrite a signature that exists.
    #[arg(long)]
    pub force: bool,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `tagship registry explain`.
#[derive(Debug, Args)]
pub struct ExplainReleaseArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The release, as model@version or model#environment.
    #[arg(value_name = "RELEASE")]
    pub reference: String,
    /// Write what lies beside the release to this directory: model card, bill of materials, signature.
    #[arg(long, value_name = "DIRECTORY")]
    pub documents: Option<PathBuf>,
}

/// `tagship verify`.
#[derive(Debug, Parser)]
#[command(name = "tagship-verify")]
pub struct VerifyArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// A release as model@version or model#environment; with --bundle the directory or file of a model.
    #[arg(value_name = "RELEASE|PATH")]
    pub subject: String,
    /// Verify this signature against files instead, without a repository.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub bundle: Option<PathBuf>,
    /// Public key (PEM) that is trusted; may be given several times. The configured ones by default.
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
}
