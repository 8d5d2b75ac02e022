//! What monitoring says, beside the rollout whose version serves: a part of the status comment.

use tagship_config::{ModelConfig, MonitorSettings};
use tagship_domain::{
    incident::{IncidentPhase, WatchReport},
    monitor::{LookDetails, MonitorReport, PastRollout},
    rollout::{Kind, Phase, RolloutState},
    schema::DocumentError,
};
use tagship_monitor::history;
use tagship_ports::{PortError, Problem, state_store::Entry};

use super::known::unwatched;
use crate::{pipeline::Place, publisher::CommentPublisher, workspace::Workspace};

/// Looks that tell at which pace they come.
const LOOKS: usize = 20;
/// What a comment says is as old as this at most, where nothing has changed.
const HOUR: i64 = 3600;

/// Whether there is anything to look at.
pub(crate) fn is_anything_watched(watched: &MonitorSettings) -> bool {
    watched.drift.is_some()
        || watched.quality.is_some()
        || !watched.slo.is_empty()
        || !watched.streams.is_empty()
}

/// What is known of the version that a rollout brought, as far as readers of a comment need it; absent where nothing is watched and
/// where the version does not serve. A journal that cannot be read is told, and left out: it is not what the rollout is about.
pub(crate) async fn since(
    workspace: &Workspace,
    model: &ModelConfig,
    state: &RolloutState,
) -> Option<MonitorReport> {
    if !is_anything_watched(&model.monitor) || !serves(state) {
        return None;
    }
    let journal = history::journal_name(&state.model, &state.environment);
    let known = match last(workspace, &journal).await {
        Ok(known) => known,
        Err(error) => {
            workspace.tell_once(&format!("warning: {error}; what monitoring says is left out"));
            return None;
        }
    };
    // Of a look at what served before, readers are told that it was no look at this version.
    let is_told =
        |look: &WatchReport| look.version.as_ref() == Some(&state.candidate.version) || look.at < state.since;
    let (look, details) = known.filter(|(look, _)| is_told(look)).unzip();
    let past = PastRollout {
        id: state.id.clone(),
        kind: state.kind,
        phase: state.phase,
        version: state.candidate.version.clone(),
        before: state.stable.as_ref().map(|stable| stable.version.clone()),
        at: state.since,
    };
    Some(MonitorReport {
        model: state.model.clone(),
        environment: state.environment.clone(),
        at: workspace.clock.now(),
        look: look.map(brief),
        details: details.flatten().map(plain),
        rollout: None,
        past: vec![past],
        complete: false,
        unwatched: unwatched(&model.monitor),
    })
}

/// The newest look of a journal.
async fn last(
    workspace: &Workspace,
    journal: &str,
) -> Result<Option<(WatchReport, Option<LookDetails>)>, PortError> {
    let tip = workspace.host.journals.tip(journal).await?;
    let read = |tip: &Entry| Ok((history::look_of(tip)?, history::details_of(tip)?));
    tip.as_ref().map(read).transpose().map_err(|error: DocumentError| {
        PortError::new(Problem::Invalid, format!("read journal {journal}"), error.to_string())
    })
}

/// Whether what this rollout brought is what serves since.
fn serves(state: &RolloutState) -> bool {
    state.kind == Kind::Deploy && state.phase == Phase::Succeeded
}

/// A look without what the next one needs alone.
fn brief(mut look: WatchReport) -> WatchReport {
    look.trend.drain(..look.trend.len().saturating_sub(LOOKS));
    WatchReport { streams: vec![], outbox: vec![], ..look }
}

/// Details without what only pages draw.
fn plain(mut details: LookDetails) -> LookDetails {
    if let Some(drift) = &mut details.drift {
        for column in &mut drift.columns {
            column.histogram = None;
        }
    }
    details
}

/// Brings the status comment of the pull request whose rollout serves up to date with a look. A comment that does not stand there, or
/// that a person has changed, is left as it is. What fails is a warning: the look is made.
pub(crate) async fn tell(workspace: &Workspace, place: Place<'_>, look: &WatchReport) {
    if !is_news(look) {
        return;
    }
    let publisher = CommentPublisher { workspace };
    // Before anything of it is read, so that whoever reads later writes later.
    let written = workspace.clock.now();
    let told = async {
        // Also while another version is on its way, and after one that went back.
        let brought =
            |state: &RolloutState| serves(state) && look.version.as_ref() == Some(&state.candidate.version);
        match publisher.newest_where(place.name, place.environment, brought).await? {
            Some((state, story)) => publisher.refresh(&state, &story.timeline, written).await,
            None => Ok(()),
        }
    };
    if let Err(error) = told.await {
        workspace.tell_once(&format!("warning: the comment is that of an earlier look: {error}"));
    }
}

/// Whether a comment would say something else than after the look before; once an hour it also says that somebody looked. What is not
/// well is always said, since a comment that could not be written then says that all is.
fn is_news(look: &WatchReport) -> bool {
    let Some(before) = look.trend.last().filter(|_| look.good == Some(true)) else { return true };
    let now = look.point();
    let is_other = now.version != before.version
        || now.good != before.good
        || now.bad != before.bad
        || now.unknown != before.unknown;
    // What opens or closes without a change of its standing, as after some good looks.
    let has_turned = look
        .incidents
        .iter()
        .any(|incident| incident.phase != IncidentPhase::Pending && incident.since == look.at);
    let hour = |point: &tagship_domain::incident::TrendPoint| point.at.as_seconds().div_euclid(HOUR);
    is_other || has_turned || hour(&now) != hour(before)
}

#[cfg(test)]
mod tests {
    use tagship_domain::{Timestamp, incident::TrendPoint};

    use super::*;

    fn look(second: i64, good: Option<bool>, before: Vec<TrendPoint>) -> WatchReport {
        WatchReport {
            model: "churn".parse().unwrap(),
            environment: "production".parse().unwrap(),
            version: None,
            at: Timestamp::from_seconds(second).unwrap(),
            findings: vec![],
            incidents: vec![],
            streams: vec![],
            trend: before,
            outbox: vec![],
            good,
        }
    }

    #[test]
    fn a_comment_is_written_where_something_changed_and_once_an_hour() {
        let first = look(7200, Some(true), vec![]);
        assert!(is_news(&first), "nobody has looked before");
        let before = || vec![first.point()];
        assert!(!is_news(&look(7260, Some(true), before())));
        assert!(is_news(&look(7260, None, before())), "unknown is no longer well");
        let unknown = vec![look(7200, None, vec![]).point()];
        assert!(is_news(&look(7260, None, unknown)), "the comment may not have been written");
        assert!(is_news(&look(10_800, Some(true), before())), "another hour");
    }

    #[test]
    fn a_comment_holds_the_pace_of_looks_and_no_more() {
        let point = look(0, None, vec![]).point();
        let long = brief(look(0, None, vec![point; 700]));
        assert_eq!(long.trend.len(), LOOKS);
    }
}
