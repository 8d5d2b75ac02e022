//! Showing rollouts to reviewers: the status comment on every pull request that brought the change.
//!
//! All of it is read again from git (manifest and journal), so that any later run can write the same comment.

use async_trait::async_trait;
use tagship_config::ModelConfig;
use tagship_domain::{
    CommitId, Environment, ModelName, Release, Timestamp,
    report::{Section, StatusReport, TimelineEntry},
    rollout::{Kind, RolloutState},
    series::MetricSeries,
};
use tagship_ports::{
    PortError, Problem, Publisher,
    forge::{Comment, CommentOutcome},
    state_store::Entry,
};
use tagship_release as release;
use tagship_report::markdown;
use tagship_rollout::{JournalError, journal_name, series, state_of, timeline};

use crate::{marks, monitoring::shown, workflows::listens_to_comments, workspace::Workspace};

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
        if marks::wants_page(self.workspace, state) {
            self.page(state, timeline, written).await;
        }
        self.show(state, timeline, written, None).await
    }
}

impl CommentPublisher<'_> {
    /// Marks the commit with what the comment says of this rollout.
    async fn page(&self, state: &RolloutState, timeline: &[TimelineEntry], written: Timestamp) {
        match self.section_of(state, timeline).await {
            Ok(section) => {
                let report = self.report(state, written, None, section.into_iter().collect());
                marks::page_of_rollout(self.workspace, &report, state).await;
            }
            Err(error) => self.workspace.tell_once(&format!("left out: {error}")),
        }
    }

    /// Shows how a rollout stands on every pull request that brought it, with a note about the run itself.
    pub(crate) async fn show(
        &self,
        state: &RolloutState,
        timeline: &[TimelineEntry],
        written: Timestamp,
        note: Option<String>,
    ) -> Result<(), PortError> {
        self.say(state, timeline, written, note, false).await
    }

    /// Brings the comments that stand there up to date, where no person has changed them.
    pub(crate) async fn refresh(
        &self,
        state: &RolloutState,
        timeline: &[TimelineEntry],
        written: Timestamp,
    ) -> Result<(), PortError> {
        self.say(state, timeline, written, None, true).await
    }

    async fn say(
        &self,
        state: &RolloutState,
        timeline: &[TimelineEntry],
        written: Timestamp,
        note: Option<String>,
        only_refreshes: bool,
    ) -> Result<(), PortError> {
        let commit = &subject_of(state).commit;
        let pull_requests = self.workspace.host.forge.pull_requests_of(commit).await;
        let pull_requests = pull_requests.or_else(|error| self.workspace.leave_out(error, vec![]))?;
        if pull_requests.is_empty() {
            return Ok(());
        }
        let sections = self.sections(commit, state, timeline).await?;
        let mut report = self.report(state, written, note, sections);
        for pull_request in pull_requests {
            report.pull_request = Some(pull_request);
            let outcome = post(self.workspace, pull_request, &report, only_refreshes).await?;
            if let Some(why) = outcome.filter(|_| only_refreshes).and_then(why_it_stays) {
                self.workspace
                    .tell_once(&format!("the comment of pull request {pull_request} stays as it is: {why}"));
            }
        }
        Ok(())
    }

    fn report(
        &self,
        state: &RolloutState,
        written: Timestamp,
        note: Option<String>,
        sections: Vec<Section>,
    ) -> StatusReport {
        StatusReport {
            sha: subject_of(state).commit.clone(),
            pull_request: None,
            written,
            by: state.by.clone(),
            note,
            commands: listens_to_comments(&self.workspace.root),
            sections,
        }
    }
}

/// Writes the status comment of a pull request; answers whether it stands there. A token that may not comment is told
/// once: the step's summary says the same.
pub(crate) async fn write(
    workspace: &Workspace,
    pull_request: u64,
    report: &StatusReport,
) -> Result<bool, PortError> {
    post(workspace, pull_request, report, false).await.map(|outcome| outcome.is_some())
}

