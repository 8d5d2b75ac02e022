//! Marks at commits, one per model and environment beside the commit's other checks: a status, which is a line, or a
//! check run, which is a page.

use tagship_config::Mark;
use tagship_domain::{
    CommitId, ModelName, Release,
    report::{Section, StatusReport},
    rollout::{Phase, RolloutState},
};
use tagship_ports::{
    CommitMarks as _,
    commit_marks::{CheckReport, CommitStatus, MarkState},
};
use tagship_report::{mark::Tone, markdown, sentence};

use crate::workspace::Workspace;

/// What tells the check run of a judgement from those of rollouts.
const JUDGEMENT: &str = "judgement";

/// Marks the commit that a rollout brings with a status. Its line changes when the rollout begins to wait for someone
/// and when it ends, not at every step: a commit holds a thousand statuses.
pub(crate) async fn of_rollout(workspace: &Workspace, subject: &Release, state: &RolloutState) {
    if mark_of(workspace, &state.model) != Mark::Status {
        return;
    }
    let version = &state.candidate.version;
    let (mark, description) = match state.phase {
        Phase::Paused => (MarkState::Pending, format!("{version} waits for someone to decide")),
        Phase::Waiting => (MarkState::Pending, format!("{version} waits for the end of a freeze")),
        Phase::Succeeded | Phase::Superseded => (MarkState::Success, sentence::rollout(state).text),
        Phase::Failed | Phase::RolledBack => (MarkState::Failure, sentence::rollout(state).text),
        Phase::RollbackFailed => (MarkState::Error, sentence::rollout(state).text),
        _ => (MarkState::Pending, format!("{version} is being rolled out")),
    };
    set(workspace, &subject.commit, context(state), mark, description).await;
}

/// Whether the commit that a rollout brings is marked with a page.
pub(crate) fn wants_page(workspace: &Workspace, state: &RolloutState) -> bool {
    workspace.host.github.is_some() && mark_of(workspace, &state.model) == Mark::CheckRun
}

/// Marks the commit that a rollout brings with a page, which follows it step by step.
pub(crate) async fn page_of_rollout(workspace: &Workspace, report: &StatusReport, state: &RolloutState) {
    let mark = match state.phase {
        Phase::Pending => MarkState::Queued,
        Phase::Succeeded => MarkState::Success,
        Phase::Failed | Phase::RollingBack | Phase::RolledBack => MarkState::Failure,
        Phase::RollbackFailed => MarkState::Error,
        Phase::Superseded => MarkState::Cancelled,
        _ => MarkState::Pending,
    };
    let title = sentence::rollout(state).text;
    page(workspace, report, (context(state), state.id.0.clone()), mark, title).await;
}

/// Marks the commit that was judged.
pub(crate) async fn of_section(workspace: &Workspace, report: StatusReport, section: &Section) {
    let headline = sentence::headline(section);
    let mark = match headline.tone {
        Tone::Good | Tone::Neutral => MarkState::Success,
        Tone::Bad => MarkState::Failure,
        Tone::Unknown => MarkState::Error,
        Tone::Waiting | Tone::Running => MarkState::Pending,
    };
    let context = format!("tagship / {}", section.model);
    match mark_of(workspace, &section.model) {
        Mark::Status => set(workspace, &report.sha, context, mark, headline.text).await,
        Mark::CheckRun => {
            let report = StatusReport { sections: vec![section.clone()], ..report };
            page(workspace, &report, (context, JUDGEMENT.to_owned()), mark, headline.text).await;
        }
    }
}

fn context(state: &RolloutState) -> String {
    format!("tagship / {} / {}", state.environment, state.model)
}

fn mark_of(workspace: &Workspace, model: &ModelName) -> Mark {
    workspace.config.models.get(model).map(|model| model.mark).unwrap_or_default()
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

/// Brings a check run up to date, with the same page as the comment.
async fn page(
    workspace: &Workspace,
    report: &StatusReport,
    (name, key): (String, String),
    state: MarkState,
    title: String,
) {
    let Some(github) = &workspace.host.github else { return };
    let check = CheckReport {
        commit: report.sha.clone(),
        name,
        key,
        state,
        title,
        summary: markdown::comment(report, &markdown::Limits::COMMENT),
        text: String::new(),
        details: workspace.context.by.run.clone(),
    };
    if let Err(error) = github.check_report(&check).await {
        workspace.tell_once(&format!("left out: {error}"));
    }
}
