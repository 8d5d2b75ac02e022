//! Whether a metric on values can be decided on the way: it takes looks, not requests.

use tagship_domain::{
    Duration,
    analysis::Metric,
    forecast::{Outlook, Stretch},
    plan::RolloutPlan,
    threshold::Threshold,
};

use super::{need::applies, outlook::verdict};

/// What becomes of a metric whose values keep its conditions at every look.
pub(super) fn outlook(
    metric: &Metric,
    threshold: &Threshold,
    way: &[Stretch],
    plan: &RolloutPlan,
) -> Outlook {
    let Some((until, _)) = verdict(metric, way) else {
        let why = "no stretch of the way measures it".to_owned();
        let advice = "set `bake: 10m`, choose a canary, or write conditions that do not read `stable`";
        return Outlook::Never { why, advice: vec![advice.to_owned()] };
    };
    let (interval, max_wait) =
        plan.analysis.as_ref().map(|analysis| (analysis.interval, analysis.max_wait)).unwrap_or_default();
    let looks = threshold.least_looks();
    if threshold.count.is_some_and(|count| count < looks) {
        let why = format!("its `count` ends it before {looks} looks in a row can be good");
        return Outlook::Never { why, advice: vec![format!("`count: {looks}`")] };
    }
    let after = times(interval, looks);
    let measured = |stretch: &&Stretch| stretch.against.is_some_and(|against| applies(metric, against));
    let lasts = |stretch: &Stretch| stretch.lasts.unwrap_or_default();
    let planned = until.iter().filter(measured).map(lasts).fold(Duration::default(), Duration::plus);
    if after <= planned.plus(max_wait) {
        return Outlook::InTime { after, waits: after > planned };
    }
    let reached = planned.plus(max_wait).as_secs_f64() / after.as_secs_f64() * 100.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 99")]
    let reached = reached.clamp(0.0, 99.0) as u8;
    let wait = Duration::from_millis(millis(after).saturating_sub(millis(planned)));
    Outlook::TooLate { reached, advice: vec![format!("`max-wait: {wait}`"), "fewer looks".to_owned()] }
}

fn times(interval: Duration, looks: u64) -> Duration {
    Duration::from_millis(millis(interval).saturating_mul(looks))
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.std().as_millis()).unwrap_or(u64::MAX)
}
