//! What a look finds: everything that is watched, judged, and what that makes of the incidents that are remembered.

use tagship_config::{DriftSettings, ModelConfig, MonitorSettings};
use tagship_domain::{
    Exit, Manifest, Release, Timestamp, Version,
    drift::DriftReport,
    incident::{Finding, IncidentNotice, NO_DATA, WatchReport},
    monitor::LookDetails,
    quality::QualityReport,
};
use tagship_monitor::{
    alerts::{Change, Policy, advance},
    findings, history,
};
use tagship_release as release;
use tagship_runner::Failure;

use crate::{
    failure::failed,
    monitoring::{drift, quality, slo, streams, telling},
    pipeline::Place,
    workspace::Workspace,
};

/// Reason code of what is not there.
const NOT_FOUND: &str = "not-found";

/// The report of a look that comes after another.
///
/// # Errors
/// For what is configured wrongly. What is not there or does not answer is part of the report.
pub(super) async fn made(
    workspace: &Workspace,
    place: Place<'_>,
    before: Option<&WatchReport>,
) -> Result<(WatchReport, LookDetails), Failure> {
    let (now, watched) = (workspace.clock.now(), &place.model.monitor);
    let registry = workspace.registry().await?;
    let current = release::current(&registry, place.name, place.environment).map_err(failed)?;
    let drift = match watched.drift.clone() {
        Some(settings) => Some(of_release(workspace, place.model, settings, current.as_ref()).await),
        None => None,
    };
    let version = current.map(|current| current.version);
    let mut details = LookDetails::default();
    let mut found = of_tables(workspace, (watched, drift), version.as_ref(), now, &mut details)?;
    let mut states = vec![];
    match &version {
        Some(version) => {
            let objectives = slo::judge(workspace, &watched.slo, version, now).await?;
            found.extend(objectives.iter().map(findings::of_objective));
            details.objectives = objectives;
            let (of_streams, after) =
                streams::judge(workspace, &watched.streams, version, before, now).await?;
            found.extend(of_streams);
            states = after;
        }
        None => {
            found.extend(unserved(place));
            states = before.map(|before| before.streams.clone()).unwrap_or_default();
        }
    }
    found.extend(unsaid(place, before, &found));
    let alerts = &watched.alerts;
    let policy =
        Policy { open_after: alerts.open_after, resolve_after: alerts.resolve_after, remind: alerts.remind };
    let mut remembered = before.map(|before| before.incidents.clone()).unwrap_or_default();
    if before.is_some_and(|before| before.version != version) {
        // What was bad before this version came is not its fault; where it is bad too, its own looks say so.
        for incident in &mut remembered {
            incident.bad = 0;
        }
    }
    let (incidents, changes) = advance(&remembered, &found, &policy, now);
    let notices: Vec<_> =
        changes.iter().map(|change| notice(workspace, place, version.as_ref(), change)).collect();
    let waiting = before.map(|before| before.outbox.clone()).unwrap_or_default();
    let report = WatchReport {
        model: place.name.clone(),
        environment: place.environment.clone(),
        version,
        at: now,
        good: findings::together(&found),
        findings: found,
        incidents,
        streams: states,
        trend: history::trend(before, now, watched.retention),
        outbox: telling::owed(waiting, &notices, alerts),
    };
    Ok((report, details))
}

/// The settings of drift with paths from the top, and with what the release that is deployed says of its inputs. One whose
/// manifest is not to be had, as where its store is on another machine, says nothing: values speak for themselves then.
async fn of_release(
    workspace: &Workspace,
    model: &ModelConfig,
    settings: DriftSettings,
    current: Option<&Release>,
) -> DriftSettings {
    let settings = drift::rooted(settings, &workspace.root);
    let (Some(release), Ok(store)) = (current, workspace.store(model)) else { return settings };
    match release::read_manifest(store.as_ref(), release).await {
        Ok(Manifest { signature: Some(signature), .. }) => drift::typed(settings, &signature),
        Ok(_) => settings,
        Err(error) => {
            workspace.tell_once(&format!("columns are typed by their values alone: {error}"));
            settings
        }
    }
}

