//! From two snapshots of cumulative counters to what a look saw of each metric.

use std::collections::BTreeMap;

use tagship_domain::{
    Version,
    analysis::{Analysis, Metric, MetricKind, Seen, Share, Window},
    evidence::Pairs,
    rollout::Snapshot,
    traffic::{Counters, Histogram, ShadowCounters},
};

use super::Against;

/// The versions that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Arms<'a> {
    /// What serves beside the candidate; absent where none of its traffic exists.
    pub stable: Option<&'a Version>,
    /// What is judged.
    pub candidate: &'a Version,
}

/// What the window between two snapshots shows of each metric that the target counts.
///
/// A counter that went down means that the target was restarted: everything of that version then counts from zero. A
/// version that was not there before counts from zero too.
pub fn windows(
    analysis: &Analysis,
    against: Against,
    arms: Arms<'_>,
    from: &Snapshot,
    to: &Snapshot,
) -> BTreeMap<String, Seen> {
    let counted = |version: &Version| {
        let now = to.counters.get(version)?;
        Some(from.counters.get(version).map_or_else(|| now.clone(), |then| difference(then, now)))
    };
    let (mut candidate, mut stable) =
        (counted(arms.candidate), arms.stable.map(|version| (version, counted(version))));
    if against == Against::Shadow {
        candidate = candidate.map(copies);
        // The times of what stable answers alone are no match for those of copies.
        let of_stable =
            candidate.as_ref().and_then(|counters| counters.shadow.as_ref()?.stable_latency.clone());
        if let Some((_, Some(counters))) = &mut stable {
            counters.latency = of_stable;
        }
    }
    let see = |metric: &Metric| match (&candidate, &stable) {
        (None, _) => missing(arms.candidate, "the candidate"),
        (Some(_), Some((version, None))) => missing(version, "stable"),
        (Some(candidate), Some((_, Some(stable)))) => window(metric.kind, Some(stable), candidate),
        (Some(candidate), None) => window(metric.kind, None, candidate),
    };
    let counted = analysis.metrics.iter().filter(|metric| !metric.own_source);
    counted.map(|metric| (metric.name.clone(), see(metric))).collect()
}

/// Of a version that answers copies, those are its requests. Labels reach neither, nor do predicted classes.
fn copies(counted: Counters) -> Counters {
    let shadow = counted.shadow.unwrap_or_default();
    Counters {
        requests: shadow.compared.saturating_add(shadow.failed),
        errors: shadow.failed,
        latency: shadow.latency.clone(),
        shadow: Some(shadow),
        ..Counters::default()
    }
}

fn missing(version: &Version, role: &str) -> Seen {
    Seen::Error(format!(
        "the target reports no counters of {version}, {role}; check that it is loaded and that the target counts \
         by version"
    ))
}

fn window(kind: MetricKind, stable: Option<&Counters>, candidate: &Counters) -> Seen {
    match kind {
        MetricKind::ErrorRatio => shares(stable, candidate, |counters| (counters.requests, counters.errors)),
        MetricKind::LabelledAccuracy => shares(stable, candidate, |counters| {
            (counters.correct.saturating_add(counters.incorrect), counters.incorrect)
        }),
        MetricKind::Latency => histograms(stable, candidate),
        MetricKind::PredictionDrift => classes(stable, candidate),
        MetricKind::PairedAccuracy => pairs(candidate),
        MetricKind::Disagreement => disagreements(candidate),
        MetricKind::ScoreDistance => distances(candidate),
        MetricKind::Value | MetricKind::Score => Seen::Error(format!(
            "a target counts, it does not answer {}; give the metric a `source`",
            kind.as_str()
        )),
    }
}

fn shares(stable: Option<&Counters>, candidate: &Counters, count: impl Fn(&Counters) -> (u64, u64)) -> Seen {
    let share = |counters: &Counters| {
        let (n, bad) = count(counters);
        Share { n, bad }
    };
    let (stable, candidate) = (stable.map(share), share(candidate));
    if [stable, Some(candidate)].into_iter().flatten().any(|share| share.bad > share.n) {
        return Seen::Error("the target counts more errors than requests; check its counters".to_owned());
    }
    Seen::Window(Window::Shares { stable, candidate })
}

fn histograms(stable: Option<&Counters>, candidate: &Counters) -> Seen {
    let missing = |role: &str| {
        Seen::Error(format!(
            "the target reports no latency histogram of {role}; turn it on there, or take the metric out"
        ))
    };
    let Some(of_candidate) = &candidate.latency else { return missing("the candidate") };
    let of_stable = match stable {
        None => None,
        Some(Counters { latency: Some(latency), .. }) => Some(latency.clone()),
        Some(_) => return missing("stable"),
    };
    let all = [of_stable.as_ref(), Some(of_candidate)];
    if !all.into_iter().flatten().all(is_sound) {
        return Seen::Error(
            "the target's latency histogram makes no sense: it needs ascending bounds and one count more than \
             bounds; check the target"
                .to_owned(),
        );
    }
    Seen::Window(Window::Histograms { stable: of_stable, candidate: of_candidate.clone() })
}

pub(super) fn is_sound(histogram: &Histogram) -> bool {
    !histogram.bounds.is_empty()
        && histogram.counts.len() == histogram.bounds.len() + 1
        && histogram.bounds.iter().all(|bound| bound.is_finite())
        && histogram.bounds.is_sorted_by(|one, next| one < next)
}

