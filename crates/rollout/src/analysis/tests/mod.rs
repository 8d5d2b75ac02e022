//! Tests of verdicts from counts.

mod bounds;
mod kayenta;
mod limits;
mod parts;
mod scores;
mod thresholds;
mod verdicts;
mod windows;

use std::collections::BTreeMap;

use tagship_domain::{
    Duration, Timestamp,
    analysis::{Analysis, JudgeState, Metric, MetricKind, Seen, Share, Window},
};

use super::{Against, Standing, look};

/// An analysis with its judges, looked at once a minute.
struct Rollout {
    analysis: Analysis,
    against: Against,
    judges: BTreeMap<String, JudgeState>,
    at: Timestamp,
}

impl Rollout {
    fn of(metrics: Vec<Metric>) -> Self {
        let (interval, max_wait) = (Duration::from_secs(60), Duration::from_secs(3_600));
        Self {
            analysis: Analysis { interval, max_wait, metrics, kayenta: None },
            against: Against::Stable,
            judges: BTreeMap::new(),
            at: "2026-11-24T12:00:00Z".parse().unwrap(),
        }
    }

    /// The next look; metrics that are not named were not looked at.
    fn look(&mut self, seen: &[(&str, Seen)]) -> Standing {
        self.at = self.at.after(self.analysis.interval);
        self.again(seen)
    }

    /// A look at the window that the last one was about.
    fn again(&mut self, seen: &[(&str, Seen)]) -> Standing {
        let seen = seen.iter().map(|(name, seen)| ((*name).to_owned(), seen.clone())).collect();
        // Every look starts from what the journal would hold.
        let journal = serde_json::to_string(&self.judges).unwrap();
        self.judges = serde_json::from_str(&journal).unwrap();
        // What both versions answered is paired by itself.
        let paired = self.analysis.metrics.iter().any(|metric| metric.kind.is_paired());
        let against = if paired { Against::Shadow } else { self.against };
        look(&self.analysis, |metric| against.of(metric), &mut self.judges, &seen, self.at)
    }

    fn judge(&self, name: &str) -> &JudgeState {
        &self.judges[name]
    }
}

fn errors() -> Metric {
    Metric::with_defaults("errors", MetricKind::ErrorRatio)
}

/// Bad ones and all of stable, then of the candidate.
fn shares(stable: (u64, u64), candidate: (u64, u64)) -> Seen {
    let share = |(bad, n)| Share { n, bad };
    Seen::Window(Window::Shares { stable: Some(share(stable)), candidate: share(candidate) })
}

fn failed_to_measure() -> Seen {
    Seen::Error("the target did not answer".to_owned())
}

/// A look that is good in every respect.
fn good() -> Seen {
    shares((270, 5_400), (30, 600))
}

/// A look with three times the errors.
fn bad() -> Seen {
    shares((270, 5_400), (90, 600))
}

fn nothing() -> Seen {
    shares((270, 5_400), (0, 0))
}
