//! Where verbs begin: a function for each, from its arguments to the exit of the program.
//!
//! Each names the verb that it needs and no other, so that the linker leaves the rest out of a small program.

use std::{process::ExitCode, sync::Arc};

use tagship_adapters::{SystemClock, stores};
use tagship_domain::Exit;
use tagship_ports::Clock;
use tagship_runner::{
    Context, Failure,
    args::{
        BacktestArgs, CommentArgs, Common, DecideArgs, DoctorArgs, GateArgs, ImportArgs, InitArgs, LockArgs,
        MonitorArgs, Pace, PlanArgs, PullArgs, RegistryArgs, ReleaseArgs, RollbackArgs, RolloutArgs,
        RolloutQuestion, RunArgs, SignArgs, StatusArgs, TargetArgs, UnlockArgs, ValidateArgs, VerifyArgs,
    },
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    answer::{Answer, Manner, conclude},
    beside, sources, verbs, whole,
    workspace::Workspace,
};

/// Arguments, or what is wrong with them.
type Given<A> = Result<A, Failure>;

/// `tagship decide`.
pub fn decide(args: Given<DecideArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| {
            let workspace = open_light(&args.common, context)?;
            verbs::decide::run(args, &workspace, Some(sources::looking)).await
        },
    )
}

/// `tagship-decide`, a small program: it has `tagship decide` look at what lies outside of the repository.
pub fn small_decide(args: Given<DecideArgs>) -> ExitCode {
    let context = Context::read();
    match args.as_ref().ok().and_then(|args| whole::fetching("decide", &args.common, &context)) {
        Some(Ok(exit)) => exit,
        Some(Err(failure)) => misunderstood(failure),
        None => step(
            args,
            |args| Manner::of(&args.common),
            async |args, context| verbs::decide::run(args, &open_light(&args.common, context)?, None).await,
        ),
    }
}

/// `tagship validate`.
pub fn validate(args: Given<ValidateArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::validate::run(args, context, Some(sources::fetching)).await,
    )
}

/// `tagship-validate`, a small program: it has `tagship validate` fetch what lies outside of the repository.
pub fn small_validate(args: Given<ValidateArgs>) -> ExitCode {
    let context = Context::read();
    let on_paths = args.as_ref().is_ok_and(|args| !args.paths.is_empty() || args.explain.is_some());
    let instead = args.as_ref().ok().filter(|_| !on_paths);
    match instead.and_then(|args| whole::fetching("validate", &args.common, &context)) {
        Some(Ok(exit)) => exit,
        Some(Err(failure)) => misunderstood(failure),
        None => step(
            args,
            |args| Manner::of(&args.common),
            async |args, context| verbs::validate::run(args, context, None).await,
        ),
    }
}

/// `tagship-gate`, a small program: it has `tagship gate` do what needs the store of a cloud provider.
pub fn small_gate(args: Given<GateArgs>) -> ExitCode {
    let context = Context::read();
    let instead = args.as_ref().ok().and_then(|args| whole::instead("gate", &args.common, &context));
    match instead {
        Some(Ok(exit)) => exit,
        Some(Err(failure)) => misunderstood(failure),
        None => step(
            args,
            |args| Manner::of(&args.common),
            async |args, context| verbs::gate::run(args, &open_light(&args.common, context)?).await,
        ),
    }
}

/// `tagship gate`.
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
    rollout_by(args, Arc::new(SystemClock))
}

/// The same by a clock.
pub fn rollout_by(args: Given<RolloutArgs>, clock: Arc<dyn Clock>) -> ExitCode {
    step(
        args,
        |args| match &args.question {
            Some(RolloutQuestion::Explain(question)) => Manner::of(&question.common),
            None => paced(&args.common, &args.pace),
        },
        async |args, context| {
            if let Some(RolloutQuestion::Explain(question)) = &args.question {
                return verbs::explain::run(question, &open(&question.common, context)?).await;
            }
            let workspace = Workspace::open_by(&args.common, context.clone(), clock, stores::open)?;
            verbs::rollout::run(args, &workspace).await
        },
    )
}

/// `tagship-rollback`.
pub fn rollback(args: Given<RollbackArgs>) -> ExitCode {
    rollback_by(args, Arc::new(SystemClock))
}

