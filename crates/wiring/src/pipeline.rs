//! Leading rollouts: what `rollout`, `rollback` and `run` share.

use std::{collections::BTreeMap, sync::Mutex};

use tagship_adapters::{
    metric_sources::{MetricsPage, asks_for_backends, open_own},
    targets::Opened,
};
use tagship_config::{EnvironmentConfig, ModelConfig};
use tagship_domain::{
    Environment, Exit, ModelName, Release, Version,
    analysis::Metric,
    event::Command,
    plan::{RolloutPlan, Smoke},
    release::Evidence,
    rollout::{Kind, PersonCommand, Phase, RolloutState, Unlocked},
    schema,
};
use tagship_ports::{MetricSource, OwnSource, PortError, Problem, state_store::Entry, target::Needs};
use tagship_release::{self as release, StoredReleases, TagStages};
use tagship_report::terminal;
use tagship_rollout::{
    Begin, Driver, Never, RolloutError, StartRefusal, Tick, Told, World, analysis::check_conditions, guarded,
    journal_name, newest_lock,
};
use tagship_runner::{Context, Failure, args::Pace, told_to_stop};

use crate::{
    aliases::follow,
    answer::Answer,
    backends::target_backends,
    deployments::Deployments,
    failure::failed,
    following::{is_followed, refuse_lead, refuse_settings},
    live::LiveScreen,
    notifying::Notifying,
    publisher::{CommentPublisher, Story, now, section},
    signatures::{refuse_unsigned, required_keys},
    state::unusable_journal,
    summary,
    targets::open_target,
    verbs::{
        lock::{is_locked, refuse_locked},
        validate::bounds,
    },
    workspace::{Workspace, located},
};

/// How often a run waits for another one that began a rollout just before it.
const RACES: usize = 5;
/// How many journal entries are read to tell a rollout's story.
const STORY: usize = 500;

/// One model in one environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) name: &'a ModelName,
    pub(crate) model: &'a ModelConfig,
    pub(crate) environment: &'a Environment,
    pub(crate) settings: &'a EnvironmentConfig,
}

