//! `tagship monitor`.

mod check;
mod drift;
mod grafana;
mod history;
mod quality;
mod report;
mod rules;
mod site;
mod slo;
mod watch;

use tagship_adapters::stores;
use tagship_runner::{
    Context, Failure,
    args::{MonitorArgs, MonitorQuestion},
};

use crate::{answer::Answer, workspace::Workspace};

/// Drift and quality of tables that are named need neither a repository nor a configuration.
pub(crate) async fn run(args: &MonitorArgs, context: &Context) -> Result<Answer, Failure> {
    match &args.question {
        MonitorQuestion::Drift(args) => drift::run(args, context),
        MonitorQuestion::Quality(args) => quality::run(args, context),
        MonitorQuestion::Slo(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            slo::run(args, &workspace).await
        }
        MonitorQuestion::Check(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            check::run(args, &workspace).await
        }
        MonitorQuestion::Report(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            report::run(args, &workspace).await
        }
        MonitorQuestion::History(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            history::run(&workspace).await
        }
        MonitorQuestion::Site(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            site::run(args, &workspace).await
        }
        MonitorQuestion::Watch(args) => watch::run(args, context).await,
        MonitorQuestion::Rules(args) => {
            let workspace = Workspace::open(&args.export.common, context.clone(), stores::open)?;
            rules::run(args, &workspace).await
        }
        MonitorQuestion::Grafana(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            grafana::run(args, &workspace).await
        }
    }
}
