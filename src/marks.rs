//! Statuses at commits: one line per model and environment, beside the commit's other checks.

use tagship_domain::{
    CommitId, Release,
    report::Section,
    rollout::{Phase, RolloutState},
};
use tagship_ports::{
    CommitMarks as _,
    commit_marks::{CommitStatus, MarkState},
};
use tagship_report::{mark::Tone, sentence};

use crate::workspace::Workspace;

/// Marks the commit that a rollout brings. Its line changes when the rollout begins to wait for someone and when it
/// ends, not at every step: a commit holds a thousand statuses.
pub(crate) async fn of_rollout(workspace: &Workspace, subject: &Release, state: &RolloutState) {
    let version = &state.candidate.version;
    let (mark, description) = match state.phase {
        Phase::Paused => (MarkState::Pending, format!("{version} waits for someone to decide")),
        Phase::Succeeded | Phase::Superseded => (MarkState::Success, sentence::rollout(state).text),
        Phase::Failed | Phase::RolledBack => (MarkState::Failure, sentence::rollout(state).text),
        Phase::RollbackFailed => (MarkState::Error, sentence::rollout(state).text),
        _ => (MarkState::Pending, format!("{version} is being rolled out")),
    };
    let context = format!("tagship / {} / {}", state.environment, state.model);
    set(workspace, &subject.commit, context, mark, description).await;
}

/// Marks the commit that was judged.
pub(crate) async fn of_section(workspace: &Workspace, commit: &CommitId, section: &Section) {
    let headline = sentence::headline(section);
    let mark = match headline.tone {
        Tone::Good | Tone::Neutral => MarkState::Success,
        Tone::Bad => MarkState::Failure,
        Tone::Unknown => MarkState::Error,
        Tone::Waiting | Tone::Running => MarkState::Pending,
    };
    set(workspace, commit, format!("tagship / {}", section.model), mark, headline.text).await;
}

/// Sets a status. Whoever watches a rollout sees it elsewhere too, so that a status that cannot be set stops nothing.
async fn set(
    workspace: &Workspace,
    commit: &CommitId,
    context: String,
    state: MarkState,
    description: String,
) {
    let Some(github) = &workspace.host.github else { return };
    let details = workspace.context.by.run.clone();
    let status = CommitStatus { commit: commit.clone(), context, state, description, details };
    if let Err(error) = github.status(&status).await {
        workspace.tell_once(&format!("left out: {error}"));
    }
}
