//! `tagship monitor check`: one look at everything that is configured, remembered in git and told.

use tagship_domain::{
    Duration, Exit, Version,
    incident::{Finding, IncidentNotice, IncidentPhase, NO_DATA, Standing, WatchReport},
    plan::OnFailure,
    schema,
};
use tagship_monitor::{
    alerts::{Change, Policy, advance},
    findings, history,
};
use tagship_ports::state_store::{AppendError, Entry};
use tagship_release as release;
use tagship_report::terminal;
use tagship_runner::{
    Failure,
    args::{CheckFailure, LookArgs, Pace, RollbackArgs},
};

use crate::{
    answer::Answer,
    failure::failed,
    monitoring::{quality, slo, streams, telling},
    pipeline::{Place, recorded, refuse_unguarded},
    verbs::{lock::lock_environment, rollback},
    workspace::Workspace,
};

/// How long a look stays with the rollback that it began; a later run goes on with it.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Reason code of what is not there.
const NOT_FOUND: &str = "not-found";
/// How often another run may write the history in between.
const RACES: usize = 5;

pub(crate) async fn run(args: &LookArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    let watched = &model.monitor;
    if watched.quality.is_none() && watched.slo.is_empty() && watched.streams.is_empty() {
        return Err(Failure::usage(format!("nothing of {name} is watched"))
            .hint(format!("add e.g. models.{name}.monitor.slo to the configuration")));
    }
    let mut report = look(args, workspace, place).await?;
    if !args.dry_run && !report.outbox.is_empty() {
        let outbox = std::mem::take(&mut report.outbox);
        let owed = outbox.len();
        report.outbox = telling::deliver(workspace, outbox, &watched.alerts).await;
        if report.outbox.len() < owed {
            delivered(workspace, place, &report).await?;
        }
    }
    let acted = if args.dry_run { None } else { act(args, workspace, place, &report).await? };
    answer(args, workspace, &report, acted)
}

/// Looks, and appends what was found to the history. Where another run was faster, it begins again from what that one left.
async fn look(args: &LookArgs, workspace: &Workspace, place: Place<'_>) -> Result<WatchReport, Failure> {
    let journal = history::journal_name(place.name, place.environment);
    let journals = workspace.host.journals.as_ref();
    for _ in 0..RACES {
        let tip = journals.tip(&journal).await.map_err(failed)?;
        let report = made(workspace, place, read(&journal, tip.as_ref())?.as_ref()).await?;
        if args.dry_run {
            return Ok(report);
        }
        let entry = history::entry(&report).map_err(Failure::incomplete)?;
        match journals.append(&journal, tip.as_ref().map(|tip| &tip.id), &entry).await {
            Ok(_) => return Ok(report),
            Err(AppendError::Lost { .. }) => {}
            Err(AppendError::Port(error)) => return Err(failed(error)),
        }
    }
    Err(Failure::incomplete(format!("write journal {journal}: others keep writing to it; try again")))
}

fn read(journal: &str, tip: Option<&Entry>) -> Result<Option<WatchReport>, Failure> {
    tip.map(history::look_of).transpose().map_err(|error| {
        Failure::incomplete(format!("read journal {journal}: {error}; use the tagship version that wrote it"))
    })
}

/// Takes what was delivered out of the newest entry. A run that was faster has it still: then a notice comes twice, and never not at
/// all.
async fn delivered(workspace: &Workspace, place: Place<'_>, report: &WatchReport) -> Result<(), Failure> {
    let journal = history::journal_name(place.name, place.environment);
    let journals = workspace.host.journals.as_ref();
    let tip = journals.tip(&journal).await.map_err(failed)?;
    let Some(tip) = tip.filter(|tip| history::look_of(tip).is_ok_and(|look| look.at == report.at)) else {
        return Ok(());
    };
    let entry = history::entry(report).map_err(Failure::incomplete)?;
    match journals.append(&journal, Some(&tip.id), &entry).await {
        Ok(_) | Err(AppendError::Lost { .. }) => Ok(()),
        Err(AppendError::Port(error)) => Err(failed(error)),
    }
}

