//! `tagship run`: everything an event leads to.

use tagship_decide::{Arrival, is_settled};
use tagship_domain::{
    CommitId, Environment, Exit, ModelName,
    approval::PendingApproval,
    decision::{Action, Decision, DecisionItem, ReasonCode},
    event::{Command, Event, Trigger},
    gate::Outcome,
    report::{Section, StatusReport},
    rollout::{Kind, Phase, RolloutState},
};
use tagship_ports::Approvals as _;
use tagship_release::Made;
use tagship_report::{markdown, sentence::headline};
use tagship_rollout::Tick;
use tagship_runner::{
    Failure,
    args::{Pace, RunArgs},
};

use super::{
    command::{self, Followed},
    decide,
    gate::gate_model,
    release::{next_version, release_model, show_again},
    validate::validate_model,
};
use crate::{
    aliases::follow_all,
    answer::Answer,
    failure::failed,
    marks,
    pipeline::{Lead, Place, answer, lead, recorded, release_of, story},
    publisher::{now, section, write},
    sources::{Looked, look, settle},
    stage::Stage,
    state::repository_state,
    summary,
    verdicts::Verdicts,
    workflows::listens_to_comments,
    workspace::Workspace,
};

pub(crate) async fn run(args: &RunArgs, mut workspace: Workspace) -> Result<Answer, Failure> {
    let trigger = decide::trigger(&args.event, &args.common, &workspace).await?;
    let Event::Comment(asked) = &trigger.event else {
        let done = Box::pin(by_event(args, &mut workspace, &trigger)).await;
        if matches!(trigger.event, Event::Schedule) {
            workspace.choose_as(&args.common);
            // What failed when a rollout ended is tried again, however this run went.
            follow_all(&workspace).await;
        }
        return done;
    };
    match Box::pin(command::follow(&workspace, &trigger, asked)).await? {
        Followed::Answered(answer) => Ok(answer),
        Followed::Decided(decision) => {
            let done = carry_out(args, &mut workspace, &Looked::default(), &decision).await;
            let exit = done.as_ref().map_or_else(|failure| failure.exit, |answer| answer.exit);
            command::conclude(&workspace, asked, exit).await?;
            done
        }
    }
}

async fn by_event(args: &RunArgs, workspace: &mut Workspace, trigger: &Trigger) -> Result<Answer, Failure> {
    let is_elsewhere = workspace.models()?.iter().any(|(_, model)| model.artifact.elsewhere().is_some());
    if matches!(trigger.event, Event::Schedule) && is_elsewhere {
        go_on_first(args, workspace, trigger).await?;
    }
    let looked = Box::pin(look(workspace, &trigger.event)).await?;
    let decision = tagship_decide::decide(trigger, &repository_state(workspace, &looked).await?);
    let begun = Begun { trigger, looked: &looked };
    let done = carry_out(args, workspace, begun.looked, &decision).await?;
    Box::pin(follow_on(args, workspace, begun, decision, done)).await
}

/// Goes one step on with what runs, before places elsewhere are looked at, which may take their time. What becomes of it is
/// told when it goes on after the look.
async fn go_on_first(args: &RunArgs, workspace: &mut Workspace, trigger: &Trigger) -> Result<(), Failure> {
    let running = tagship_decide::decide(trigger, &repository_state(workspace, &Looked::default()).await?);
    let pace = Pace { once: true, ..args.pace.clone() };
    for item in running.items.iter().filter(|item| item.action == Action::Tick) {
        workspace.choose(&item.model, item.environment.as_ref());
        if let Err(failure) = follow(workspace, &pace, item).await {
            workspace.tell_once(&failure.message);
        }
    }
    workspace.choose_as(&args.common);
    Ok(())
}

/// What a run is about, and what it found before it decided.
#[derive(Clone, Copy)]
struct Begun<'a> {
    trigger: &'a Trigger,
    looked: &'a Looked,
}

