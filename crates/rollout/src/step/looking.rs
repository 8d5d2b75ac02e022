//! Looks of the analysis: when one is due, from where it counts, and what it says.
//!
//! A look counts from where the one before ended, so none overlaps and none is lost: after a crash, the looks that were
//! missed are taken one by one where a source knows the past, and else the next look is as long as the run was away. When a share of traffic has just been applied, counting begins anew.

use std::collections::BTreeMap;

use tagship_domain::{
    Duration, Timestamp, Version,
    analysis::{Analysis, Metric, MetricKind, MetricPhase, Seen, Window},
    kayenta::SCORE,
    rollout::{Measured, MissedLook, Observation, Phase, RolloutState, Snapshot},
    scoring::Labelled,
    tally::Tally,
    threshold::Point,
};

use super::legs;
use crate::analysis::{self, Against, Arms, Standing};

/// Most looks that are taken later.
const MOST_MISSED: usize = 60;

/// Whether a step would use counters now.
pub(crate) fn wants_counters(state: &RolloutState, now: Timestamp) -> bool {
    let travels = matches!(state.phase, Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Waiting);
    travels && measured_against(state).is_some() && (state.settled.is_none() || is_due(state, now))
}

/// The versions whose counts the next look compares; nothing where nothing is measured.
pub(crate) fn measured_versions(state: &RolloutState) -> Vec<&Version> {
    let Some(against) = measured_against(state) else { return vec![] };
    let stable = state.stable.as_ref().filter(|_| against.compares());
    std::iter::once(&state.candidate).chain(stable).map(|release| &release.version).collect()
}

/// When the next look is due; absent where nothing is measured.
pub(crate) fn next_look(state: &RolloutState) -> Option<Timestamp> {
    let interval = state.plan.analysis.as_ref()?.interval;
    measured_against(state)?;
    Some(state.looked.as_ref().map_or(state.since, |looked| looked.at.after(interval)))
}

