//! `tagship rollout`.

use tagship_domain::{
    Exit, Release,
    event::Command,
    rollout::{Kind, RolloutState},
};
use tagship_runner::{
    Failure,
    args::{Pace, RolloutArgs},
};

use crate::{
    answer::Answer,
    following::refuse_word,
    pipeline::{Lead, Place, answer, candidate, json_sentence, lead, plan, recorded, would},
    sources::{Looked, settle_release},
    state::repository_state,
    verbs::{
        lock::{is_locked, refuse_locked},
        rollout_all,
    },
    workspace::Workspace,
};

pub(crate) async fn run(args: &RolloutArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    if args.all {
        return rollout_all::run(args, workspace).await;
    }
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    let recorded = recorded(workspace, place).await?;
    if let Some(command) = args.tell.command() {
        let running = recorded.filter(RolloutState::holds_lock);
        return tell(args, workspace, place, running.as_ref(), command).await;
    }
    let running = recorded.filter(RolloutState::is_open);
    if let (Some(running), None, true) = (&running, &args.version, args.pace.once) {
        if args.dry_run {
            return Ok(would(&format!("go on with {} ({})", running.id, running.phase)));
        }
        let tick = lead(workspace, place, Lead::GoOn, &args.pace).await?;
        return answer(workspace, place, &tick).await;
    }
    let candidate = candidate(workspace, place, args.version.as_ref()).await?;
    if let Some(nothing) = nothing_to_do(args, workspace, place, &candidate).await? {
        return Ok(nothing);
    }
    // What runs goes on in a locked environment; only what is new is kept out.
    let runs = running.as_ref().is_some_and(|running| running.candidate.digest == candidate.digest);
    let goes_on = runs && is_locked(workspace, environment).await?;
    if !goes_on {
        refuse_locked(workspace, environment, &candidate.to_string()).await?;
    }
    if args.dry_run {
        plan(workspace, place, &candidate).await?;
        return Ok(would(&format!("roll {candidate} out to {environment}")));
    }
    let what = if goes_on { Lead::GoOn } else { Lead::Begin(Kind::Deploy, &candidate) };
    let tick = lead(workspace, place, what, &args.pace).await?;
    if tick.has_taken_up(&candidate.digest) {
        settle_release(workspace, place, &candidate).await?;
    }
    answer(workspace, place, &tick).await
}

/// Tells the running rollout something. One that has ended can only be rolled back.
async fn tell(
    args: &RolloutArgs,
    workspace: &Workspace,
    place: Place<'_>,
    running: Option<&RolloutState>,
    command: Command,
) -> Result<Answer, Failure> {
    let Some(running) = running else {
        let text = format!("no rollout of {} to {} is running", place.name, place.environment);
        return Ok(Answer::plain(Exit::Done, "nothing", "no-rollout", text.clone(), json_sentence(&text)));
    };
    refuse_word(place, command)?;
    if args.dry_run {
        let what = match command {
            Command::Pause => "hold",
            Command::Resume => "resume",
            Command::Promote => "lead on",
            Command::PromoteFull => "promote in full",
            Command::Abort | Command::Deploy | Command::Retry | Command::Rollback => "stop",
        };
        return Ok(would(&format!("{what} {} ({})", running.id, running.phase)));
    }
    // Going back is waited for; whoever leads the rollout goes on with the rest.
    let once = args.pace.once || (command != Command::Abort && !args.pace.wait);
    let tick = lead(workspace, place, Lead::Tell(command), &Pace { once, ..args.pace.clone() }).await?;
    answer(workspace, place, &tick).await
}

/// What stands against rolling a release out: it serves already, or it failed here before.
async fn nothing_to_do(
    args: &RolloutArgs,
    workspace: &Workspace,
    place: Place<'_>,
    candidate: &Release,
) -> Result<Option<Answer>, Failure> {
    let state = repository_state(workspace, &Looked::default()).await?;
    let here = state.models.get(place.name).and_then(|model| model.environments.get(place.environment));
    let Some(here) = here else { return Ok(None) };
    let running = here.running.as_ref().is_some_and(|running| running.version == candidate.version);
    let held = here.current.as_ref().is_some_and(|current| current.digest == candidate.digest);
    if held && here.running.is_none() {
        let text = format!("{} already holds {candidate}", place.environment);
        return Ok(Some(Answer::plain(
            Exit::Done,
            "nothing",
            "already-deployed",
            text.clone(),
            json_sentence(&text),
        )));
    }
    let before = here.after.as_ref().filter(|before| !before.succeeded.contains(&candidate.digest));
    if let Some(before) = before.filter(|_| !running) {
        let text = format!(
            "roll {candidate} out to {}: it did not succeed in {} yet",
            place.environment, before.environment
        );
        let hint = format!("run `tagship rollout --environment {}` first", before.environment);
        return Err(Failure::new(Exit::Negative, "awaits-environment", text).hint(hint));
    }
    let blocked = here.blocked.iter().find(|blocked| blocked.digest == candidate.digest);
    match blocked.filter(|_| !args.retry && !running) {
        None => Ok(None),
        Some(blocked) => {
            let text =
                format!("the last rollout of these bytes to {} ended {}", place.environment, blocked.phase);
            Err(Failure::new(Exit::Negative, "previously-rolled-back", text)
                .hint("pass --retry to roll them out again"))
        }
    }
}
