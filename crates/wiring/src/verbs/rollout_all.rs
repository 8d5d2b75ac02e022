//! `tagship rollout --all`: a run by schedule, for everything that has not ended.
//!
//! All journals are read at once. What goes wrong with one rollout keeps no other from going on, and is told at the end.

use serde_json::{Value, json};
use tagship_domain::{Exit, rollout::RolloutState};
use tagship_ports::state_store::Entry;
use tagship_report::terminal;
use tagship_rollout::{ROLLOUTS, Tick, journal_name, state_of};
use tagship_runner::{Failure, args::RolloutArgs, commands::Annotation};

use crate::{
    aliases::follow_all,
    answer::Answer,
    failure::failed,
    pipeline::{Lead, Place, answer, json_sentence, lead},
    state::unusable_journal,
    together::together,
    workspace::Workspace,
};

/// How many rollouts are led at a time where nobody waits: one that hears nothing from its target holds few others up.
const AT_A_TIME: usize = 8;

/// A rollout that has not ended, or a journal that cannot be read.
struct Open<'a> {
    place: Place<'a>,
    tip: &'a Entry,
    state: Result<RolloutState, Failure>,
}

/// A rollout with what became of it.
struct Led<'a> {
    open: Open<'a>,
    tick: Result<Tick, Failure>,
}

/// Goes on with every rollout that has not ended.
pub(super) async fn run(args: &RolloutArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let tips = workspace.host.journals.tips(ROLLOUTS).await.map_err(failed)?;
    let chosen: Vec<_> = workspace.models()?.into_iter().map(|(name, _)| name).collect();
    let places = workspace
        .places()
        .map(|(name, model, environment, settings)| Place { name, model, environment, settings })
        .filter(|place| chosen.contains(&place.name) && workspace.chooses(place.environment));
    let open = places.filter_map(|place| {
        let journal = journal_name(place.environment, place.name);
        let tip = tips.get(&journal)?;
        let state = state_of(tip).map_err(|error| unusable_journal(&journal, &error));
        let is_open = state.as_ref().map_or(true, RolloutState::is_open);
        is_open.then_some(Open { place, tip, state })
    });
    let open: Vec<Open<'_>> = open.collect();
    if args.dry_run {
        return Ok(told(&open));
    }
    // What failed when its rollout ended is tried again.
    follow_all(workspace).await;
    let width = if args.pace.once { AT_A_TIME } else { usize::MAX };
    let mut led = together(open.into_iter().map(|open| go_on(args, workspace, open)), width).await;
    match (led.len(), led.pop()) {
        (_, None) => Ok(plain(Exit::Done, "nothing-to-do", "no rollout is running\n".to_owned())),
        (1, Some(only)) => alone(workspace, only).await,
        (_, Some(last)) => {
            led.push(last);
            Ok(summary(workspace, &led))
        }
    }
}

/// One rollout is told of as if it had been named.
async fn alone(workspace: &Workspace, led: Led<'_>) -> Result<Answer, Failure> {
    let answer = answer(workspace, led.open.place, &led.tick?).await?;
    Ok(Answer { decision: "ticked".to_owned(), reason_code: "ticked".to_owned(), ..answer })
}

async fn go_on<'a>(args: &RolloutArgs, workspace: &Workspace, open: Open<'a>) -> Led<'a> {
    let tick = match &open.state {
        Ok(_) => lead(workspace, open.place, Lead::GoOnFrom(open.tip), &args.pace).await,
        Err(failure) => Err(failure.clone()),
    };
    Led { open, tick }
}

/// What a dry run answers.
fn told(open: &[Open<'_>]) -> Answer {
    let line = |open: &Open<'_>| match &open.state {
        Ok(state) => format!("would go on with {} ({})", state.id, state.phase),
        Err(failure) => failure.message.clone(),
    };
    let lines: Vec<String> = open.iter().map(line).collect();
    let text = if lines.is_empty() { "no rollout is running\n".to_owned() } else { lines.join("\n") };
    let reason = if lines.is_empty() { "nothing-to-do" } else { "ticked" };
    // A journal that cannot be read is nothing that the real run would get past.
    let exit =
        open.iter().find_map(|open| open.state.as_ref().err()).map_or(Exit::Done, |failure| failure.exit);
    plain(exit, reason, text)
}

