//! Against figures from scikit-learn and a bootstrap in `NumPy`, and what has no score.

use serde_json::Value;

use super::{
    Better, ScoreError, ScorePair,
    confusion::{self, Counts, Measure},
    losses::{self, Error, Forecast},
};
use crate::{PairedRow, bootstrap::Plan, non_inferiority};

fn recorded() -> Value {
    serde_json::from_str(include_str!("../../fixtures/scores.json")).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn forecasts(of: &Value) -> Vec<PairedRow<bool>> {
    let truth = of["truth"].as_array().unwrap().iter().map(|x| x.as_bool().unwrap());
    let rows = truth.zip(numbers(&of["first"])).zip(numbers(&of["second"]));
    rows.map(|((truth, first), second)| PairedRow { truth, first, second }).collect()
}

fn counts(rows: &[PairedRow<bool>]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        counts.add(row.truth, row.first > 0.5, row.second > 0.5, 1);
    }
    counts
}

/// Scores to the last digits; ends of the interval to what resampling can tell.
#[track_caller]
fn check(actual: &ScorePair, expected: &Value) {
    let close = |actual: f64, expect: &Value, slack: f64| {
        let expect = expect.as_f64().unwrap();
        assert!((actual - expect).abs() <= slack, "{actual} is not {expect}");
    };
    close(actual.first, &expected["first"], 1e-12);
    close(actual.second, &expected["second"], 1e-12);
    let slack = 0.06 * (actual.interval.high - actual.interval.low);
    close(actual.interval.low, &expected["interval"][0], slack);
    close(actual.interval.high, &expected["interval"][1], slack);
}

#[test]
fn scores_and_intervals_are_those_of_other_tools() {
    let (recorded, plan) = (recorded(), Plan { resamples: 4000, ..Plan::default() });
    let rows = forecasts(&recorded["scores"]);
    for (measure, name) in
        [(Measure::Precision, "precision"), (Measure::Recall, "recall"), (Measure::F1, "f1")]
    {
        let pair = confusion::compare(&counts(&rows), measure, &plan).unwrap().at_the_horizon();
        check(&pair, &recorded["scores"]["classes"][name]);
    }
    for (forecast, name) in [(Forecast::LogLoss, "log_loss"), (Forecast::Brier, "brier")] {
        let pair = losses::forecasts(&rows, forecast, &plan).unwrap().at_the_horizon();
        check(&pair, &recorded["scores"]["forecasts"][name]);
    }
    let of = &recorded["numbers"];
    let rows = numbers(&of["truth"]).into_iter().zip(numbers(&of["first"])).zip(numbers(&of["second"]));
    let rows: Vec<_> = rows.map(|((truth, first), second)| PairedRow { truth, first, second }).collect();
    for (error, name) in [(Error::Rmse, "rmse"), (Error::Mae, "mae")] {
        check(&losses::numbers(&rows, error, &plan).unwrap().at_the_horizon(), &of[name]);
    }
}

#[test]
fn a_seed_gives_the_same_interval_every_time() {
    let rows = forecasts(&recorded()["scores"]);
    let of = |seed| {
        let plan = Plan { resamples: 200, seed, ..Plan::default() };
        let f1 = confusion::compare(&counts(&rows), Measure::F1, &plan).unwrap();
        (f1, losses::forecasts(&rows, Forecast::Brier, &plan).unwrap())
    };
    assert_eq!(of(3), of(3));
    assert_ne!(of(3), of(4));
}

#[test]
fn a_gain_is_a_lower_loss() {
    let interval = crate::Interval { low: -0.4, high: -0.1, confidence: 0.95 };
    let pair = ScorePair { first: 1.0, second: 0.75, interval, better: Better::Lower };
    let gain = pair.gain();
    assert!((gain.low - 0.1).abs() < 1e-12 && (gain.high - 0.4).abs() < 1e-12);
    assert_eq!(non_inferiority::judge(&gain, 0.0), non_inferiority::Judgement::NonInferior);
    assert_eq!(ScorePair { better: Better::Higher, ..pair }.gain(), interval);
    assert!((pair.difference() + 0.25).abs() < 1e-12);
}

#[test]
fn swapping_the_models_turns_the_difference() {
    let rows = forecasts(&recorded()["scores"]);
    let swapped: Vec<_> =
        rows.iter().map(|row| PairedRow { first: row.second, second: row.first, ..*row }).collect();
    let plan = Plan { resamples: 500, ..Plan::default() };
    let of = |rows: &[PairedRow<bool>]| {
        losses::forecasts(rows, Forecast::LogLoss, &plan).unwrap().at_the_horizon()
    };
    let (there, back) = (of(&rows), of(&swapped));
    assert!((there.difference() + back.difference()).abs() < 1e-12);
    assert!((there.interval.low + back.interval.high).abs() < 1e-12, "{there:?} {back:?}");
}

