//! `tagship backtest`.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use tagship_domain::{
    Exit,
    analysis::{AnalysisDecision, AnalysisLook, Measurement, MetricKind},
    schema,
};
use tagship_report::terminal;
use tagship_rollout::backtest::{Policy, Recording, replay};
use tagship_runner::{Context, Failure, Screen, args::BacktestArgs, files};

use crate::answer::Answer;

/// Largest recording.
const RECORDING: u64 = 1 << 30;
/// Largest analysis.
const ANALYSIS: u64 = 1 << 20;

/// Replays recorded looks; needs neither a repository nor a configuration.
pub(crate) fn run(args: &BacktestArgs, context: &Context) -> Result<Answer, Failure> {
    let name = args.measurements.display().to_string();
    let recording = Recording::parse(&text(&args.measurements, RECORDING)?)
        .map_err(|error| Failure::usage(format!("read measurements {name}: {error}")))?;
    let policy = match &args.analysis {
        None => Policy::defaults(&recording),
        Some(path) => {
            let analysis =
                tagship_config::parse_analysis(&path.display().to_string(), &text(path, ANALYSIS)?)
                    .map_err(Failure::usage)?;
            Policy::of(analysis, &recording)
        }
    };
    let policy = policy.map_err(|error| Failure::usage(format!("judge measurements {name}: {error}")))?;
    let looks = replay(&policy, &recording)
        .map_err(|error| Failure::usage(format!("read measurements {name}: {error}")))?;
    let mut json = String::new();
    for look in &looks {
        json.push_str(&schema::to_json_line(look).map_err(Failure::incomplete)?);
        json.push('\n');
    }
    let kinds = recording.metrics.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let text = table(&looks, &kinds, &crate::style(&Screen::of(context, false)));
    let decision = looks.last().map_or(AnalysisDecision::Inconclusive, |look| look.decision);
    let (exit, reason) = match decision {
        AnalysisDecision::Promote => (Exit::Done, "metrics-good"),
        AnalysisDecision::Rollback => (Exit::Negative, "metrics-bad"),
        AnalysisDecision::Continue | AnalysisDecision::Inconclusive => (Exit::Incomplete, "inconclusive"),
    };
    Ok(Answer::plain(exit, word(decision), reason, text, json))
}

fn text(path: &Path, limit: u64) -> Result<String, Failure> {
    let failed = |why: String| Failure::usage(format!("read {}: {why}", path.display()));
    let bytes = files::read(path, limit).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| failed(format!("it is no text: {error}")))
}

/// A row per look and metric, then what the last look says of each metric.
fn table(looks: &[AnalysisLook], kinds: &BTreeMap<&str, MetricKind>, style: &terminal::Style) -> String {
    let header = ["T", "METRIC", "PHASE", "VALUE", "STABLE", "N", "AGAINST IT", "FOR IT", "DECISION"];
    let mut rows = vec![];
    for look in looks {
        for metric in &look.metrics {
            let numbers = &metric.measurement;
            let kind = kinds.get(metric.name.as_str()).copied();
            rows.push(vec![
                format!("{}", look.t),
                metric.name.clone(),
                format!("{:?}", metric.phase),
                value(kind, numbers.value),
                value(kind, numbers.stable),
                numbers.n[1].to_string(),
                evidence(numbers, |of| (of.e_value, of.fails_at)),
                evidence(numbers, |of| (of.promotion_e_value, of.succeeds_at)),
                word(look.decision).to_owned(),
            ]);
        }
    }
    let mut text = terminal::table(&header, &rows, style);
    for metric in looks.last().into_iter().flat_map(|look| &look.metrics) {
        let _ = writeln!(text, "\n{}: {}", metric.name, metric.message);
    }
    text
}

fn value(kind: Option<MetricKind>, value: Option<f64>) -> String {
    match (kind, value) {
        (_, None) => "-".to_owned(),
        (Some(MetricKind::Latency), Some(value)) => format!("{value:.1} ms"),
        // What was not recorded itself is a score over metrics.
        (Some(MetricKind::Value | MetricKind::Score) | None, Some(value)) => format!("{value}"),
        (_, Some(value)) => format!("{:.2}%", 100.0 * value),
    }
}

/// Evidence and where it decides.
fn evidence(numbers: &Measurement, of: impl Fn(&Measurement) -> (Option<f64>, Option<f64>)) -> String {
    match of(numbers) {
        (Some(value), Some(at)) if value < 1e4 => format!("{value:.2} / {at}"),
        (Some(value), Some(at)) => format!("{value:.1e} / {at}"),
        _ => "-".to_owned(),
    }
}

fn word(decision: AnalysisDecision) -> &'static str {
    match decision {
        AnalysisDecision::Continue => "continue",
        AnalysisDecision::Promote => "promote",
        AnalysisDecision::Rollback => "rollback",
        AnalysisDecision::Inconclusive => "inconclusive",
    }
}