/// Ends of the looks that were due while no run was there, oldest first, without the one that is due now.
pub(crate) fn missed_looks(state: &RolloutState, now: Timestamp) -> Vec<Timestamp> {
    let Some(interval) = state.plan.analysis.as_ref().map(|analysis| analysis.interval) else {
        return vec![];
    };
    let Some(looked) = state.looked.as_ref().filter(|_| state.settled.is_some()) else { return vec![] };
    let length = interval.std().as_millis().max(1);
    let whole = usize::try_from(now.since(looked.at).std().as_millis() / length).unwrap_or(usize::MAX);
    // The last of them is the look that is due now; of too many, the older ones are part of the first that is taken.
    let skipped = whole.saturating_sub(1).saturating_sub(MOST_MISSED);
    let end = |look: usize| {
        let millis = length.saturating_mul(look as u128);
        looked.at.after(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    };
    (skipped + 1..whole).map(end).collect()
}

fn is_due(state: &RolloutState, now: Timestamp) -> bool {
    next_look(state).is_some_and(|due| now >= due)
}

/// Begins to count: whatever was counted before the share was applied says nothing about it.
pub(super) fn begin(state: &mut RolloutState, observation: &Observation) {
    if measured_against(state).is_none() {
        return;
    }
    let counters = match &observation.counters {
        Some(Measured::Counters(counters)) => counters.clone(),
        // The first counters that are read are where counting begins.
        Some(Measured::Error(_)) | None => BTreeMap::new(),
    };
    let own = observation
        .own
        .iter()
        .filter_map(|(name, tallies)| tallies.as_ref().ok().map(|tallies| (name.clone(), tallies.clone())));
    state.looked = Some(Snapshot { at: observation.now, counters, own: own.collect() });
}

/// Takes a look where one is due. Answers what the metrics add up to; nothing where no look was taken.
pub(super) fn take(state: &mut RolloutState, observation: &Observation) -> Option<Standing> {
    let against = measured_against(state)?;
    if !is_due(state, observation.now) {
        return None;
    }
    let analysis = state.plan.analysis.clone()?;
    let before = state.looked.clone()?;
    let stable = state.stable.as_ref().filter(|_| against.compares());
    let arms = Arms { stable: stable.map(|stable| &stable.version), candidate: &state.candidate.version };
    let (mut seen, counters) = match observation.counters.as_ref()? {
        Measured::Error(why) => (unmeasured(&analysis, why), before.counters.clone()),
        Measured::Counters(now) if !knows(arms, &before) => (BTreeMap::new(), now.clone()),
        Measured::Counters(now) => {
            let now = Snapshot { at: observation.now, counters: now.clone(), own: BTreeMap::new() };
            (analysis::windows(&analysis, against, arms, &before, &now), now.counters)
        }
    };
    let mut own = before.own;
    for missed in &observation.missed {
        let seen = missed_look(&analysis, arms, &mut own, missed);
        let against = |metric: &Metric| against.of(metric);
        let standing = analysis::look(&analysis, against, &mut state.judges, &seen, missed.at);
        if matches!(standing, Standing::Rollback { .. } | Standing::Inconclusive { .. }) {
            state.looked = Some(Snapshot { at: missed.at, counters: before.counters, own });
            return Some(standing);
        }
    }
    for metric in analysis.metrics.iter().filter(|metric| metric.own_source && against.applies(metric)) {
        let window = match metric.kind {
            MetricKind::Score => labelled_look(state, metric, observation.labelled.get(&metric.name)),
            MetricKind::Value => Some(value_look(arms, observation.values.get(&metric.name))),
            _ => {
                let now = observation.own.get(&metric.name);
                own_look(metric, arms, own.entry(metric.name.clone()).or_default(), now)
            }
        };
        seen.extend(window.map(|window| (metric.name.clone(), window)));
    }
    state.looked = Some(Snapshot { at: observation.now, counters, own });
    // Where nothing was counted yet, counting begins.
    (!seen.is_empty()).then(|| {
        analysis::look(&analysis, |metric| against.of(metric), &mut state.judges, &seen, observation.now)
    })
}

/// What sources that know the past say about a look that nobody took.
fn missed_look(
    analysis: &Analysis,
    arms: Arms<'_>,
    own: &mut BTreeMap<String, BTreeMap<Version, Tally>>,
    missed: &MissedLook,
) -> BTreeMap<String, Seen> {
    let mut seen = BTreeMap::new();
    for metric in &analysis.metrics {
        let name = metric.name.clone();
        if let Some(tallies) = missed.own.get(&name) {
            let window =
                own_look(metric, arms, own.entry(name.clone()).or_default(), Some(&Ok(tallies.clone())));
            seen.extend(window.map(|window| (name, window)));
        } else if let Some(values) = missed.values.get(&name) {
            seen.insert(name, value_look(arms, Some(&Ok(values.clone()))));
        }
    }
    seen
}

/// What was seen of a score; nothing where it has been judged.
fn labelled_look(
    state: &RolloutState,
    metric: &Metric,
    now: Option<&Result<Labelled, String>>,
) -> Option<Seen> {
    if state.judges.get(&metric.name).is_some_and(analysis::has_ended) {
        return None;
    }
    Some(match now {
        Some(Ok(labelled)) => Seen::Window(Window::Labelled(labelled.clone())),
        Some(Err(why)) => Seen::Error(why.clone()),
        None => Seen::Error("its source was not asked".to_owned()),
    })
}

/// What was seen of a metric on values.
fn value_look(arms: Arms<'_>, now: Option<&Result<BTreeMap<Version, Vec<Point>>, String>>) -> Seen {
    match now {
        Some(Ok(values)) => {
            let of = |version: &Version| values.get(version).map(Vec::as_slice);
            analysis::value_window(arms.stable.and_then(of), of(arms.candidate).unwrap_or_default())
        }
        Some(Err(why)) => Seen::Error(why.clone()),
        None => Seen::Error("its source was not asked".to_owned()),
    }
}

/// What was seen of a metric with a source of its own since `before`, which becomes what the next look counts from;
/// nothing where counting only begins.
fn own_look(
    metric: &Metric,
    arms: Arms<'_>,
    before: &mut BTreeMap<Version, Tally>,
    now: Option<&Result<BTreeMap<Version, Tally>, String>>,
) -> Option<Seen> {
    let now = match now {
        Some(Ok(now)) => now,
        Some(Err(why)) => return Some(Seen::Error(why.clone())),
        None => return Some(Seen::Error("its source was not asked".to_owned())),
    };
    let since = |version: &Version| Some(now.get(version)?.since(before.get(version)?));
    let window = since(arms.candidate).and_then(|candidate| match arms.stable.map(since) {
        None => Some(analysis::own_window(metric, None, &candidate)),
        Some(stable) => Some(analysis::own_window(metric, Some(&stable?), &candidate)),
    });
    for (version, tally) in now {
        let kept = match before.get(version) {
            Some(then) => tally.clone().remembering(then),
            None => tally.clone(),
        };
        before.insert(version.clone(), kept);
    }
    window
}

/// Metrics that must be good before the candidate may become stable, and are not.
pub(super) fn undecided(state: &RolloutState) -> Vec<&Metric> {
    let metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    // Of metrics that are judged together, their score has to be good.
    let is_good = |metric: &Metric| {
        let name = if metric.kayenta.is_some() { SCORE } else { &metric.name };
        state.judges.get(name).is_some_and(|judge| judge.phase == MetricPhase::Successful)
    };
    metrics.filter(|metric| metric.decides() && !is_good(metric)).collect()
}

/// Forgets verdicts that came from comparing with stable, where a fixed bound takes over.
pub(super) fn change_over(state: &mut RolloutState) {
    let bounded = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    for metric in bounded.filter(|metric| Against::Bound.applies(metric)) {
        state.judges.remove(&metric.name);
    }
}

/// What the candidate is measured against now; absent where nothing is.
fn measured_against(state: &RolloutState) -> Option<Against> {
    let analysis = state.plan.analysis.as_ref()?;
    let against = legs::against_now(state)?;
    analysis.metrics.iter().any(|metric| against.applies(metric)).then_some(against)
}

/// Whether a snapshot has what the next look counts from.
fn knows(arms: Arms<'_>, before: &Snapshot) -> bool {
    let mut arms = [Some(arms.candidate), arms.stable].into_iter().flatten();
    arms.all(|version| before.counters.contains_key(version))
}

fn unmeasured(analysis: &Analysis, why: &str) -> BTreeMap<String, Seen> {
    let counted = analysis.metrics.iter().filter(|metric| !metric.own_source);
    counted.map(|metric| (metric.name.clone(), Seen::Error(why.to_owned()))).collect()
}
