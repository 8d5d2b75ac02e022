//! Which analysis judges a recording, and against what.

use tagship_domain::{
    Duration,
    analysis::{Analysis, Metric, MetricKind},
};

use super::Recording;
use crate::analysis::Against;

/// An analysis that fits a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The analysis.
    pub analysis: Analysis,
    /// What the candidate is compared with.
    against: Against,
}

/// An analysis that does not fit a recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyMismatch {
    /// A metric that was not recorded.
    #[error("the analysis names metric {name:?}, which was not recorded; recorded are {recorded}")]
    NotRecorded {
        /// The metric.
        name: String,
        /// The recorded ones.
        recorded: String,
    },
    /// A metric that was recorded as something else.
    #[error("metric {name:?} is {expected} in the analysis and {found} in the recording")]
    OtherKind {
        /// The metric.
        name: String,
        /// Its kind in the analysis.
        expected: &'static str,
        /// Its kind in the recording.
        found: &'static str,
    },
    /// No stable traffic was recorded, and a metric has nothing else to be judged by.
    #[error(
        "nothing that was recorded can be compared for metric {name:?}, and it has no `bound` to be judged by; name one \
         in the analysis, or record stable"
    )]
    NoBound {
        /// The metric.
        name: String,
    },
    /// Values, and no condition to judge them by.
    #[error(
        "metric {name:?} is recorded as values, and no analysis says what they must keep; name one with `success`, \
             `failure`, `max` or `min`"
    )]
    NoConditions {
        /// The metric.
        name: String,
    },
    /// Labelled predictions, and nothing says which score is computed of them.
    #[error(
        "metric {name:?} is recorded as a score, and no analysis says which one; name one with `score`, `margin` and `horizon`"
    )]
    NoScore {
        /// The metric.
        name: String,
    },
    /// Nothing that decides.
    #[error("no metric decides: drift is advisory; record another metric with it")]
    NothingDecides,
}

impl Policy {
    /// Checks that an analysis fits. What was recorded besides its metrics is ignored.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn of(analysis: Analysis, recording: &Recording) -> Result<Self, PolicyMismatch> {
        let against = if recording.has_stable { Against::Stable } else { Against::Bound };
        let policy = Self { analysis, against };
        for metric in &policy.analysis.metrics {
            let name = metric.name.clone();
            let Some((_, found)) = recording.metrics.iter().find(|(name, _)| *name == metric.name) else {
                let recorded: Vec<&str> = recording.metrics.iter().map(|(name, _)| name.as_str()).collect();
                return Err(PolicyMismatch::NotRecorded { name, recorded: recorded.join(", ") });
            };
            if *found != metric.kind {
                let (expected, found) = (metric.kind.as_str(), found.as_str());
                return Err(PolicyMismatch::OtherKind { name, expected, found });
            }
            if metric.kind == MetricKind::Value && metric.threshold.is_none() && metric.kayenta.is_none() {
                return Err(PolicyMismatch::NoConditions { name });
            }
            if metric.kind == MetricKind::Score && metric.scoring.is_none() {
                return Err(PolicyMismatch::NoScore { name });
            }
            if policy.against(metric).is_none() {
                return Err(PolicyMismatch::NoBound { name });
            }
        }
        if !policy.analysis.metrics.iter().any(Metric::decides) {
            return Err(PolicyMismatch::NothingDecides);
        }
        Ok(policy)
    }

    /// What a metric is compared with; nothing where it does not apply. What both versions answered is paired by itself.
    pub fn against(&self, metric: &Metric) -> Option<Against> {
        if metric.kind.is_paired() { Against::Shadow.of(metric) } else { self.against.of(metric) }
    }

    /// Every recorded metric with the defaults of its kind.
    ///
    /// # Errors
    /// As [`Policy::of`].
    pub fn defaults(recording: &Recording) -> Result<Self, PolicyMismatch> {
        let metrics = recording.metrics.iter().map(|(name, kind)| Metric::with_defaults(name, *kind));
        let analysis = Analysis {
            interval: Duration::default(),
            max_wait: Duration::default(),
            metrics: metrics.collect(),
            kayenta: None,
        };
        Self::of(analysis, recording)
    }
}
