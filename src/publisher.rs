//! Showing rollouts to reviewers: the status comment on every pull request that brought the change.
//!
//! All of it is read again from git (manifest and journal), so that any later run can write the same comment.

use std::path::Path;

use async_trait::async_trait;
use tagship_config::ModelConfig;
use tagship_domain::{
    CommitId, Environment, ModelName, Release, Timestamp,
    report::{Section, StatusReport, TimelineEntry},
    rollout::{Kind, RolloutState},
    series::MetricSeries,
};
use tagship_ports::{PortError, Problem, Publisher, forge::Comment, state_store::Entry};
use tagship_release as release;
use tagship_report::markdown;
use tagship_rollout::{JournalError, journal_name, series, state_of, timeline};

use crate::{marks, workspace::Workspace};

/// The one comment that says how a change stands.
pub(crate) const TOPIC: &str = "status";
/// How many entries of a journal are read for a comment.
const STORY: usize = 500;

/// What a journal tells about its newest rollout.
#[derive(Debug)]
pub(crate) struct Story {
    /// What happened, oldest first.
    pub(crate) timeline: Vec<TimelineEntry>,
    /// How its metrics went.
    pub(crate) series: Vec<MetricSeries>,
}

impl Story {
    /// The story in entries of a journal, newest first.
    pub(crate) fn of(entries: &[Entry]) -> Result<Self, JournalError> {
        Ok(Self { timeline: timeline(entries)?, series: series(entries)? })
    }
}

/// Writes status comments.
#[derive(Debug)]
pub(crate) struct CommentPublisher<'a> {
    pub(crate) workspace: &'a Workspace,
}

#[async_trait]
impl Publisher for CommentPublisher<'_> {
    async fn publish(&self, state: &RolloutState, timeline: &[TimelineEntry]) -> Result<(), PortError> {
        let subject = subject_of(state);
        marks::of_rollout(self.workspace, subject, state).await;
        let written = timeline.last().map_or(state.since, |entry| entry.at);
        self.show(state, timeline, written, None).await
    }
}

impl CommentPublisher<'_> {
    /// Shows how a rollout stands on every pull request that brought it, with a note about the run itself.
    pub(crate) async fn show(
        &self,
        state: &RolloutState,
        timeline: &[TimelineEntry],
        written: Timestamp,
        note: Option<String>,
    ) -> Result<(), PortError> {
        let commit = &subject_of(state).commit;
        let pull_requests = self.workspace.host.forge.pull_requests_of(commit).await;
        let pull_requests = pull_requests.or_else(|error| self.workspace.leave_out(error, vec![]))?;
        if pull_requests.is_empty() {
            return Ok(());
        }
        let mut report = StatusReport {
            sha: commit.clone(),
            pull_request: None,
            written,
            by: state.by.clone(),
            note,
            commands: listens_to_comments(&self.workspace.root),
            sections: self.sections(commit, state, timeline).await?,
        };
        for pull_request in pull_requests {
            report.pull_request = Some(pull_request);
            write(self.workspace, pull_request, &report).await?;
        }
        Ok(())
    }
}

/// Writes the status comment of a pull request; answers whether it stands there. A token that may not comment is told
/// once: the step's summary says the same.
pub(crate) async fn write(
    workspace: &Workspace,
    pull_request: u64,
    report: &StatusReport,
) -> Result<bool, PortError> {
    let body = markdown::comment(report, &markdown::Limits::COMMENT);
    let comment = Comment {
        pull_request,
        topic: TOPIC.to_owned(),
        about: Some(report.sha.clone()),
        written: report.written,
        body,
    };
    let written = workspace.host.forge.comment(&comment).await.map(|_| true);
    written.or_else(|error| workspace.leave_out(error, false))
}

/// Whether a workflow of the checkout listens to comments, so that reviewers can act by writing one.
pub(crate) fn listens_to_comments(root: &Path) -> bool {
    let Ok(workflows) = std::fs::read_dir(root.join(".github/workflows")) else { return false };
    let listens = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.contains("issue_comment") && text.contains("tagship")
    };
    workflows.flatten().any(|workflow| listens(&workflow.path()))
}

/// The release whose pull request a rollout is shown on: what it brings, or what it takes away.
pub(crate) fn subject_of(state: &RolloutState) -> &Release {
    match (state.kind, &state.stable) {
        (Kind::Rollback, Some(left)) => left,
        _ => &state.candidate,
    }
}

impl CommentPublisher<'_> {
    /// Every model and environment in which this commit's release is or was rolled out.
    async fn sections(
        &self,
        commit: &CommitId,
        state: &RolloutState,
        story: &[TimelineEntry],
    ) -> Result<Vec<Section>, PortError> {
        let mut sections = vec![];
        for (name, model, environment, _) in self.workspace.places() {
            let own = *name == state.model && *environment == state.environment;
            let known = if own {
                let read = self.newest(name, environment).await?;
                let read = read.filter(|(newest, _)| newest.id == state.id);
                let series = read.map(|(_, story)| story.series).unwrap_or_default();
                Some((state.clone(), Story { timeline: story.to_vec(), series }))
            } else {
                self.newest(name, environment).await?.filter(|(other, _)| subject_of(other).commit == *commit)
            };
            if let Some((state, story)) = known {
                sections.push(section(self.workspace, model, state, story).await?);
            }
        }
        Ok(sections)
    }

    /// What the journal of a place tells about its newest rollout.
    pub(crate) async fn newest(
        &self,
        model: &ModelName,
        environment: &Environment,
    ) -> Result<Option<(RolloutState, Story)>, PortError> {
        let entries = self.workspace.host.journals.history(&journal_name(environment, model), STORY).await?;
        let broken = |error: JournalError| {
            PortError::new(
                Problem::Invalid,
                format!("read the journal of {model} in {environment}"),
                error.to_string(),
            )
        };
        match entries.first() {
            None => Ok(None),
            Some(tip) => Ok(Some((state_of(tip).map_err(broken)?, Story::of(&entries).map_err(broken)?))),
        }
    }
}

/// A rollout as reviewers are shown it, with what its release was judged by.
pub(crate) async fn section(
    workspace: &Workspace,
    model: &ModelConfig,
    state: RolloutState,
    story: Story,
) -> Result<Section, PortError> {
    let subject = subject_of(&state).clone();
    let failed =
        |message: String| PortError::new(Problem::Invalid, format!("read release {subject}"), message);
    let store = workspace.store(model).map_err(|error| failed(error.to_string()))?;
    let manifest =
        release::read_manifest(store.as_ref(), &subject).await.map_err(|error| failed(error.to_string()))?;
    let section = Section::of(state.model.clone(), Some(state.environment.clone()));
    Ok(Section {
        validation: Some(manifest.validation),
        gate: Some(manifest.gate),
        release: Some(subject),
        rollout: Some(state),
        timeline: story.timeline,
        series: story.series,
        ..section
    })
}

/// The time of a report that is not about a rollout.
pub(crate) fn now(workspace: &Workspace) -> Timestamp {
    use tagship_ports::Clock as _;
    workspace.clock.now()
}
