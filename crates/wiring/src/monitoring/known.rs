//! What git knows of a model in an environment: the newest look, the looks before it, and the rollouts.

use tagship_config::MonitorSettings;
use tagship_domain::{
    explanation::Explanation,
    incident::WatchReport,
    monitor::{LookDetails, MonitorReport, PastRollout, Watch},
};
use tagship_monitor::history;
use tagship_ports::state_store::Entry;
use tagship_report::explain;
use tagship_rollout::{EndedRollout, chain, ended, journal_name};
use tagship_runner::Failure;

use crate::{failure::failed, pipeline::Place, workspace::Workspace};

/// Most entries of a rollouts' journal that are read.
const ENTRIES: usize = 500;

/// Puts it together.
///
/// # Errors
/// When a journal cannot be read, or a newer tagship wrote it.
pub(crate) async fn known(workspace: &Workspace, place: Place<'_>) -> Result<MonitorReport, Failure> {
    let newest = newest(workspace, place).await?;
    let (look, details) = newest.map_or((None, None), |(look, details)| (Some(look), details));
    let journal = journal_name(place.environment, place.name);
    let entries = workspace.host.journals.history(&journal, ENTRIES).await.map_err(failed)?;
    let complete = entries.len() < ENTRIES;
    let unusable = |error| Failure::incomplete(format!("read journal {journal}: {error}"));
    let past = ended(&entries).map_err(unusable)?.into_iter().map(past).collect();
    let rollout = explain(&chain(entries, None).map_err(unusable)?);
    let goes_on = |rollout: &Explanation| !rollout.phase.is_terminal();
    Ok(MonitorReport {
        model: place.name.clone(),
        environment: place.environment.clone(),
        at: workspace.clock.now(),
        look,
        details,
        rollout: rollout.filter(goes_on),
        past,
        complete,
        unwatched: unwatched(&place.model.monitor),
    })
}

/// The newest look with what it measured.
///
/// # Errors
/// As [`known`].
pub(crate) async fn newest(
    workspace: &Workspace,
    place: Place<'_>,
) -> Result<Option<(WatchReport, Option<LookDetails>)>, Failure> {
    let journal = history::journal_name(place.name, place.environment);
    let tip = workspace.host.journals.tip(&journal).await.map_err(failed)?;
    let read = |tip: &Entry| Ok((history::look_of(tip)?, history::details_of(tip)?));
    tip.as_ref().map(read).transpose().map_err(|error: tagship_domain::schema::DocumentError| {
        Failure::incomplete(format!("read journal {journal}: {error}; use the tagship version that wrote it"))
    })
}

fn past(rollout: EndedRollout) -> PastRollout {
    PastRollout {
        id: rollout.id,
        kind: rollout.kind,
        phase: rollout.phase,
        version: rollout.candidate.version,
        before: rollout.stable.map(|stable| stable.version),
        at: rollout.at,
    }
}

pub(super) fn unwatched(watched: &MonitorSettings) -> Vec<Watch> {
    let all = [
        (watched.drift.is_some(), Watch::Drift),
        (watched.quality.is_some(), Watch::Quality),
        (!watched.slo.is_empty(), Watch::Slo),
        (!watched.streams.is_empty(), Watch::Streams),
    ];
    all.into_iter().filter(|(is_watched, _)| !is_watched).map(|(_, watch)| watch).collect()
}
