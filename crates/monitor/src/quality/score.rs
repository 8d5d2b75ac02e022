//! The scores of labelled rows, each with the interval that fits it.

use std::collections::{BTreeSet, HashMap};

use tagship_domain::quality::{QualityMetric, QualityScore, QualityTask, ReliabilityBin};
use tagship_stats::{
    Interval, bootstrap,
    calibration::{self, BINS, Bin},
    roc,
    scores::matrix::{Matrix, ratio, wilson},
};

use super::{Settings, rows::Labelled, told};

/// All scores of the task.
pub(super) fn all(rows: &[Labelled<'_>], settings: &Settings) -> Vec<QualityScore> {
    match settings.task {
        QualityTask::Regression => numbers(rows, settings),
        QualityTask::Multiclass => classes(rows, settings),
        QualityTask::Binary => {
            let mut scores = binary(rows, settings);
            scores.extend(probabilities(rows, settings));
            if let Some(why) = not_of_two_classes(rows, &settings.positive) {
                for score in scores.iter_mut().filter(|score| score.metric != QualityMetric::Accuracy) {
                    (score.value, score.interval, score.reason) = (None, None, Some(why.clone()));
                }
            }
            scores
        }
    }
}

/// Why labels are not those of two classes of which one is the positive one; what is about that class is unknown then.
fn not_of_two_classes(rows: &[Labelled<'_>], positive: &str) -> Option<String> {
    let truths = rows.iter().filter_map(|row| match row {
        Labelled::Class { truth, .. } => Some(*truth),
        Labelled::Number { .. } => None,
    });
    let classes: BTreeSet<&str> = truths.collect();
    let there = || classes.iter().take(5).map(|class| format!("{class:?}")).collect::<Vec<_>>().join(", ");
    if classes.len() > 2 {
        return Some(format!("there are labels of more than two classes: {}", there()));
    }
    let is_missing = !classes.is_empty() && !classes.contains(positive);
    is_missing.then(|| format!("no labelled row is of the class {positive:?}; there is {}", there()))
}

fn numbers(rows: &[Labelled<'_>], settings: &Settings) -> Vec<QualityScore> {
    let off = rows.iter().filter_map(|row| match row {
        Labelled::Number { truth, predicted } => Some(predicted - truth),
        Labelled::Class { .. } => None,
    });
    let off: Vec<f64> = off.collect();
    let root = |interval: Interval| Interval {
        low: interval.low.max(0.0).sqrt(),
        high: interval.high.max(0.0).sqrt(),
        ..interval
    };
    let mean_of = |values: &[f64]| Some(values.iter().sum::<f64>() / ratio(values.len() as u64, 1)?);
    let squares: Vec<f64> = off.iter().map(|off| off * off).collect();
    let sizes: Vec<f64> = off.iter().map(|off| off.abs()).collect();
    let interval = |values: &[f64]| bootstrap::mean_of_many(values, &settings.plan());
    let n = off.len() as u64;
    vec![
        told(QualityMetric::Rmse, n, mean_of(&squares).map(f64::sqrt), interval(&squares).map(root)),
        told(QualityMetric::Mae, n, mean_of(&sizes), interval(&sizes)),
    ]
}

fn classes(rows: &[Labelled<'_>], settings: &Settings) -> Vec<QualityScore> {
    let mut numbers = HashMap::new();
    let mut matrix = Matrix::default();
    for row in rows {
        if let Labelled::Class { truth, predicted, .. } = row {
            let mut number = |class| {
                let next = numbers.len();
                *numbers.entry(class).or_insert(next)
            };
            let (truth, predicted) = (number(*truth), number(*predicted));
            matrix.add(truth, predicted);
        }
    }
    let f1 = matrix.macro_f1();
    let interval = f1.and_then(|_| matrix.interval(Matrix::macro_f1, &settings.plan()));
    vec![accuracy(&matrix, settings), told(QualityMetric::F1, matrix.rows(), f1, interval)]
}

fn binary(rows: &[Labelled<'_>], settings: &Settings) -> Vec<QualityScore> {
    let mut matrix = Matrix::default();
    for row in rows {
        if let Labelled::Class { truth, predicted, is_positive, says_positive, .. } = row {
            // A wrong class among the negative ones is wrong all the same.
            let other = if !is_positive && !says_positive && truth != predicted { 2 } else { 0 };
            matrix.add(usize::from(*is_positive), if *says_positive { 1 } else { other });
        }
    }
    let hits = matrix.count(|truth, said| truth == 1 && said == 1);
    let share = |metric, whole: u64| {
        let mut score = told(metric, whole, ratio(hits, whole), wilson(hits, whole, settings.confidence));
        if score.value.is_none() {
            score.reason = Some("no row is of the class, or none is predicted to be".to_owned());
        }
        score
    };
    let f1 = matrix.f1(1);
    let interval = f1.and_then(|_| matrix.interval(|drawn| drawn.f1(1), &settings.plan()));
    vec![
        accuracy(&matrix, settings),
        share(QualityMetric::Precision, matrix.count(|_, said| said == 1)),
        share(QualityMetric::Recall, matrix.count(|truth, _| truth == 1)),
        told(QualityMetric::F1, matrix.rows(), f1, interval),
    ]
}

fn accuracy(matrix: &Matrix, settings: &Settings) -> QualityScore {
    let (right, rows) = (matrix.count(|truth, said| truth == said), matrix.rows());
    told(QualityMetric::Accuracy, rows, ratio(right, rows), wilson(right, rows, settings.confidence))
}

fn probabilities(rows: &[Labelled<'_>], settings: &Settings) -> Vec<QualityScore> {
    let scored: Vec<(bool, f64)> = scored(rows).collect();
    let n = scored.len() as u64;
    let refused =
        |metric, why: &str| QualityScore { reason: Some(why.to_owned()), ..told(metric, n, None, None) };
    let auc = match roc::area_with_interval(scored.iter().copied(), settings.confidence) {
        Ok((area, interval)) => told(QualityMetric::Auc, n, Some(area), interval),
        Err(why) => refused(QualityMetric::Auc, &why.to_string()),
    };
    let losses = [QualityMetric::LogLoss, QualityMetric::Brier, QualityMetric::CalibrationError];
    if scored.is_empty() || scored.iter().any(|(_, score)| !(0.0..=1.0).contains(score)) {
        let why = if scored.is_empty() {
            "no row has a score"
        } else {
            "scores are no probabilities within 0 to 1"
        };
        return std::iter::once(auc).chain(losses.map(|metric| refused(metric, why))).collect();
    }
    let mean = |metric, loss: fn(bool, f64) -> f64| {
        let values: Vec<f64> = scored.iter().map(|(truth, p)| loss(*truth, *p)).collect();
        let mean = ratio(n, 1).map(|n| values.iter().sum::<f64>() / n);
        told(metric, n, mean, bootstrap::mean_of_many(&values, &settings.plan()))
    };
    let bins = calibration::bins(scored.iter().copied());
    let calibration = calibration::interval(&bins, &settings.plan());
    vec![
        auc,
        mean(QualityMetric::LogLoss, |truth, p| -(if truth { p } else { 1.0 - p }).max(f64::EPSILON).ln()),
        mean(QualityMetric::Brier, |truth, p| (p - f64::from(truth)).powi(2)),
        told(QualityMetric::CalibrationError, n, calibration::error(&bins), calibration),
    ]
}

/// Truth and score of the rows that have one.
pub(super) fn scored<'a>(rows: &'a [Labelled<'_>]) -> impl Iterator<Item = (bool, f64)> + 'a {
    rows.iter().filter_map(|row| match row {
        Labelled::Class { is_positive, score, .. } => Some((*is_positive, (*score)?)),
        Labelled::Number { .. } => None,
    })
}

/// Predicted probabilities against what came true.
pub(super) fn reliability(rows: &[Labelled<'_>], task: QualityTask) -> Vec<ReliabilityBin> {
    let is_probability = scored(rows).all(|(_, score)| (0.0..=1.0).contains(&score));
    if task != QualityTask::Binary || !is_probability {
        return vec![];
    }
    let edge = |at: usize| ratio(at as u64, BINS as u64).unwrap_or(0.0);
    let told = |(at, bin): (usize, &Bin)| ReliabilityBin {
        range: [edge(at), edge(at + 1)],
        n: bin.rows,
        predicted: bin.predicted(),
        observed: bin.observed(),
    };
    calibration::bins(scored(rows)).iter().enumerate().filter(|(_, bin)| bin.rows > 0).map(told).collect()
}