async fn post(
    workspace: &Workspace,
    pull_request: u64,
    report: &StatusReport,
    only_refreshes: bool,
) -> Result<Option<CommentOutcome>, PortError> {
    let body = markdown::comment(report, &markdown::Limits::COMMENT);
    let comment = Comment {
        pull_request,
        topic: TOPIC.to_owned(),
        about: Some(report.sha.clone()),
        written: report.written,
        body,
        only_refreshes,
    };
    let outcome = workspace.host.forge.comment(&comment).await.map(Some);
    outcome.or_else(|error| workspace.leave_out(error, None))
}

/// Why a comment was not brought up to date, and what to do where that is not as it should be.
fn why_it_stays(outcome: CommentOutcome) -> Option<&'static str> {
    match outcome {
        CommentOutcome::NewerThere => Some("a later run has written what stands there"),
        CommentOutcome::NoneThere => Some("none stands there; `tagship comment` writes one"),
        CommentOutcome::Edited => Some(
            "a person has changed it, or an older program wrote it; delete it, and `tagship comment` writes it again",
        ),
        CommentOutcome::Created | CommentOutcome::Updated | CommentOutcome::Unchanged => None,
    }
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
            if *name == state.model && *environment == state.environment {
                sections.extend(self.section_of(state, story).await?);
                continue;
            }
            let newest = self.newest(name, environment).await?;
            if let Some((state, story)) = newest.filter(|(other, _)| subject_of(other).commit == *commit) {
                sections.push(section(self.workspace, model, state, story).await?);
            }
        }
        Ok(sections)
    }

    /// The rollout itself, as far as its model is configured.
    async fn section_of(
        &self,
        state: &RolloutState,
        story: &[TimelineEntry],
    ) -> Result<Option<Section>, PortError> {
        let Some(model) = self.workspace.config.models.get(&state.model) else { return Ok(None) };
        let read = self.newest(&state.model, &state.environment).await?;
        let read = read.filter(|(newest, _)| newest.id == state.id);
        let series = read.map(|(_, story)| story.series).unwrap_or_default();
        let story = Story { timeline: story.to_vec(), series };
        section(self.workspace, model, state.clone(), story).await.map(Some)
    }

    /// What the journal of a place tells about its newest rollout.
    pub(crate) async fn newest(
        &self,
        model: &ModelName,
        environment: &Environment,
    ) -> Result<Option<(RolloutState, Story)>, PortError> {
        self.newest_where(model, environment, |_| true).await
    }

    /// The newest state that is meant, and what the journal tells up to it.
    pub(crate) async fn newest_where(
        &self,
        model: &ModelName,
        environment: &Environment,
        is_meant: impl Fn(&RolloutState) -> bool,
    ) -> Result<Option<(RolloutState, Story)>, PortError> {
        let entries = self.workspace.host.journals.history(&journal_name(environment, model), STORY).await?;
        let broken = |error: JournalError| {
            PortError::new(
                Problem::Invalid,
                format!("read the journal of {model} in {environment}"),
                error.to_string(),
            )
        };
        for (at, entry) in entries.iter().enumerate() {
            let state = state_of(entry).map_err(broken)?;
            if is_meant(&state) {
                return Ok(Some((state, Story::of(&entries[at..]).map_err(broken)?)));
            }
        }
        Ok(None)
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
    let settings = model.environments.get(&state.environment);
    let monitoring = Box::pin(shown::since(workspace, model, &state)).await.map(Box::new);
    Ok(Section {
        environment_url: settings.and_then(|settings| settings.environment_url.clone()),
        validation: Some(manifest.validation),
        gate: Some(manifest.gate),
        release: Some(subject),
        rollout: Some(state),
        timeline: story.timeline,
        series: story.series,
        monitoring,
        ..section
    })
}

/// The time of a report that is not about a rollout.
pub(crate) fn now(workspace: &Workspace) -> Timestamp {
    workspace.clock.now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_leaves_a_comment_as_it_is_has_a_reason() {
        use CommentOutcome::{Created, Edited, NewerThere, NoneThere, Unchanged, Updated};
        let mut reasons = vec![];
        for outcome in [NewerThere, NoneThere, Edited] {
            reasons.extend(why_it_stays(outcome));
        }
        reasons.dedup();
        assert_eq!(reasons.len(), 3, "{reasons:?}");
        assert!(reasons[1].contains("none stands there") && reasons[2].contains("a person has changed it"));
        assert_eq!([Created, Updated, Unchanged].map(why_it_stays), [None; 3]);
    }
}
