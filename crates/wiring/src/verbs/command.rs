//! Commands in comments: who gave them, what they are about, what comes of them, and the answer.

use tagship_decide::{Authorised, Refusal, RunningRollout, Standing, authorise, decide_command};
use tagship_domain::{
    CommitId, Exit,
    decision::Decision,
    event::{Ask, CommentCommand, Trigger},
    rollout::RolloutState,
};
use tagship_ports::{Conversation as _, conversation::Reaction, forge::Comment};
use tagship_report::markdown::{Reply, ReplyAnswer, reply};
use tagship_runner::Failure;

use super::{
    lock::{Unlocking, environment_of, lock_environment, unlock_environment},
    status::overview,
};
use crate::{
    answer::Answer,
    failure::failed,
    pipeline::{Place, json_sentence, recorded},
    publisher::{TOPIC, now, subject_of},
    sources::Looked,
    state::repository_state,
    workspace::Workspace,
};

/// What a command leads to.
pub(crate) enum Followed {
    /// A decision to follow, as from any event.
    Decided(Decision),
    /// Nothing more: it was answered.
    Answered(Answer),
}

/// Looks at a command, answers it on its pull request, and says what there is to do.
///
/// # Errors
/// When the host cannot be asked or the repository cannot be read; the author is told so.
pub(crate) async fn follow(
    workspace: &Workspace,
    trigger: &Trigger,
    command: &CommentCommand,
) -> Result<Followed, Failure> {
    let followed = Box::pin(consider(workspace, trigger, command)).await;
    if let Err(failure) = &followed {
        let text = failure.message.clone();
        answer(workspace, command, Reaction::Refused, &trigger.head, ReplyAnswer::Failed(&text)).await?;
    }
    followed
}

async fn consider(
    workspace: &Workspace,
    trigger: &Trigger,
    command: &CommentCommand,
) -> Result<Followed, Failure> {
    let host = workspace.host.github.as_ref().ok_or_else(|| {
        Failure::usage("follow a command in a comment: the run has no token")
            .hint("pass `github-token: ${{ github.token }}`")
    })?;
    let access = host.access(&command.author).await.map_err(failed)?;
    let (mut pull_request, mut shown) = (None, None);
    if let Some(number) = command.pull_request {
        pull_request = Some(host.pull_request(number).await.map_err(failed)?);
        shown = host.shown(number, TOPIC).await.map_err(failed)?;
    }
    let running = running(workspace).await?;
    let standing =
        Standing { access, pull_request: pull_request.as_ref(), shown: shown.as_ref(), running: &running };
    let sha = pull_request.as_ref().map_or(&trigger.head, |pull| &pull.head);
    let authorised = match authorise(command, &standing) {
        Ok(authorised) => authorised,
        Err(refusal) => return refuse(workspace, command, sha, &refusal).await,
    };
    match &authorised.request.ask {
        Ask::Do { .. } => decide(workspace, trigger, command, &authorised, sha).await,
        Ask::Lock { .. } | Ask::Unlock { .. } => lock(workspace, command, &authorised, sha).await,
        Ask::Status => {
            let request = &authorised.request;
            let overview = overview(workspace, request.model.as_ref(), request.environment.as_ref()).await?;
            answer(workspace, command, Reaction::Done, sha, ReplyAnswer::Status(&overview)).await?;
            Ok(answered("answered", "status", "said how things stand"))
        }
        Ask::Help => {
            answer(workspace, command, Reaction::Done, sha, ReplyAnswer::Help).await?;
            Ok(answered("answered", "help", "said what there is to ask for"))
        }
    }
}

async fn decide(
    workspace: &Workspace,
    trigger: &Trigger,
    command: &CommentCommand,
    authorised: &Authorised,
    sha: &CommitId,
) -> Result<Followed, Failure> {
    let repository = repository_state(workspace, &Looked::default()).await?;
    match decide_command(authorised, trigger, &repository) {
        Err(refusal) => refuse(workspace, command, sha, &refusal).await,
        Ok(decision) => {
            answer(workspace, command, Reaction::Seen, sha, ReplyAnswer::Followed(&decision)).await?;
            Ok(Followed::Decided(decision))
        }
    }
}

