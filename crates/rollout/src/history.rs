//! What a journal tells about the past: the story of the current rollout, and how earlier ones ended.

use std::collections::{BTreeMap, BTreeSet};

use tagship_domain::{
    Digest, Release, Timestamp,
    explanation::Recorded,
    report::{StepPosition, TimelineEntry},
    rollout::{Kind, Look, Phase, RolloutId, RolloutState},
    schema,
    series::{MetricSeries, SeriesPoint},
};
use tagship_ports::state_store::Entry;

use crate::journal::{JournalError, LOOKS, run_of, state_of};

/// A rollout that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRollout {
    /// Which.
    pub id: RolloutId,
    /// Deploy or rollback.
    pub kind: Kind,
    /// What was to serve.
    pub candidate: Release,
    /// What served when it started. Of a rollback: the version that was gone away from.
    pub stable: Option<Release>,
    /// How it ended.
    pub phase: Phase,
    /// When.
    pub at: Timestamp,
}

/// A release that did not work out: the next push does not deploy its bytes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedRelease {
    /// Which.
    pub release: Release,
    /// How it ended.
    pub phase: Phase,
}

/// The story of the newest rollout in entries of a journal (newest first, as a store gives them), oldest first.
/// An entry that only repeats the one before is left out.
///
/// # Errors
/// When an entry cannot be read.
pub fn timeline(entries: &[Entry]) -> Result<Vec<TimelineEntry>, JournalError> {
    let mut story: Vec<TimelineEntry> = vec![];
    let mut current = None;
    for entry in entries {
        let state = state_of(entry)?;
        if *current.get_or_insert_with(|| state.id.clone()) != state.id {
            break;
        }
        let told = told(entry, &state);
        match story.last_mut() {
            // The earlier of two entries that say the same is when it happened.
            Some(last) if repeats(last, &told) => last.at = told.at,
            _ => story.push(told),
        }
    }
    story.reverse();
    Ok(story)
}

/// Stores may keep whole seconds; the state knows better when its phase began.
fn told(entry: &Entry, state: &RolloutState) -> TimelineEntry {
    TimelineEntry {
        at: entry.at.max(state.since),
        phase: state.phase,
        reason: Some(state.reason),
        step: StepPosition::of(state),
        message: state.message.clone(),
        weight: state.weight.applied.get(),
    }
}

fn repeats(one: &TimelineEntry, other: &TimelineEntry) -> bool {
    one.phase == other.phase && one.message == other.message && one.weight == other.weight
}

/// How each metric of the newest rollout went, by name, from the looks in entries of its journal (newest first, as a
/// store gives them). A look that was written twice, because a run died in between, counts once.
///
/// # Errors
/// When an entry or a look of that rollout cannot be read.
pub fn series(entries: &[Entry]) -> Result<Vec<MetricSeries>, JournalError> {
    let mut metrics: BTreeMap<String, BTreeMap<Timestamp, SeriesPoint>> = BTreeMap::new();
    let mut current = None;
    for entry in entries {
        let state = state_of(entry)?;
        if *current.get_or_insert_with(|| state.id.clone()) != state.id {
            break;
        }
        for look in looks_of(entry)?.into_iter().filter(|look| look.rollout == state.id) {
            let arm = look.arms.iter().find(|arm| arm.version == state.candidate.version);
            let weight = arm.map(|arm| arm.weight);
            for reading in &look.metrics {
                let points = metrics.entry(reading.name.clone()).or_default();
                points.entry(look.at).or_insert_with(|| SeriesPoint::of(look.at, weight, reading));
            }
        }
    }
    let series =
        |(name, points): (String, BTreeMap<_, _>)| MetricSeries::of(&name, points.into_values().collect());
    Ok(metrics.into_iter().map(series).collect())
}

