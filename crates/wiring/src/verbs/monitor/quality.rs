//! `tagship monitor quality`.

use std::{collections::BTreeMap, path::Path};

use tagship_adapters::SystemClock;
use tagship_config::{QualityColumns, QualitySettings};
use tagship_domain::{
    Exit,
    quality::{QualityBound, QualityMetric, QualityReport, QualityTask},
    schema,
};
use tagship_ports::Clock as _;
use tagship_report::terminal;
use tagship_runner::{
    Context, Failure, Screen,
    args::{QualityArgs, QualityFailure, Task},
};

use crate::{answer::Answer, monitoring::quality::judge};

/// Needs neither a repository nor a configuration.
pub(super) fn run(args: &QualityArgs, context: &Context) -> Result<Answer, Failure> {
    for (name, share) in [("--min-coverage", args.min_coverage), ("--confidence", args.confidence)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(Failure::usage(format!("{name} is {share}, which is not within 0 to 1")));
        }
    }
    let report = judge(&settings(args)?, Path::new(""), None, SystemClock.now())?;
    let text = terminal::quality(&report, &crate::style(&Screen::of(context, false)));
    let json = schema::to_json(&report).map_err(Failure::incomplete)?;
    let (exit, decision) = verdict(&report, args.fail_on);
    Ok(Answer::plain(exit, decision, decision, text, json))
}

fn verdict(report: &QualityReport, fail_on: Option<QualityFailure>) -> (Exit, &'static str) {
    let is_asked = report.scores.iter().any(|score| score.bound.is_some());
    match (report.good, fail_on) {
        (Some(false), Some(QualityFailure::Bad)) => (Exit::Negative, "bad"),
        (Some(false), None) => (Exit::Done, "bad"),
        (Some(true), _) => (Exit::Done, "good"),
        (None, _) if !is_asked => (Exit::Done, "measured"),
        (None, _) => (Exit::Incomplete, "unknown"),
    }
}

fn settings(args: &QualityArgs) -> Result<QualitySettings, Failure> {
    let mut bounds = BTreeMap::new();
    let least = args.at_least.iter().map(|text| (text, QualityBound::AtLeast as fn(f64) -> QualityBound));
    let most = args.at_most.iter().map(|text| (text, QualityBound::AtMost as fn(f64) -> QualityBound));
    for (text, bound) in least.chain(most) {
        let (metric, limit) = bounded(text)?;
        bounds.insert(metric, bound(limit));
    }
    Ok(QualitySettings {
        task: match args.task {
            Task::Binary => QualityTask::Binary,
            Task::Multiclass => QualityTask::Multiclass,
            Task::Regression => QualityTask::Regression,
        },
        predictions: args.predictions.clone(),
        labels: args.labels.clone(),
        reference: args.reference.clone(),
        columns: QualityColumns {
            id: Some(args.id.clone()),
            prediction: args.prediction.clone(),
            label: args.label.clone(),
            score: args.score.clone(),
            time: args.time.clone(),
            label_time: args.label_time.clone(),
            version: None,
        },
        window: args.window,
        slices: args.slices.clone(),
        positive: args.positive.clone(),
        bounds,
        min_labels: args.min_labels,
        min_coverage: args.min_coverage,
        confidence: args.confidence,
    })
}

/// `accuracy=0.9`.
fn bounded(text: &str) -> Result<(QualityMetric, f64), Failure> {
    let parts = text.split_once('=').and_then(|(name, limit)| {
        Some((QualityMetric::named(name.trim())?, limit.trim().parse::<f64>().ok()?))
    });
    parts.ok_or_else(|| {
        let names = QualityMetric::ALL.map(QualityMetric::as_str).join(", ");
        Failure::usage(format!("{text:?} is no bound of a score"))
            .hint(format!("write e.g. accuracy=0.9; there is {names}"))
    })
}
