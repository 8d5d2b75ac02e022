//! What is asked of scores, and whether they keep it.

use tagship_domain::quality::{QualityBound, QualityMetric, QualityScore, QualityTask};

use super::Settings;

/// Whether the bounds fit the task and the scores.
///
/// # Errors
/// What does not, with what does.
pub fn check(settings: &Settings) -> Result<(), String> {
    for (metric, bound) in &settings.bounds {
        let fits = metrics(settings.task);
        if !fits.contains(metric) {
            let names = fits.iter().map(|metric| metric.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("{metric} is no score of a {} model; there is {names}", settings.task));
        }
        let is_high = matches!(bound, QualityBound::AtLeast(_));
        if is_high != metric.is_better_high() {
            let right = if is_high { "at most" } else { "at least" };
            return Err(format!(
                "{metric} has a bound that is kept by bad models; bound it by {right} so much"
            ));
        }
        if !bound.limit().is_finite() {
            return Err(format!("the bound of {metric} is no number"));
        }
    }
    Ok(())
}

/// The scores of a task.
pub(super) fn metrics(task: QualityTask) -> &'static [QualityMetric] {
    use QualityMetric::{Accuracy, Auc, Brier, CalibrationError, F1, LogLoss, Mae, Precision, Recall, Rmse};
    match task {
        QualityTask::Binary => &[Accuracy, Precision, Recall, F1, Auc, LogLoss, Brier, CalibrationError],
        QualityTask::Multiclass => &[Accuracy, F1],
        QualityTask::Regression => &[Rmse, Mae],
    }
}

/// Adds the verdict on what is asked of a score; `why` says why none can be given.
pub(super) fn judge(score: &mut QualityScore, settings: &Settings, why: Option<&str>) {
    score.bound = settings.bounds.get(&score.metric).copied();
    let Some(bound) = score.bound else { return };
    match (why, score.interval) {
        (Some(why), _) => score.reason = Some(why.to_owned()),
        (None, Some(_)) if rests_on_scores(score.metric) && score.n < settings.min_labels => {
            let least = settings.min_labels;
            score.reason = Some(format!("{} labelled rows have a score; a verdict needs {least}", score.n));
        }
        (None, None) => {
            score.reason.get_or_insert_with(|| "the rows give no interval".to_owned());
        }
        (None, Some(interval)) => {
            score.good = bound.judge(interval);
            if score.good.is_none() {
                score.reason = Some("the bound lies within the interval: more labels decide it".to_owned());
            }
        }
    }
}

/// Whether it is made of the rows that have a score alone.
fn rests_on_scores(metric: QualityMetric) -> bool {
    use QualityMetric::{Auc, Brier, CalibrationError, LogLoss};
    matches!(metric, Auc | LogLoss | Brier | CalibrationError)
}

/// Good where all that is asked for is kept, bad where something is broken, else unknown.
pub(super) fn together(scores: &[QualityScore]) -> Option<bool> {
    let asked: Vec<Option<bool>> =
        scores.iter().filter(|score| score.bound.is_some()).map(|score| score.good).collect();
    if asked.contains(&Some(false)) {
        return Some(false);
    }
    (!asked.is_empty() && !asked.contains(&None)).then_some(true)
}
