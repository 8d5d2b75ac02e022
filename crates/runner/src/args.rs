//! Arguments of every verb. One definition serves `tagship <verb>` and the small binary `tagship-<verb>`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use tagship_domain::{Duration, Environment, Exit, ModelName, Version, event::Command};

mod explain;
mod import;
mod init;
mod lock;
mod monitor;
mod plan;
mod quantity;
mod read;
mod registry;
mod sign;
mod target;

pub use explain::{ExplainArgs, RolloutQuestion};
pub use import::{ImportArgs, ImportedSystem};
pub use init::InitArgs;
pub use lock::{LockArgs, UnlockArgs};
pub use monitor::{
    CheckFailure, DriftArgs, DriftFailure, DriftRules, ExportArgs, LookArgs, LooksArgs, MonitorArgs,
    MonitorQuestion, ObjectivesArgs, QualityArgs, QualityFailure, ReportArgs, RulesArgs, SiteArgs, Task,
    WatchArgs,
};
pub use plan::PlanArgs;
pub use read::Read;
pub use registry::{
    Edit, GcArgs, NamedVersion, RegistryArgs, RegistryChange, RegistryQuestion, RegistryVerb,
};
pub use sign::{ExplainReleaseArgs, SignArgs, VerifyArgs};
pub use target::{CheckArgs, TargetArgs, TargetQuestion};

/// Ship machine-learning models from git to production.
#[derive(Debug, Parser)]
#[command(name = "tagship", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show the whole way in a temporary directory: deploy, refuse, roll back.
    Demo(DemoArgs),
    /// Write a configuration and a workflow for what lies in the repository.
    Init(InitArgs),
    /// Say what an event leads to, for every model and environment.
    Decide(DecideArgs),
    /// Judge model files without running them, then run their golden cases.
    Validate(ValidateArgs),
    /// Judge test reports and metrics, alone and against what serves now.
    Gate(GateArgs),
    /// Tag a version and store its bytes, once validation and gate have passed.
    Release(ReleaseArgs),
    /// Move an environment to a released version, step by step, or go on with a running rollout.
    Rollout(RolloutArgs),
    /// Move an environment back to the previous or a named version.
    Rollback(RollbackArgs),
    /// Do everything an event leads to: decide, validate, gate, release, rollout, comment.
    Run(RunArgs),
    /// Bring the status comment of a pull request up to date.
    Comment(CommentArgs),
    /// Say what a rollout would do, and whether its metrics can be decided on the way.
    Plan(PlanArgs),
    /// Show what every environment holds and which rollouts run.
    Status(StatusArgs),
    /// Say where journal, stage tags and target of an environment disagree, and what to do; nothing is changed.
    Doctor(DoctorArgs),
    /// Let nothing new into an environment.
    Lock(LockArgs),
    /// Let new versions into an environment again.
    Unlock(UnlockArgs),
    /// Read and change the model registry that the repository's tags are.
    Registry(RegistryArgs),
    /// Fetch the bytes of a release and verify them.
    Pull(PullArgs),
    /// Sign the files of a model by the standard of `OpenSSF` (Model Signing v1).
    Sign(SignArgs),
    /// Check everything that a release rests on again, or a signature against files.
    Verify(VerifyArgs),
    /// Say what an analysis would have decided about recorded looks.
    Backtest(BacktestArgs),
    /// Watch what serves: whether its data still looks like what the model was made with.
    Monitor(MonitorArgs),
    /// Turn a specification of Argo Rollouts or Flagger into a configuration, with a note on every difference.
    Import(ImportArgs),
    /// Check a program that moves traffic against the rules of its protocol.
    Target(TargetArgs),
    /// Serve models over HTTP (Open Inference Protocol v2).
    Serve(ServeArgs),
    /// Print the JSON Schema of tagship.yml.
    Schema,
    /// Run golden cases from standard input; used by validate.
    #[command(hide = true)]
    Golden,
}

/// Arguments that every verb on a repository takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Configuration file.
    #[arg(long, default_value = "tagship.yml", value_name = "FILE")]
    pub config: PathBuf,
    /// Only this model; may be left out where only one is configured.
    #[arg(long, value_name = "NAME")]
    pub model: Option<ModelName>,
    /// Only this environment; may be left out where only one is configured.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<Environment>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print more about the way there.
    #[arg(short, long)]
    pub verbose: bool,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document on standard output.
    Json,
}

