//! `tagship monitor check`: one look at everything that is configured, remembered in git and told.

mod made;

use tagship_domain::{
    Duration, Exit,
    incident::{Finding, Incident, IncidentPhase, Standing, WatchReport},
    monitor::LookDetails,
    plan::OnFailure,
    schema,
};
use tagship_export::exposition;
use tagship_monitor::history;
use tagship_ports::state_store::{AppendError, Entry};
use tagship_report::{markdown, terminal};
use tagship_runner::{
    Failure,
    args::{CheckFailure, LookArgs, Pace, RollbackArgs},
    write::{self, Existing},
};

use self::made::{is_anything_watched, made};
use crate::{
    answer::Answer,
    failure::failed,
    monitoring::telling,
    pipeline::{Place, recorded, refuse_unguarded},
    verbs::{lock::lock_environment, monitor::site, rollback},
    workspace::Workspace,
};

/// How long a look stays with the rollback that it began; a later run goes on with it.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How often another run may write the history in between.
const RACES: usize = 5;

pub(crate) async fn run(args: &LookArgs, workspace: &Workspace) -> Result<Answer, Failure> {
    let (name, model) = workspace.model()?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    if !is_anything_watched(&model.monitor) {
        return Err(Failure::usage(format!("nothing of {name} is watched"))
            .hint(format!("add e.g. models.{name}.monitor.slo to the configuration")));
    }
    telling::check(&model.monitor.alerts)?;
    let (mut report, details) = look(args, workspace, place).await?;
    if let Some(file) = &args.metrics {
        // Whoever scrapes sees an old look by its time; what was found is remembered and told all the same.
        if let Err(failure) = write::shared(file, &exposition::page(&report), Existing::Replace) {
            workspace.tell_once(&format!(
                "warning: {}; the metrics are those of an earlier look",
                failure.message
            ));
        }
    }
    // Going back comes first: telling waits for others.
    let acted = if args.dry_run { Ok(None) } else { act(args, workspace, place, &report).await };
    if !args.dry_run && !report.outbox.is_empty() {
        let outbox = std::mem::take(&mut report.outbox);
        let owed = outbox.len();
        report.outbox = telling::deliver(workspace, outbox, &model.monitor.alerts).await;
        if report.outbox.len() < owed
            && let Err(failure) = delivered(workspace, place, &report, &details).await
        {
            workspace.tell_once(&format!("what was told may be told again: {}", failure.message));
        }
    }
    // Pages show what was done too; that what was done failed is told either way.
    let pages = match &args.site {
        Some(out) => Some(site::written(workspace, None, None, out).await),
        None => None,
    };
    let mut answer = answer(args, workspace, &report, acted?)?;
    match pages {
        Some(Ok(written)) => {
            answer.text.push('\n');
            answer.text.push_str(&written);
        }
        // What was found and done is the answer, whatever became of the pages.
        Some(Err(failure)) => {
            workspace.tell_once(&format!("warning: {}; the pages are old", failure.message));
        }
        None => {}
    }
    Ok(answer)
}

/// Looks, and appends what was found to the history. Where another run was faster, it begins again from what that one left.
async fn look(
    args: &LookArgs,
    workspace: &Workspace,
    place: Place<'_>,
) -> Result<(WatchReport, LookDetails), Failure> {
    let journal = history::journal_name(place.name, place.environment);
    let journals = workspace.host.journals.as_ref();
    for _ in 0..RACES {
        let tip = journals.tip(&journal).await.map_err(failed)?;
        let (report, details) = made(workspace, place, read(&journal, tip.as_ref())?.as_ref()).await?;
        if args.dry_run {
            return Ok((report, details));
        }
        let entry = history::entry(&report, &details).map_err(Failure::incomplete)?;
        match journals.append(&journal, tip.as_ref().map(|tip| &tip.id), &entry).await {
            Ok(_) => return Ok((report, details)),
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
async fn delivered(
    workspace: &Workspace,
    place: Place<'_>,
    report: &WatchReport,
    details: &LookDetails,
) -> Result<(), Failure> {
    let journal = history::journal_name(place.name, place.environment);
    let journals = workspace.host.journals.as_ref();
    let tip = journals.tip(&journal).await.map_err(failed)?;
    let Some(tip) = tip.filter(|tip| history::look_of(tip).is_ok_and(|look| look.at == report.at)) else {
        return Ok(());
    };
    let entry = history::entry(report, details).map_err(Failure::incomplete)?;
    match journals.append(&journal, Some(&tip.id), &entry).await {
        Ok(_) | Err(AppendError::Lost { .. }) => Ok(()),
        Err(AppendError::Port(error)) => Err(failed(error)),
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
    let least = place.model.monitor.alerts.open_after;
    let newest = recorded(workspace, place).await?;
    let Some(began) = newest.as_ref().map(|state| state.started) else { return Ok(None) };
    let is_open = |finding: &&Finding| {
        // Rows of quality are those of the version that serves. The window of an objective reaches back: what was bad before
        // this version came is not its fault.
        let is_its_own = |incident: &Incident| {
            finding.topic.starts_with("quality/")
                || incident.opened.last().is_some_and(|opened| *opened >= began)
        };
        let confirmed = |incident: &Incident| {
            incident.topic == finding.topic
                && incident.phase == IncidentPhase::Open
                && incident.bad >= least
                && is_its_own(incident)
        };
        finding.standing == Standing::Bad && finding.is_regression && report.incidents.iter().any(confirmed)
    };
    let Some(why) = report.findings.iter().find(is_open) else { return Ok(None) };
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
    let summary = workspace.context.summary_file.as_ref().map(|_| markdown::watch(report));
    let Some(acted) = acted else {
        let answer = Answer::plain(exit, decision, decision, text, json);
        return Ok(Answer { summary, ..answer });
    };
    text.push('\n');
    text.push_str(&acted.text);
    // What was done about it is the answer: a rollback that failed must not look like a look.
    let reason = acted.reason_code.clone();
    let exit = if acted.exit == Exit::Done { exit } else { acted.exit };
    let summary =
        [summary, acted.summary.clone()].into_iter().flatten().reduce(|one, other| one + "\n" + &other);
    Ok(Answer { summary, ..Answer::plain(exit, &acted.decision, &reason, text, json) })
}
