//! `tagship monitor check`: one look at everything that is configured, remembered in git and told.

mod made;

use tagship_domain::{
    CommitId, Duration, Exit,
    incident::{Finding, Incident, IncidentPhase, Standing, WatchReport},
    monitor::LookDetails,
    plan::OnFailure,
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

use self::made::made;
use crate::{
    answer::Answer,
    failure::failed,
    monitoring::{
        leaving,
        shown::{self, is_anything_watched},
        telling,
    },
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
    leaving::check(workspace, &model.monitor)?;
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
    // Going back can take half an hour, in which nobody should read an older look.
    if !args.dry_run {
        leaving::leave(workspace, &model.monitor, &report).await;
    }
    // Going back comes before telling, which waits for others.
    let acted = if args.dry_run { Ok(None) } else { act(args, workspace, place, &report).await };
    if !args.dry_run {
        tell(workspace, place, &mut report, &details).await;
        shown::tell(workspace, place, &report).await;
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

/// Tells whom something is owed, and remembers who had it and where it can be read.
async fn tell(workspace: &Workspace, place: Place<'_>, report: &mut WatchReport, details: &LookDetails) {
    let outbox = std::mem::take(&mut report.outbox);
    let owed = outbox.len();
    let delivered = telling::deliver(workspace, outbox, &place.model.monitor.alerts).await;
    report.outbox = delivered.left;
    for (topic, address) in delivered.issues {
        if let Some(told) = report.incidents.iter_mut().find(|incident| incident.topic == topic) {
            told.issue = Some(address);
        }
    }
    if report.outbox.len() < owed
        && let Err(failure) = remember(workspace, place, report, details).await
    {
        workspace.tell_once(&format!("what was told may be told again: {}", failure.message));
    }
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
            Ok(newest) => {
                shorten(workspace, &journal, &newest).await;
                return Ok((report, details));
            }
            Err(AppendError::Lost { .. }) => {}
            Err(AppendError::Port(error)) => return Err(failed(error)),
        }
    }
    Err(Failure::incomplete(format!("write journal {journal}: others keep writing to it; try again")))
}

/// Keeps the journal of looks as long as its newest entry remembers. Another run may look at the same time, or do the same: then the
/// next look does it.
async fn shorten(workspace: &Workspace, journal: &str, newest: &CommitId) {
    match workspace.host.journals.shorten(journal, newest, history::ENTRIES).await {
        Ok(_) | Err(AppendError::Lost { .. }) => {}
        Err(AppendError::Port(error)) => {
            workspace.tell_once(&format!("warning: {error}; the history stays as long as it is"));
        }
    }
}

fn read(journal: &str, tip: Option<&Entry>) -> Result<Option<WatchReport>, Failure> {
    tip.map(history::look_of).transpose().map_err(|error| {
        Failure::incomplete(format!("read journal {journal}: {error}; use the tagship version that wrote it"))
    })
}

/// Takes what was delivered out of the newest entry. A run that was faster has it still: then a notice comes twice, and never not at
/// all.
async fn remember(
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
    let mut summary = workspace.context.summary_file.as_ref().map(|_| markdown::watch(report));
    let mut ending = (decision.to_owned(), decision.to_owned(), exit);
    if let Some(acted) = acted {
        text.push('\n');
        text.push_str(&acted.text);
        // What was done about it is the answer: a rollback that failed must not look like a look.
        let exit = if acted.exit == Exit::Done { exit } else { acted.exit };
        ending = (acted.decision, acted.reason_code, exit);
        summary = [summary, acted.summary].into_iter().flatten().reduce(|one, other| one + "\n" + &other);
    }
    let answer = Answer::document(&workspace.handover, Some(&report.model), report, text, ending)?;
    Ok(Answer { summary, ..answer })
}
