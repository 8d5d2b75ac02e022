//! Asking the sources that single metrics have of their own: about the look that is due, and about looks that were due
//! while no run was there.

use std::collections::BTreeMap;

use tagship_domain::{
    Timestamp, Version,
    analysis::{Metric, MetricKind},
    rollout::{MissedLook, RolloutState},
    scoring::{Horizon, Labelled},
    tally::Tally,
    threshold::Point,
};
use tagship_ports::{LabelledSource, OwnSource, Question, TallySource, ValueSource};

use crate::{
    analysis::has_ended,
    moment::moment,
    step::{measured_versions, missed_looks},
    world::World,
};

/// What the sources said.
#[derive(Default)]
pub(crate) struct Asked {
    /// Cumulative counts, by metric and version.
    pub(crate) own: BTreeMap<String, Result<BTreeMap<Version, Tally>, String>>,
    /// Values, by metric and version.
    pub(crate) values: BTreeMap<String, Result<BTreeMap<Version, Vec<Point>>, String>>,
    /// Labelled predictions, by metric.
    pub(crate) labelled: BTreeMap<String, Result<Labelled, String>>,
    /// Looks that nobody took.
    pub(crate) missed: Vec<MissedLook>,
}

/// The looks of one rollout as questions.
struct Asking<'a> {
    state: &'a RolloutState,
    candidate: &'a Version,
    stable: Option<&'a Version>,
}

/// Asks every source about the versions that are compared, oldest look first.
pub(crate) async fn ask(world: &World<'_>, state: &RolloutState) -> Asked {
    let versions = measured_versions(state);
    let [candidate, rest @ ..] = versions.as_slice() else { return Asked::default() };
    let asking = Asking { state, candidate, stable: rest.first().copied() };
    let now = moment(world.clock, state);
    let missed = missed_looks(state, now);
    let empty = |at: &Timestamp| MissedLook { at: *at, own: BTreeMap::new(), values: BTreeMap::new() };
    let mut asked = Asked { missed: missed.iter().map(empty).collect(), ..Asked::default() };
    let metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    for metric in metrics.filter(|metric| metric.own_source && asking.applies(metric)) {
        let name = metric.name.clone();
        match (world.sources.get(&name), metric.kind) {
            (Some(OwnSource::Value(source)), MetricKind::Value) => {
                // Before the share is in force, there is nothing to ask about, and after the verdict nothing either.
                if state.settled.is_some() && !state.judges.get(&name).is_some_and(has_ended) {
                    let from = asking.past_values(source.as_ref(), metric, &mut asked.missed).await;
                    asked.values.insert(name, asking.values(source.as_ref(), metric, from, now).await);
                }
            }
            (Some(OwnSource::Labelled(source)), MetricKind::Score) => {
                if let Some(labelled) = asking.labelled(source.as_ref(), metric, now).await {
                    asked.labelled.insert(name, labelled);
                }
            }
            (_, MetricKind::Value) => {
                asked.values.insert(name, Err(GONE.to_owned()));
            }
            (_, MetricKind::Score) => {
                asked.labelled.insert(name, Err(GONE.to_owned()));
            }
            (Some(OwnSource::Tally(source)), _) => {
                asking.past_tallies(source.as_ref(), metric, &mut asked.missed).await;
                asked.own.insert(name, asking.tallies(source.as_ref(), now).await);
            }
            _ => {
                asked.own.insert(name, Err(GONE.to_owned()));
            }
        }
    }
    asked.missed.retain(|look| !look.own.is_empty() || !look.values.is_empty());
    asked
}

const GONE: &str =
    "the configuration no longer names a source for it; put the one back that it had when the rollout began";

impl Asking<'_> {
    /// Whether the metric is judged in this comparison.
    fn applies(&self, metric: &Metric) -> bool {
        self.stable.is_some() || metric.stands_alone()
    }

    /// Counts at the ends of looks that nobody took. A source that cannot tell ends this: what it does not say about
    /// the past is part of the look that is due.
    async fn past_tallies(&self, source: &dyn TallySource, metric: &Metric, missed: &mut [MissedLook]) {
        if !source.knows_the_past() {
            return;
        }
        for look in missed {
            let Ok(tallies) = self.tallies(source, look.at).await else { return };
            look.own.insert(metric.name.clone(), tallies);
        }
    }

    async fn tallies(
        &self,
        source: &dyn TallySource,
        at: Timestamp,
    ) -> Result<BTreeMap<Version, Tally>, String> {
        let mut tallies = BTreeMap::new();
        for version in std::iter::once(self.candidate).chain(self.stable) {
            let counted = source.tally(version, at).await.map_err(|error| error.to_string())?;
            tallies.insert(version.clone(), counted);
        }
        Ok(tallies)
    }

    /// Labelled predictions since the rollout began, up to the horizon where that is a time; nothing where no share is in
    /// force yet, or where the metric has been judged.
    async fn labelled(
        &self,
        source: &dyn LabelledSource,
        metric: &Metric,
        now: Timestamp,
    ) -> Option<Result<Labelled, String>> {
        let (stable, scoring) = (self.stable?, metric.scoring.as_ref()?);
        self.state.settled?;
        let judged = self.state.judges.get(&metric.name);
        if judged.is_some_and(has_ended) {
            return None;
        }
        let since = judged.and_then(|state| state.evidence.as_ref()).map(|known| known.since);
        let to = match (scoring.horizon, since) {
            (Horizon::After(length), Some(since)) => since.after(length).min(now),
            _ => now,
        };
        let answered = source.labelled(stable, self.candidate, self.state.started, to).await;
        Some(answered.map_err(|error| error.to_string()))
    }

    /// Values of looks that nobody took; answers when the last one that is known ended.
    async fn past_values(
        &self,
        source: &dyn ValueSource,
        metric: &Metric,
        missed: &mut [MissedLook],
    ) -> Option<Timestamp> {
        let mut from = self.state.looked.as_ref().map(|looked| looked.at);
        if !source.knows_the_past() {
            return from;
        }
        for look in missed {
            let Ok(values) = self.values(source, metric, from, look.at).await else { return from };
            look.values.insert(metric.name.clone(), values);
            from = Some(look.at);
        }
        from
    }

    async fn values(
        &self,
        source: &dyn ValueSource,
        metric: &Metric,
        from: Option<Timestamp>,
        to: Timestamp,
    ) -> Result<BTreeMap<Version, Vec<Point>>, String> {
        let compares = metric.compares_values();
        let mut values = BTreeMap::new();
        for version in std::iter::once(self.candidate).chain(self.stable.filter(|_| compares)) {
            let from = from.unwrap_or(self.state.since).min(to);
            let question = Question { version, candidate: self.candidate, stable: self.stable, from, to };
            let points = source.values(&question).await.map_err(|error| error.to_string())?;
            values.insert(version.clone(), points);
        }
        Ok(values)
    }
}