/// The looks that an entry holds; none where it has no file of them.
fn looks_of(entry: &Entry) -> Result<Vec<Look>, JournalError> {
    let unreadable = |source| JournalError::Unreadable { entry: entry.id.short().to_owned(), source };
    let bytes = entry.files.get(LOOKS).map_or(&[][..], Vec::as_slice);
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| schema::from_json(line).map_err(unreadable)).collect()
}

/// The entries of one rollout, oldest first, from entries of its journal (newest first, as a store gives them); those of
/// the newest rollout where none is named. Empty where the journal does not have it.
///
/// # Errors
/// When an entry or a look of that rollout cannot be read.
pub fn chain(
    entries: impl IntoIterator<Item = Entry>,
    rollout: Option<&RolloutId>,
) -> Result<Vec<Recorded>, JournalError> {
    let mut wanted = rollout.cloned();
    let mut chain = vec![];
    for entry in entries {
        let state = state_of(&entry)?;
        if *wanted.get_or_insert_with(|| state.id.clone()) != state.id {
            if chain.is_empty() {
                continue;
            }
            break;
        }
        let looks = looks_of(&entry)?.into_iter().filter(|look| look.rollout == state.id).collect();
        let run = run_of(&entry, &state);
        chain.push(Recorded { commit: entry.id, at: entry.at, run, state, looks });
    }
    chain.reverse();
    Ok(chain)
}

/// Ids of the rollouts in entries of a journal (newest first), newest first.
///
/// # Errors
/// When an entry cannot be read.
pub fn ids(entries: &[Entry]) -> Result<Vec<RolloutId>, JournalError> {
    let mut ids: Vec<RolloutId> = vec![];
    for entry in entries {
        let id = state_of(entry)?.id;
        if ids.last() != Some(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Every rollout that has ended in entries of a journal (newest first), newest first.
///
/// # Errors
/// When an entry cannot be read.
pub fn ended(entries: &[Entry]) -> Result<Vec<EndedRollout>, JournalError> {
    let mut rollouts = vec![];
    let mut seen = None;
    for entry in entries {
        let state = state_of(entry)?;
        if seen.as_ref() != Some(&state.id) && state.phase.is_terminal() {
            rollouts.push(EndedRollout {
                id: state.id.clone(),
                kind: state.kind,
                candidate: state.candidate,
                stable: state.stable,
                phase: state.phase,
                at: state.since,
            });
        }
        seen = Some(state.id);
    }
    Ok(rollouts)
}

/// Releases whose bytes are not deployed again by the next push: the last rollout that decided about a digest
/// failed or was rolled back, or was a rollback away from it, even one that a person had to finish.
pub fn blocked(rollouts: &[EndedRollout]) -> Vec<BlockedRelease> {
    let mut decided: BTreeSet<&Digest> = BTreeSet::new();
    let mut blocked = vec![];
    for rollout in rollouts {
        let fell = matches!(rollout.phase, Phase::Failed | Phase::RolledBack | Phase::RollbackFailed);
        if decided.insert(&rollout.candidate.digest) && fell {
            blocked.push(BlockedRelease { release: rollout.candidate.clone(), phase: rollout.phase });
        }
        let left = rollout.stable.as_ref();
        let was_left = matches!(rollout.phase, Phase::Succeeded | Phase::RollbackFailed);
        let left = left.filter(|_| rollout.kind == Kind::Rollback && was_left);
        if let Some(release) = left.filter(|release| decided.insert(&release.digest)) {
            blocked.push(BlockedRelease { release: release.clone(), phase: Phase::RolledBack });
        }
    }
    blocked
}

/// Digests that made it: the last rollout that decided about them succeeded, and nobody went back from them since.
pub fn succeeded(rollouts: &[EndedRollout]) -> BTreeSet<Digest> {
    let fell = blocked(rollouts);
    let made_it = rollouts.iter().filter(|rollout| rollout.phase == Phase::Succeeded);
    let digests = made_it.map(|rollout| &rollout.candidate.digest);
    digests.filter(|digest| fell.iter().all(|blocked| blocked.release.digest != **digest)).cloned().collect()
}

#[cfg(test)]
mod tests;
