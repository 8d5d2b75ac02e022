//! What is expected of predictions without labels: confidence-based performance estimation.
//!
//! Scores are calibrated on labelled rows of the past; what they then say of themselves is how often they are right. That
//! holds where only the inputs have moved. Where the same inputs have come to mean something else, it is blind, and says so.
//! `NannyML` calibrates only where ten splits all get better; here it is always done, and refused where it does not hold on later
//! rows of the reference.

use tagship_domain::quality::{QualityEstimate, QualityMetric, QualityTask};
use tagship_stats::{
    Interval,
    calibration::{self, Isotonic},
    quantile::quantile,
    random::Random,
    scores::matrix::ratio,
};

use super::{
    Settings, bounds,
    rows::{Labelled, Prediction, Unusable, finite},
    told,
};

const ASSUMPTION: &str = "the same inputs still mean the same; it cannot see concept drift";
/// Fewest labelled rows of the reference, and of each class among them.
const LEAST: [usize; 2] = [300, 30];
/// Largest calibration error on held-out rows.
const WORST_CALIBRATION: f64 = 0.1;
/// Standard errors that the accuracy of held-out rows may be off.
const OFF: f64 = 3.0;
/// How often labels are drawn for the intervals.
const DRAWS: usize = 200;

/// A row of the reference: whether it is of the class, whether it was said to be, its score.
type Known = (bool, bool, f64);

/// The expected scores of the rows that have a score and no label.
pub(super) fn of(
    reference: &[Prediction],
    predictions: &[Prediction],
    settings: &Settings,
) -> QualityEstimate {
    let known = known(reference, settings);
    let waiting: Vec<(bool, f64)> = predictions
        .iter()
        .filter(|row| row.label.is_none())
        .filter_map(|row| {
            Some((row.predicted.as_deref()? == settings.positive, finite(row.score.as_deref()?)?))
        })
        .collect();
    let mut estimate = QualityEstimate {
        rows: waiting.len() as u64,
        reference: known.len() as u64,
        calibration_error: None,
        scores: vec![],
        sampling_error: None,
        refused: None,
        assumption: ASSUMPTION.to_owned(),
    };
    match fit(&known, settings, &mut estimate) {
        Err(why) => estimate.refused = Some(why),
        Ok(_) if waiting.is_empty() => estimate.refused = Some("no row waits for a label".to_owned()),
        Ok(map) => expect(&known, &waiting, &map, settings, &mut estimate),
    }
    estimate
}

fn known(reference: &[Prediction], settings: &Settings) -> Vec<Known> {
    let mut unusable = Unusable::default();
    let rows = reference.iter().filter_map(|row| match row.labelled(settings, &mut unusable)? {
        Labelled::Class { is_positive, says_positive, score, .. } => {
            Some((is_positive, says_positive, score?))
        }
        Labelled::Number { .. } => None,
    });
    rows.collect()
}

/// The calibration of all rows, where that of the first half holds on the second.
fn fit(known: &[Known], settings: &Settings, estimate: &mut QualityEstimate) -> Result<Isotonic, String> {
    if settings.task != QualityTask::Binary {
        return Err(format!("it is made for two classes, not for a {} model", settings.task));
    }
    let positive = known.iter().filter(|(truth, ..)| *truth).count();
    let [rows, of_class] = LEAST;
    if known.len() < rows || positive.min(known.len() - positive) < of_class {
        return Err(format!(
            "the reference has {} labelled rows with a score, {positive} of them of the class; {rows} are needed, \
             {of_class} of each class",
            known.len()
        ));
    }
    let pairs = |rows: &[Known]| rows.iter().map(|(truth, _, score)| (*truth, *score)).collect::<Vec<_>>();
    let (earlier, later) = known.split_at(known.len() / 2);
    let none = || "a score of the reference is not finite".to_owned();
    let map = Isotonic::fit(&pairs(earlier)).ok_or_else(none)?;
    let error = |map: &dyn Fn(f64) -> f64| {
        calibration::error(&calibration::bins(later.iter().map(|(truth, _, score)| (*truth, map(*score)))))
    };
    let after = error(&|score| map.at(score)).unwrap_or(1.0);
    let is_probability = later.iter().all(|(.., score)| (0.0..=1.0).contains(score));
    let before = if is_probability { error(&|score| score) } else { None };
    estimate.calibration_error = before.map(|before| [before, after]);
    if after > WORST_CALIBRATION {
        return Err(format!(
            "calibrated on the first half of the reference, scores are off by {after:.3} on the second half, more than \
             {WORST_CALIBRATION}; rows must be in the order of time, and the model must not have changed in between"
        ));
    }
    holds(later, &map)?;
    Isotonic::fit(&pairs(known)).ok_or_else(none)
}

