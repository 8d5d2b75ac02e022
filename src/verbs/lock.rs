//! `tagship lock` and `tagship unlock`, and what a lock keeps out.

use tagship_domain::{Environment, Exit, lock::Lock, schema};
use tagship_rollout::{self as rollout, LockOutcome, read_lock};
use tagship_runner::{
    Failure,
    args::{Common, LockArgs, UnlockArgs},
};

use crate::{answer::Answer, failure::failed, pipeline::would, workspace::Workspace};

/// The reason code of everything that a lock keeps out.
const LOCKED: &str = "environment-locked";
/// Longest reason that is kept, in characters.
const REASON: usize = 500;

pub(crate) async fn lock(args: &LockArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let environment = environment(&args.common, workspace)?;
    if let Some(there) = read_lock(workspace.host.journals.as_ref(), environment).await.map_err(failed)? {
        return held(&there);
    }
    if args.dry_run {
        return Ok(would(&format!("lock {environment}")));
    }
    lock_environment(workspace, environment, &args.reason).await
}

pub(crate) async fn unlock(args: &UnlockArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let environment = environment(&args.common, workspace)?;
    match read_lock(workspace.host.journals.as_ref(), environment).await.map_err(failed)? {
        Some(there) if args.dry_run => Ok(would(&format!("unlock {environment} ({})", there.sentence()))),
        Some(_) => unlock_environment(workspace, environment).await,
        None => nothing_locked(workspace, environment),
    }
}

/// Locks an environment in the name of whoever caused the run.
///
/// # Errors
/// When somebody's lock is there already, or it cannot be written.
pub(crate) async fn lock_environment(
    workspace: &Workspace,
    environment: &Environment,
    reason: &str,
) -> Result<Answer, Failure> {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(REASON).collect();
    let lock = entry(workspace, environment, true, reason);
    match rollout::lock(workspace.host.journals.as_ref(), &lock).await.map_err(failed)? {
        LockOutcome::Held(there) => held(&there),
        LockOutcome::Written | LockOutcome::Free => {
            let sentence = format!("{environment} is locked: nothing new begins there; {}", lock.way_out());
            answer("locked", "locked", &lock, &sentence)
        }
    }
}

/// Unlocks an environment in the name of whoever caused the run.
///
/// # Errors
/// When another lock came in between, or it cannot be written.
pub(crate) async fn unlock_environment(
    workspace: &Workspace,
    environment: &Environment,
) -> Result<Answer, Failure> {
    let unlock = entry(workspace, environment, false, String::new());
    match rollout::unlock(workspace.host.journals.as_ref(), &unlock).await.map_err(failed)? {
        LockOutcome::Held(there) => {
            let text = format!("it was locked again in the meantime: {}", there.sentence());
            Err(Failure::new(Exit::Negative, LOCKED, text).hint(there.way_out()))
        }
        LockOutcome::Free => nothing_locked(workspace, environment),
        LockOutcome::Written => {
            let sentence = format!(
                "{environment} is unlocked; what was kept out goes there with the next push, or now with \
                 `tagship run --request deploy --environment {environment}`"
            );
            answer("unlocked", "unlocked", &unlock, &sentence)
        }
    }
}

/// Whether an environment is locked.
///
/// # Errors
/// When that is unknown.
pub(crate) async fn is_locked(workspace: &Workspace, environment: &Environment) -> Result<bool, Failure> {
    Ok(read_lock(workspace.host.journals.as_ref(), environment).await.map_err(failed)?.is_some())
}

/// Refuses to bring `what` into a locked environment.
///
/// # Errors
/// When it is locked, or that is unknown.
pub(crate) async fn refuse_locked(
    workspace: &Workspace,
    environment: &Environment,
    what: &str,
) -> Result<(), Failure> {
    match read_lock(workspace.host.journals.as_ref(), environment).await.map_err(failed)? {
        None => Ok(()),
        Some(lock) => {
            let text = format!("roll out {what}: {}", lock.sentence());
            Err(Failure::new(Exit::Negative, LOCKED, text).hint(lock.way_out()))
        }
    }
}

/// The environment that the arguments mean.
fn environment<'a>(common: &Common, workspace: &'a Workspace) -> Result<&'a Environment, Failure> {
    if common.model.is_some() {
        return Err(Failure::usage("--model: a lock holds for every model of an environment")
            .hint("leave --model out; `tagship rollout --pause` holds the rollout of one model"));
    }
    environment_of(workspace, common.environment.as_ref())
}

/// The named environment of any model, else the only one.
///
/// # Errors
/// When it is configured for no model, or several are and none is named.
pub(crate) fn environment_of<'a>(
    workspace: &'a Workspace,
    named: Option<&Environment>,
) -> Result<&'a Environment, Failure> {
    let mut known: Vec<&Environment> = workspace.places().map(|(_, _, environment, _)| environment).collect();
    known.sort_unstable();
    known.dedup();
    let names = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (named, known.as_slice()) {
        (_, []) => Err(Failure::usage("no environment is configured")),
        (Some(wanted), known) => known.iter().find(|name| **name == wanted).copied().ok_or_else(|| {
            Failure::usage(format!("no model has an environment {wanted}")).hint(format!("there is {names}"))
        }),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::usage("several environments are configured")
            .hint(format!("pass --environment: {names}"))),
    }
}

fn entry(workspace: &Workspace, environment: &Environment, locked: bool, reason: String) -> Lock {
    let by = workspace.context.by.clone();
    Lock { environment: environment.clone(), locked, reason, by, since: workspace.clock.now() }
}

fn held(there: &Lock) -> Result<Answer, Failure> {
    let text = format!("it is locked already: {}", there.sentence());
    Err(Failure::new(Exit::Negative, LOCKED, text).hint(there.way_out()))
}

fn nothing_locked(workspace: &Workspace, environment: &Environment) -> Result<Answer, Failure> {
    let free = entry(workspace, environment, false, String::new());
    answer("nothing", "not-locked", &free, &format!("{environment} is not locked"))
}

fn answer(decision: &str, reason: &str, lock: &Lock, sentence: &str) -> Result<Answer, Failure> {
    let json = schema::to_json(lock).map_err(Failure::incomplete)?;
    Ok(Answer::plain(Exit::Done, decision, reason, sentence.to_owned(), json))
}