/// Which event is decided about.
#[derive(Debug, Clone, Args)]
pub struct EventArgs {
    /// Name of the event; the host's by default.
    #[arg(long, value_name = "NAME")]
    pub event_name: Option<String>,
    /// File with the event's payload; the host's by default.
    #[arg(long, value_name = "FILE")]
    pub event_path: Option<PathBuf>,
    /// Decide about a request instead of an event: deploy, retry, rollback, abort, pause, resume, promote or
    /// promote-full.
    #[arg(long, conflicts_with_all = ["event_name", "event_path"])]
    pub request: Option<Command>,
    /// The version that the request is about.
    #[arg(long, value_name = "VERSION", requires = "request")]
    pub version: Option<Version>,
    /// The environment whose version the request is about: `--request deploy --from staging --environment production`.
    #[arg(long, value_name = "NAME", requires = "request", conflicts_with = "version")]
    pub from: Option<Environment>,
}

/// `tagship decide`.
#[derive(Debug, Parser)]
#[command(name = "tagship-decide")]
pub struct DecideArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub event: EventArgs,
}

/// `tagship validate`.
#[derive(Debug, Parser)]
#[command(name = "tagship-validate")]
pub struct ValidateArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Files or directories; the model's artifact from the configuration by default.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Golden cases to run, where paths are given.
    #[arg(long, value_name = "FILE", requires = "paths")]
    pub golden: Option<PathBuf>,
    /// Write the findings to this file as SARIF 2.1.0 too, for code scanning.
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Judge every file anew, whatever an earlier run found in the same bytes.
    #[arg(long)]
    pub no_cache: bool,
    /// Say what a rule means, why it is there and what to do about a hit, instead of judging anything.
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "golden", "sarif", "no_cache"])]
    pub explain: Option<String>,
}

/// `tagship gate`.
#[derive(Debug, Parser)]
#[command(name = "tagship-gate")]
pub struct GateArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Validation report to build on; the one of the job's earlier step by default.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
}

/// `tagship release`.
#[derive(Debug, Parser)]
#[command(name = "tagship-release")]
pub struct ReleaseArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// Gate report to build on; the one of the job's earlier step by default.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// The number, e.g. v2.0.0-rc.1, or v2.0.0 to make the prerelease of these bytes final; by `release.bump` by default.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<Version>,
    /// Say which version it would be, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `tagship rollout`.
#[derive(Debug, Parser)]
#[command(name = "tagship-rollout", args_conflicts_with_subcommands = true)]
pub struct RolloutArgs {
    /// What to ask instead of leading a rollout on.
    #[command(subcommand)]
    pub question: Option<RolloutQuestion>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The version to roll out; the newest release by default.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<Version>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub pace: Pace,
    /// Roll out bytes again that failed or were rolled back here.
    #[arg(long)]
    pub retry: bool,
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub tell: Tell,
    /// Go on with every rollout that has not ended, and start none but those that wait for one.
    #[arg(long, conflicts_with_all = ["version", "retry", "tell"])]
    pub all: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What a running rollout is told.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "tell", multiple = false, conflicts_with_all = ["version", "retry"])]
pub struct Tell {
    /// Stop the running rollout and go back to stable; also tries again what could not go back.
    #[arg(long)]
    pub abort: bool,
    /// Hold the running rollout where it is until someone resumes it.
    #[arg(long)]
    pub pause: bool,
    /// Let a paused rollout go on.
    #[arg(long)]
    pub resume: bool,
    /// Lead the rollout on to its next step, past the pause, the person or the verdict that it waits for.
    #[arg(long)]
    pub promote: bool,
    /// Give the candidate all traffic now and make it stable, past all steps and measurements.
    #[arg(long)]
    pub promote_full: bool,
}

impl Tell {
    /// The command, where one was given.
    pub fn command(&self) -> Option<Command> {
        [
            (self.abort, Command::Abort),
            (self.pause, Command::Pause),
            (self.resume, Command::Resume),
            (self.promote, Command::Promote),
            (self.promote_full, Command::PromoteFull),
        ]
        .into_iter()
        .find_map(|(given, command)| given.then_some(command))
    }
}

/// How long a run stays with a rollout.
#[derive(Debug, Clone, Args)]
pub struct Pace {
    /// Stay until the rollout has ended or the time is over (the default).
    #[arg(long, conflicts_with = "once")]
    pub wait: bool,
    /// Do what can be done now, then stop; a later run goes on.
    #[arg(long)]
    pub once: bool,
    /// How long to stay at most.
    #[arg(long, default_value = "30m", value_name = "DURATION")]
    pub time_budget: Duration,
    /// Read counters by version from this page of metrics instead of the target: an address, or a file.
    #[arg(long, value_name = "URL|FILE")]
    pub metrics: Option<String>,
    /// Fail the step of a workflow where a rollout is left in one of these states; elsewhere the exit code tells.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATE")]
    pub fail_on: Vec<Unfinished>,
}

