//! Verdicts on predictions that are made here, and scores as other libraries give them.

use tagship_stats::random::Random;

use super::*;

/// Predictions whose scores are the chances that they say, of which every `labelled`th has its label.
fn calibrated(seed: u64, rows: usize, labelled: usize) -> Vec<Prediction> {
    let mut random = Random::new(seed);
    let row = |at: usize| {
        let chance = random.unit();
        let truth = random.unit() < chance;
        Prediction {
            predicted: Some(u8::from(chance >= 0.5).to_string()),
            label: (at.is_multiple_of(labelled)).then(|| u8::from(truth).to_string()),
            score: Some(chance.to_string()),
            parts: vec![Some(if at.is_multiple_of(3) { "new" } else { "old" }.to_owned())],
            ..Prediction::default()
        }
    };
    (0..rows).map(row).collect()
}

fn asking(metric: QualityMetric, bound: QualityBound) -> Settings {
    Settings { bounds: [(metric, bound)].into(), ..Settings::of(QualityTask::Binary) }
}

fn judged(predictions: &[Prediction], settings: &Settings) -> QualityReport {
    measure(predictions, &LeftOut::default(), &[], None, settings)
}

fn value(report: &QualityReport, metric: QualityMetric) -> f64 {
    report.scores.iter().find(|score| score.metric == metric).unwrap().value.unwrap()
}

#[test]
fn a_bound_is_kept_broken_or_open_by_the_interval() {
    let rows = calibrated(1, 4000, 1);
    for (least, good) in [(0.70, Some(true)), (0.80, Some(false)), (0.75, None)] {
        let report = judged(&rows, &asking(QualityMetric::Accuracy, QualityBound::AtLeast(least)));
        assert_eq!(report.good, good, "{least} {:?}", report.scores[0]);
    }
    assert_eq!(judged(&rows, &Settings::of(QualityTask::Binary)).good, None, "nothing was asked for");
}

#[test]
fn too_few_labels_are_never_good() {
    let rows = calibrated(2, 4000, 1);
    let settings = asking(QualityMetric::Accuracy, QualityBound::AtLeast(0.1));
    assert_eq!(judged(&rows[..99], &settings).good, None);
    assert_eq!(judged(&rows[..100], &settings).good, Some(true));
    assert_eq!(judged(&[], &settings).good, None);
    let sparse = calibrated(2, 4000, 10);
    let report = judged(&sparse, &Settings { min_coverage: 0.5, ..settings });
    assert_eq!((report.good, report.findings[0].code), (None, QualityCode::LowCoverage));
    assert_eq!((report.labelled, report.coverage), (400, Some(0.1)));
}

#[test]
fn a_bound_on_scores_needs_rows_that_have_one() {
    let settings = asking(QualityMetric::Brier, QualityBound::AtMost(0.5));
    let mut rows = calibrated(3, 400, 1);
    assert_eq!(judged(&rows, &settings).good, Some(true));
    for row in &mut rows[1..] {
        row.score = None;
    }
    let report = judged(&rows, &settings);
    assert_eq!(report.good, None, "one row says nothing");
    let told: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(told.iter().any(|message| message.contains("399 labelled rows have no score")), "{told:?}");
}

#[test]
fn labels_without_the_positive_class_or_of_many_classes_are_not_good() {
    let settings = asking(QualityMetric::Brier, QualityBound::AtMost(0.5));
    let spelled = |names: [&str; 3]| {
        let mut rows = calibrated(4, 400, 1);
        for (at, row) in rows.iter_mut().enumerate() {
            let is_positive = row.label.as_deref() == Some("1");
            let name = if is_positive { names[1] } else { names[usize::from(at.is_multiple_of(2)) * 2] };
            row.label = Some(name.to_owned());
        }
        judged(&rows, &settings)
    };
    assert_eq!(spelled(["0", "1", "0"]).good, Some(true));
    for (names, why) in [
        (["False", "True", "False"], "no labelled row is of the class \"1\"; there is \"False\", \"True\""),
        (["0", "1", "2"], "more than two classes"),
    ] {
        let report = spelled(names);
        let brier = report.scores.iter().find(|score| score.metric == QualityMetric::Brier).unwrap();
        assert_eq!((report.good, brier.value), (None, None), "{brier:?}");
        assert!(brier.reason.as_deref().is_some_and(|reason| reason.contains(why)), "{brier:?}");
    }
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let rows = [
        ("1", "1", 0.9),
        ("0", "1", 0.6),
        ("1", "0", 0.4),
        ("0", "0", 0.1),
        ("1", "1", 0.75),
        ("0", "0", 0.3),
        ("1", "1", 0.6),
        ("0", "0", 0.05),
    ];
    let rows: Vec<Prediction> = rows
        .iter()
        .map(|(label, predicted, score)| Prediction {
            label: Some((*label).to_owned()),
            predicted: Some((*predicted).to_owned()),
            score: Some(score.to_string()),
            ..Prediction::default()
        })
        .collect();
    let report = judged(&rows, &Settings::of(QualityTask::Binary));
    for (metric, expect) in [
        (QualityMetric::Accuracy, 0.75),
        (QualityMetric::Precision, 0.75),
        (QualityMetric::Recall, 0.75),
        (QualityMetric::F1, 0.75),
        (QualityMetric::Auc, 0.90625),
        (QualityMetric::LogLoss, 0.406_222_303_701_002_15),
        (QualityMetric::Brier, 0.131_875),
    ] {
        assert!((value(&report, metric) - expect).abs() < 1e-12, "{metric} {}", value(&report, metric));
    }
    assert_eq!(report.reliability.iter().map(|bin| bin.n).sum::<u64>(), 8);
}

