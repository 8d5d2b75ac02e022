//! Quality: how good predictions were where labels have come, and how good they probably are where none have.
//!
//! Unknown is never good: too few labels, a bound within the interval, a score that the rows do not give and an estimate alone
//! are all null.

mod bounds;
mod estimate;
mod rows;
mod score;
mod slices;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use tagship_domain::quality::{
    LabelLag, QualityBound, QualityCode, QualityFinding, QualityMetric, QualityReport, QualityScore,
    QualityTask,
};
use tagship_stats::{bootstrap::Plan, scores::matrix::ratio};

pub use bounds::check;
use rows::{Labelled, Unusable};
pub use rows::{Prediction, canonical};

/// What is asked of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What it predicts.
    pub task: QualityTask,
    /// The class that scores of two classes are about.
    pub positive: String,
    /// What its scores must keep.
    pub bounds: BTreeMap<QualityMetric, QualityBound>,
    /// Fewest labels of a verdict.
    pub min_labels: u64,
    /// Smallest share of predictions with a label for a verdict.
    pub min_coverage: f64,
    /// Confidence of intervals.
    pub confidence: f64,
}

impl Settings {
    /// For a task, with nothing asked for.
    #[must_use]
    pub fn of(task: QualityTask) -> Self {
        Self {
            task,
            positive: "1".to_owned(),
            bounds: BTreeMap::new(),
            min_labels: 100,
            min_coverage: 0.0,
            confidence: 0.95,
        }
    }

    fn plan(&self) -> Plan {
        Plan { resamples: 1000, confidence: self.confidence, ..Plan::default() }
    }
}

/// What the tables hold that is no prediction to be judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Labels that belong to no prediction.
    pub unmatched: u64,
    /// Predictions without a time, where only those of a window count: they are in none.
    pub untimed: u64,
}

/// What predictions say: their scores, those of the slices by the named columns, and, where `reference` is given, what is
/// expected of those without a label.
#[must_use]
pub fn measure(
    predictions: &[Prediction],
    left_out: &LeftOut,
    slices: &[String],
    reference: Option<&[Prediction]>,
    settings: &Settings,
) -> QualityReport {
    let mut unusable = Unusable::default();
    let labelled: Vec<Labelled<'_>> =
        predictions.iter().filter_map(|row| row.labelled(settings, &mut unusable)).collect();
    let coverage = ratio(labelled.len() as u64, predictions.len() as u64);
    let mut findings = unusable.finding();
    let why = undecidable(labelled.len() as u64, coverage, settings);
    let mut scores = score::all(&labelled, settings);
    for score in &mut scores {
        bounds::judge(score, settings, why.as_ref().map(|finding| finding.message.as_str()));
    }
    let has_verdict = why.is_none();
    findings.extend(why);
    findings.extend(left_out.findings());
    let slices = slices::all(predictions, slices, settings, &mut findings);
    let estimate = reference.map(|reference| estimate::of(reference, predictions, settings));
    let expected = estimate.iter().flat_map(|estimate| &estimate.scores);
    let is_expected_bad = !has_verdict && expected.into_iter().any(|score| score.good == Some(false));
    QualityReport {
        task: settings.task,
        rows: predictions.len() as u64,
        untimed: left_out.untimed,
        labelled: labelled.len() as u64,
        coverage,
        label_lag: lag(predictions),
        confidence: settings.confidence,
        good: if is_expected_bad { Some(false) } else { bounds::together(&scores) },
        reliability: score::reliability(&labelled, settings.task),
        scores,
        slices,
        estimate,
        findings,
    }
}

impl LeftOut {
    fn findings(&self) -> impl Iterator<Item = QualityFinding> {
        let Self { unmatched, untimed } = self;
        let all = [
            (
                *unmatched,
                QualityCode::UnmatchedLabels,
                format!("{unmatched} labels belong to no prediction; compare how ids are written"),
            ),
            (
                *untimed,
                QualityCode::RowsWithoutTime,
                format!("{untimed} predictions have no time, and are in no window"),
            ),
        ];
        all.into_iter()
            .filter(|(count, _, _)| *count > 0)
            .map(|(_, code, message)| QualityFinding { code, message })
    }
}

/// Why no verdict can rest on the labels.
fn undecidable(labelled: u64, coverage: Option<f64>, settings: &Settings) -> Option<QualityFinding> {
    if labelled < settings.min_labels {
        let message = format!("{labelled} predictions have a label; a verdict needs {}", settings.min_labels);
        return Some(QualityFinding { code: QualityCode::TooFewLabels, message });
    }
    let share = coverage.unwrap_or(0.0);
    (share < settings.min_coverage).then(|| {
        let (share, least) = (100.0 * share, 100.0 * settings.min_coverage);
        let message = format!("{share:.1}% of the predictions have a label; a verdict needs {least:.1}%");
        QualityFinding { code: QualityCode::LowCoverage, message }
    })
}

/// How long labels took, where both times are known.
fn lag(predictions: &[Prediction]) -> Option<LabelLag> {
    let took =
        |row: &Prediction| row.label.as_ref().and(Some(row.labelled_at?.since(row.at?).std().as_secs_f64()));
    let mut seconds: Vec<f64> = predictions.iter().filter_map(took).collect();
    seconds.sort_by(f64::total_cmp);
    let at = |share: usize| seconds.get((seconds.len() * share).div_ceil(100).saturating_sub(1)).copied();
    Some(LabelLag { median: at(50)?, p90: at(90)?, longest: *seconds.last()? })
}

/// A score without a verdict.
fn told(
    metric: QualityMetric,
    n: u64,
    value: Option<f64>,
    interval: Option<tagship_stats::Interval>,
) -> QualityScore {
    let value = value.filter(|value| value.is_finite());
    let interval = interval.map(|interval| [interval.low, interval.high]);
    QualityScore { metric, value, interval, n, bound: None, good: None, reason: None }
}