/// Decides again about what waited for an environment that this run may have served. Each round is one environment
/// further, so that there are no more rounds than items.
async fn follow_on(
    args: &RunArgs,
    workspace: &mut Workspace,
    begun: Begun<'_>,
    decision: Decision,
    done: Answer,
) -> Result<Answer, Failure> {
    let waits = |item: &&DecisionItem| item.reason_code == ReasonCode::AwaitsEnvironment;
    let mut waiting: Vec<DecisionItem> = decision.items.iter().filter(waits).cloned().collect();
    let acted = decision.action != Action::Skip;
    let mut answer = done;
    for _ in 0..decision.items.len() {
        if waiting.is_empty() || !acted || answer.exit != Exit::Done {
            break;
        }
        workspace.choose_as(&args.common);
        let mut next =
            tagship_decide::decide(begun.trigger, &repository_state(workspace, begun.looked).await?);
        let waited = |item: &DecisionItem| {
            waiting
                .iter()
                .any(|earlier| earlier.model == item.model && earlier.environment == item.environment)
        };
        next.items.retain(|item| waited(item) && item.action != Action::Skip);
        let Some(first) = next.items.first() else { break };
        (next.action, next.reason_code, next.sentence) =
            (first.action, first.reason_code, first.sentence.clone());
        let goes_on = |item: &DecisionItem| {
            next.items.iter().any(|begun| begun.model == item.model && begun.environment == item.environment)
        };
        waiting.retain(|item| !goes_on(item));
        let further = carry_out(args, workspace, begun.looked, &next).await?;
        answer = one_after_the_other(answer, further);
    }
    Ok(answer)
}

/// What a run answers that went on: all that people are told, and for later steps what came last.
fn one_after_the_other(earlier: Answer, later: Answer) -> Answer {
    let both = [earlier.summary, later.summary].into_iter().flatten().collect::<Vec<_>>();
    Answer {
        exit: earlier.exit.max(later.exit),
        text: join([earlier.text, later.text]),
        summary: (!both.is_empty()).then(|| both.join("\n")),
        annotations: [earlier.annotations, later.annotations].concat(),
        ..later
    }
}

/// Does what was decided.
async fn carry_out(
    args: &RunArgs,
    workspace: &mut Workspace,
    looked: &Looked,
    decision: &Decision,
) -> Result<Answer, Failure> {
    let mut told = vec![tagship_report::terminal::decision(decision, &workspace.style())];
    let mut exit = decide::exit_of(decision);
    let mut sections = vec![];
    for item in &decision.items {
        workspace.choose(&item.model, item.environment.as_ref());
        let pace = Pace { once: args.pace.once || gives_way(decision, item), ..args.pace.clone() };
        let done = follow(workspace, &pace, item).await?;
        let is_new = matches!(looked.arrival(&item.model), Some(Arrival::New { .. }));
        if is_new && is_settled(item) && done.decides(item) {
            settle(workspace, &item.model, item.environment.as_ref()).await?;
        }
        exit = exit.max(done.exit);
        // Where the report is folded away, its first line is not.
        let is_hidden = |section: &&Section| done.text.is_empty() && section.validation.is_some();
        let hidden = done.section.as_ref().filter(is_hidden);
        told.extend(hidden.map(|section| headline(section).text));
        told.push(done.text);
        sections.extend(done.section);
    }
    let shown = show(workspace, decision, &sections).await?;
    told.extend(shown.told);
    // A fork's token can only read: reviewers find everything in the step's summary.
    let from_fork = workspace.context.proposed.as_ref().is_some_and(|proposed| proposed.from_fork);
    let reason = if from_fork && shown.left_out && exit == Exit::Done {
        "fork-read-only".to_owned()
    } else {
        decision.reason_code.to_string()
    };
    let ending = (decision.action.to_string(), reason, exit);
    let mut answer = Answer::document(&workspace.handover, None, decision, join(told), ending)?;
    if !sections.is_empty() {
        answer.annotations = summary::annotations(&sections);
        let report = report(workspace, decision, None, sections);
        answer.summary = Some(markdown::summary(&report));
        // A job with more rights can comment from it later: `tagship comment --input`.
        if let Some(file) = workspace.handover.put(None, &report)? {
            answer.outputs = answer.outputs.with("report-file", file.display().to_string());
        }
    }
    Ok(answer)
}

