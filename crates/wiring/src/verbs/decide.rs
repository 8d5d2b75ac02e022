//! `tagship decide`.

use tagship_decide::decide;
use tagship_domain::{
    Exit,
    decision::{Decision, DecisionItem, ReasonCode},
    event::{Event, Request, Trigger},
};
use tagship_ports::Repo as _;
use tagship_report::terminal;
use tagship_runner::{
    Failure,
    args::{Common, DecideArgs, EventArgs},
    commands::Annotation,
    event::read_event,
};

use crate::{
    answer::Answer,
    sources::{Look, Looked},
    state::{head, repository_state},
    workflows::deaf_to,
    workspace::Workspace,
};

/// `look` is absent in a program that is kept small.
pub(crate) async fn run(
    args: &DecideArgs,
    workspace: &Workspace,
    look: Option<Look>,
) -> Result<Answer, Failure> {
    let trigger = trigger(&args.event, &args.common, workspace).await?;
    let looked = match look {
        Some(look) => look(workspace, &trigger.event).await?,
        None => Looked::default(),
    };
    answer(&decide(&trigger, &repository_state(workspace, &looked).await?), workspace)
}

fn answer(decision: &Decision, workspace: &Workspace) -> Result<Answer, Failure> {
    let text = terminal::decision(decision, &workspace.style());
    // That an environment is locked is an answer here; whoever acts on it is refused.
    let exit = if exit_of(decision) == Exit::Negative { Exit::Done } else { exit_of(decision) };
    let ending = (decision.action.to_string(), decision.reason_code.to_string(), exit);
    let mut answer = Answer::document(&workspace.handover, None, decision, text, ending)?;
    let matrix = serde_json::to_string(&decision.matrix()).map_err(Failure::incomplete)?;
    answer.outputs = answer.outputs.with("matrix", matrix);
    Ok(answer)
}

/// How a run ends that follows a decision. A request for what is not configured is a mistake of whoever asks; what a lock
/// keeps out is refused; a merge that could not be judged is not waved through.
pub(crate) fn exit_of(decision: &Decision) -> Exit {
    let kept_out = |item: &DecisionItem| item.reason_code == ReasonCode::EnvironmentLocked;
    let unread = |item: &DecisionItem| item.reason_code == ReasonCode::SourceUnreadable;
    match decision.reason_code {
        ReasonCode::UnknownModel | ReasonCode::UnknownEnvironment | ReasonCode::UnknownVersion => Exit::Usage,
        ReasonCode::MergeNotCheckedOut | ReasonCode::SourceUnreadable => Exit::Incomplete,
        ReasonCode::DigestMismatch => Exit::Negative,
        // What is new there is unknown, which is no reason to say that nothing is.
        _ if decision.items.iter().any(unread) => Exit::Incomplete,
        _ if decision.items.iter().any(kept_out) => Exit::Negative,
        _ => Exit::Done,
    }
}

/// The event that the arguments or the host name, with where the repository stands.
///
/// # Errors
/// When there is none, its payload cannot be read, or the default branch is unknown.
pub(crate) async fn trigger(
    event: &EventArgs,
    common: &Common,
    workspace: &Workspace,
) -> Result<Trigger, Failure> {
    let context = &workspace.context;
    let name = event.event_name.as_ref().or(context.event_name.as_ref());
    let path = event.event_path.as_ref().or(context.event_path.as_ref());
    let (happened, named_branch) = match (event.request, name, path) {
        (Some(command), ..) => {
            let request = Request {
                model: common.model.clone(),
                environment: common.environment.clone(),
                version: event.version.clone(),
                from: event.from.clone(),
                command: Some(command),
            };
            (Event::Manual(request), None)
        }
        (None, Some(name), Some(path)) => {
            let payload = read_event(name, path)?;
            warn_of_deaf_workflows(payload.default_branch.as_deref(), workspace);
            (located(payload.event, workspace).await, payload.default_branch)
        }
        (None, ..) => {
            return Err(Failure::usage("there is no event to decide about").hint(
                "run as a step of a workflow, or pass --event-name and --event-path, or --request deploy",
            ));
        }
    };
    let default_branch = named_branch.or_else(|| workspace.clone.default_branch()).ok_or_else(|| {
        Failure::usage("the default branch is unknown: the payload does not tell it and HEAD is detached")
            .hint("add repository.default_branch to the payload, or check out a branch")
    })?;
    Ok(Trigger { event: happened, by: context.by.clone(), head: head(workspace).await?, default_branch })
}

/// Says on the page of a run, whatever started it, that no push to the default branch would start one.
fn warn_of_deaf_workflows(default_branch: Option<&str>, workspace: &Workspace) {
    if let Some(deaf) = default_branch.and_then(|branch| deaf_to(&workspace.root, branch)) {
        workspace.screen.annotate(&[Annotation::warning(deaf)]);
    }
}

/// A published release with the commit that its tag points at, where the checkout knows the tag.
async fn located(event: Event, workspace: &Workspace) -> Event {
    match event {
        Event::ReleasePublished { tag, at: None } => {
            let at = workspace.clone.resolve(&format!("refs/tags/{tag}")).await.ok();
            Event::ReleasePublished { tag, at }
        }
        event => event,
    }
}
