//! The program `tagship`: every verb of [`tagship_wiring`], and those that run models.

mod demo;
mod serve;

use std::{process::ExitCode, sync::Arc};

use tagship_adapters::SystemClock;
use tagship_ports::Clock;
use tagship_runner::{
    Failure,
    args::{Cli, ServeArgs, Verb},
};
use tagship_wiring as wiring;

/// `tagship-serve`.
pub fn serve(args: Result<ServeArgs, Failure>) -> ExitCode {
    wiring::telling(async |context| serve::run(&args?, context).await)
}

/// `tagship`: the verb that the arguments name.
pub fn run(cli: Result<Cli, Failure>) -> ExitCode {
    run_by(cli, Arc::new(SystemClock))
}

/// `tagship` by a clock. Only what leads rollouts asks it; every other verb goes by the machine's.
pub fn run_by(cli: Result<Cli, Failure>, clock: Arc<dyn Clock>) -> ExitCode {
    match cli.map(|cli| cli.verb) {
        Err(failure) => wiring::misunderstood(failure),
        Ok(Verb::Decide(args)) => wiring::decide(Ok(args)),
        Ok(Verb::Validate(args)) => wiring::validate(Ok(args)),
        Ok(Verb::Gate(args)) => wiring::gate(Ok(args)),
        Ok(Verb::Release(args)) => wiring::release(Ok(args)),
        Ok(Verb::Rollout(args)) => wiring::rollout_by(Ok(args), clock),
        Ok(Verb::Rollback(args)) => wiring::rollback_by(Ok(args), clock),
        Ok(Verb::Run(args)) => wiring::pipeline(Ok(args), clock),
        Ok(Verb::Comment(args)) => wiring::comment(Ok(args)),
        Ok(Verb::Plan(args)) => wiring::plan(Ok(args)),
        Ok(Verb::Status(args)) => wiring::status(Ok(args)),
        Ok(Verb::Doctor(args)) => wiring::doctor(Ok(args)),
        Ok(Verb::Lock(args)) => wiring::lock(Ok(args)),
        Ok(Verb::Unlock(args)) => wiring::unlock(Ok(args)),
        Ok(Verb::Pull(args)) => wiring::pull(Ok(args)),
        Ok(Verb::Sign(args)) => wiring::sign(Ok(args)),
        Ok(Verb::Verify(args)) => wiring::verify(Ok(args)),
        Ok(Verb::Backtest(args)) => wiring::backtest(Ok(args)),
        Ok(Verb::Monitor(args)) => wiring::monitor(Ok(args)),
        Ok(Verb::Init(args)) => wiring::init(Ok(args)),
        Ok(Verb::Import(args)) => wiring::import(Ok(args)),
        Ok(Verb::Registry(args)) => wiring::registry(Ok(args)),
        Ok(Verb::Target(args)) => wiring::target(Ok(args)),
        Ok(Verb::Schema) => wiring::schema(),
        // Where a panic ends the process, one model could end all that are served.
        Ok(Verb::Serve(_)) if cfg!(panic = "abort") => wiring::by_the_program("tagship-serve"),
        Ok(Verb::Serve(args)) => serve(Ok(args)),
        Ok(Verb::Demo(args)) => wiring::telling(async |context| demo::run(&args, context).await),
        // Its limits bind the whole process, so it comes before any thread does.
        Ok(Verb::Golden) => wiring::alone(serve::golden),
    }
}