/// Whether what goes on is not waited for, because what arrives at the same place comes after it.
fn gives_way(decision: &Decision, item: &DecisionItem) -> bool {
    let same_place =
        |other: &&DecisionItem| other.model == item.model && other.environment == item.environment;
    let mut others = decision.items.iter().filter(same_place);
    item.action == Action::Tick && others.any(|other| other.action == Action::Deploy)
}

/// What one item led to.
struct Done {
    exit: Exit,
    text: String,
    /// What reviewers are shown.
    section: Option<Section>,
    /// Where a rollout was left.
    tick: Option<Tick>,
}

impl Done {
    /// Whether nothing is left to decide about what an item is about: a rollout has it, or it was turned down.
    fn decides(&self, item: &DecisionItem) -> bool {
        match (&self.tick, &item.digest) {
            (None, _) => !matches!(self.exit, Exit::Incomplete | Exit::Usage),
            (Some(tick), Some(digest)) => tick.has_taken_up(digest),
            (Some(_), None) => false,
        }
    }

    /// Nothing was done; what reviewers are told all the same.
    fn nothing(section: Option<Section>) -> Self {
        Self { exit: Exit::Done, text: String::new(), section, tick: None }
    }
}

/// What a lock keeps out: whoever merged it waits for a deployment that does not come.
fn kept_out(item: &DecisionItem) -> Option<Section> {
    let section = Section::of(item.model.clone(), item.environment.clone());
    let locked = item.reason_code == ReasonCode::EnvironmentLocked;
    locked.then(|| Section { decision: Some(item.clone()), ..section })
}

async fn follow(workspace: &Workspace, pace: &Pace, item: &DecisionItem) -> Result<Done, Failure> {
    let place = |name: &ModelName, environment: &Environment| -> Result<(), Failure> {
        workspace.screen.detail(&format!("{name} in {environment}: {}", item.sentence));
        Ok(())
    };
    let (name, model) = workspace.model()?;
    let (Some(environment), true) = (&item.environment, item.action != Action::ValidateOnly) else {
        return match item.action {
            Action::ValidateOnly => judge(workspace, item).await.map(|judged| judged.followed),
            _ => Ok(Done::nothing(None)),
        };
    };
    place(name, environment)?;
    let (environment, settings) = workspace.environment(name, model)?;
    let place = Place { name, model, environment, settings };
    let tell = |command| led(workspace, place, Lead::Tell(command), pace);
    match (item.action, &item.version) {
        (Action::Skip | Action::ValidateOnly, _) => Ok(Done::nothing(kept_out(item))),
        (Action::Tick, _) => led(workspace, place, Lead::GoOn, pace).await,
        (Action::Abort, _) => tell(Command::Abort).await,
        (Action::Pause, _) => tell(Command::Pause).await,
        (Action::Resume, _) => tell(Command::Resume).await,
        (Action::Promote, _) => tell(Command::Promote).await,
        (Action::PromoteFull, _) => tell(Command::PromoteFull).await,
        (Action::Rollback, Some(_)) if is_stuck(workspace, place).await? => tell(Command::Rollback).await,
        (Action::Rollback, Some(version)) => {
            let target = release_of(workspace, name, version).await?;
            led(workspace, place, Lead::Begin(Kind::Rollback, &target), pace).await
        }
        (Action::Deploy | Action::Retry, Some(version)) => {
            let candidate = release_of(workspace, name, version).await?;
            show_again(workspace, model, &candidate).await?;
            led(workspace, place, Lead::Begin(Kind::Deploy, &candidate), pace).await
        }
        (Action::Deploy | Action::Retry | Action::Rollback, None) => {
            let judged = judge(workspace, item).await?;
            let Some(made) = judged.release(workspace).await? else { return Ok(judged.followed) };
            let done = led(workspace, place, Lead::Begin(Kind::Deploy, &made.release), pace).await?;
            Ok(Done { text: join([judged.followed.text, done.text]), ..done })
        }
    }
}

