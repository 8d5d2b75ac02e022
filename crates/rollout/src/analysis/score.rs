//! From labelled predictions to a score with the interval of how much better the candidate's is.

use tagship_domain::scoring::{LabelledRows, Score, Scoring};
use tagship_stats::{
    Interval, PairedRow,
    bootstrap::Plan,
    roc::{self, Areas, RocError},
    scores::{
        ScoreError, ScorePair,
        confusion::{self, Counts, Measure},
        losses::{self, Error, Forecast},
    },
};

/// A score of both versions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scored {
    /// Of stable and of the candidate.
    pub(super) scores: [f64; 2],
    /// How much better the candidate's is; absent where the rows cannot show it.
    pub(super) gain: Option<Interval>,
}

/// Why there is no score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unscored {
    /// The rows do not say enough.
    TooFew(String),
    /// The rows are not what the score is computed from.
    Wrong(String),
}

/// Computes the score; the interval has this confidence.
pub(super) fn score(scoring: &Scoring, rows: &LabelledRows, confidence: f64) -> Result<Scored, Unscored> {
    let plan = Plan { confidence, ..Plan::default() };
    match scoring.score {
        Score::F1 => of_class(scoring, rows, Measure::F1, &plan),
        Score::Precision => of_class(scoring, rows, Measure::Precision, &plan),
        Score::Recall => of_class(scoring, rows, Measure::Recall, &plan),
        Score::Auc => area(scoring, rows, confidence),
        Score::LogLoss => of_forecasts(scoring, rows, Forecast::LogLoss, &plan),
        Score::Brier => of_forecasts(scoring, rows, Forecast::Brier, &plan),
        Score::Rmse => of_numbers(rows, Error::Rmse, &plan),
        Score::Mae => of_numbers(rows, Error::Mae, &plan),
    }
}

fn of_class(
    scoring: &Scoring,
    rows: &LabelledRows,
    measure: Measure,
    plan: &Plan,
) -> Result<Scored, Unscored> {
    let is = |text: &str| scoring.is_positive(text);
    let pair = match rows {
        LabelledRows::Paired(rows) => {
            let mut counts = Counts::default();
            for [label, stable, candidate] in rows {
                counts.add(is(label), is(stable), is(candidate), 1);
            }
            confusion::compare(&counts, measure, plan)
        }
        LabelledRows::Apart { stable, candidate } => {
            let counts = |rows: &[[String; 2]]| {
                let mut counts = Counts::default();
                for [label, prediction] in rows {
                    counts.add(is(label), is(prediction), is(prediction), 1);
                }
                counts
            };
            confusion::compare_apart(&counts(stable), &counts(candidate), measure, plan)
        }
    };
    pair.map(|pair| scored(&pair.at_the_horizon())).map_err(unscored)
}

fn area(scoring: &Scoring, rows: &LabelledRows, confidence: f64) -> Result<Scored, Unscored> {
    let truth = |label: &str| Ok(scoring.is_positive(label));
    let areas = match rows {
        LabelledRows::Paired(rows) => roc::compare(&paired(rows, truth)?, confidence),
        LabelledRows::Apart { stable, candidate } => {
            roc::compare_apart(&apart(stable, truth)?, &apart(candidate, truth)?, confidence)
        }
    };
    let areas = areas.map_err(|error| match error {
        RocError::OneClass => Unscored::TooFew(error.to_string()),
        RocError::NotANumber(_) | RocError::Confidence => Unscored::Wrong(error.to_string()),
    })?;
    let Areas { first, second, delong } = areas.at_the_horizon();
    Ok(Scored { scores: [first, second], gain: delong.map(|delong| delong.interval) })
}

fn of_forecasts(
    scoring: &Scoring,
    rows: &LabelledRows,
    forecast: Forecast,
    plan: &Plan,
) -> Result<Scored, Unscored> {
    let truth = |label: &str| Ok(scoring.is_positive(label));
    let pair = match rows {
        LabelledRows::Paired(rows) => losses::forecasts(&paired(rows, truth)?, forecast, plan),
        LabelledRows::Apart { stable, candidate } => {
            losses::forecasts_apart(&apart(stable, truth)?, &apart(candidate, truth)?, forecast, plan)
        }
    };
    pair.map(|pair| scored(&pair.at_the_horizon())).map_err(unscored)
}

fn of_numbers(rows: &LabelledRows, error: Error, plan: &Plan) -> Result<Scored, Unscored> {
    let pair = match rows {
        LabelledRows::Paired(rows) => losses::numbers(&paired(rows, number)?, error, plan),
        LabelledRows::Apart { stable, candidate } => {
            losses::numbers_apart(&apart(stable, number)?, &apart(candidate, number)?, error, plan)
        }
    };
    pair.map(|pair| scored(&pair.at_the_horizon())).map_err(unscored)
}

fn paired<T>(
    rows: &[[String; 3]],
    truth: impl Fn(&str) -> Result<T, Unscored>,
) -> Result<Vec<PairedRow<T>>, Unscored> {
    let row = |[label, stable, candidate]: &[String; 3]| {
        Ok(PairedRow { truth: truth(label)?, first: number(stable)?, second: number(candidate)? })
    };
    rows.iter().map(row).collect()
}

fn apart<T>(
    rows: &[[String; 2]],
    truth: impl Fn(&str) -> Result<T, Unscored>,
) -> Result<Vec<(T, f64)>, Unscored> {
    rows.iter().map(|[label, prediction]| Ok((truth(label)?, number(prediction)?))).collect()
}

fn number(text: &str) -> Result<f64, Unscored> {
    let known = text.parse::<f64>().ok().filter(|number| number.is_finite());
    known.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Unscored::Wrong(format!(
            "{shown:?} is no number, and the score is computed from numbers; name the column that holds them"
        ))
    })
}

fn scored(pair: &ScorePair) -> Scored {
    Scored { scores: [pair.first, pair.second], gain: Some(pair.gain()) }
}

fn unscored(error: ScoreError) -> Unscored {
    match error {
        ScoreError::NoRows | ScoreError::Undefined => Unscored::TooFew(error.to_string()),
        ScoreError::NotFinite(_) | ScoreError::NotAProbability(_) | ScoreError::Plan => {
            Unscored::Wrong(error.to_string())
        }
    }
}