fn plain(exit: Exit, reason: &str, text: String) -> Answer {
    let decision = if reason == "ticked" { "ticked" } else { "nothing" };
    let json = json_sentence(&text);
    Answer::plain(exit, decision, reason, text, json)
}

/// A line for each of several rollouts. The exit code is that of the one that needs somebody most.
fn summary(workspace: &Workspace, led: &[Led<'_>]) -> Answer {
    let rows: Vec<Vec<String>> = led.iter().map(row).collect();
    let header = ["MODEL", "ENVIRONMENT", "VERSION", "SHARE", "STATE", "WHAT"];
    let text = terminal::table(&header, &rows, &workspace.style());
    let documents: Vec<Value> = led.iter().map(document).collect();
    let exit = led.iter().map(exit_of).max_by_key(|exit| urgency(*exit)).unwrap_or(Exit::Done);
    let json = json!({ "rollouts": documents }).to_string();
    let annotations = led.iter().filter_map(annotation).collect();
    Answer { annotations, ..Answer::plain(exit, "ticked", "ticked", text, json) }
}

fn exit_of(led: &Led<'_>) -> Exit {
    led.tick.as_ref().map_or_else(|failure| failure.exit, Tick::exit)
}

/// How much somebody is needed: a rollback that failed most of all, then what could not be done, what went wrong and was
/// undone, and what waits for a person.
fn urgency(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Running => 1,
        Exit::Paused => 2,
        Exit::Negative => 3,
        Exit::Usage => 4,
        Exit::Incomplete => 5,
        Exit::RollbackFailed => 6,
    }
}

/// The newest state that is known of it.
fn newest<'a>(led: &'a Led<'_>) -> Option<&'a RolloutState> {
    let ticked = led.tick.as_ref().ok().and_then(Tick::state);
    ticked.or(led.open.state.as_ref().ok())
}

fn row(led: &Led<'_>) -> Vec<String> {
    let place = led.open.place;
    let of = |tell: fn(&RolloutState) -> String| newest(led).map_or_else(|| "-".to_owned(), tell);
    let (state, what) = match &led.tick {
        Ok(_) => (of(|state| state.phase.to_string()), of(|state| state.message.clone())),
        Err(failure) => ("not led on".to_owned(), failure.message.clone()),
    };
    let version = of(|state| state.candidate.version.to_string());
    let share = of(|state| state.weight.applied.to_string());
    vec![place.name.to_string(), place.environment.to_string(), version, share, state, what]
}

fn document(led: &Led<'_>) -> Value {
    let place = led.open.place;
    let mut document = json!({
        "model": place.name, "environment": place.environment, "exit": exit_of(led).code(),
    });
    if let (Some(state), Some(object)) = (newest(led), document.as_object_mut()) {
        object.insert("rollout".to_owned(), json!(state.id));
        object.insert("version".to_owned(), json!(state.candidate.version));
        object.insert("phase".to_owned(), json!(state.phase));
        object.insert("weight".to_owned(), json!(state.weight.applied));
        object.insert("message".to_owned(), json!(state.message));
    }
    if let (Err(failure), Some(object)) = (&led.tick, document.as_object_mut()) {
        object.insert("error".to_owned(), json!(failure.message));
        object.insert("help".to_owned(), json!(failure.hint));
    }
    document
}

fn annotation(led: &Led<'_>) -> Option<Annotation> {
    let place = led.open.place;
    let of = |what: &str| format!("{} in {}: {what}", place.name, place.environment);
    match &led.tick {
        Err(failure) => Some(Annotation::error(of(&failure.message))),
        Ok(tick) => {
            let message = of(&tick.state()?.message);
            match tick.exit() {
                Exit::Paused => Some(Annotation::warning(message)),
                Exit::Done | Exit::Running => None,
                _ => Some(Annotation::error(message)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_needs_somebody_most_decides_the_exit_code() {
        let mut all = Exit::ALL.map(|(exit, _)| exit);
        all.sort_by_key(|exit| urgency(*exit));
        assert_eq!(all.first(), Some(&Exit::Done));
        assert_eq!(all.last(), Some(&Exit::RollbackFailed), "it is not hidden by one that is still running");
        let at = |exit| all.iter().position(|one| *one == exit);
        assert!(at(Exit::Running) < at(Exit::Paused) && at(Exit::Negative) < at(Exit::Incomplete));
    }
}
