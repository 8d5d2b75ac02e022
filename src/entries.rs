//! Where programs begin: a function for every small program, and one for all verbs.
//!
//! Each names the verb that it needs and no other, so that the linker leaves the rest out of a small program.

use std::{process::ExitCode, sync::Arc};

use tagship_adapters::SystemClock;
use tagship_domain::Exit;
use tagship_ports::Clock;
use tagship_runner::{
    Context, Failure,
    args::{
        Cli, CommentArgs, Common, DecideArgs, GateArgs, Pace, ReleaseArgs, RollbackArgs, RolloutArgs,
        RunArgs, ServeArgs, ValidateArgs, Verb,
    },
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    answer::{Answer, Manner, conclude},
    verbs,
    workspace::Workspace,
};

/// Arguments, or what is wrong with them.
type Given<A> = Result<A, Failure>;

/// `tagship-decide`.
pub fn decide(args: Given<DecideArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::decide::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship-validate`.
pub fn validate(args: Given<ValidateArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::validate::run(args, context).await,
    )
}

/// `tagship-gate`.
pub fn gate(args: Given<GateArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::gate::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship-release`.
pub fn release(args: Given<ReleaseArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::release::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship-rollout`.
pub fn rollout(args: Given<RolloutArgs>) -> ExitCode {
    step(
        args,
        |args| paced(&args.common, &args.pace),
        async |args, context| verbs::rollout::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship-rollback`.
pub fn rollback(args: Given<RollbackArgs>) -> ExitCode {
    step(
        args,
        |args| paced(&args.common, &args.pace),
        async |args, context| Box::pin(verbs::rollback::run(args, &open(&args.common, context)?)).await,
    )
}

/// `tagship-comment`.
pub fn comment(args: Given<CommentArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::comment::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship run` by a clock: the whole pipeline.
pub fn pipeline(args: Given<RunArgs>, clock: Arc<dyn Clock>) -> ExitCode {
    step(
        args,
        |args| paced(&args.common, &args.pace),
        async |args, context| {
            let workspace = Workspace::open_by(&args.common, context.clone(), clock)?;
            Box::pin(verbs::run::run(args, workspace)).await
        },
    )
}

/// `tagship-serve`.
pub fn serve(args: Given<ServeArgs>) -> ExitCode {
    let context = Context::read();
    let served = args.and_then(|args| on(threads(), verbs::serve::run(&args, &context)));
    end(served.map(|()| None), &Manner::default(), &context)
}

/// `tagship`: the verb that the arguments name.
pub fn run(cli: Given<Cli>) -> ExitCode {
    match cli.map(|cli| cli.verb) {
        Err(failure) => end(Err(failure), &Manner::default(), &Context::read()),
        Ok(Verb::Decide(args)) => decide(Ok(args)),
        Ok(Verb::Validate(args)) => validate(Ok(args)),
        Ok(Verb::Gate(args)) => gate(Ok(args)),
        Ok(Verb::Release(args)) => release(Ok(args)),
        Ok(Verb::Rollout(args)) => rollout(Ok(args)),
        Ok(Verb::Rollback(args)) => rollback(Ok(args)),
        Ok(Verb::Run(args)) => pipeline(Ok(args), Arc::new(SystemClock)),
        Ok(Verb::Comment(args)) => comment(Ok(args)),
        Ok(Verb::Serve(args)) => serve(Ok(args)),
        Ok(Verb::Plan(args)) => step(
            Ok(args),
            |args| Manner::of(&args.common),
            async |args, context| verbs::plan::run(args, &open(&args.common, context)?).await,
        ),
        Ok(Verb::Status(args)) => step(
            Ok(args),
            |args| Manner::of(&args.common),
            async |args, context| verbs::status::run(args, &open(&args.common, context)?).await,
        ),
        Ok(Verb::Lock(args)) => step(
            Ok(args),
            |args| Manner::of(&args.common),
            async |args, context| verbs::lock::lock(args, &open(&args.common, context)?).await,
        ),
        Ok(Verb::Unlock(args)) => step(
            Ok(args),
            |args| Manner::of(&args.common),
            async |args, context| verbs::lock::unlock(args, &open(&args.common, context)?).await,
        ),
        Ok(Verb::Pull(args)) => step(
            Ok(args),
            |args| Manner::of(&args.common),
            async |args, context| verbs::pull::run(args, &open(&args.common, context)?).await,
        ),
        Ok(Verb::Backtest(args)) => step(
            Ok(args),
            |args| Manner::printing(args.format),
            async |args, context| verbs::backtest::run(args, context),
        ),
        Ok(Verb::Init(args)) => step(
            Ok(args),
            |args| Manner::printing(args.format),
            async |args, context| verbs::init::run(args, context),
        ),
        Ok(Verb::Registry(args)) => step(
            Ok(args),
            |args| Manner::printing(args.format()),
            async |args, _| verbs::registry::run(args).await,
        ),
        Ok(Verb::Target(args)) => step(
            Ok(args),
            |args| Manner::printing(args.format()),
            async |args, context| verbs::target::run(args, context).await,
        ),
        Ok(Verb::Schema) => step(Ok(()), |()| Manner::default(), async |(), _| Ok(verbs::schema())),
        Ok(Verb::Demo(args)) => {
            let context = Context::read();
            let played = on(threads(), verbs::demo::run(&args, &context));
            end(played, &Manner::default(), &context)
        }
        // Its limits bind the whole process, so it comes before any thread does.
        Ok(Verb::Golden) => end(verbs::serve::golden().map(|()| None), &Manner::default(), &Context::read()),
    }
}

/// Runs a verb that answers.
fn step<A>(
    args: Given<A>,
    manner: fn(&A) -> Manner,
    work: impl AsyncFnOnce(&A, &Context) -> Result<Answer, Failure>,
) -> ExitCode {
    let context = Context::read();
    let (manner, result) = match args {
        Err(failure) => (Manner::default(), Err(failure)),
        Ok(args) => (manner(&args), on(threads(), work(&args, &context))),
    };
    end(result.map(Some), &manner, &context)
}

fn paced(common: &Common, pace: &Pace) -> Manner {
    Manner { fail_on: pace.fail_on.clone(), ..Manner::of(common) }
}

fn open(common: &Common, context: &Context) -> Result<Workspace, Failure> {
    Workspace::open(common, context.clone())
}

fn threads() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Runs work on a runtime, which ends with it.
fn on<T>(
    runtime: std::io::Result<Runtime>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let runtime = runtime.map_err(|error| Failure::incomplete(format!("start the runtime: {error}")))?;
    let result = runtime.block_on(work);
    // An inference that hangs must not keep the process.
    runtime.shutdown_background();
    result
}

/// Ends the process. What spoke for itself answers nothing.
fn end(result: Result<Option<Answer>, Failure>, manner: &Manner, context: &Context) -> ExitCode {
    let exit = match result.transpose() {
        None => Exit::Done,
        Some(result) => conclude(result, manner, context),
    };
    ExitCode::from(exit.code())
}
