//! When what is judged once comes to its horizon, and whether that is before a person has to decide.

use tagship_domain::{
    Duration,
    analysis::Metric,
    forecast::{Outlook, Stretch},
    plan::RolloutPlan,
    scoring::Horizon,
};

use super::{
    need::{Terms, applies, in_looks, per_second},
    outlook::verdict,
};

/// Whether the horizon lies within the way and the wait at its end.
pub(super) fn outlook(
    metric: &Metric,
    horizon: Horizon,
    way: &[Stretch],
    plan: &RolloutPlan,
    terms: &Terms<'_>,
) -> Outlook {
    let Some((until, _)) = verdict(metric, way) else {
        let why = "no stretch of the way has stable beside it when a verdict is asked for".to_owned();
        return Outlook::Never { why, advice: vec!["choose a canary".to_owned()] };
    };
    let after = match horizon {
        // The first look ends one interval after the share is in force.
        Horizon::After(length) => Some(length.plus(terms.interval)),
        Horizon::Rows(rows) => until_rows(metric, rows, until, terms),
    };
    let Some(after) = after else {
        let why =
            "when the labels will be there is unknown; pass --rate, e.g. 100/s, and --labelled, e.g. 20%";
        return Outlook::Unknown { why: why.to_owned() };
    };
    let max_wait = plan.analysis.as_ref().map(|analysis| analysis.max_wait).unwrap_or_default();
    let planned = until.iter().filter_map(|stretch| stretch.lasts).fold(Duration::default(), Duration::plus);
    let end = planned.plus(max_wait);
    if after <= end {
        return Outlook::InTime { after, waits: after > planned };
    }
    let reached = end.as_secs_f64() / after.as_secs_f64() * 100.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 99")]
    let reached = reached.clamp(0.0, 99.0) as u8;
    let missing = in_looks(after.as_secs_f64() - planned.as_secs_f64(), terms.interval);
    Outlook::TooLate {
        reached,
        advice: vec![format!("`max-wait: {missing}`"), "an earlier horizon".to_owned()],
    }
}

/// When this many labelled predictions of the candidate are there; absent where the rates are unknown.
fn until_rows(metric: &Metric, rows: u64, way: &[Stretch], terms: &Terms<'_>) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    let mut left = rows as f64;
    let mut time = 0.0;
    for (at, stretch) in way.iter().enumerate() {
        let lasts = stretch.lasts.unwrap_or_default().as_secs_f64();
        let measured = stretch.against.is_some_and(|against| applies(metric, against));
        let rate = if measured { per_second(metric, stretch.answered(), terms)? } else { 0.0 };
        let is_last = at + 1 == way.len();
        if rate > 0.0 && (is_last || rate * lasts >= left) {
            return Some(in_looks(time + left / rate, terms.interval).plus(metric.label_delay));
        }
        left -= rate * lasts;
        time += lasts;
    }
    None
}
