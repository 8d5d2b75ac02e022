//! Whether a candidate that is as good as stable is promoted before a person has to decide, and what to change if not.
//!
//! Evidence is gathered over all shares of the way, up to the first stretch that waits for a verdict, and there for
//! `max_wait` longer.

use tagship_domain::{
    Duration,
    analysis::{Margin, Metric},
    forecast::{Comparison, Outlook, Stretch},
    plan::RolloutPlan,
    scoring::Horizon,
    traffic::Weight,
};

use super::{
    horizon, looks,
    need::{Terms, applies, in_looks, needs_labels, per_second, to_promote},
};

/// Shares that are tried as advice.
const LARGER: [u8; 4] = [10, 25, 50, 75];
/// Advice about a longer wait ends here; what takes longer is not worth waiting for.
const LONGEST_WAIT: f64 = 7.0 * 86_400.0;

/// How far the evidence comes.
struct Progress {
    /// Seconds with traffic until the verdict; infinite where the last share brings none.
    after: f64,
    /// Seconds of the plan up to the verdict.
    planned: f64,
    /// Part of the evidence that is there when the wait ends.
    reached: f64,
}

pub(super) fn outlook(metric: &Metric, way: &[Stretch], plan: &RolloutPlan, terms: &Terms<'_>) -> Outlook {
    if !metric.decides() {
        return Outlook::Advisory;
    }
    if let Some(threshold) = &metric.threshold {
        return looks::outlook(metric, threshold, way, plan);
    }
    let is_measured = |stretch: &Stretch| stretch.against.is_some_and(|against| applies(metric, against));
    if let Some(rule) = plan.strategy.rule()
        && way.iter().any(|stretch| stretch.matched && is_measured(stretch))
    {
        return Outlook::Unknown { why: format!("how many requests carry `{rule}` is not known before") };
    }
    if let Some(scoring) = &metric.scoring {
        return horizon::outlook(metric, scoring.horizon, way, plan, terms);
    }
    if metric.kayenta.is_some() {
        let Some(policy) = &terms.analysis.kayenta else {
            let why =
                "no lifetime is written; write `kayenta: { lifetime: 30m }` beside the metrics".to_owned();
            return Outlook::Unknown { why };
        };
        return horizon::outlook(metric, Horizon::After(policy.lifetime), way, plan, terms);
    }
    let max_wait = plan.analysis.as_ref().map(|analysis| analysis.max_wait).unwrap_or_default();
    let Some((until, against)) = verdict(metric, way) else {
        let why = "no stretch of the way measures it".to_owned();
        let advice = if metric.kind.is_paired() {
            "begin a canary with the step `mirror: 100`, or choose a shadow"
        } else {
            "set `bake: 10m`, or choose a canary"
        };
        return Outlook::Never { why, advice: vec![advice.to_owned()] };
    };
    if let Err(why) = terms.known.share(metric, against) {
        return Outlook::Unknown { why };
    }
    if let Some(never) = never(metric, until, against, terms) {
        return never;
    }
    if needs_labels(metric)
        && let Err(why) = terms.known.labelled()
    {
        return Outlook::Unknown { why };
    }
    let Some(progress) = progress(metric, until, max_wait, terms) else {
        let why = "the rate of requests is unknown; pass --rate, e.g. 100/s".to_owned();
        return Outlook::Unknown { why };
    };
    let after = in_looks(progress.after, terms.interval);
    if progress.after <= progress.planned + max_wait.as_secs_f64() {
        return Outlook::InTime { after, waits: progress.after > progress.planned };
    }
    let advice = advice(metric, until, plan, &progress, terms);
    Outlook::TooLate { reached: percent(progress.reached), advice }
}

/// The way up to the first stretch that waits for a verdict on the metric.
pub(super) fn verdict<'w>(metric: &Metric, way: &'w [Stretch]) -> Option<(&'w [Stretch], Comparison)> {
    let measured = |stretch: &Stretch| stretch.against.filter(|against| applies(metric, *against));
    let at = way.iter().position(|stretch| stretch.needs_verdict && measured(stretch).is_some())?;
    Some((&way[..=at], measured(&way[at])?))
}