/// How a rollout may be left that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unfinished {
    /// It waits for a person.
    Paused,
    /// A later run goes on.
    Running,
}

impl Unfinished {
    /// The state that an exit code tells.
    pub fn of(exit: Exit) -> Option<Self> {
        match exit {
            Exit::Paused => Some(Self::Paused),
            Exit::Running => Some(Self::Running),
            _ => None,
        }
    }
}

/// `tagship rollback`.
#[derive(Debug, Parser)]
#[command(name = "tagship-rollback")]
pub struct RollbackArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The version to go back to; the one before by default.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<Version>,
    /// For monitoring: undo the newest promotion, but only within its guard and never past a person's decision.
    #[arg(long, requires = "reason", conflicts_with = "to")]
    pub guard: bool,
    /// What monitoring found, in one sentence.
    #[arg(long, value_name = "TEXT", requires = "guard")]
    pub reason: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub pace: Pace,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `tagship run`.
#[derive(Debug, Parser)]
#[command(name = "tagship-run")]
pub struct RunArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub event: EventArgs,
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub pace: Pace,
}

/// `tagship comment`.
#[derive(Debug, Parser)]
#[command(name = "tagship-comment")]
pub struct CommentArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The pull request; the one of the event or of the commit by default.
    #[arg(long, value_name = "NUMBER")]
    pub pull_request: Option<u64>,
    /// Report of a run that could not write its comment (its output report-file); what this job found by default.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Print the comment, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `tagship status`.
#[derive(Debug, Parser)]
#[command(name = "tagship-status")]
pub struct StatusArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
}

/// `tagship doctor`.
#[derive(Debug, Parser)]
#[command(name = "tagship-doctor")]
pub struct DoctorArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
}

/// `tagship pull`.
#[derive(Debug, Parser)]
#[command(name = "tagship-pull")]
pub struct PullArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// What to fetch: model@version or model#environment.
    #[arg(value_name = "RELEASE")]
    pub reference: String,
    /// Directory to write to; the release's name by default. It must not exist or be empty.
    #[arg(long, short, visible_alias = "to", value_name = "DIRECTORY")]
    pub output: Option<PathBuf>,
}

/// `tagship backtest`.
#[derive(Debug, Parser)]
#[command(name = "tagship-backtest")]
pub struct BacktestArgs {
    /// Recorded looks as JSON Lines: a line per metric and look, with the counts since the look before.
    ///
    /// Lines with the same `t` (seconds) are one look. Kinds: `error-ratio` and `labelled-accuracy` count
    /// `{"n": .., "bad": ..}` under `stable` and `candidate`; `latency` `{"buckets": [upper bounds in ms],
    /// "counts": [..]}`; `prediction-drift` `{"classes": {..}}`; `paired-accuracy` `{"n": ..,
    /// "only_stable_wrong": .., "only_candidate_wrong": ..}` under `pairs`. Without `stable` everywhere, the bounds of
    /// the analysis judge.
    #[arg(long, value_name = "FILE")]
    pub measurements: PathBuf,
    /// What stands below `analysis:` in tagship.yml, as a file; by default every recorded metric with the defaults of
    /// its kind.
    #[arg(long, value_name = "FILE")]
    pub analysis: Option<PathBuf>,
    /// How to print the answer; JSON is one document a look.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `tagship serve`.
#[derive(Debug, Parser)]
#[command(name = "tagship-serve", version)]
pub struct ServeArgs {
    /// Address for inference requests; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Address for the control interface; keep it away from the public.
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    pub admin_listen: SocketAddr,
    /// Directory that keeps models and weights over restarts.
    #[arg(long, default_value = ".tagship/serve", value_name = "DIRECTORY")]
    pub state: PathBuf,
    /// Environment variable that holds the control interface's token.
    #[arg(long, default_value = "TAGSHIP_SERVE_TOKEN", value_name = "NAME")]
    pub token_env: String,
    /// File to write the bound addresses to, as JSON.
    #[arg(long, value_name = "FILE")]
    pub addresses_file: Option<PathBuf>,
}

/// `tagship demo`.
#[derive(Debug, Parser)]
#[command(name = "tagship-demo")]
pub struct DemoArgs {
    /// Keep everything in a new directory, and print commands to look around with.
    #[arg(long, value_name = "DIRECTORY", num_args = 0..=1, default_missing_value = "tagship-demo")]
    pub keep: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
