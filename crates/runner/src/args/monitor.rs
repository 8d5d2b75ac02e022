//! Arguments of `tagship monitor`.

mod check;
mod export;
mod pages;
mod quality;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use tagship_domain::{ModelName, Timestamp};

use super::Format;

pub use check::{CheckFailure, LookArgs, ObjectivesArgs, WatchArgs};
pub use export::{ExportArgs, RulesArgs};
pub use pages::{LooksArgs, ReportArgs, SiteArgs};
pub use quality::{QualityArgs, QualityFailure, Task};

/// `tagship monitor`.
#[derive(Debug, Parser)]
#[command(name = "tagship-monitor")]
pub struct MonitorArgs {
    /// What to look at.
    #[command(subcommand)]
    pub question: MonitorQuestion,
}

impl MonitorArgs {
    /// How the answer is printed.
    pub fn format(&self) -> Format {
        match &self.question {
            MonitorQuestion::Drift(args) => args.format,
            MonitorQuestion::Quality(args) => args.format,
            MonitorQuestion::Slo(args) => args.common.format,
            MonitorQuestion::Check(args) => args.common.format,
            MonitorQuestion::Report(args) => args.common.format,
            MonitorQuestion::History(args) => args.common.format,
            MonitorQuestion::Site(args) => args.common.format,
            MonitorQuestion::Watch(args) => args.look.common.format,
            MonitorQuestion::Rules(args) => args.export.common.format,
            MonitorQuestion::Grafana(args) => args.common.format,
        }
    }
}

/// What can be looked at.
#[derive(Debug, Subcommand)]
pub enum MonitorQuestion {
    /// Compare rows with those that a model was made with, column by column.
    ///
    /// Tables are CSV with a header, JSON Lines (both also compressed, .gz or .zst) or Parquet, by the ending of their names, or
    /// folders of them, where `name=value` as the name of a folder is a column. A column that cannot be judged is
    /// neither drift nor no drift, and where that leaves the whole open, the exit code is 3.
    Drift(Box<DriftArgs>),
    /// Score predictions by the labels that have come, and estimate the quality of those without one.
    ///
    /// Tables are CSV with a header, JSON Lines (both also compressed, .gz or .zst) or Parquet, by the ending of their names. A
    /// bound is kept or broken by the whole interval of a score; where that cannot be said, because too few labels have come,
    /// the exit code is 3.
    Quality(Box<QualityArgs>),
    /// Judge the objectives of the service that the configuration names, by how fast their budgets are spent.
    ///
    /// Remembers and tells nothing. Where an objective has no data or cannot be judged, the exit code is 3.
    Slo(Box<ObjectivesArgs>),
    /// Look at everything that the configuration watches, remember it in git, and tell of what is bad.
    ///
    /// For a schedule. Missing data is an incident of its own, and where something cannot be judged, the exit code is 3.
    Check(Box<LookArgs>),
    /// Show what the newest look found, how it came there, and what was not tested; `--html` writes it as a page.
    ///
    /// Reads git and looks at nothing anew. A look that is older than three at the usual pace says nothing about now. The exit
    /// code is 0 whatever it found; output `decision` tells how it stands.
    Report(Box<ReportArgs>),
    /// List the looks that are remembered, with what each found.
    History(Box<LooksArgs>),
    /// Write all models and environments as a web site of plain files: a page that lists them, and the report of each.
    ///
    /// Links are relative, so that it works below any address and from a disk.
    Site(Box<SiteArgs>),
    /// Look again and again, as `tagship monitor check` does, until Ctrl-C or SIGTERM.
    ///
    /// There are never two looks at once. One that is under way is finished before the program ends, with the answer and the exit
    /// code of the last look. A look that fails is told, and the next one comes later, up to 16 times the pause.
    Watch(Box<WatchArgs>),
    /// Write Prometheus rules that judge the objectives as this program does: recording rules, and alerts on burn rates, bounds
    /// and missing data.
    ///
    /// Windows, factors and guards are those of `tagship monitor slo`. Queries are about one version: make the file again when
    /// another one serves. Objectives that are read elsewhere than from Prometheus are left out, and named.
    Rules(Box<RulesArgs>),
    /// Write a Grafana dashboard: traffic, errors and latency by version, objectives, resources, and where versions came.
    ///
    /// It asks Prometheus for what the model server counts and for what `tagship monitor rules` records.
    Grafana(Box<ExportArgs>),
}

/// `tagship monitor drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Take what is not said here from this model's `monitor.drift` in `tagship.yml`.
    #[arg(long, value_name = "NAME")]
    pub model: Option<ModelName>,
    /// Configuration file.
    #[arg(long, default_value = "tagship.yml", value_name = "FILE")]
    pub config: PathBuf,
    /// The rows that the model was made with: a file, or a folder of them, here or in a bucket.
    #[arg(long, value_name = "PATH", required_unless_present = "model")]
    pub reference: Option<PathBuf>,
    /// The rows to judge.
    #[arg(long, value_name = "PATH", required_unless_present = "model")]
    pub current: Option<PathBuf>,
    /// Only these columns; all of both tables by default.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub columns: Vec<String>,
    /// Columns any of which makes the whole drift.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub critical: Vec<String>,
    /// Column of the time of a row, for windows; it is not compared.
    #[arg(long, value_name = "NAME")]
    pub time_column: Option<String>,
    /// Judge only recent rows: those of a length of time, e.g. 7d, or the last so many, e.g. 10000rows.
    #[arg(long, value_name = "WINDOW")]
    pub window: Option<String>,
    /// Compare them only with those of the reference that lie as long before the window, e.g. 30d, or so many rows before it.
    #[arg(long, value_name = "WINDOW")]
    pub reference_window: Option<String>,
    /// Where the window ends; now by default.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    /// Judge parts of the rows by themselves too: by every value of a column, e.g. country, or by one, e.g. country=DE.
    #[arg(long = "slice", value_name = "COLUMN[=VALUE]")]
    pub slices: Vec<String>,
    /// By which rules drift is judged; default where nothing says otherwise.
    #[arg(long, value_enum)]
    pub profile: Option<DriftRules>,
    /// Ask this test of every column, e.g. psi, by its own threshold, instead of those of the profile; a name that is unknown
    /// lists them.
    #[arg(long, value_name = "NAME")]
    pub test: Option<String>,
    /// Exit with 1 where the data has drifted.
    #[arg(long, value_enum)]
    pub fail_on: Option<DriftFailure>,
    /// Also write it as a web page with histograms to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// The rules by which drift is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DriftRules {
    /// Tests of both samples, adjusted for their number, and a change that is large enough to matter.
    #[default]
    Default,
    /// Those of Evidently 0.7, for comparison with numbers from there.
    Evidently,
}

/// What fails the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DriftFailure {
    /// Drift of the whole or of a slice.
    Drift,
}