/// Whether the accuracy that calibrated scores expect of rows is theirs, but for chance in both halves.
fn holds(later: &[Known], map: &Isotonic) -> Result<(), String> {
    let rows = ratio(later.len() as u64, 1).unwrap_or(1.0);
    let right = |says: bool, p: f64| if says { p } else { 1.0 - p };
    let chances: Vec<f64> = later.iter().map(|(_, says, score)| right(*says, map.at(*score))).collect();
    let expected = chances.iter().sum::<f64>() / rows;
    let variance = chances.iter().map(|p| p * (1.0 - p)).sum::<f64>();
    let realised = later.iter().filter(|(truth, says, _)| truth == says).count();
    let realised = ratio(realised as u64, later.len() as u64).unwrap_or(0.0);
    if (expected - realised).abs() > OFF * (2.0 * variance).sqrt() / rows {
        return Err(format!(
            "calibrated on the first half of the reference, scores expect an accuracy of {expected:.3} of the second half, \
             and it was {realised:.3}"
        ));
    }
    Ok(())
}

fn expect(
    known: &[Known],
    waiting: &[(bool, f64)],
    map: &Isotonic,
    settings: &Settings,
    estimate: &mut QualityEstimate,
) {
    let mut sorted = waiting.to_vec();
    sorted.sort_by(|one, other| other.1.total_cmp(&one.1));
    let chances: Vec<f64> = sorted.iter().map(|(_, score)| map.at(*score)).collect();
    let says: Vec<bool> = sorted.iter().map(|(says, _)| *says).collect();
    let expected = scores(&says, &chances);
    let mut random = Random::new(settings.plan().seed);
    let mut draw = || {
        let drawn: Vec<f64> = chances.iter().map(|p| f64::from(random.unit() < *p)).collect();
        scores(&says, &drawn)
    };
    let drawn: Vec<[Option<f64>; 3]> = std::iter::repeat_with(&mut draw).take(DRAWS).collect();
    let tail = (1.0 - settings.confidence) / 2.0;
    let metrics = [QualityMetric::Accuracy, QualityMetric::F1, QualityMetric::Auc];
    for (at, metric) in metrics.into_iter().enumerate() {
        let mut values: Vec<f64> = drawn.iter().filter_map(|scores| scores[at]).collect();
        values.sort_by(f64::total_cmp);
        let end = |p| quantile(&values, p);
        let interval = end(tail).zip(end(1.0 - tail));
        let interval = interval.map(|(low, high)| Interval { low, high, confidence: settings.confidence });
        let mut score = told(metric, says.len() as u64, expected[at], interval);
        let few = (says.len() as u64) < settings.min_labels;
        let why = few.then(|| format!("{} rows; a verdict needs {}", says.len(), settings.min_labels));
        bounds::judge(&mut score, settings, why.as_deref());
        estimate.scores.push(score);
    }
    let right = known.iter().filter(|(truth, says, _)| truth == says).count();
    let share = ratio(right as u64, known.len() as u64).unwrap_or(0.0);
    let rows = ratio(says.len() as u64, 1).unwrap_or(1.0);
    estimate.sampling_error = Some((share * (1.0 - share) / rows).sqrt());
}

/// Accuracy, F1 and the area under the ROC curve of rows by falling score, each of the class with a chance.
fn scores(says: &[bool], chances: &[f64]) -> [Option<f64>; 3] {
    let rows = ratio(says.len() as u64, 1).filter(|rows| *rows > 0.0);
    let (mut hits, mut false_alarms, mut missed, mut rejected) = (0.0, 0.0, 0.0, 0.0);
    let (mut above, mut area) = (0.0, 0.0);
    for (says, p) in says.iter().zip(chances) {
        let sums = if *says { (&mut hits, &mut false_alarms) } else { (&mut missed, &mut rejected) };
        *sums.0 += p;
        *sums.1 += 1.0 - p;
        area += (1.0 - p) * (above + p / 2.0);
        above += p;
    }
    let negatives = false_alarms + rejected;
    let f1 = 2.0 * hits + false_alarms + missed;
    [
        rows.map(|rows| (hits + rejected) / rows),
        (f1 > 0.0).then(|| 2.0 * hits / f1),
        (above > 0.0 && negatives > 0.0).then(|| area / (above * negatives)),
    ]
}