#[test]
fn numbers_have_errors_and_wrong_ones_are_left_out() {
    let pairs = [("1.0", "1.5"), ("2", "2"), ("3", "1"), ("no", "1"), ("4", "NaN")];
    let rows: Vec<Prediction> = pairs
        .iter()
        .map(|(label, predicted)| Prediction {
            label: Some((*label).to_owned()),
            predicted: Some((*predicted).to_owned()),
            ..Prediction::default()
        })
        .collect();
    let report = judged(&rows, &Settings::of(QualityTask::Regression));
    assert!((value(&report, QualityMetric::Rmse) - (4.25_f64 / 3.0).sqrt()).abs() < 1e-12);
    assert!((value(&report, QualityMetric::Mae) - 2.5 / 3.0).abs() < 1e-12);
    assert_eq!(report.findings[0].code, QualityCode::UnusableValues);
}

#[test]
fn a_slice_that_is_bad_is_named() {
    let mut rows = calibrated(3, 6000, 1);
    for row in rows.iter_mut().filter(|row| row.parts[0].as_deref() == Some("new")) {
        row.predicted = Some("1".to_owned());
    }
    let settings = asking(QualityMetric::Accuracy, QualityBound::AtLeast(0.6));
    let report = measure(&rows, &LeftOut::default(), &["age".to_owned()], None, &settings);
    assert_eq!(report.good, Some(true));
    assert_eq!((report.slices[0].value.as_deref(), report.slices[0].rows), (Some("old"), 4000));
    let bad = report.findings.iter().find(|finding| finding.code == QualityCode::SliceIsBad).unwrap();
    assert!(bad.message.starts_with("age = new: accuracy 0.4"), "{}", bad.message);
}

#[test]
fn an_estimate_is_near_what_labels_say_later_and_never_good_alone() {
    let reference = calibrated(4, 4000, 1);
    let mut current = calibrated(5, 4000, 1);
    let realised = judged(&current, &Settings::of(QualityTask::Binary));
    for row in &mut current {
        row.label = None;
    }
    let settings = asking(QualityMetric::Accuracy, QualityBound::AtLeast(0.6));
    let report = measure(&current, &LeftOut::default(), &[], Some(&reference), &settings);
    let estimate = report.estimate.as_ref().unwrap();
    assert_eq!((estimate.refused.as_ref(), estimate.rows), (None, 4000));
    for score in &estimate.scores {
        let later = value(&realised, score.metric);
        assert!((score.value.unwrap() - later).abs() < 0.03, "{score:?} {later}");
    }
    assert_eq!((estimate.scores[0].good, report.good), (Some(true), None));
    let settings = asking(QualityMetric::Accuracy, QualityBound::AtLeast(0.9));
    assert_eq!(measure(&current, &LeftOut::default(), &[], Some(&reference), &settings).good, Some(false));
}

#[test]
fn an_estimate_is_refused_where_calibration_does_not_hold() {
    let mut reference = calibrated(6, 4000, 1);
    let current = calibrated(7, 1000, 2000);
    let settings = Settings::of(QualityTask::Binary);
    let refused = |reference: &[Prediction]| {
        let report = measure(&current, &LeftOut::default(), &[], Some(reference), &settings);
        report.estimate.unwrap().refused.unwrap_or_default()
    };
    assert!(refused(&reference[..200]).contains("300 are needed"));
    for row in &mut reference[2000..] {
        let label = row.label.take().unwrap();
        row.label = Some(if label == "1" { "0" } else { "1" }.to_owned());
    }
    assert!(refused(&reference).contains("second half"), "{}", refused(&reference));
}

#[test]
fn bounds_that_bad_models_keep_or_that_do_not_fit_are_refused() {
    for (metric, bound, words) in [
        (QualityMetric::Accuracy, QualityBound::AtMost(0.9), "by at least"),
        (QualityMetric::Rmse, QualityBound::AtMost(2.0), "no score of a binary model"),
        (QualityMetric::LogLoss, QualityBound::AtLeast(0.1), "by at most"),
    ] {
        let why = check(&asking(metric, bound)).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    assert_eq!(check(&asking(QualityMetric::Auc, QualityBound::AtLeast(0.8))), Ok(()));
}
