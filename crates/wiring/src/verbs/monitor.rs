//! `tagship monitor`.

mod check;
mod drift;
mod quality;
mod slo;

use tagship_adapters::stores;
use tagship_runner::{
    Context, Failure,
    args::{MonitorArgs, MonitorQuestion},
};

use crate::{answer::Answer, workspace::Workspace};

/// Only a look at everything needs a repository and a configuration.
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
    }
}