#[test]
fn a_score_that_divides_by_zero_is_undefined_and_its_resamples_count_as_the_worst() {
    let plan = Plan::default();
    let of = |counts: &Counts, measure| confusion::compare(counts, measure, &plan);
    assert_eq!(of(&Counts::default(), Measure::F1), Err(ScoreError::NoRows));
    let mut never = Counts::default();
    never.add(true, false, true, 10);
    assert_eq!(of(&never, Measure::Precision), Err(ScoreError::Undefined));
    assert!(of(&never, Measure::Recall).is_ok());
    // One row in fifty is of the class: over a third of the resamples have none.
    let mut rare = Counts::default();
    rare.add(true, true, true, 1);
    rare.add(false, false, false, 49);
    let recall = of(&rare, Measure::Recall).unwrap().at_the_horizon();
    assert!((recall.interval.low + 1.0).abs() < 1e-12 && (recall.interval.high - 1.0).abs() < 1e-12);
}

#[test]
fn what_is_no_number_has_no_score() {
    let plan = Plan::default();
    let number = |first| {
        [PairedRow { truth: 1.0, first: 1.0, second: 1.0 }, PairedRow { truth: 1.0, first, second: 1.0 }]
    };
    for bad in [f64::NAN, f64::INFINITY, -1e200] {
        assert_eq!(losses::numbers(&number(bad), Error::Rmse, &plan), Err(ScoreError::NotFinite(1)));
    }
    assert!(losses::numbers(&number(-1e200), Error::Mae, &plan).is_ok());
    assert_eq!(losses::numbers(&[], Error::Mae, &plan), Err(ScoreError::NoRows));
    for bad in [f64::NAN, 1.5, -0.1] {
        let rows = [PairedRow { truth: true, first: 0.5, second: bad }];
        assert_eq!(losses::forecasts(&rows, Forecast::Brier, &plan), Err(ScoreError::NotAProbability(0)));
    }
    for plan in [Plan { resamples: 0, ..plan }, Plan { confidence: f64::NAN, ..plan }] {
        assert_eq!(losses::numbers(&number(1.0), Error::Mae, &plan), Err(ScoreError::Plan));
        let mut counts = Counts::default();
        counts.add(true, true, true, 1);
        assert_eq!(confusion::compare(&counts, Measure::F1, &plan), Err(ScoreError::Plan));
    }
}

#[test]
fn a_certain_forecast_that_is_wrong_costs_a_lot_and_not_everything() {
    let rows = [PairedRow { truth: true, first: 0.0, second: 1.0 }];
    let pair = losses::forecasts(&rows, Forecast::LogLoss, &Plan::default()).unwrap().at_the_horizon();
    assert!((pair.first - 36.043_653_389_117_15).abs() < 1e-9 && pair.second.abs() < 1e-12, "{pair:?}");
}

/// The interval of two independent means is that of the normal approximation; that of shares too.
#[test]
fn rows_of_their_own_vary_independently() {
    let rows = |n: u32, off: f64| (0..n).map(|row| (0.0, off + f64::from(row % 7))).collect::<Vec<_>>();
    let (first, second) = (rows(700, 0.0), rows(1400, 0.5));
    let mae = losses::numbers_apart(&first, &second, Error::Mae, &Plan::default()).unwrap().at_the_horizon();
    // Values 0 to 6 have a variance of 4.
    let half = 1.96 * (4.0_f64 / 700.0 + 4.0 / 1400.0).sqrt();
    assert!((mae.first - 3.0).abs() < 1e-12 && (mae.second - 3.5).abs() < 1e-12);
    assert!(
        (mae.interval.low - (0.5 - half)).abs() < 0.02 && (mae.interval.high - (0.5 + half)).abs() < 0.02
    );
    let rmse = losses::numbers_apart(&first, &first, Error::Rmse, &Plan::default()).unwrap().at_the_horizon();
    assert!((rmse.first - 13.0_f64.sqrt()).abs() < 1e-12 && rmse.interval.contains(0.0));

    let side = |right: u64, missed: u64| {
        let mut counts = Counts::default();
        counts.add(true, true, true, right);
        counts.add(true, false, false, missed);
        counts
    };
    let recall =
        confusion::compare_apart(&side(800, 200), &side(350, 150), Measure::Recall, &Plan::default());
    let recall = recall.unwrap().at_the_horizon();
    let half = 1.96 * (0.16_f64 / 1000.0 + 0.21 / 500.0).sqrt();
    assert!((recall.difference() + 0.1).abs() < 1e-12);
    assert!(
        (recall.interval.low - (-0.1 - half)).abs() < 0.005
            && (recall.interval.high - (-0.1 + half)).abs() < 0.005
    );
}

#[test]
fn rows_of_their_own_that_make_no_score_say_why() {
    let plan = Plan::default();
    let none = losses::numbers_apart(&[], &[(1.0, 1.0)], Error::Mae, &plan);
    assert_eq!(none.unwrap_err(), ScoreError::NoRows);
    let beyond = losses::forecasts_apart(&[(true, 0.5)], &[(true, 1.5)], Forecast::Brier, &plan);
    assert_eq!(beyond.unwrap_err(), ScoreError::NotAProbability(1));
    let empty = confusion::compare_apart(&Counts::default(), &Counts::default(), Measure::F1, &plan);
    assert_eq!(empty.unwrap_err(), ScoreError::NoRows);
    let mut negatives = Counts::default();
    negatives.add(false, false, false, 5);
    let undefined = confusion::compare_apart(&negatives, &negatives, Measure::F1, &plan);
    assert_eq!(undefined.unwrap_err(), ScoreError::Undefined);
}
