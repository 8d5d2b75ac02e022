//! Streams: new values out of their sources, to detectors whose state the last look left.

use tagship_adapters::metric_sources::open_own;
use tagship_config::StreamSettings;
use tagship_domain::{
    Duration, Timestamp, Version,
    analysis::MetricKind,
    incident::{Finding, StreamState, WatchReport},
};
use tagship_monitor::{
    findings,
    streams::{Observed, watch},
};
use tagship_ports::{OwnSource, PortError, Problem, Question, ValueSource};
use tagship_runner::{Context, Failure};

use super::slo::{before, is_silent};
use crate::workspace::{Workspace, located};

/// Values of so long ago have all come: rows of one second that are written one by one, and logs that are a little late.
const SETTLING: Duration = Duration::from_secs(60);

/// What the detectors say, and their state for the next look. A stream whose source does not answer keeps its state.
///
/// # Errors
/// For a source without values, an unknown detector, and a state that cannot be read. What a source answers wrongly is found,
/// and ends no look.
pub(crate) async fn judge(
    workspace: &Workspace,
    streams: &[StreamSettings],
    version: &Version,
    remembered: Option<&WatchReport>,
    now: Timestamp,
) -> Result<(Vec<Finding>, Vec<StreamState>), Failure> {
    let (mut found, mut states) = (vec![], vec![]);
    for stream in streams {
        let known = remembered.and_then(|look| look.streams.iter().find(|state| state.name == stream.name));
        let source = open(workspace, stream);
        let source = match source {
            Err(error) if matches!(error.problem, Problem::Unsupported | Problem::Invalid) => {
                return Err(located(&error, &stream.source));
            }
            opened => opened,
        };
        let values = match source {
            Ok(source) => values(source.as_ref(), stream, version, known, now).await,
            Err(error) => Err(error),
        };
        match values {
            Ok(values) => {
                let watched = watch(&stream.name, &stream.detector, known, &values)
                    .map_err(|why| Failure::usage(format!("watch stream {}: {why}", stream.name)))?;
                let is_silent =
                    watched.state.last.is_none_or(|last| last < before(now, stream.over.plus(SETTLING)));
                let said = remembered.and_then(|look| look.findings.iter().find(|one| is_of(one, stream)));
                found.push(match said {
                    // Looks may come faster than values do.
                    Some(said) if watched.taken == 0 && !is_silent => said.clone(),
                    _ => findings::of_stream(&watched, stream.severity),
                });
                states.push(watched.state);
            }
            Err(error) => {
                found.push(findings::unseen(
                    format!("stream/{}", stream.name),
                    is_silent(&error),
                    &error.to_string(),
                ));
                states.extend(known.cloned());
            }
        }
    }
    Ok((found, states))
}

/// Whether a finding is what this detector said of the stream.
fn is_of(finding: &Finding, stream: &StreamSettings) -> bool {
    finding.topic == format!("stream/{}", stream.name)
        && finding.severity == stream.severity
        && finding.threshold.contains(&stream.detector)
}

fn open(workspace: &Workspace, stream: &StreamSettings) -> Result<Box<dyn ValueSource>, PortError> {
    match open_own(&stream.source, MetricKind::Value, &workspace.root, &Context::secret, None)? {
        OwnSource::Value(source) => Ok(source),
        OwnSource::Tally(_) | OwnSource::Labelled(_) => {
            Err(PortError::new(Problem::Unsupported, "open the source of the stream", "it answers no values"))
        }
    }
}

async fn values(
    source: &dyn ValueSource,
    stream: &StreamSettings,
    version: &Version,
    known: Option<&StreamState>,
    now: Timestamp,
) -> Result<Vec<Observed>, PortError> {
    let last = known.filter(|state| state.detector == stream.detector).and_then(|state| state.last);
    let to = before(now, SETTLING);
    let from = last.unwrap_or_else(|| before(now, stream.over));
    let question = Question { version, candidate: version, stable: None, from, to: to.max(from) };
    let points = source.values(&question).await?;
    let observed =
        points.into_iter().filter_map(|point| Some(Observed { at: point.at, value: point.value.as_f64()? }));
    Ok(observed.collect())
}
