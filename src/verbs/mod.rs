//! One file per verb.

mod backtest;
mod command;
mod comment;
mod decide;
mod demo;
mod gate;
mod init;
pub(crate) mod lock;
mod plan;
mod pull;
mod registry;
mod release;
mod rollback;
mod rollout;
mod run;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod validate;

use tagship_domain::Exit;
use tagship_runner::{
    Context, Failure,
    args::{Format, RegistryQuestion, Verb},
};

use crate::{Answer, workspace::Workspace};

/// How a verb's answer is printed.
pub(crate) fn format(verb: &Verb) -> Format {
    match verb {
        Verb::Decide(args) => args.common.format,
        Verb::Validate(args) => args.common.format,
        Verb::Gate(args) => args.common.format,
        Verb::Release(args) => args.common.format,
        Verb::Rollout(args) => args.common.format,
        Verb::Rollback(args) => args.common.format,
        Verb::Run(args) => args.common.format,
        Verb::Comment(args) => args.common.format,
        Verb::Plan(args) => args.common.format,
        Verb::Status(args) => args.common.format,
        Verb::Lock(args) => args.common.format,
        Verb::Unlock(args) => args.common.format,
        Verb::Pull(args) => args.common.format,
        Verb::Backtest(args) => args.format,
        Verb::Init(args) => args.format,
        Verb::Registry(args) => match &args.question {
            RegistryQuestion::Show { format, .. } | RegistryQuestion::History { format, .. } => *format,
            RegistryQuestion::Doctor => Format::Text,
        },
        Verb::Demo(_) | Verb::Serve(_) | Verb::Schema | Verb::Golden => Format::Text,
    }
}

/// Runs a verb. Those that speak for themselves answer nothing.
pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Option<Answer>, Failure> {
    let open = |common| Workspace::open(common, context.clone());
    match verb {
        Verb::Demo(args) => demo::run(&args, context).await,
        Verb::Decide(args) => decide::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Validate(args) => validate::run(&args, context).await.map(Some),
        Verb::Gate(args) => gate::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Release(args) => release::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Rollout(args) => rollout::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Rollback(args) => rollback::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Run(args) => run::run(&args, open(&args.common)?).await.map(Some),
        Verb::Comment(args) => comment::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Plan(args) => plan::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Status(args) => status::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Init(args) => init::run(&args, context).map(Some),
        Verb::Lock(args) => lock::lock(&args, &open(&args.common)?).await.map(Some),
        Verb::Unlock(args) => lock::unlock(&args, &open(&args.common)?).await.map(Some),
        Verb::Backtest(args) => backtest::run(&args, context).map(Some),
        Verb::Registry(args) => registry::run(&args).await.map(Some),
        Verb::Pull(args) => pull::run(&args, &open(&args.common)?).await.map(Some),
        Verb::Serve(args) => serve::run(&args, context).await.map(|()| None),
        Verb::Schema => Ok(Some(schema())),
        Verb::Golden => serve::golden().map(|()| None), // reached through `crate::run` before any thread
    }
}

fn schema() -> Answer {
    let schema = format!("{:#}\n", tagship_config::config_schema());
    Answer::plain(Exit::Done, "printed", "done", schema.clone(), schema)
}
