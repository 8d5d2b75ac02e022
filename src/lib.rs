//! Wiring: from the arguments of a verb, over the ports' adapters, to the logic of the layers below, to an answer.
//!
//! No decision is made here.

mod answer;
mod deployments;
mod failure;
mod host;
mod live;
mod marks;
mod notifying;
mod pipeline;
mod publisher;
mod state;
mod summary;
mod verbs;
mod workspace;

use std::process::ExitCode;

use tagship_domain::Exit;
use tagship_report::terminal::Style;
use tagship_runner::{Context, Failure, Screen, args::Verb};

use answer::{Answer, conclude};

/// Runs a verb and answers the process's exit code.
pub fn run(verb: Verb) -> ExitCode {
    let context = Context::read();
    let format = verbs::format(&verb);
    let result = match verb {
        // Its limits bind the whole process, so it comes before any thread does.
        Verb::Golden => verbs::serve::golden().map(|()| None),
        verb => on_a_runtime(verb, &context),
    };
    let exit = match result {
        Ok(Some(answer)) => conclude(Ok(answer), format, &context),
        Ok(None) => Exit::Done,
        Err(failure) => conclude(Err(failure), format, &context),
    };
    ExitCode::from(exit.code())
}

fn on_a_runtime(verb: Verb, context: &Context) -> Result<Option<Answer>, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::incomplete(format!("start the runtime: {error}")))?;
    let result = runtime.block_on(verbs::run(verb, context));
    // An inference that hangs must not keep the process.
    runtime.shutdown_background();
    result
}

/// How the screen wants things rendered.
pub(crate) fn style(screen: &Screen) -> Style {
    Style { color: screen.color, width: screen.width, unicode: true }
}