/// The same by a clock.
pub fn rollback_by(args: Given<RollbackArgs>, clock: Arc<dyn Clock>) -> ExitCode {
    step(
        args,
        |args| paced(&args.common, &args.pace),
        async |args, context| {
            let workspace = Workspace::open_by(&args.common, context.clone(), clock, stores::open)?;
            Box::pin(verbs::rollback::run(args, &workspace)).await
        },
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
            let workspace = Workspace::open_by(&args.common, context.clone(), clock, stores::open)?;
            Box::pin(verbs::run::run(args, workspace)).await
        },
    )
}

/// `tagship plan`.
pub fn plan(args: Given<PlanArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::plan::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship status`.
pub fn status(args: Given<StatusArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::status::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship doctor`.
pub fn doctor(args: Given<DoctorArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::doctor::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship lock`.
pub fn lock(args: Given<LockArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::lock::lock(args, &open(&args.common, context)?).await,
    )
}

/// `tagship unlock`.
pub fn unlock(args: Given<UnlockArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::lock::unlock(args, &open(&args.common, context)?).await,
    )
}

/// `tagship pull`.
pub fn pull(args: Given<PullArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::of(&args.common),
        async |args, context| verbs::pull::run(args, &open(&args.common, context)?).await,
    )
}

/// `tagship sign`.
pub fn sign(args: Given<SignArgs>) -> ExitCode {
    step(args, |args| Manner::printing(args.format), async |args, _| verbs::sign::run(args))
}

/// `tagship verify`.
pub fn verify(args: Given<VerifyArgs>) -> ExitCode {
    step(args, |args| Manner::of(&args.common), async |args, context| verbs::verify::run(args, context).await)
}

/// `tagship backtest`.
pub fn backtest(args: Given<BacktestArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::printing(args.format),
        async |args, context| verbs::backtest::run(args, context),
    )
}

/// `tagship monitor`.
pub fn monitor(args: Given<MonitorArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::printing(args.format()),
        async |args, context| verbs::monitor::run(args, context).await,
    )
}

/// `tagship init`.
pub fn init(args: Given<InitArgs>) -> ExitCode {
    step(args, |args| Manner::printing(args.format), async |args, context| verbs::init::run(args, context))
}

/// `tagship import`.
pub fn import(args: Given<ImportArgs>) -> ExitCode {
    step(args, |args| Manner::printing(args.format), async |args, context| verbs::import::run(args, context))
}

/// `tagship registry`.
pub fn registry(args: Given<RegistryArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::printing(args.format()),
        async |args, context| verbs::registry::run(args, context).await,
    )
}

/// `tagship target`.
pub fn target(args: Given<TargetArgs>) -> ExitCode {
    step(
        args,
        |args| Manner::printing(args.format()),
        async |args, context| verbs::target::run(args, context).await,
    )
}

/// `tagship schema`.
pub fn schema() -> ExitCode {
    step(Ok(()), |()| Manner::default(), async |(), _| Ok(verbs::schema()))
}

/// Ends a program whose arguments mean nothing.
pub fn misunderstood(failure: Failure) -> ExitCode {
    end(Err(failure), &Manner::default(), &Context::read())
}

/// Runs a verb that tells by itself what it does, for as long as it goes on.
pub fn telling(work: impl AsyncFnOnce(&Context) -> Result<(), Failure>) -> ExitCode {
    let context = Context::read();
    let told = on(threads(), work(&context));
    end(told.map(|()| None), &Manner::default(), &context)
}

/// Has the program of a verb, which lies beside this one, do the verb in this one's place.
pub fn by_the_program(name: &str) -> ExitCode {
    let arguments = std::env::args_os().skip(2);
    let done = beside::program(name).and_then(|program| beside::become_it(&program, arguments));
    done.unwrap_or_else(misunderstood)
}

/// Runs work on this thread, before there is any other.
pub fn alone(work: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    end(work().map(|()| None), &Manner::default(), &Context::read())
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
    Workspace::open(common, context.clone(), stores::open)
}

/// The same without the stores of cloud providers, which a small program does not hold.
fn open_light(common: &Common, context: &Context) -> Result<Workspace, Failure> {
    Workspace::open(common, context.clone(), stores::open_light)
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
