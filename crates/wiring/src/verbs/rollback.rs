//! `tagship rollback`.

use tagship_domain::{
    Exit, Release,
    event::Command,
    rollout::{Kind, Phase, Reason, RolloutState},
};
use tagship_release as release;
use tagship_runner::{Failure, args::RollbackArgs};

use crate::{
    answer::Answer,
    failure::failed,
    following::refuse_word,
    pipeline::{
        Lead, Place, answer, json_sentence, lead, plan, recorded, refuse_unguarded, release_of, would,
    },
    verbs::lock::refuse_locked,
    workspace::Workspace,
};

pub(crate) async fn run(args: &RollbackArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    if let Some(why) = args.reason.as_ref().filter(|_| args.guard) {
        return fire(args, workspace, place, why).await;
    }
    // A rollout that has not ended is stopped first, which goes back to what served before; one that could not go back
    // is made to try again.
    let running = recorded(workspace, place).await?.filter(RolloutState::holds_lock);
    if running.as_ref().is_none_or(|running| running.phase != Phase::RollbackFailed) {
        refuse_word(place, Command::Rollback)?;
    }
    if let Some(running) = running {
        if args.dry_run {
            let what = match running.phase {
                _ if goes_there(args, &running) => "go on with",
                Phase::RollbackFailed => "try again",
                _ => "stop",
            };
            return Ok(would(&format!("{what} {} and go back to what served before", running.id)));
        }
        if goes_there(args, &running) {
            let tick = lead(workspace, place, Lead::GoOn, &args.pace).await?;
            return answer(workspace, place, &tick).await;
        }
        let stuck = running.phase == Phase::RollbackFailed;
        let command = if stuck { Command::Rollback } else { Command::Abort };
        let tick = lead(workspace, place, Lead::Tell(command), &args.pace).await?;
        let stopped = answer(workspace, place, &tick).await?;
        if args.to.is_none() || !tick.state().is_some_and(RolloutState::is_settled) {
            return Ok(stopped);
        }
    }
    let target = target(args, workspace, place).await?;
    let current = release::current(&workspace.registry().await?, name, environment).map_err(failed)?;
    if current.as_ref().is_some_and(|current| current.digest == target.digest) {
        let text = format!("{environment} already holds {target}");
        return Ok(Answer::plain(
            Exit::Done,
            "nothing",
            "already-deployed",
            text.clone(),
            json_sentence(&text),
        ));
    }
    if args.to.is_some() && !is_way_back(workspace, place, &target).await? {
        refuse_locked(workspace, environment, &target.to_string()).await?;
    }
    if args.dry_run {
        plan(workspace, place, &target).await?;
        return Ok(would(&format!("roll {environment} back to {target}")));
    }
    let tick = lead(workspace, place, Lead::Begin(Kind::Rollback, &target), &args.pace).await?;
    answer(workspace, place, &tick).await
}

/// Whether what runs is the rollback that is asked for: a run that died is repeated, and stopping its rollback would bring
/// back what it leaves.
fn goes_there(args: &RollbackArgs, running: &RolloutState) -> bool {
    let is_wanted = args.to.as_ref().is_none_or(|to| *to == running.candidate.version);
    let goes_on = !matches!(running.phase, Phase::RollingBack | Phase::RollbackFailed);
    running.kind == Kind::Rollback && goes_on && is_wanted
}

/// Undoes the newest promotion for monitoring. What monitoring has begun already is led on.
async fn fire(
    args: &RollbackArgs,
    workspace: &Workspace,
    place: Place<'_>,
    why: &str,
) -> Result<Answer, Failure> {
    let newest = recorded(workspace, place).await?;
    let fired = newest.as_ref().is_some_and(|state| {
        state.kind == Kind::Rollback && state.reason == Reason::GuardFired && !state.is_settled()
    });
    let target = if fired { None } else { Some(refuse_unguarded(workspace, place, newest.as_ref()).await?) };
    if args.dry_run {
        let what = target.map_or_else(|| "where it was before".to_owned(), |target| target.to_string());
        return Ok(would(&format!("roll {} back to {what}", place.environment)));
    }
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = target.as_ref().map_or(Lead::GoOn, |target| Lead::Fire(target, &why));
    let tick = lead(workspace, place, what, &args.pace).await?;
    answer(workspace, place, &tick).await
}

/// Whether it is what the environment held before: a lock never stands in the way of that.
async fn is_way_back(workspace: &Workspace, place: Place<'_>, target: &Release) -> Result<bool, Failure> {
    let registry = workspace.registry().await?;
    let previous = release::previous(&registry, place.name, place.environment).map_err(failed)?;
    Ok(previous.is_some_and(|previous| previous.digest == target.digest))
}

/// The named version, else the one that the environment held before.
async fn target(args: &RollbackArgs, workspace: &Workspace, place: Place<'_>) -> Result<Release, Failure> {
    if let Some(version) = &args.to {
        return release_of(workspace, place.name, version).await;
    }
    let registry = workspace.registry().await?;
    release::previous(&registry, place.name, place.environment).map_err(failed)?.ok_or_else(|| {
        let text = format!("{} held no other version of {} before", place.environment, place.name);
        Failure::new(Exit::Negative, "no-previous-version", text)
            .hint("nothing was changed; pass --to VERSION")
    })
}
