//! The class of one metric.

use super::{
    CONFIDENCE, MIN_POINTS, TOLERANCE,
    clean::clean,
    settings::{Direction, Measure, Nan, Settings},
};
use crate::mann_whitney::{self, Comparison, Unfit};

/// What is said of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// No change that counts.
    Pass,
    /// The candidate's values are larger.
    High,
    /// The candidate's values are smaller.
    Low,
    /// A side has no points.
    Nodata,
    /// The metric cannot be judged, and had to be: it counts as a failed one.
    NodataFailMetric,
    /// There are points, but too few or not finite.
    Inconclusive,
}

impl Class {
    /// Whether a change was found.
    #[must_use]
    pub const fn is_change(self) -> bool {
        matches!(self, Self::High | Self::Low)
    }

    /// Whether nothing is known that would count for or against the candidate.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::Nodata | Self::Inconclusive)
    }
}

/// What the class of a metric rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// Both sides have the same values.
    Identical,
    /// Neither side has a point, and what is missing was said to be zero.
    NothingReported,
    /// The sides were compared.
    Compared {
        /// The candidate (second) against stable (first).
        comparison: Comparison,
        /// Size of the change in the metric's measure; `None` where it has no meaning.
        effect: Option<f64>,
    },
    /// A side has no points.
    NoPoints,
    /// A side has fewer than [`MIN_POINTS`] points.
    TooFew,
    /// A value is infinite or beyond [`mann_whitney::LARGEST`].
    NotFinite,
}

/// One metric, judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What is said of it.
    pub class: Class,
    /// Whether this alone fails everything.
    pub critical: bool,
    /// Why.
    pub reason: Reason,
}

/// Judges one metric by its points from stable and from the candidate, in any order. NaN is a point without a value.
#[must_use]
pub fn judge(settings: &Settings, stable: &[f64], candidate: &[f64]) -> Judged {
    let (Ok(stable), Ok(candidate)) = (clean(stable, settings), clean(candidate, settings)) else {
        return unknown(settings, Class::Inconclusive, Reason::NotFinite);
    };
    match (stable.is_empty(), candidate.is_empty()) {
        (true, true) if settings.nan == Nan::Replace && !settings.must_have_data => {
            pass(Reason::NothingReported)
        }
        (false, false) => known(settings, &stable, &candidate),
        _ => unknown(settings, Class::Nodata, Reason::NoPoints),
    }
}

/// Both sides have points.
fn known(settings: &Settings, stable: &[f64], candidate: &[f64]) -> Judged {
    if stable.len().min(candidate.len()) < MIN_POINTS {
        return unknown(settings, Class::Inconclusive, Reason::TooFew);
    }
    if stable == candidate {
        return pass(Reason::Identical);
    }
    match mann_whitney::compare(stable, candidate, CONFIDENCE) {
        Ok(comparison) => compared(settings, comparison, effect(settings, &comparison, stable, candidate)),
        Err(Unfit::AllTied) => pass(Reason::Identical),
        Err(Unfit::NotFinite) => unknown(settings, Class::Inconclusive, Reason::NotFinite),
        Err(Unfit::Empty | Unfit::TooFew) => unknown(settings, Class::Inconclusive, Reason::TooFew),
    }
}

/// A change counts where the interval lies beyond the tolerated part of the estimate, and the effect, if it is known, is
/// large enough.
fn compared(settings: &Settings, comparison: Comparison, effect: Option<f64>) -> Judged {
    let bound = TOLERANCE * comparison.estimate.abs();
    let limits = settings.limits();
    let at_least = |limit: f64| effect.is_none_or(|effect| effect >= limit);
    let at_most = |limit: f64| effect.is_none_or(|effect| effect <= limit);
    let (class, past_critical) = if settings.direction != Direction::Decrease
        && comparison.interval.low > bound
        && at_least(limits.allowed_increase)
    {
        (Class::High, at_least(limits.critical_increase))
    } else if settings.direction != Direction::Increase
        && comparison.interval.high < -bound
        && at_most(limits.allowed_decrease)
    {
        (Class::Low, at_most(limits.critical_decrease))
    } else {
        (Class::Pass, false)
    };
    let critical = settings.critical && past_critical;
    Judged { class, critical, reason: Reason::Compared { comparison, effect } }
}

fn effect(settings: &Settings, comparison: &Comparison, stable: &[f64], candidate: &[f64]) -> Option<f64> {
    match settings.measure {
        Measure::Cles => Some(comparison.superiority),
        Measure::MeanRatio => {
            let (stable, candidate) = (mean(stable), mean(candidate));
            let ratio = (stable > 0.0 && candidate > 0.0).then(|| candidate / stable);
            ratio.filter(|ratio| ratio.is_finite())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of points are far below 2^53")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

const fn pass(reason: Reason) -> Judged {
    Judged { class: Class::Pass, critical: false, reason }
}

fn unknown(settings: &Settings, class: Class, reason: Reason) -> Judged {
    let fails = settings.must_have_data && !settings.critical;
    let class = if fails { Class::NodataFailMetric } else { class };
    Judged { class, critical: settings.critical, reason }
}
