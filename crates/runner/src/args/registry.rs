//! Arguments of `tagship registry`.

use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tagship_domain::{Bump, Duration, Environment, ModelName, Version};

use super::{Common, ExplainReleaseArgs, Format};

/// `tagship registry`.
#[derive(Debug, Parser)]
#[command(name = "tagship-registry")]
pub struct RegistryArgs {
    /// What to read or change.
    #[command(subcommand)]
    pub verb: RegistryVerb,
}

impl RegistryArgs {
    /// How the answer is printed.
    pub fn format(&self) -> Format {
        match &self.verb {
            RegistryVerb::Read(
                RegistryQuestion::Show { format, .. }
                | RegistryQuestion::History { format, .. }
                | RegistryQuestion::Check { format, .. }
                | RegistryQuestion::Doctor { format, .. },
            ) => *format,
            RegistryVerb::Read(RegistryQuestion::Explain(question)) => question.common.format,
            RegistryVerb::Write(change) => change.edit().format,
            RegistryVerb::Gc(args) => args.common.format,
        }
    }
}

/// Reading and changing.
#[derive(Debug, Subcommand)]
pub enum RegistryVerb {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    Read(RegistryQuestion),
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    Write(RegistryChange),
    /// Remove files from a model's store that no release refers to.
    ///
    /// The store, with its prefix, must belong to this repository alone: what only other repositories refer to would go.
    /// Files of every version that a tag names stay, withdrawn ones too. Do not run it while releases are made.
    Gc(GcArgs),
}

/// `tagship registry gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Keep what was written within this time, when the release that it is for may still be in the making.
    #[arg(long, default_value = "24h", value_name = "DURATION")]
    pub grace: Duration,
    /// Say what would go, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What is read from the registry.
#[derive(Debug, Subcommand)]
pub enum RegistryQuestion {
    /// Versions and stages of all models, or of one: NAME, NAME@latest, NAME@v1.0.0, NAME#stage.
    Show {
        /// The model, version or stage.
        name: Option<String>,
        /// How to print the answer; JSON has GTO's shape.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Everything that happened, newest first.
    History {
        /// The model.
        name: Option<String>,
        /// How to print the answer; JSON has GTO's shape.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// What one tag says, e.g. the one that started a workflow.
    Check {
        /// The tag, with or without refs/tags/.
        tag: String,
        /// How to print the answer; JSON has the shape of gto check-ref.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Where a release comes from and how it got where it is: bytes, commit, tests, verdicts, signature, rollout.
    Explain(ExplainReleaseArgs),
    /// Tags that make no sense, and what to do about them.
    Doctor {
        /// Compare with the remote too, and say what would be put right: one more tag each, or a fetch. No tag is deleted.
        #[arg(long)]
        repair: bool,
        /// Put it right.
        #[arg(long, requires = "repair")]
        yes: bool,
        /// How to print the answer.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

/// What is written to the registry: one tag.
#[derive(Debug, Subcommand)]
pub enum RegistryChange {
    /// Make a commit a version, without storing bytes; `tagship release` does both.
    Register {
        /// The model.
        model: ModelName,
        /// The commit.
        #[arg(long, value_name = "REVISION", default_value = "HEAD")]
        at: String,
        /// The number, e.g. v1.4.0; the next one by default.
        #[arg(long, conflicts_with = "bump")]
        version: Option<Version>,
        /// Which part of the highest version to raise.
        #[arg(long, value_enum, default_value_t = Part::Patch)]
        bump: Part,
        #[command(flatten)]
        #[allow(missing_docs, reason = "documented at its type")]
        edit: Edit,
    },
    /// Withdraw a version; stages that it holds fall back to what they held before.
    Deregister {
        /// The version, e.g. churn@v1.4.0.
        version: NamedVersion,
        #[command(flatten)]
        #[allow(missing_docs, reason = "documented at its type")]
        edit: Edit,
    },
    /// Put a version into a stage that nothing is rolled out to.
    Assign {
        /// The version, e.g. churn@v1.4.0.
        version: NamedVersion,
        /// The stage.
        stage: Environment,
        #[command(flatten)]
        #[allow(missing_docs, reason = "documented at its type")]
        edit: Edit,
    },
    /// Take a version out of a stage, which falls back to what it held before.
    Unassign {
        /// The version, e.g. churn@v1.4.0.
        version: NamedVersion,
        /// The stage.
        stage: Environment,
        #[command(flatten)]
        #[allow(missing_docs, reason = "documented at its type")]
        edit: Edit,
    },
    /// Retire a model until it is registered again.
    Deprecate {
        /// The model.
        model: ModelName,
        #[command(flatten)]
        #[allow(missing_docs, reason = "documented at its type")]
        edit: Edit,
    },
}

impl RegistryChange {
    /// What every change takes.
    pub fn edit(&self) -> &Edit {
        match self {
            Self::Register { edit, .. }
            | Self::Deregister { edit, .. }
            | Self::Assign { edit, .. }
            | Self::Unassign { edit, .. }
            | Self::Deprecate { edit, .. } => edit,
        }
    }
}

/// What every change of the registry takes.
#[derive(Debug, Args)]
pub struct Edit {
    /// Why; it is kept in the tag.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Say which tag would be made, and make none.
    #[arg(long)]
    pub dry_run: bool,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Part of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Same interface, same weights.
    Patch,
    /// New weights behind the same interface.
    Minor,
    /// Another interface.
    Major,
}

impl From<Part> for Bump {
    fn from(part: Part) -> Self {
        match part {
            Part::Patch => Self::Patch,
            Part::Minor => Self::Minor,
            Part::Major => Self::Major,
        }
    }
}

/// A version of a model, as `churn@v1.4.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedVersion {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: Version,
}

impl FromStr for NamedVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (model, version) =
            text.split_once('@').ok_or_else(|| "write MODEL@VERSION, e.g. churn@v1.4.0".to_owned())?;
        let model = model.parse().map_err(|error| format!("{error}"))?;
        let version = version.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { model, version })
    }
}
