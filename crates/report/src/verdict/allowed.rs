//! How much worse a candidate may be, as a bound on the value that people see.

use tagship_domain::analysis::{Bound, Margin, Measurement, Metric, MetricKind};

use crate::{measure::Unit, number};

/// What the candidate must keep to be promoted; a margin becomes a number once stable's value is known.
pub(crate) fn words(metric: &Metric, numbers: Option<&Measurement>) -> String {
    if !metric.decides() {
        return "advisory, decides nothing".to_owned();
    }
    if let Some(threshold) = &metric.threshold {
        return threshold.words();
    }
    if let Some(scoring) = &metric.scoring {
        return format!("{}; {}", scoring.words(), scoring.horizon);
    }
    if let Some(kayenta) = &metric.kayenta {
        return kayenta.words();
    }
    let stable = numbers.and_then(|numbers| numbers.stable).filter(|stable| stable.is_finite());
    match (metric.bound, stable, numbers) {
        // Without stable traffic the bound is what is judged.
        (Some(bound), None, Some(_)) => fixed(bound),
        _ => margin(metric, stable),
    }
}

/// The value that the candidate must not pass, in the unit of its own value; absent where the rule is about another value
/// than the one that is shown, e.g. about how many answers are slow.
pub(crate) fn line(metric: &Metric, numbers: &Measurement) -> Option<f64> {
    if !metric.decides() || metric.threshold.is_some() || metric.kayenta.is_some() {
        return None;
    }
    let stable = numbers.stable.filter(|stable| stable.is_finite());
    let line = match (stable, metric.bound) {
        (None, Some(Bound::Latency { within_ms, .. })) => return Some(within_ms),
        (
            None,
            Some(
                Bound::MaxErrorRatio(share)
                | Bound::MaxDisagreement(share)
                | Bound::ScoreDistance { share, .. }
                | Bound::MinAccuracy(share),
            ),
        ) => share,
        (Some(stable), _) => match (metric.kind, metric.promote_margin) {
            (MetricKind::ErrorRatio, Margin::Ratio(times)) => times * stable,
            (MetricKind::ErrorRatio, Margin::Absolute(more)) => stable + more,
            (MetricKind::LabelledAccuracy, Margin::Ratio(times)) => 1.0 - times * (1.0 - stable),
            (MetricKind::LabelledAccuracy, Margin::Absolute(more)) => stable - more,
            _ => return None,
        },
        (None, None) => return None,
    };
    Some(line.clamp(0.0, 1.0))
}

fn fixed(bound: Bound) -> String {
    let share = |share: f64| Unit::Share.one(share).unwrap_or_else(|| "?".to_owned());
    match bound {
        Bound::MaxErrorRatio(most) | Bound::MaxDisagreement(most) => format!("≤ {}", share(most)),
        Bound::ScoreDistance { beyond, share: most } => {
            format!("≤ {} beyond {}", share(most), number::value(beyond))
        }
        Bound::MinAccuracy(least) => format!("≥ {}", share(least)),
        Bound::Latency { quantile, within_ms } => {
            let time = Unit::Millis.one(within_ms).unwrap_or_else(|| "?".to_owned());
            format!("{} within {time}", share(quantile))
        }
    }
}

fn margin(metric: &Metric, stable: Option<f64>) -> String {
    let points = |difference| Unit::Share.difference(difference);
    match (metric.kind, metric.promote_margin) {
        (MetricKind::ErrorRatio, Margin::Ratio(times)) => {
            bounded("≤", stable.map(|s| times * s), &format!("{}x stable", number::value(times)))
        }
        (MetricKind::ErrorRatio, Margin::Absolute(more)) => {
            bounded("≤", stable.map(|s| s + more), &format!("stable + {}", points(more)))
        }
        (MetricKind::LabelledAccuracy, Margin::Ratio(times)) => {
            let least = stable.map(|s| 1.0 - times * (1.0 - s));
            bounded("≥", least, &format!("{}x stable's errors", number::value(times)))
        }
        (MetricKind::LabelledAccuracy, Margin::Absolute(more)) => {
            bounded("≥", stable.map(|s| s - more), &format!("stable - {}", points(more)))
        }
        (kind, Margin::Ratio(times)) => {
            format!("{} ≤ {}x as often as stable", what(kind), number::value(times))
        }
        (kind, Margin::Absolute(more)) => {
            format!("{} ≤ {} more often than stable", what(kind), points(more))
        }
    }
}

fn what(kind: MetricKind) -> &'static str {
    if kind == MetricKind::Latency { "slow" } else { "wrong" }
}

fn bounded(direction: &str, bound: Option<f64>, rule: &str) -> String {
    let bound = bound.map(|bound| bound.clamp(0.0, 1.0)).and_then(|bound| Unit::Share.one(bound));
    match bound {
        Some(bound) => format!("{direction} {bound} ({rule})"),
        None => format!("{direction} {rule}"),
    }
}
