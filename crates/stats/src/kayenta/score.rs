//! The score over all metrics, and what it means.

use std::{collections::BTreeMap, fmt};

use super::metric::Class;

/// What the score is made of for one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What people call it.
    pub name: String,
    /// The groups it counts in.
    pub groups: Vec<String>,
    /// Whether it is only shown.
    pub muted: bool,
    /// Its class.
    pub class: Class,
    /// Whether it alone fails everything; see [`super::Judged::critical`].
    pub critical: bool,
}

/// Scores from which on a verdict holds, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// From here on the candidate passes.
    pub pass: f64,
    /// From here on it is marginal.
    pub marginal: f64,
}

/// What the score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The candidate is worse.
    Fail,
    /// It is neither good enough nor bad enough.
    Marginal,
    /// It is good enough.
    Pass,
}

/// What the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The metrics that were judged.
    Groups,
    /// A change of this metric, which is critical.
    CriticalMetric(String),
    /// This metric is critical and could not be judged.
    CriticalUnknown(String),
    /// At least half of the metrics could not be judged.
    MostlyUnknown,
    /// The verdict could be a better one if the groups were known that are not.
    GroupsUnknown,
}

/// The score of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupScore {
    /// Its name.
    pub name: String,
    /// Its part of the total, 0 to 100.
    pub weight: f64,
    /// Share of its judged metrics that pass, 0 to 100; `None` where none was judged.
    pub score: Option<f64>,
}

/// The score of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// 0 to 100, with two decimals.
    pub total: f64,
    /// What it means.
    pub verdict: Verdict,
    /// What it rests on.
    pub cause: Cause,
    /// The groups, by name.
    pub groups: Vec<GroupScore>,
}

/// Why a score cannot be made. All of it follows from the policy, nothing from what was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreError {
    /// There is no metric in a group that is not muted.
    NoMetrics,
    /// This group has a weight and no metric that is not muted.
    EmptyGroup(String),
    /// This group's weight is negative or not a number.
    Weight(String, f64),
    /// The weights leave nothing for the groups without one, or do not add up to 100 where all have one.
    WeightSum(f64),
    /// Not `0 <= marginal <= pass <= 100`.
    Thresholds(Thresholds),
}

/// As a fragment of a sentence.
impl fmt::Display for ScoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMetrics => f.write_str("no group has a metric that counts"),
            Self::EmptyGroup(name) => write!(f, "group {name} has a weight and no metric that counts"),
            Self::Weight(name, weight) => write!(f, "weight {weight} of group {name} is not 0 to 100"),
            Self::WeightSum(sum) => write!(f, "the weights of the groups add up to {sum}, not to 100"),
            Self::Thresholds(Thresholds { pass, marginal }) => {
                write!(f, "thresholds pass {pass} and marginal {marginal} are not in order within 0 to 100")
            }
        }
    }
}

impl std::error::Error for ScoreError {}

/// Weights may miss 100 by this much.
const ROUNDING: f64 = 1e-6;

/// Scores metrics. `weights` by group add up to 100; groups without one share what is left evenly. Muted metrics are left
/// out.
///
/// # Errors
/// Says what is wrong with the policy; see [`ScoreError`].
pub fn score(
    entries: &[Entry],
    weights: &BTreeMap<String, f64>,
    thresholds: Thresholds,
) -> Result<Score, ScoreError> {
    check(thresholds)?;
    let entries: Vec<&Entry> = entries.iter().filter(|entry| !entry.muted).collect();
    let groups = groups(&entries, weights)?;
    let known: f64 = groups.iter().map(|group| group.weight * group.score.unwrap_or(0.0) / 100.0).sum();
    let (total, cause) = match veto(&entries) {
        Some(cause) => (0.0, cause),
        None => (round(known), cause(&groups, known, thresholds)),
    };
    Ok(Score { total, verdict: verdict(total, thresholds), cause, groups })
}