async fn made(
    workspace: &Workspace,
    place: Place<'_>,
    before: Option<&WatchReport>,
) -> Result<WatchReport, Failure> {
    let (now, watched) = (workspace.clock.now(), &place.model.monitor);
    let registry = workspace.registry().await?;
    let current = release::current(&registry, place.name, place.environment).map_err(failed)?;
    let version = current.map(|current| current.version);
    let mut found = vec![];
    if let Some(settings) = &watched.quality {
        found.extend(match quality::judge(settings, &workspace.root) {
            Ok(report) => findings::of_quality(&report),
            Err(failure) if failure.exit == Exit::Usage && failure.reason_code != NOT_FOUND => {
                return Err(failure);
            }
            Err(failure) => {
                let is_absent = failure.reason_code == NOT_FOUND;
                vec![findings::unseen("quality/predictions".to_owned(), is_absent, &failure.message)]
            }
        });
    }
    let mut states = vec![];
    match &version {
        Some(version) => {
            let objectives = slo::judge(workspace, &watched.slo, version, now).await?;
            found.extend(objectives.iter().map(findings::of_objective));
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
    let remembered = before.map_or(&[][..], |before| &before.incidents);
    let (incidents, changes) = advance(remembered, &found, &policy, now);
    let notices: Vec<_> =
        changes.iter().map(|change| notice(workspace, place, version.as_ref(), change)).collect();
    let waiting = before.map(|before| before.outbox.clone()).unwrap_or_default();
    Ok(WatchReport {
        model: place.name.clone(),
        environment: place.environment.clone(),
        version,
        at: now,
        good: findings::together(&found),
        findings: found,
        incidents,
        streams: states,
        trend: history::trend(before),
        outbox: telling::owed(waiting, &notices, alerts),
    })
}

/// Where nothing serves, what asks about a version is unknown.
fn unserved(place: Place<'_>) -> Vec<Finding> {
    let watched = &place.model.monitor;
    let slo = watched.slo.iter().map(|objective| format!("slo/{}", objective.name));
    let streams = watched.streams.iter().map(|stream| format!("stream/{}", stream.name));
    slo.chain(streams).map(|topic| findings::unseen(topic, false, "no version serves there")).collect()
}

/// Scores that an incident is about, that are still asked for, and that this look could say nothing of: they are not over.
fn unsaid(place: Place<'_>, before: Option<&WatchReport>, found: &[Finding]) -> Vec<Finding> {
    let Some(quality) = &place.model.monitor.quality else { return vec![] };
    let topics = before.into_iter().flat_map(|before| &before.incidents).map(|incident| &incident.topic);
    let is_asked = |topic: &&str| {
        let score = topic.strip_prefix("quality/").unwrap_or_default();
        let score = score.strip_prefix("expected-").unwrap_or(score);
        quality.bounds.keys().any(|metric| metric.as_str() == score)
    };
    topics
        .map(|topic| topic.strip_suffix(NO_DATA).unwrap_or(topic))
        .filter(is_asked)
        .filter(|topic| found.iter().all(|finding| finding.topic != *topic))
        .map(|topic| findings::unseen(topic.to_owned(), false, "this look has no such score"))
        .collect()
}

fn notice(
    workspace: &Workspace,
    place: Place<'_>,
    version: Option<&Version>,
    change: &Change,
) -> IncidentNotice {
    let incident = &change.incident;
    let (model, environment) = (place.name, place.environment);
    let command = if incident.finding.is_regression {
        format!("tagship rollback --model {model} --environment {environment}")
    } else {
        format!("tagship monitor check --model {model} --environment {environment} --dry-run")
    };
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
        command,
        run: workspace.context.by.run.clone(),
    }
}

/// What a confirmed regression inside the guard leads to, as `on-failure` says; nothing where there is none, where nothing is under
/// guard, or where a person has decided.
async fn act(
    args: &LookArgs,
    workspace: &Workspace,
    place: Place<'_>,
    report: &WatchReport,
) -> Result<Option<Answer>, Failure> {
    let is_open = |finding: &&Finding| {
        let confirmed = |incident: &tagship_domain::incident::Incident| {
            incident.topic == finding.topic && incident.phase == IncidentPhase::Open
        };
        finding.standing == Standing::Bad && finding.is_regression && report.incidents.iter().any(confirmed)
    };
    let Some(why) = report.findings.iter().find(is_open) else { return Ok(None) };
    let newest = recorded(workspace, place).await?;
    if let Err(refusal) = refuse_unguarded(workspace, place, newest.as_ref()).await {
        if refusal.exit != Exit::Negative {
            return Err(refusal);
        }
        workspace.tell_once(&format!("left as it is: {}", refusal.message));
        return Ok(None);
    }
    match place.settings.on_failure {
        OnFailure::Propose => Ok(None),
        OnFailure::Freeze => lock_environment(workspace, place.environment, &why.sentence).await.map(Some),
        OnFailure::Rollback => {
            let back = RollbackArgs {
                common: args.common.clone(),
                to: None,
                guard: true,
                reason: Some(why.sentence.clone()),
                pace: Pace { wait: true, once: false, time_budget: PATIENCE, metrics: None, fail_on: vec![] },
                dry_run: false,
            };
            Box::pin(rollback::run(&back, workspace)).await.map(Some)
        }
    }
}

fn answer(
    args: &LookArgs,
    workspace: &Workspace,
    report: &WatchReport,
    acted: Option<Answer>,
) -> Result<Answer, Failure> {
    let mut text = terminal::watch(report, &workspace.style());
    let (exit, decision) = match (report.good, args.fail_on) {
        (Some(false), Some(CheckFailure::Bad)) => (Exit::Negative, "bad"),
        (Some(false), None) => (Exit::Done, "bad"),
        (Some(true), _) => (Exit::Done, "good"),
        (None, _) => (Exit::Incomplete, "unknown"),
    };
    let json = schema::to_json(report).map_err(Failure::incomplete)?;
    let Some(acted) = acted else { return Ok(Answer::plain(exit, decision, decision, text, json)) };
    text.push('\n');
    text.push_str(&acted.text);
    // What was done about it is the answer: a rollback that failed must not look like a look.
    let reason = acted.reason_code.clone();
    let exit = if acted.exit == Exit::Done { exit } else { acted.exit };
    Ok(Answer::plain(exit, &acted.decision, &reason, text, json))
}