fn classes(stable: Option<&Counters>, candidate: &Counters) -> Seen {
    let of = |counters: &Counters| counters.classes.clone();
    match (stable.map(of), of(candidate)) {
        (Some(Some(stable)), Some(candidate)) => Seen::Window(Window::Classes { stable, candidate }),
        (None, _) => Seen::Error("there is no stable traffic to compare predicted labels with".to_owned()),
        _ => Seen::Error(
            "the target does not count predicted labels: the model gives none, or too many; take the metric out"
                .to_owned(),
        ),
    }
}

fn pairs(candidate: &Counters) -> Seen {
    // A version that has answered no copy yet has no counts of them.
    let shadow = candidate.shadow.clone().unwrap_or_default();
    if shadow.only_stable_wrong.saturating_add(shadow.only_candidate_wrong) > shadow.labelled {
        return Seen::Error(
            "the target counts wrong answers of mirrored requests, but not how many of them have a label; use a \
             target that does"
                .to_owned(),
        );
    }
    Seen::Window(Window::Pairs(Pairs::from(&shadow)))
}

fn disagreements(candidate: &Counters) -> Seen {
    let shadow = candidate.shadow.clone().unwrap_or_default();
    if shadow.disagreed > shadow.compared {
        let message = "the target counts more disagreements than compared requests; check its counters";
        return Seen::Error(message.to_owned());
    }
    let candidate = Share { n: shadow.compared, bad: shadow.disagreed };
    Seen::Window(Window::Shares { stable: None, candidate })
}

fn distances(candidate: &Counters) -> Seen {
    // A version that has answered no copy yet has no distances; without a bound a histogram of none is no fault.
    let Some(shadow) = &candidate.shadow else {
        return Seen::Window(Window::Shares { stable: None, candidate: Share::default() });
    };
    match &shadow.distances {
        Some(distances) if is_sound(distances) => {
            Seen::Window(Window::Histograms { stable: None, candidate: distances.clone() })
        }
        Some(_) => Seen::Error(
            "the target's histogram of distances makes no sense: it needs ascending bounds and one count more than bounds; \
             check the target"
                .to_owned(),
        ),
        None => Seen::Error(
            "the target does not say how far scores are apart; use one that does, or take the metric out".to_owned(),
        ),
    }
}

/// A counter went down: the target was restarted.
struct Reset;

/// What was counted since; everything where the counters were reset.
fn difference(then: &Counters, now: &Counters) -> Counters {
    subtracted(then, now).unwrap_or_else(|Reset| now.clone())
}

fn subtracted(then: &Counters, now: &Counters) -> Result<Counters, Reset> {
    Ok(Counters {
        requests: minus(now.requests, then.requests)?,
        errors: minus(now.errors, then.errors)?,
        latency: optional(then.latency.as_ref(), now.latency.as_ref(), histogram_since)?,
        correct: minus(now.correct, then.correct)?,
        incorrect: minus(now.incorrect, then.incorrect)?,
        classes: optional(then.classes.as_ref(), now.classes.as_ref(), classes_since)?,
        shadow: optional(then.shadow.as_ref(), now.shadow.as_ref(), shadow_since)?,
    })
}

fn minus(now: u64, then: u64) -> Result<u64, Reset> {
    now.checked_sub(then).ok_or(Reset)
}

/// What appeared since counts from zero. What is no longer reported is not known, which is not a reset.
fn optional<T: Clone>(
    then: Option<&T>,
    now: Option<&T>,
    since: impl Fn(&T, &T) -> Result<T, Reset>,
) -> Result<Option<T>, Reset> {
    match (then, now) {
        (Some(then), Some(now)) => since(then, now).map(Some),
        (_, now) => Ok(now.cloned()),
    }
}

fn histogram_since(then: &Histogram, now: &Histogram) -> Result<Histogram, Reset> {
    if then.bounds != now.bounds || then.counts.len() != now.counts.len() {
        return Err(Reset);
    }
    let counts = now.counts.iter().zip(&then.counts).map(|(now, then)| minus(*now, *then));
    Ok(Histogram { bounds: now.bounds.clone(), counts: counts.collect::<Result<_, _>>()? })
}

fn classes_since(
    then: &BTreeMap<String, u64>,
    now: &BTreeMap<String, u64>,
) -> Result<BTreeMap<String, u64>, Reset> {
    if then.keys().any(|class| !now.contains_key(class)) {
        return Err(Reset);
    }
    let count = |(class, count): (&String, &u64)| {
        Ok((class.clone(), minus(*count, then.get(class).copied().unwrap_or(0))?))
    };
    now.iter().map(count).collect()
}

fn shadow_since(then: &ShadowCounters, now: &ShadowCounters) -> Result<ShadowCounters, Reset> {
    Ok(ShadowCounters {
        compared: minus(now.compared, then.compared)?,
        disagreed: minus(now.disagreed, then.disagreed)?,
        labelled: minus(now.labelled, then.labelled)?,
        only_stable_wrong: minus(now.only_stable_wrong, then.only_stable_wrong)?,
        only_candidate_wrong: minus(now.only_candidate_wrong, then.only_candidate_wrong)?,
        failed: minus(now.failed, then.failed)?,
        latency: optional(then.latency.as_ref(), now.latency.as_ref(), histogram_since)?,
        stable_latency: optional(then.stable_latency.as_ref(), now.stable_latency.as_ref(), histogram_since)?,
        distances: optional(then.distances.as_ref(), now.distances.as_ref(), histogram_since)?,
    })
}