/// What is judged by tables, whatever serves: quality and drift.
fn of_tables(
    workspace: &Workspace,
    (watched, drift): (&MonitorSettings, Option<DriftSettings>),
    version: Option<&Version>,
    now: Timestamp,
    details: &mut LookDetails,
) -> Result<Vec<Finding>, Failure> {
    let mut found = vec![];
    if let Some(settings) = &watched.quality {
        let judged = quality::judge(settings, &workspace.root, version, now);
        let is_its_own = version.is_some() && settings.columns.version.is_some();
        let of = |report: QualityReport| {
            let found = findings::of_quality(&report, is_its_own);
            details.quality = Some(report);
            found
        };
        found.extend(seen("quality/predictions", judged.map(of))?);
    }
    if let Some(settings) = &drift {
        let judged = drift::judge(settings, now);
        let of = |report: DriftReport| {
            let found = findings::of_drift(&report);
            details.drift = Some(report);
            found
        };
        found.extend(seen(findings::DRIFT, judged.map(of))?);
    }
    Ok(found)
}

/// A table that is not there or cannot be read is found too; a wrong setting is an error.
fn seen(topic: &str, judged: Result<Vec<Finding>, Failure>) -> Result<Vec<Finding>, Failure> {
    match judged {
        Err(failure) if failure.exit == Exit::Usage && failure.reason_code != NOT_FOUND => Err(failure),
        Err(failure) => {
            let is_absent = failure.reason_code == NOT_FOUND;
            Ok(vec![findings::unseen(topic.to_owned(), is_absent, &failure.message)])
        }
        found => found,
    }
}

/// Where nothing serves, what asks about a version is unknown.
fn unserved(place: Place<'_>) -> Vec<Finding> {
    let watched = &place.model.monitor;
    let slo = watched.slo.iter().map(|objective| format!("slo/{}", objective.name));
    let streams = watched.streams.iter().map(|stream| format!("stream/{}", stream.name));
    slo.chain(streams).map(|topic| findings::unseen(topic, false, "no version serves there")).collect()
}

/// What an incident is about that is still asked for, and that this look could say nothing of: it is not over.
fn unsaid(place: Place<'_>, before: Option<&WatchReport>, found: &[Finding]) -> Vec<Finding> {
    let topics = before.into_iter().flat_map(|before| &before.incidents).map(|incident| &incident.topic);
    topics
        .map(|topic| topic.strip_suffix(NO_DATA).unwrap_or(topic))
        .filter(|topic| is_asked(&place.model.monitor, topic))
        .filter(|topic| found.iter().all(|finding| finding.topic != *topic))
        .map(|topic| findings::unseen(topic.to_owned(), false, "this look has nothing about it"))
        .collect()
}

/// Whether a score or a slice is asked for: a report has them only where they could be judged.
fn is_asked(watched: &MonitorSettings, topic: &str) -> bool {
    let is_score = |score: &str| {
        let score = score.strip_prefix("expected-").unwrap_or(score);
        let mut bounds = watched.quality.iter().flat_map(|quality| quality.bounds.keys());
        bounds.any(|metric| metric.as_str() == score)
    };
    let mut slices = watched.drift.iter().flat_map(|drift| &drift.slices);
    topic.strip_prefix("quality/").is_some_and(is_score)
        || slices.any(|slice| findings::is_of_slice(topic, slice))
}

fn notice(
    workspace: &Workspace,
    place: Place<'_>,
    version: Option<&Version>,
    change: &Change,
) -> IncidentNotice {
    let incident = &change.incident;
    let (model, environment) = (place.name, place.environment);
    IncidentNotice {
        change: change.change,
        model: model.clone(),
        environment: environment.clone(),
        version: version.cloned(),
        topic: incident.topic.clone(),
        fingerprint: format!("{model}/{environment}/{}", incident.topic),
        opened: incident.opened.last().copied().unwrap_or(incident.since),
        at: workspace.clock.now(),
        finding: incident.finding.clone(),
        runbook: place.model.monitor.alerts.runbook.clone(),
        command: incident.finding.command(model, environment),
        run: workspace.context.by.run.clone(),
    }
}