async fn lock(
    workspace: &Workspace,
    command: &CommentCommand,
    authorised: &Authorised,
    sha: &CommitId,
) -> Result<Followed, Failure> {
    let environment = environment_of(workspace, authorised.request.environment.as_ref());
    let done = match (environment, &authorised.request.ask) {
        (Err(failure), _) => Err(failure),
        (Ok(environment), Ask::Lock { reason }) => lock_environment(workspace, environment, reason).await,
        (Ok(environment), Ask::Unlock { reason }) => {
            let model = authorised.request.model.as_ref();
            unlock_environment(workspace, Unlocking { environment, model, reason }).await
        }
        (Ok(_), Ask::Do { .. } | Ask::Status | Ask::Help) => return Ok(answered("nothing", "done", "")),
    };
    let (reaction, text) = match &done {
        Ok(done) => (Reaction::Done, done.text.clone()),
        Err(failure) => (Reaction::Refused, failure.message.clone()),
    };
    let words = if done.is_ok() { ReplyAnswer::Done(&text) } else { ReplyAnswer::Refused(&text) };
    answer(workspace, command, reaction, sha, words).await?;
    match done {
        // That someone else holds the lock is an answer, not a failure of the run.
        Err(failure) if matches!(failure.exit, Exit::Negative | Exit::Usage) => {
            Ok(answered("refused", failure.reason_code, &text))
        }
        done => done.map(Followed::Answered),
    }
}

async fn refuse(
    workspace: &Workspace,
    command: &CommentCommand,
    sha: &CommitId,
    refusal: &Refusal,
) -> Result<Followed, Failure> {
    answer(workspace, command, Reaction::Refused, sha, ReplyAnswer::Refused(&refusal.sentence)).await?;
    // Its author was answered, and anyone may write a comment: that is no reason for a failed run.
    Ok(answered("refused", &refusal.reason_code.to_string(), &refusal.sentence))
}

fn answered(decision: &str, reason: &str, text: &str) -> Followed {
    Followed::Answered(Answer::plain(Exit::Done, decision, reason, text.to_owned(), json_sentence(text)))
}

/// Puts a sign on the command and writes the answer to it, one comment per command however often the job runs. Somebody
/// who may not comment here gets none.
async fn answer(
    workspace: &Workspace,
    command: &CommentCommand,
    reaction: Reaction,
    sha: &CommitId,
    words: ReplyAnswer<'_>,
) -> Result<(), Failure> {
    if let Some(host) = &workspace.host.github {
        let given = host.react(command.comment, reaction).await;
        given.or_else(|error| workspace.leave_out(error, ())).map_err(failed)?;
    }
    let Some(pull_request) = command.pull_request else { return Ok(()) };
    let run = workspace.context.by.run.as_deref();
    let body = reply(&Reply { author: &command.author, sha: Some(sha), run, answer: words });
    let topic = format!("answer-{}", command.comment);
    let written = now(workspace);
    let comment = Comment { pull_request, topic, about: None, written, body, only_refreshes: false };
    let written = workspace.host.forge.comment(&comment).await.map(|_| ());
    written.or_else(|error| workspace.leave_out(error, ())).map_err(failed)
}

/// Says on the command how what it led to has ended.
///
/// # Errors
/// When the host cannot be asked.
pub(crate) async fn conclude(
    workspace: &Workspace,
    command: &CommentCommand,
    exit: Exit,
) -> Result<(), Failure> {
    let Some(host) = &workspace.host.github else { return Ok(()) };
    let reaction = match exit {
        Exit::Done | Exit::Running | Exit::Paused => Reaction::Done,
        _ => Reaction::Refused,
    };
    let given = host.react(command.comment, reaction).await;
    given.or_else(|error| workspace.leave_out(error, ())).map_err(failed)
}

/// Every rollout that has not ended, with the pull requests that brought it.
async fn running(workspace: &Workspace) -> Result<Vec<RunningRollout>, Failure> {
    let mut running = vec![];
    for (name, model, environment, settings) in workspace.places() {
        let place = Place { name, model, environment, settings };
        let Some(state) = recorded(workspace, place).await?.filter(RolloutState::is_open) else { continue };
        let commit = &subject_of(&state).commit;
        running.push(RunningRollout {
            model: name.clone(),
            environment: environment.clone(),
            version: state.candidate.version.clone(),
            pull_requests: workspace.host.forge.pull_requests_of(commit).await.map_err(failed)?,
        });
    }
    Ok(running)
}