/// Whether a rollback failed here and waits for a person: whoever asks for one has it tried again.
async fn is_stuck(workspace: &Workspace, place: Place<'_>) -> Result<bool, Failure> {
    let running = recorded(workspace, place).await?.filter(RolloutState::holds_lock);
    Ok(running.is_some_and(|running| running.phase == Phase::RollbackFailed))
}

/// Leads a rollout, and says how it was left.
async fn led(workspace: &Workspace, place: Place<'_>, what: Lead<'_>, pace: &Pace) -> Result<Done, Failure> {
    let stage = Stage::begin(workspace, &format!("roll out {} to {}", place.name, place.environment));
    let tick = lead(workspace, place, what, pace).await?;
    let done = rolled(workspace, place, &tick).await?;
    Ok(Done { text: stage.end(done.text), tick: Some(tick), ..done })
}

/// Texts one below the other, without those that were said already.
fn join(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    texts.join("\n")
}

/// How a rollout was left.
async fn rolled(workspace: &Workspace, place: Place<'_>, tick: &Tick) -> Result<Done, Failure> {
    let answer = answer(workspace, place, tick).await?;
    let section = match tick.state() {
        None => None,
        Some(state) => {
            let story = story(workspace, place).await?;
            Some(section(workspace, place.model, state.clone(), story).await.map_err(failed)?)
        }
    };
    Ok(Done { exit: answer.exit, text: answer.text, section, tick: None })
}

/// Validation and gate of the checkout's bytes.
struct Judged {
    followed: Done,
    validation: tagship_domain::validation::ValidationReport,
    gate: Option<tagship_domain::gate::GateReport>,
}

async fn judge(workspace: &Workspace, item: &DecisionItem) -> Result<Judged, Failure> {
    use tagship_report::terminal;
    let (name, model) = workspace.model()?;
    let stage = Stage::begin(workspace, &format!("validate {name}"));
    let memory = Verdicts::of(&workspace.context);
    let validated = validate_model(workspace, name, model, memory.as_ref()).await?;
    let mut text = stage.end(validated.text(&workspace.style()));
    let validation = validated.report;
    workspace.handover.put(Some(name), &validation)?;
    let mut exit = validation.exit();
    let gate = if validation.passed() {
        let stage = Stage::begin(workspace, &format!("gate {name}"));
        let gate = gate_model(workspace, name, model, item.environment.as_ref(), Some(&validation)).await?;
        workspace.handover.put(Some(name), &gate)?;
        text.push_str(&stage.end(terminal::gate(&gate, &workspace.style())));
        exit = exit.max(gate.exit());
        Some(gate)
    } else {
        None
    };
    let passed = gate.as_ref().is_some_and(|gate| gate.outcome == Outcome::Successful);
    let next = if passed { next_version(workspace, name, model, &validation).await? } else { None };
    let section = Section {
        decision: Some(item.clone()),
        validation: Some(validation.clone()),
        gate: gate.clone(),
        next,
        ..Section::of(name.clone(), item.environment.clone())
    };
    Ok(Judged { followed: Done { exit, text, section: Some(section), tick: None }, validation, gate })
}

