//! Objectives: what their sources answer now and so long ago, judged.

use tagship_adapters::metric_sources::open_own;
use tagship_config::{Asks, ObjectiveSettings};
use tagship_domain::{
    Timestamp, Version,
    analysis::MetricKind,
    slo::{ObjectiveReport, SloState},
};
use tagship_monitor::slo::{Limit, Look, Missed, Seen, Share, instants, judge_share, judge_values};
use tagship_ports::{OwnSource, PortError, Problem, Question, TallySource};
use tagship_runner::{Context, Failure};

use crate::workspace::{Workspace, located};

/// Judges every objective for the version that serves.
///
/// # Errors
/// For a source that cannot be what the objective needs; one that does not answer is part of the report.
pub(crate) async fn judge(
    workspace: &Workspace,
    objectives: &[ObjectiveSettings],
    version: &Version,
    now: Timestamp,
) -> Result<Vec<ObjectiveReport>, Failure> {
    let mut reports = vec![];
    for objective in objectives {
        let judged = one(workspace, objective, version, now).await;
        reports.push(judged.map_err(|error| located(&error, &objective.source))?);
    }
    Ok(reports)
}

async fn one(
    workspace: &Workspace,
    objective: &ObjectiveSettings,
    version: &Version,
    now: Timestamp,
) -> Result<ObjectiveReport, PortError> {
    let kind = match &objective.asks {
        Asks::Share { below: Some(_), .. } => MetricKind::Latency,
        Asks::Share { below: None, .. } => MetricKind::ErrorRatio,
        Asks::Value { .. } => MetricKind::Value,
    };
    let source = match open_own(&objective.source, kind, &workspace.root, &Context::secret, None) {
        Ok(source) => source,
        // A run without secrets cannot ask; that is no mistake of the configuration.
        Err(error) if error.problem == Problem::Denied => {
            return Ok(open(objective, format!("the source could not be asked: {error}")));
        }
        Err(error) => return Err(error),
    };
    match (&objective.asks, source) {
        (Asks::Share { target, below }, OwnSource::Tally(source)) => {
            let below = below.map(|below| below.as_secs_f64() * 1000.0);
            let share = Share { name: objective.name.clone(), target: *target, below };
            let looks = looks(source.as_ref(), version, now).await?;
            Ok(judge_share(&share, &looks).unwrap_or_else(|why| open(objective, why)))
        }
        (Asks::Value { bound, over, severity }, OwnSource::Value(source)) => {
            let limit = Limit { name: objective.name.clone(), bound: *bound, severity: *severity };
            let question =
                Question { version, candidate: version, stable: None, from: before(now, *over), to: now };
            let answer = source.values(&question).await;
            Ok(match &answer {
                Ok(points) => judge_values(&limit, Ok(points)),
                Err(error) => {
                    let missed = Missed { is_absent: is_silent(error), why: &error.to_string() };
                    judge_values(&limit, Err(missed))
                }
            })
        }
        _ => Err(PortError::new(
            Problem::Unsupported,
            "open the source of the objective",
            "it answers something else",
        )),
    }
}

/// What was counted now and so long ago.
async fn looks(source: &dyn TallySource, version: &Version, now: Timestamp) -> Result<Vec<Look>, PortError> {
    if !source.knows_the_past() {
        return Err(PortError::new(
            Problem::Unsupported,
            "read the counts of the last days",
            "the source knows only what is now",
        )
        .hint("name one that keeps history, e.g. prometheus, or ask for a value with `at-most`"));
    }
    let mut looks = vec![];
    for ago in instants() {
        let seen = match source.tally(version, before(now, ago)).await {
            Ok(tally) => Seen::Counted(tally),
            Err(error) if error.problem == Problem::NotFound => Seen::Absent(error.message),
            // What nobody answers about the past may have been there.
            Err(error) if looks.is_empty() && is_silent(&error) => Seen::Absent(error.to_string()),
            Err(error) => Seen::Failed(error.to_string()),
        };
        let is_over = looks.is_empty() && !matches!(seen, Seen::Counted(_));
        looks.push(Look { ago, seen });
        if is_over {
            break;
        }
    }
    Ok(looks)
}

/// Whether an error means that there is nothing to judge, because it is not there or nobody answers: that is missing data, which
/// somebody is told of. A run that may not ask, or an answer that is none, is not.
pub(crate) fn is_silent(error: &PortError) -> bool {
    matches!(error.problem, Problem::NotFound | Problem::Unreachable)
}

/// Nobody can say whether it is kept.
fn open(objective: &ObjectiveSettings, reason: String) -> ObjectiveReport {
    ObjectiveReport {
        name: objective.name.clone(),
        asked: String::new(),
        state: SloState::Unknown,
        severity: None,
        value: None,
        windows: vec![],
        budget_left: None,
        reason,
    }
}

/// So long before.
pub(crate) fn before(now: Timestamp, length: tagship_domain::Duration) -> Timestamp {
    let millis = i64::try_from(length.std().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(millis)).unwrap_or(now)
}
