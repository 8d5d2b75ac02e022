//! How traffic was shared and how metrics went, from the looks of a chain.

use std::collections::{BTreeMap, BTreeSet};

use tagship_domain::{
    Timestamp, Version,
    analysis::{Metric, MetricPhase},
    explanation::{MetricHistory, MetricPoint, Recorded, TrafficPoint},
    kayenta::{KayentaScore, SCORE},
    rollout::Look,
    traffic::Weight,
};

use super::{SMOKE, time};
use crate::verdict::{allowed_line, allowed_words};

/// How traffic was shared. A look whose target did not answer has no shares: unknown is no zero.
pub(super) fn traffic(chain: &[Recorded]) -> Vec<TrafficPoint> {
    let mut points: BTreeMap<Timestamp, TrafficPoint> = BTreeMap::new();
    for entry in chain {
        let state = &entry.state;
        let stable = state.stable.as_ref().map(|stable| &stable.version);
        for look in &entry.looks {
            points.insert(look.at, seen(look, &state.candidate.version, stable));
        }
        let at = time(entry);
        let last = points.range(..=at).next_back().map(|(_, point)| *point);
        let stable =
            last.and_then(|last| last.stable.filter(|_| last.candidate == Some(state.weight.applied)));
        points.entry(at).or_insert(TrafficPoint { at, candidate: Some(state.weight.applied), stable });
    }
    points.into_values().collect()
}

fn seen(look: &Look, candidate: &Version, stable: Option<&Version>) -> TrafficPoint {
    let is_known = look.unreachable.is_none() && !look.arms.is_empty();
    let share = |version: &Version| {
        let arm = look.arms.iter().find(|arm| arm.version == *version);
        is_known.then(|| arm.map_or(Weight::NONE, |arm| arm.weight))
    };
    TrafficPoint { at: look.at, candidate: share(candidate), stable: stable.and_then(share) }
}

/// How each metric went, those of the plan first. A look that was written twice counts once.
pub(super) fn metrics(chain: &[Recorded]) -> Vec<MetricHistory> {
    let Some(state) = chain.last().map(|entry| &entry.state) else { return vec![] };
    let planned: Vec<&Metric> = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics).collect();
    let mut points: BTreeMap<&str, BTreeMap<Timestamp, MetricPoint>> = BTreeMap::new();
    for look in chain.iter().flat_map(|entry| &entry.looks) {
        for reading in &look.metrics {
            let metric = planned.iter().find(|metric| metric.name == reading.name);
            let limit = metric.and_then(|metric| allowed_line(metric, &reading.measurement));
            let point = MetricPoint { at: look.at, limit, reading: reading.clone() };
            points.entry(&reading.name).or_default().insert(look.at, point);
        }
    }
    let judged = state.judges.keys().map(String::as_str).filter(|name| *name != SMOKE);
    let mut seen = BTreeSet::new();
    let names = planned.iter().map(|metric| metric.name.as_str()).chain(judged).chain(points.keys().copied());
    let names: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
    let score = state.plan.analysis.as_ref().and_then(|analysis| analysis.kayenta.as_ref());
    let history = |name: &str| {
        let metric = planned.iter().find(|metric| metric.name == name);
        let judge = state.judges.get(name);
        let points: Vec<MetricPoint> =
            points.get(name).map(|points| points.values().cloned().collect()).unwrap_or_default();
        let last = points.last().map(|point| &point.reading);
        let numbers =
            judge.and_then(|judge| judge.measurement.as_ref()).or(last.map(|last| &last.measurement));
        MetricHistory {
            name: name.to_owned(),
            kind: metric.map(|metric| metric.kind),
            allowed: metric
                .map(|metric| allowed_words(metric, numbers))
                .or_else(|| score.filter(|_| name == SCORE).map(KayentaScore::words))
                .unwrap_or_default(),
            phase: judge.map_or(last.map_or(MetricPhase::Pending, |last| last.phase), |judge| judge.phase),
            message: judge.map_or(String::new(), |judge| judge.message.clone()),
            points,
        }
    };
    names.into_iter().map(history).collect()
}