impl Judged {
    /// Releases what passed; answers nothing where it did not pass.
    async fn release(&self, workspace: &Workspace) -> Result<Option<Made>, Failure> {
        use tagship_report::terminal;
        let (name, model) = workspace.model()?;
        match &self.gate {
            Some(gate) if self.followed.exit == Exit::Done => {
                let stage = Stage::begin(workspace, &format!("release {name}"));
                let made =
                    release_model(workspace, name, model, self.validation.clone(), gate.clone()).await?;
                if workspace.context.hosted {
                    let because = made.because.as_deref();
                    stage.end(terminal::release(&made.release, because, &workspace.style()));
                }
                Ok(Some(made))
            }
            _ => Ok(None),
        }
    }
}

fn report(
    workspace: &Workspace,
    decision: &Decision,
    pull_request: Option<u64>,
    sections: Vec<Section>,
) -> StatusReport {
    StatusReport {
        sha: decision.sha.clone(),
        pull_request,
        written: now(workspace),
        by: workspace.context.by.clone(),
        note: None,
        commands: listens_to_comments(&workspace.root),
        sections,
    }
}

/// What became of showing a change to reviewers.
#[derive(Default)]
struct Shown {
    told: Vec<String>,
    /// Whether a comment is missing because the token may not write it.
    left_out: bool,
}

/// Marks the commit, and writes the status comment on the pull request of the event or on those that brought the
/// commit. A rollout of another commit's release is shown where that commit came from, by itself.
async fn show(workspace: &Workspace, decision: &Decision, sections: &[Section]) -> Result<Shown, Failure> {
    let ours =
        |section: &&Section| section.release.as_ref().is_none_or(|release| release.commit == decision.sha);
    let sections: Vec<Section> = sections.iter().filter(ours).cloned().collect();
    let mut shown = Shown::default();
    if sections.is_empty() {
        return Ok(shown);
    }
    for section in sections.iter().filter(|section| section.rollout.is_none()) {
        marks::of_section(workspace, report(workspace, decision, None, vec![]), section).await;
    }
    let pull_requests = pull_requests(workspace, decision.pull_request, &decision.sha).await?;
    let note = if pull_requests.is_empty() { None } else { approvals(workspace, decision).await };
    for pull_request in pull_requests {
        let report = StatusReport {
            note: note.clone(),
            ..report(workspace, decision, Some(pull_request), sections.clone())
        };
        if write(workspace, pull_request, &report).await.map_err(failed)? {
            shown.told.push(format!("status comment on #{pull_request} is up to date"));
        } else {
            shown.left_out = true;
        }
    }
    Ok(shown)
}

/// What other jobs about the commit wait for somebody to approve. Only an environment that this run has nothing to do
/// with can be held back: its own job was let go.
async fn approvals(workspace: &Workspace, decision: &Decision) -> Option<String> {
    let github = workspace.host.github.as_ref()?;
    let acted_on = |environment: &Environment| {
        decision.items.iter().any(|item| item.environment.as_ref() == Some(environment))
    };
    let others: Vec<&Environment> = workspace.places().map(|(_, _, environment, _)| environment).collect();
    let is_other = |environment: &Environment| others.contains(&environment) && !acted_on(environment);
    if others.iter().all(|environment| acted_on(environment)) {
        return None;
    }
    match github.pending(Some(&decision.sha)).await {
        Ok(pending) => {
            let waits = pending.iter().filter(|pending| is_other(&pending.environment));
            let sentences: Vec<String> = waits.map(PendingApproval::sentence).collect();
            (!sentences.is_empty()).then(|| sentences.join("; "))
        }
        Err(error) => {
            workspace.tell_once(&format!("left out: {error}"));
            None
        }
    }
}

/// The pull request of an event, else those that brought a commit.
pub(crate) async fn pull_requests(
    workspace: &Workspace,
    named: Option<u64>,
    commit: &CommitId,
) -> Result<Vec<u64>, Failure> {
    match named {
        Some(number) => Ok(vec![number]),
        None => {
            let found = workspace.host.forge.pull_requests_of(commit).await;
            found.or_else(|error| workspace.leave_out(error, vec![])).map_err(failed)
        }
    }
}
