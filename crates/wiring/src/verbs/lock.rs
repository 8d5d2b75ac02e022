//! `tagship lock` and `tagship unlock`, and what a lock keeps out.

use tagship_domain::{
    Duration, Environment, Exit, ModelName,
    lock::Lock,
    rollout::{Phase, RolloutState},
    schema,
};
use tagship_rollout::{self as rollout, LockOutcome, read_lock};
use tagship_runner::{
    Failure,
    args::{Common, LockArgs, Pace, UnlockArgs},
};

use crate::{
    answer::Answer,
    failure::failed,
    pipeline::{Lead, Place, lead, recorded, would},
    workspace::Workspace,
};

/// The reason code of everything that a lock keeps out.
const LOCKED: &str = "environment-locked";
/// Longest reason that is kept, in characters.
const REASON: usize = 500;
/// Taking a lock away is one look and one entry.
const ONCE: Pace =
    Pace { wait: false, once: true, time_budget: Duration::from_secs(60), metrics: None, fail_on: vec![] };

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
    let environment = environment_of(workspace, args.common.environment.as_ref())?;
    let request = Unlocking { environment, model: args.common.model.as_ref(), reason: &args.reason };
    if !args.dry_run {
        return unlock_environment(workspace, request).await;
    }
    let mut what = vec![];
    if let (None, Some(there)) = (request.model, read(workspace, environment).await?) {
        what.push(format!("unlock {environment} ({})", there.sentence()));
    }
    for (_, state) in stuck(workspace, request).await? {
        what.push(format!("take the lock of {} away ({})", state.id, state.message));
    }
    if what.is_empty() { nothing_locked(workspace, environment) } else { Ok(would(&what.join(", "))) }
}

/// What is to be unlocked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unlocking<'a> {
    pub(crate) environment: &'a Environment,
    /// Only the rollout of this model that could not go back; the environment stays as it is.
    pub(crate) model: Option<&'a ModelName>,
    /// Why, for the record.
    pub(crate) reason: &'a str,
}

/// Rollouts that could not go back and keep others out.
async fn stuck<'a>(
    workspace: &'a Workspace,
    request: Unlocking<'_>,
) -> Result<Vec<(Place<'a>, RolloutState)>, Failure> {
    let mut stuck = vec![];
    for (name, model, environment, settings) in workspace.places() {
        let place = Place { name, model, environment, settings };
        if environment != request.environment || request.model.is_some_and(|meant| meant != name) {
            continue;
        }
        let state = recorded(workspace, place).await?;
        let state = state.filter(|state| state.phase == Phase::RollbackFailed && state.holds_lock());
        stuck.extend(state.map(|state| (place, state)));
    }
    Ok(stuck)
}

async fn read(workspace: &Workspace, environment: &Environment) -> Result<Option<Lock>, Failure> {
    read_lock(workspace.host.journals.as_ref(), environment).await.map_err(failed)
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
    let lock = entry(workspace, environment, true, one_line(reason));
    match rollout::lock(workspace.host.journals.as_ref(), &lock).await.map_err(failed)? {
        LockOutcome::Held(there) => held(&there),
        LockOutcome::Written | LockOutcome::Free => {
            let sentence = format!("{environment} is locked: nothing new begins there; {}", lock.way_out());
            answer("locked", "locked", &lock, &sentence)
        }
    }
}

/// Unlocks an environment in the name of whoever caused the run, and takes the locks of rollouts away that could not go
/// back. Those need a reason, and a look at what serves.
///
/// # Errors
/// When another lock came in between, nothing says why, what serves is unknown, or nothing can be written.
pub(crate) async fn unlock_environment(
    workspace: &Workspace,
    request: Unlocking<'_>,
) -> Result<Answer, Failure> {
    let Unlocking { environment, model, reason } = request;
    let stuck = stuck(workspace, request).await?;
    let locked = model.is_none() && read(workspace, environment).await?.is_some();
    if let (Some((_, state)), true, false) = (stuck.first(), reason.trim().is_empty(), locked) {
        let text = format!("take the lock of {} away, which could not go back: nobody said why", state.id);
        return Err(Failure::usage(text).hint(format!(
            "look at what serves, then `tagship unlock --model {} --environment {environment} --reason TEXT`; \
             `tagship rollback` has going back tried again",
            state.model
        )));
    }
    let mut told = vec![];
    for (place, state) in stuck {
        if reason.trim().is_empty() {
            told.push(format!("{} could not go back and still keeps others out; pass a reason", state.id));
        } else {
            told.push(unlock_stuck(workspace, place, reason).await?);
        }
    }
    if !locked && !told.is_empty() {
        let unlock = entry(workspace, environment, false, reason.to_owned());
        return answer("unlocked", "unlocked", &unlock, &told.join("; "));
    }
    let unlock = entry(workspace, environment, false, reason.to_owned());
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
            told.insert(0, sentence);
            answer("unlocked", "unlocked", &unlock, &told.join("; "))
        }
    }
}

/// Takes the lock of one rollout away; answers what it says then.
async fn unlock_stuck(workspace: &Workspace, place: Place<'_>, reason: &str) -> Result<String, Failure> {
    let reason: String = one_line(reason);
    let tick = lead(workspace, place, Lead::Unlock(&reason), &ONCE).await?;
    match tick.state() {
        Some(state) if !state.holds_lock() => Ok(state.message.clone()),
        _ => {
            let text = format!(
                "take the lock on {} in {} away: the target does not say what serves",
                place.name, place.environment
            );
            Err(Failure::incomplete(text).hint("bring the target in order, then try again"))
        }
    }
}

/// A reason in one line of bounded length.
fn one_line(reason: &str) -> String {
    reason.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(REASON).collect()
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