/// What no amount of traffic brings.
fn never(metric: &Metric, way: &[Stretch], against: Comparison, terms: &Terms<'_>) -> Option<Outlook> {
    let weight = way.last()?.answered();
    let share = terms.known.share(metric, against).ok()?.value;
    let factor = against != Comparison::Bound && matches!(metric.promote_margin, Margin::Ratio(_));
    if factor && share <= 0.0 {
        let why = "stable has none, and no ratio of nothing can be shown".to_owned();
        let advice =
            "choose a margin that does not multiply, `promote-margin: { absolute: 0.5% }`".to_owned();
        return Some(Outlook::Never { why, advice: vec![advice] });
    }
    let n = to_promote(metric, weight, against, terms)?;
    n.is_infinite().then(|| Outlook::Never {
        why: "stable itself does not keep the bound".to_owned(),
        advice: vec!["set a `bound` that a version as good as stable keeps".to_owned()],
    })
}

/// Absent where the rate of requests is unknown.
fn progress(metric: &Metric, way: &[Stretch], max_wait: Duration, terms: &Terms<'_>) -> Option<Progress> {
    let delay = metric.label_delay.as_secs_f64();
    let lasts = |stretch: &Stretch| stretch.lasts.unwrap_or_default().as_secs_f64();
    let planned: f64 = way.iter().map(lasts).sum();
    let counted = planned + max_wait.as_secs_f64() - delay;
    let (mut time, mut part, mut reached, mut after) = (0.0, 0.0, 0.0, None);
    for (at, stretch) in way.iter().enumerate() {
        let Some(against) = stretch.against.filter(|against| applies(metric, *against)) else {
            time += lasts(stretch);
            continue;
        };
        let n = to_promote(metric, stretch.answered(), against, terms)?;
        let speed = per_second(metric, stretch.answered(), terms)? / n;
        let length = if at + 1 == way.len() { f64::INFINITY } else { lasts(stretch) };
        if after.is_none() && part + speed * length >= 1.0 {
            after = Some(time + (1.0 - part) / speed + delay);
        }
        reached += speed * (counted - time).clamp(0.0, length);
        part += speed * length;
        time += length;
    }
    Some(Progress { after: after.unwrap_or(f64::INFINITY), planned, reached })
}

fn advice(
    metric: &Metric,
    way: &[Stretch],
    plan: &RolloutPlan,
    now: &Progress,
    terms: &Terms<'_>,
) -> Vec<String> {
    let max_wait = plan.analysis.as_ref().map(|analysis| analysis.max_wait).unwrap_or_default();
    let mut advice = vec![];
    let wait = now.after - now.planned;
    if wait <= LONGEST_WAIT {
        advice.push(format!("`max-wait: {}`", rounded(wait)));
    }
    let in_time = |metric: &Metric, way: &[Stretch]| {
        progress(metric, way, max_wait, terms)
            .is_some_and(|progress| progress.after <= progress.planned + max_wait.as_secs_f64())
    };
    if let Some((last, before)) = way.split_last() {
        let larger = LARGER.into_iter().filter_map(Weight::percent).find(|weight| {
            let is_step =
                last.against == Some(Comparison::Stable) && *weight > last.weight && *weight <= plan.full();
            is_step && in_time(metric, &[before, &[Stretch { weight: *weight, ..*last }]].concat())
        });
        if let Some(weight) = larger {
            advice.push(format!("a last share of {weight} instead of {}", last.weight));
        }
    }
    if way.last().is_some_and(|last| last.against == Some(Comparison::Stable)) {
        let wider = match metric.promote_margin {
            Margin::Ratio(ratio) => {
                [1.5, 2.0, 3.0].into_iter().filter(|wider| *wider > ratio).map(Margin::Ratio).collect()
            }
            Margin::Absolute(points) => {
                [2.0, 3.0].map(|times| Margin::Absolute((points * times * 1e4).round() / 1e4)).to_vec()
            }
        };
        let enough = wider
            .into_iter()
            .find(|margin| in_time(&Metric { promote_margin: *margin, ..metric.clone() }, way));
        match enough {
            Some(Margin::Ratio(ratio)) => advice.push(format!("`promote-margin: {{ ratio: {ratio} }}`")),
            Some(Margin::Absolute(points)) => {
                advice.push(format!("`promote-margin: {{ absolute: {points} }}`"));
            }
            None => {}
        }
    }
    if advice.is_empty() {
        advice.push(
            "more traffic; or a pause that a person ends, `pause: {}`, after looking at the numbers"
                .to_owned(),
        );
    }
    advice
}

/// A time that a person would write: up to the next five minutes, from ten hours on to the next hour.
fn rounded(seconds: f64) -> Duration {
    let step = if seconds > 36_000.0 { 3600 } else { 300 };
    in_looks(seconds, Duration::from_secs(step))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 99")]
fn percent(part: f64) -> u8 {
    (part * 100.0).clamp(0.0, 99.0) as u8
}