/// What to lead where.
#[derive(Debug, Clone)]
pub(crate) enum Lead<'a> {
    /// Begin a rollout once the lock is free.
    Begin(Kind, &'a Release),
    /// Go on with the one that runs.
    GoOn,
    /// The same, where the journal's newest entry was just read.
    GoOnFrom(&'a Entry),
    /// Tell the one that runs something.
    Tell(Command),
    /// Undo the newest promotion, for what monitoring found.
    Fire(&'a Release, &'a str),
    /// Take the lock of one away that could not go back, for this reason.
    Unlock(&'a str),
}

/// Leads a rollout as far as the pace allows.
///
/// # Errors
/// When the journal, the target's settings or the lock stand in the way.
pub(crate) async fn lead(
    workspace: &Workspace,
    place: Place<'_>,
    lead: Lead<'_>,
    pace: &Pace,
) -> Result<Tick, Failure> {
    refuse_lead(place, &lead)?;
    let stop = told_to_stop()?;
    // Whatever was under way is dropped, as if the machine had gone: the journal is made for that.
    tokio::select! {
        tick = led(workspace, place, lead, pace) => tick,
        () = stop => Err(cancelled(workspace, place).await),
    }
}

/// Leads it, and then has the alias of a model registry follow.
async fn led(workspace: &Workspace, place: Place<'_>, lead: Lead<'_>, pace: &Pace) -> Result<Tick, Failure> {
    let tick = lead_on(workspace, place, lead, pace).await?;
    follow(workspace, place).await;
    Ok(tick)
}

/// Says that this run was told to stop, where reviewers look too, and who goes on.
async fn cancelled(workspace: &Workspace, place: Place<'_>) -> Failure {
    let stopped = |text: &str| Failure::new(Exit::Running, "cancelled", text);
    let publisher = CommentPublisher { workspace };
    let (state, story) = match publisher.newest(place.name, place.environment).await {
        Ok(Some(newest)) => newest,
        Ok(None) => return stopped("told to stop; no rollout had begun"),
        Err(error) => return stopped(&format!("told to stop; how the rollout stands is unknown: {error}")),
    };
    if !state.is_open() {
        return stopped(&format!("told to stop; the rollout had ended {} before", state.phase));
    }
    let version = &state.candidate.version;
    let text = format!(
        "The run that led this rollout was cancelled; {version} stays at {} of the traffic in {} and nothing is lost",
        state.weight.applied, place.environment
    );
    let next =
        "the next run goes on: a scheduled `tagship rollout --all`, or `tagship rollout --once` by hand";
    let shown =
        publisher.show(&state, &story.timeline, now(workspace), Some(format!("{text}; {next}"))).await;
    if let Err(error) = shown {
        workspace.tell_once(&format!("the comment does not say so: {error}"));
    }
    stopped(&text).hint(next)
}

async fn lead_on(
    workspace: &Workspace,
    place: Place<'_>,
    lead: Lead<'_>,
    pace: &Pace,
) -> Result<Tick, Failure> {
    let store = workspace.store(place.model)?;
    let opened = open_target(workspace, place.model, place.settings)?;
    let options = workspace.registry_options()?;
    let trusted = match (required_keys(workspace, place), &lead) {
        (Ok(trusted), _) => trusted,
        // The way back needs no key: nothing new is loaded on it, and without keys nothing could be.
        (Err(_), Lead::Tell(Command::Abort | Command::Rollback) | Lead::Unlock(_)) => Some(vec![]),
        (Err(failure), _) => return Err(failure),
    };
    let releases = StoredReleases { store: store.as_ref(), signed_by: trusted.as_deref() };
    let comments = CommentPublisher { workspace };
    let publisher = Notifying::new(&comments, workspace, place.settings)?;
    let deployments = Deployments { workspace, url: place.settings.environment_url.as_deref() };
    let sources = open_sources(workspace, place.model, place.name, place.settings)?;
    let page = pace.metrics.as_deref().map(MetricsPage::new).transpose().map_err(failed)?;
    let live = LiveScreen { screen: &workspace.screen, style: workspace.style(), shown: Mutex::default() };
    let registry = TagStages { repo: workspace.host.repo.as_ref(), options: &options };
    let world = World {
        journals: workspace.host.journals.as_ref(),
        releases: &releases,
        target: opened.target.as_ref(),
        runner: opened.runner.as_ref(),
        registry: &registry,
        forge: &deployments,
        dispatcher: workspace.host.dispatcher(),
        publisher: &publisher,
        metrics: page.as_ref().map(|page| page as &dyn MetricSource),
        sources: &sources,
        spectator: &live,
        clock: workspace.clock.as_ref(),
    };
    let workdir = work_directory(workspace)?;
    let mut driver = Driver::new(world, place.environment, place.name, workdir.path(), &Never)
        .in_run(workspace.context.by.run.as_deref());
    let commands = match lead {
        Lead::Tell(command) => vec![PersonCommand { command, by: workspace.context.by.clone() }],
        Lead::GoOn | Lead::GoOnFrom(_) | Lead::Begin(..) | Lead::Fire(..) | Lead::Unlock(_) => vec![],
    };
    if let Lead::Begin(Kind::Deploy, candidate) = lead {
        refuse_locked(workspace, place.environment, &candidate.to_string()).await?;
    }
    let (kind, candidate, why) = match lead {
        Lead::Begin(kind, candidate) => (kind, candidate.clone(), None),
        Lead::Fire(candidate, why) => (Kind::Rollback, candidate.clone(), Some(why)),
        Lead::Tell(_) => {
            return drive(&mut driver, Told { commands: &commands, ..Told::default() }, pace).await;
        }
        Lead::Unlock(reason) => {
            let (by, at) = (workspace.context.by.clone(), workspace.clock.now());
            let unlocked = Unlocked { by, reason: reason.to_owned(), at };
            return drive(&mut driver, Told { unlock: Some(&unlocked), ..Told::default() }, pace).await;
        }
        Lead::GoOn | Lead::GoOnFrom(_) => {
            if let Lead::GoOnFrom(tip) = lead {
                driver.know(tip).map_err(failed)?;
            }
            let tick = drive(&mut driver, Told::default(), pace).await?;
            match (&tick, tick.state().and_then(|state| state.queued.clone())) {
                // What waits for its turn waits for the lock, too.
                (Tick::Settled(_), Some(_)) if is_locked(workspace, place.environment).await? => {
                    return Ok(tick);
                }
                (Tick::Settled(_), Some(queued)) => (Kind::Deploy, queued, None),
                _ => return Ok(tick),
            }
        }
    };
    let plan = plan(workspace, place, &candidate).await?;
    refuse_impossible(&opened, &plan, kind).await?;
    begin(workspace, place, &mut driver, &New { kind, candidate: &candidate, plan: &plan, why }, pace).await
}

/// A rollout that is about to begin.
struct New<'a> {
    kind: Kind,
    candidate: &'a Release,
    plan: &'a RolloutPlan,
    /// Why the guard of the one before fires; absent where none does.
    why: Option<&'a str>,
}

/// Begins a rollout once what runs has ended, and leads it on.
async fn begin(
    workspace: &Workspace,
    place: Place<'_>,
    driver: &mut Driver<'_>,
    new: &New<'_>,
    pace: &Pace,
) -> Result<Tick, Failure> {
    let New { kind, candidate, plan, why } = *new;
    for _ in 0..RACES {
        // Whoever comes next finishes what an earlier run left behind, for the lock is that rollout itself.
        let newer = Some(candidate).filter(|_| kind == Kind::Deploy);
        let earlier = drive(driver, Told { newer, ..Told::default() }, pace).await?;
        if !matches!(earlier, Tick::Nothing | Tick::Settled(_)) {
            return Ok(earlier);
        }
        // What the environment holds may have been decided by a run elsewhere that has just ended.
        workspace.host.refresh().await.map_err(failed)?;
        let registry = workspace.registry().await?;
        let stable = release::current(&registry, place.name, place.environment).map_err(failed)?;
        if stable.as_ref().is_some_and(|stable| stable.digest == candidate.digest) {
            return Ok(earlier);
        }
        if let Some(stable) = stable.as_ref().filter(|_| kind == Kind::Deploy) {
            refuse_incomparable(workspace, place, plan, stable, candidate).await?;
        }
        if kind == Kind::Deploy {
            refuse_locked(workspace, place.environment, &candidate.to_string()).await?;
        }
        if why.is_some() {
            // Whoever has decided something since is not overruled.
            refuse_unguarded(workspace, place, earlier.state()).await?;
        }
        let after = earlier.state().map(|state| &state.id);
        let (stable, by) = (stable.as_ref(), &workspace.context.by);
        let begin = Begin { kind, candidate, stable, after, plan, by, fired: why };
        match driver.begin(&begin).await {
            Ok(_) => return drive(driver, Told::default(), pace).await,
            // Another run was faster; its rollout is led to its end like any earlier one.
            Err(RolloutError::Refused(StartRefusal::Locked { phase, .. }))
                if phase != Phase::RollbackFailed => {}
            Err(RolloutError::Overtaken { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let text = format!("begin a rollout of {candidate}: other runs were faster {RACES} times in a row");
    Err(Failure::incomplete(text).hint("run again when they are done"))
}

/// What monitoring may go back to now.
///
/// # Errors
/// Where nothing is under guard, or a person has decided.
pub(crate) async fn refuse_unguarded(
    workspace: &Workspace,
    place: Place<'_>,
    newest: Option<&RolloutState>,
) -> Result<Release, Failure> {
    let lock = newest_lock(workspace.host.journals.as_ref(), place.environment).await.map_err(failed)?;
    guarded(newest, lock.as_ref(), workspace.clock.now()).cloned().map_err(|refusal| {
        Failure::new(Exit::Negative, "not-guarded", format!("go back by monitoring: {refusal}"))
            .hint("a person goes back with `tagship rollback`")
    })
}

/// The sources of their own that metrics have, by name.
///
/// # Errors
/// For an unknown kind, wrong settings, a missing secret or a condition that cannot be one, with the place that names
/// the source.
pub(crate) fn open_sources(
    workspace: &Workspace,
    model: &ModelConfig,
    name: &ModelName,
    settings: &EnvironmentConfig,
) -> Result<BTreeMap<String, OwnSource>, Failure> {
    let asks = settings.sources.values().any(asks_for_backends);
    let backends = if asks { target_backends(workspace, model, name, settings)? } else { None };
    let metrics = settings.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let open = |metric: &Metric| {
        let spec = settings.sources.get(&metric.name)?;
        if let Err(error) = check_conditions(metric) {
            let error = PortError::new(Problem::Invalid, "read the conditions", error.to_string());
            return Some(Err(located(&error, spec)));
        }
        let source = open_own(spec, metric.kind, &workspace.root, &Context::secret, backends.clone());
        let source = source.map_err(|error| located(&error, spec));
        Some(source.map(|source| (metric.name.clone(), source)))
    };
    metrics.filter_map(open).collect()
}

/// What the target cannot do, or does not let us do, fails before anything is written. A target that does not answer is no
/// reason: the rollout waits for it. Nor is a right that is missing one not to go back: that needs few of them.
pub(crate) async fn refuse_impossible(
    opened: &Opened,
    plan: &RolloutPlan,
    kind: Kind,
) -> Result<(), Failure> {
    let mut metrics = plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let needs = Needs {
        weights: plan.weighs(),
        counters: metrics.any(|metric| !metric.own_source),
        endpoints: matches!(plan.smoke, Smoke::GoldenCases { .. }),
        sticky: plan.sticky.is_some(),
        shadow: plan.strategy.mirrors(),
        matches: plan.strategy.rule().is_some(),
    };
    match opened.target.check(needs).await {
        Err(error) if error.problem == Problem::Unsupported => Err(failed(error)),
        Err(error) if error.problem == Problem::Denied && kind == Kind::Deploy => Err(failed(error)),
        _ => Ok(()),
    }
}

/// A candidate with another interface cannot answer stable's requests, so that sharing traffic would prove nothing.
async fn refuse_incomparable(
    workspace: &Workspace,
    place: Place<'_>,
    plan: &RolloutPlan,
    stable: &Release,
    candidate: &Release,
) -> Result<(), Failure> {
    if !plan.shares_traffic() && !plan.strategy.mirrors() {
        return Ok(());
    }
    let store = workspace.store(place.model)?;
    let stable = release::read_manifest(store.as_ref(), stable).await.map_err(failed)?;
    let manifest = release::read_manifest(store.as_ref(), candidate).await.map_err(failed)?;
    let Some(change) = release::breaking_change(&stable, &manifest) else { return Ok(()) };
    let text = format!("{candidate} cannot be compared with stable on the same traffic: {change}");
    Err(Failure::new(Exit::Usage, "breaking-signature", text).hint(
        "use `strategy: { blue-green: { preview: 10m, auto-promote: false } }` without hold-back, so that a person \
         moves the traffic when clients are ready",
    ))
}

async fn drive(driver: &mut Driver<'_>, told: Told<'_>, pace: &Pace) -> Result<Tick, Failure> {
    if pace.once {
        Box::pin(driver.once(told)).await.map_err(failed)
    } else {
        Box::pin(driver.wait(told, pace.time_budget)).await.map_err(failed)
    }
}

/// A directory for released bytes on their way to the target; gone when the run ends.
fn work_directory(workspace: &Workspace) -> Result<tempfile::TempDir, Failure> {
    let parent = workspace.context.job_directory.clone().unwrap_or_else(std::env::temp_dir);
    std::fs::create_dir_all(&parent)
        .and_then(|()| tempfile::tempdir_in(&parent))
        .map_err(|error| Failure::unwritable(format!("create a directory in {}", parent.display()), &error))
}

/// What the configuration says about rolling a release out there.
///
/// # Errors
/// When it may not go there, or what it consists of cannot be read.
pub(crate) async fn plan(
    workspace: &Workspace,
    place: Place<'_>,
    candidate: &Release,
) -> Result<RolloutPlan, Failure> {
    refuse_settings(place)?;
    let store = workspace.store(place.model)?;
    let manifest = release::read_manifest(store.as_ref(), candidate).await.map_err(failed)?;
    refuse_unsigned(workspace, place, store.as_ref(), &manifest).await?;
    if is_followed(place.settings) {
        // Whoever leads the traffic judges too.
        return Ok(place.settings.plan(Smoke::ReadyOnly));
    }
    let golden = release::read_evidence(store.as_ref(), &manifest, Evidence::Golden).await.map_err(failed)?;
    let settings = place.model.validate.golden.as_ref();
    let smoke = match golden {
        None => Smoke::ReadyOnly,
        Some(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let cases: tagship_domain::golden::GoldenCases =
                schema::from_json(&text).map_err(Failure::incomplete)?;
            let tolerance =
                settings.map_or(tagship_config::validate::DEFAULT_TOLERANCE, |golden| golden.tolerance);
            Smoke::GoldenCases {
                count: cases.cases.len() as u64,
                tolerance: bounds(tolerance, None).tolerance,
                max_latency: settings.and_then(|golden| golden.max_latency),
            }
        }
    };
    Ok(place.settings.plan(smoke))
}

/// The answer that a led rollout gives.
pub(crate) async fn answer(workspace: &Workspace, place: Place<'_>, tick: &Tick) -> Result<Answer, Failure> {
    let Some(state) = tick.state() else {
        let text = format!("no rollout of {} to {} was ever started", place.name, place.environment);
        return Ok(Answer::plain(Exit::Done, "nothing", "no-rollout", text.clone(), json_sentence(&text)));
    };
    let story = story(workspace, place).await?;
    let text = terminal::rollout(state, &story.timeline, &story.series, &workspace.style());
    let ending = (state.phase.to_string(), state.reason.to_string(), tick.exit());
    let answer = Answer::document(&workspace.handover, Some(place.name), state, text, ending)?;
    let section = section(workspace, place.model, state.clone(), story).await.map_err(failed)?;
    Ok(summary::show(answer, &workspace.context, vec![section]))
}

/// What the journal of a place tells about its newest rollout.
pub(crate) async fn story(workspace: &Workspace, place: Place<'_>) -> Result<Story, Failure> {
    let journal = journal_name(place.environment, place.name);
    let entries = workspace.host.journals.history(&journal, STORY).await.map_err(failed)?;
    Story::of(&entries).map_err(Failure::incomplete)
}

/// What a dry run answers.
pub(crate) fn would(what: &str) -> Answer {
    let text = format!("would {what}");
    Answer::plain(Exit::Done, "dry-run", "dry-run", text.clone(), json_sentence(&text))
}

/// A sentence as a JSON document.
pub(crate) fn json_sentence(text: &str) -> String {
    serde_json::json!({ "sentence": text }).to_string()
}

/// The state that the journal holds for a place.
pub(crate) async fn recorded(
    workspace: &Workspace,
    place: Place<'_>,
) -> Result<Option<RolloutState>, Failure> {
    let journal = journal_name(place.environment, place.name);
    let tip = workspace.host.journals.tip(&journal).await.map_err(failed)?;
    let state = tip.as_ref().map(tagship_rollout::state_of).transpose();
    state.map_err(|error| unusable_journal(&journal, &error))
}

/// The release of a version.
pub(crate) async fn release_of(
    workspace: &Workspace,
    name: &ModelName,
    version: &Version,
) -> Result<Release, Failure> {
    release::release_of_version(&workspace.registry().await?, name, version).map_err(failed)
}

/// The named version of a model, else its newest release.
pub(crate) async fn candidate(
    workspace: &Workspace,
    place: Place<'_>,
    version: Option<&Version>,
) -> Result<Release, Failure> {
    let registry = workspace.registry().await?;
    if let Some(version) = version {
        return release::release_of_version(&registry, place.name, version).map_err(failed);
    }
    release::releases(&registry, place.name).map_err(failed)?.into_iter().next().ok_or_else(|| {
        Failure::usage(format!("{} has no release yet", place.name)).hint("run `tagship release` first")
    })
}
