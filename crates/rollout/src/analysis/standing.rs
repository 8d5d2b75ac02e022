//! One look at every metric, and what the metrics add up to.

use std::collections::{BTreeMap, BTreeSet};

use tagship_domain::{
    Timestamp,
    analysis::{Analysis, JudgeState, Metric, MetricKind, MetricPhase, Seen},
    rollout::Reason,
};

use super::{kayenta, message, phase};

/// What the candidate is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Stable, which serves beside it.
    Stable,
    /// The fixed bound of each metric, because no stable traffic exists. A metric without a bound does not apply.
    Bound,
    /// Stable's answers to the same requests, of which the candidate gets copies.
    Shadow,
}

/// What an analysis says after a look, as a sentence with the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is decided.
    Continue(String),
    /// Every metric that decides is good.
    Promote(String),
    /// The candidate has to go.
    Rollback {
        /// [`Reason::AnalysisFailed`] or [`Reason::AnalysisError`].
        reason: Reason,
        /// The metric and its numbers.
        cause: String,
    },
    /// A person has to decide.
    Inconclusive {
        /// [`Reason::NoData`].
        reason: Reason,
        /// The metric and its numbers.
        message: String,
    },
}

/// Adds one look to every judge and says what they add up to.
///
/// `seen` holds what was seen of each metric in the window that ended at `at`; a metric that is not in it was not
/// looked at. A window that does not end later than the newest one of a metric changes nothing, so a look may be
/// repeated. Judges of other names, such as the smoke check's, are left alone.
///
/// The error rate of 5 % is that of the whole analysis: a metric with the part `w` of it fails at evidence of `20 / w`, see
/// [`Analysis::part`]. Promotion needs every one of them, so each may succeed at evidence of 20: promoting a candidate that breaks any
/// one margin takes an error of that very test.
///
/// `against` says what a metric is compared with in this window; nothing for one that does not apply in it.
pub fn look(
    analysis: &Analysis,
    against: impl Fn(&Metric) -> Option<Against>,
    judges: &mut BTreeMap<String, JudgeState>,
    seen: &BTreeMap<String, Seen>,
    at: Timestamp,
) -> Standing {
    let applies = |metric: &&Metric| against(metric).is_some();
    kayenta::begin(analysis, judges);
    for (metric, against) in analysis.metrics.iter().filter_map(|metric| Some((metric, against(metric)?))) {
        let state = judges.entry(metric.name.clone()).or_insert_with(phase::pending);
        if let Some(seen) = seen.get(&metric.name) {
            phase::advance(state, metric, against, analysis.part(metric), seen, at);
        }
    }
    let applying: Vec<&Metric> = analysis.metrics.iter().filter(applies).collect();
    kayenta::judge(analysis, &applying, judges, at);
    let mut verdicts: Vec<(&str, &JudgeState)> = applying
        .iter()
        .filter(|metric| metric.decides())
        .filter_map(|metric| kayenta::verdict(metric, judges))
        .collect();
    // A score stands for several metrics.
    let mut named = BTreeSet::new();
    verdicts.retain(|(name, _)| named.insert(*name));
    add_up(&verdicts)
}

impl Against {
    /// Whether a metric can be judged this way.
    pub fn applies(self, metric: &Metric) -> bool {
        match self {
            Self::Stable => !metric.kind.is_paired(),
            Self::Bound => {
                let fits = metric.bound.is_none_or(|bound| metric.kind.fits_bound(bound));
                !metric.kind.is_paired() && metric.stands_alone() && fits
            }
            Self::Shadow if matches!(metric.kind, MetricKind::Disagreement | MetricKind::ScoreDistance) => {
                metric.stands_alone()
            }
            Self::Shadow => metric.kind.shows_in_shadow(),
        }
    }

    /// What a metric is compared with; nothing where it does not apply.
    pub fn of(self, metric: &Metric) -> Option<Self> {
        self.applies(metric).then_some(self)
    }

    /// Whether stable is looked at too.
    pub fn compares(self) -> bool {
        self != Self::Bound
    }
}

/// The worst verdict counts.
fn add_up(verdicts: &[(&str, &JudgeState)]) -> Standing {
    let Some(worst) = verdicts.iter().map(|(_, state)| state.phase).max_by_key(|phase| rank(*phase)) else {
        return Standing::Continue("no metric can decide here; a person has to".to_owned());
    };
    let named = message::named(verdicts, worst);
    match worst {
        MetricPhase::Successful => Standing::Promote(format!("every metric is good: {named}")),
        MetricPhase::Running | MetricPhase::Pending => {
            let good = verdicts.iter().filter(|(_, state)| state.phase == MetricPhase::Successful).count();
            let open = message::named_where(verdicts, |phase| phase != MetricPhase::Successful);
            Standing::Continue(format!("{good} of {} metrics are good; undecided: {open}", verdicts.len()))
        }
        MetricPhase::Inconclusive => {
            let is_empty = |(_, state): &(&str, &JudgeState)| {
                state.phase == worst
                    && state.measurement.as_ref().is_none_or(|numbers| numbers.e_value.is_some())
            };
            // Evidence ends inconclusive only where data is missing, values also where they are neither good nor bad.
            let reason =
                if verdicts.iter().any(is_empty) { Reason::NoData } else { Reason::InconclusiveAnalysis };
            Standing::Inconclusive { reason, message: named }
        }
        MetricPhase::Error => Standing::Rollback { reason: Reason::AnalysisError, cause: named },
        MetricPhase::Failed => Standing::Rollback { reason: Reason::AnalysisFailed, cause: named },
    }
}

fn rank(phase: MetricPhase) -> u8 {
    match phase {
        MetricPhase::Successful => 0,
        MetricPhase::Running => 1,
        MetricPhase::Pending => 2,
        MetricPhase::Inconclusive => 3,
        MetricPhase::Error => 4,
        MetricPhase::Failed => 5,
    }
}