fn check(thresholds: Thresholds) -> Result<(), ScoreError> {
    let Thresholds { pass, marginal } = thresholds;
    let ordered = 0.0 <= marginal && marginal <= pass && pass <= 100.0;
    if ordered { Ok(()) } else { Err(ScoreError::Thresholds(thresholds)) }
}

/// What makes the total 0 whatever the groups say. A change is named before what is unknown.
fn veto(entries: &[&Entry]) -> Option<Cause> {
    let critical = |is_change: bool| {
        let found = entries.iter().find(|entry| entry.critical && entry.class.is_change() == is_change);
        found.map(|entry| entry.name.clone())
    };
    let unknown = entries.iter().filter(|entry| entry.class.is_unknown()).count();
    critical(true)
        .map(Cause::CriticalMetric)
        .or_else(|| critical(false).map(Cause::CriticalUnknown))
        .or_else(|| (2 * unknown >= entries.len()).then_some(Cause::MostlyUnknown))
}

/// Whether groups of which nothing is known could have changed the verdict.
fn cause(groups: &[GroupScore], known: f64, thresholds: Thresholds) -> Cause {
    let unknown: f64 = groups.iter().filter(|group| group.score.is_none()).map(|group| group.weight).sum();
    let verdict = |total| verdict(round(total), thresholds);
    if verdict(known + unknown) > verdict(known) { Cause::GroupsUnknown } else { Cause::Groups }
}

fn verdict(total: f64, thresholds: Thresholds) -> Verdict {
    if total >= thresholds.pass {
        Verdict::Pass
    } else if total >= thresholds.marginal {
        Verdict::Marginal
    } else {
        Verdict::Fail
    }
}

/// To two decimals, so that three groups of 33.333 that all pass are 100.
fn round(total: f64) -> f64 {
    (total * 100.0).round() / 100.0
}

fn groups(entries: &[&Entry], weights: &BTreeMap<String, f64>) -> Result<Vec<GroupScore>, ScoreError> {
    let mut classes: BTreeMap<&str, Vec<Class>> = BTreeMap::new();
    for entry in entries {
        for group in &entry.groups {
            classes.entry(group).or_default().push(entry.class);
        }
    }
    if classes.is_empty() {
        return Err(ScoreError::NoMetrics);
    }
    let rest = rest(&classes, weights)?;
    let scores = classes.iter().map(|(name, classes)| GroupScore {
        name: (*name).to_owned(),
        weight: weights.get(*name).copied().unwrap_or(rest),
        score: share_passed(classes),
    });
    Ok(scores.collect())
}

/// The weight of each group that has none of its own.
#[expect(clippy::cast_precision_loss, reason = "groups are few")]
fn rest(classes: &BTreeMap<&str, Vec<Class>>, weights: &BTreeMap<String, f64>) -> Result<f64, ScoreError> {
    for (name, weight) in weights {
        if !(0.0..=100.0).contains(weight) {
            return Err(ScoreError::Weight(name.clone(), *weight));
        }
        if !classes.contains_key(name.as_str()) {
            return Err(ScoreError::EmptyGroup(name.clone()));
        }
    }
    let left = 100.0 - weights.values().sum::<f64>();
    let without = classes.len() - weights.len();
    let adds_up = if without == 0 { left.abs() <= ROUNDING } else { left > ROUNDING };
    if adds_up { Ok(left / without.max(1) as f64) } else { Err(ScoreError::WeightSum(100.0 - left)) }
}

/// In percent of those that were judged, or had to be.
#[expect(clippy::cast_precision_loss, reason = "metrics are few")]
fn share_passed(classes: &[Class]) -> Option<f64> {
    let counted = classes.iter().filter(|class| !class.is_unknown()).count();
    let passed = classes.iter().filter(|class| **class == Class::Pass).count();
    (counted > 0).then(|| 100.0 * passed as f64 / counted as f64)
}
