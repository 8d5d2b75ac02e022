//! The driver: performs what is intended, looks, asks [`step`], writes down what it says. It knows no rule.
//!
//! An effect is performed only when the entry that intends it lies in the journal. Appending is a compare-and-swap
//! on the entry that the decision was made from, so that of two runs one goes on and the other reads again.

use std::{fmt, path::Path};

use tagship_domain::{
    CommitId, Duration, Environment, ModelName, Provenance, Release, Timestamp,
    plan::RolloutPlan,
    rollout::{
        EffectOutcome, EffectResult, Kind, Look, PersonCommand, Phase, RolloutId, RolloutState, Unlocked,
    },
};
use tagship_ports::state_store::{AppendError, Entry};

use crate::{
    effects::Performer,
    error::RolloutError,
    interruption::{Boundary, Interruption},
    journal::{self, JournalError, journal_name},
    look::next_event,
    moment::moment,
    observe::{evidence, looked, observe},
    start::{StartRequest, start},
    step::{holds, is_report, revives, step},
    tick::Tick,
    world::World,
};

/// Rounds of one tick. A rollout passes fewer phases; more would mean that it runs in circles.
const ROUNDS: usize = 64;
/// How often one tick reads again because another run was faster.
const LOSSES: usize = 3;
/// The journal is written at least this often while anything changes.
const JOURNAL_AT_LEAST: Duration = Duration::from_secs(600);
/// A wait looks this often per progress deadline, but neither busily nor sluggishly.
const LOOKS_PER_DEADLINE: u64 = 60;
const FASTEST_LOOK: Duration = Duration::from_secs(1);
const SLOWEST_LOOK: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// Drives the rollouts of one model in one environment.
pub struct Driver<'a> {
    world: World<'a>,
    environment: &'a Environment,
    model: &'a ModelName,
    workdir: &'a Path,
    interruption: &'a dyn Interruption,
    run: Option<&'a str>,
    held: Option<Held>,
    /// Whether what is held was read so recently that it need not be read again.
    is_fresh: bool,
}

/// What is known of the journal's tip.
struct Held {
    /// The entry.
    tip: CommitId,
    /// When it was written.
    written: Timestamp,
    /// The state that it holds.
    recorded: RolloutState,
    /// The same with what was seen since and need not be recorded at once.
    state: RolloutState,
    /// Looks that were used since.
    looks: Vec<Look>,
}

/// What to begin.
#[derive(Debug, Clone)]
pub struct Begin<'a> {
    /// Deploy or rollback.
    pub kind: Kind,
    /// What is to serve.
    pub candidate: &'a Release,
    /// What serves now; absent on a first deployment.
    pub stable: Option<&'a Release>,
    /// The newest rollout that was known when all this was decided. Where there is a newer one by now, what serves may
    /// be another version.
    pub after: Option<&'a RolloutId>,
    /// What will be done.
    pub plan: &'a RolloutPlan,
    /// Who begins it.
    pub by: &'a Provenance,
    /// Why monitoring has a version left within its guard; absent where a person or an event begins this.
    pub fired: Option<&'a str>,
}

/// What a run is told about a rollout that it leads on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told<'a> {
    /// What people ask for.
    pub commands: &'a [PersonCommand],
    /// A newer release that waits for the rollout.
    pub newer: Option<&'a Release>,
    /// A person who takes the lock of a rollout away that could not go back.
    pub unlock: Option<&'a Unlocked>,
}

/// How a round ended.
enum Round {
    Moved,
    Still,
    Lost,
}

impl fmt::Debug for Driver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("environment", self.environment)
            .field("model", self.model)
            .finish_non_exhaustive()
    }
}

impl<'a> Driver<'a> {
    /// A driver. Released bytes are put below `workdir` on their way to the target; the caller removes it.
    pub fn new(
        world: World<'a>,
        environment: &'a Environment,
        model: &'a ModelName,
        workdir: &'a Path,
        interruption: &'a dyn Interruption,
    ) -> Self {
        Self { world, environment, model, workdir, interruption, run: None, held: None, is_fresh: false }
    }

    /// The same, with every entry naming the run that wrote it.
    #[must_use]
    pub fn in_run(self, run: Option<&'a str>) -> Self {
        Self { run, ..self }
    }

    /// Takes an entry for the journal's newest that the caller has just read, so that the first tick does not read it again.
    /// Where it is not the newest any more, nothing can be appended to it, and the tick reads after all.
    ///
    /// # Errors
    /// When it is no rollout of this model in this environment.
    pub fn know(&mut self, tip: &Entry) -> Result<(), RolloutError> {
        (self.held, self.is_fresh) = (Some(self.open(tip)?), true);
        Ok(())
    }

    /// Records a new rollout, which takes the lock. Nothing else is done: [`Driver::once`] and [`Driver::wait`] do.
    ///
    /// # Errors
    /// When the lock is held, the journal cannot be read or written, or another run was faster
    /// ([`RolloutError::Overtaken`]): decide again.
    pub async fn begin(&mut self, begin: &Begin<'_>) -> Result<RolloutState, RolloutError> {
        for _ in 0..LOSSES {
            self.read().await?;
            let previous = self.held.as_ref().map(|held| &held.recorded);
            let state = start(&StartRequest {
                kind: begin.kind,
                environment: self.environment,
                candidate: begin.candidate,
                stable: begin.stable,
                plan: begin.plan,
                previous,
                now: self.world.clock.now(),
                by: begin.by,
                fired: begin.fired,
            })?;
            if previous.map(|previous| &previous.id) != begin.after {
                break;
            }
            if self.append(state.clone(), vec![]).await? {
                return Ok(state);
            }
        }
        Err(RolloutError::Overtaken { journal: self.journal() })
    }

    /// Leads the rollout as far as it goes without time passing, and writes down what was seen.
    ///
    /// # Errors
    /// When the journal cannot be read or written, or the run was interrupted.
    pub async fn once(&mut self, told: Told<'_>) -> Result<Tick, RolloutError> {
        let tick = self.tick(told).await?;
        self.flush().await?;
        Ok(tick)
    }

    /// Leads the rollout on until it has settled, a person is needed, another run takes over, or `budget` is used
    /// up. It looks every sixtieth of the progress deadline, but every ten seconds at least and every second at
    /// most, and when the plan has something to do. A journal that cannot be reached for a while is tried again at the next look.
    ///
    /// # Errors
    /// As [`Driver::once`].
    pub async fn wait(&mut self, told: Told<'_>, budget: Duration) -> Result<Tick, RolloutError> {
        let until = self.world.clock.now().after(budget);
        let mut told = told;
        loop {
            let tick = self.tick(told).await;
            let pause = match &tick {
                Ok(Tick::Waiting(state)) if !stands_still(state, until, self.world.clock.now()) => {
                    Some(pause(state, self.world.clock.now()))
                }
                Err(RolloutError::Store(error)) if error.may_pass() => Some(SLOWEST_LOOK),
                _ => None,
            };
            let left = until.since(self.world.clock.now());
            let Some(pause) = pause.filter(|_| left > Duration::default()) else {
                let tick = tick?;
                self.flush().await?;
                return Ok(tick);
            };
            if tick.is_ok() {
                told.commands = &[];
            }
            self.world.clock.sleep(pause.min(left)).await;
        }
    }

    async fn tick(&mut self, told: Told<'_>) -> Result<Tick, RolloutError> {
        let mut told = told;
        let mut losses = 0;
        if !std::mem::take(&mut self.is_fresh) {
            self.read().await?;
        }
        for _ in 0..ROUNDS {
            let Some(held) = &self.held else { return Ok(Tick::Nothing) };
            let state = Box::new(held.state.clone());
            let unlocks = told.unlock.is_some() && state.phase == Phase::RollbackFailed && state.holds_lock();
            if state.is_settled() && !unlocks && !told.commands.iter().any(|asked| revives(&state, asked)) {
                return Ok(Tick::Settled(state));
            }
            match self.round(&told).await? {
                Round::Moved => (told.commands, told.unlock) = (&[], None),
                Round::Still => break,
                Round::Lost if losses == LOSSES => return Ok(Tick::Overtaken(state)),
                Round::Lost => {
                    losses += 1;
                    self.read().await?;
                }
            }
        }
        Ok(self.held.as_ref().map_or(Tick::Nothing, |held| Tick::Waiting(Box::new(held.state.clone()))))
    }

    /// Performs, looks, decides, records.
    async fn round(&mut self, told: &Told<'_>) -> Result<Round, RolloutError> {
        let Some(held) = &self.held else { return Ok(Round::Still) };
        let outcomes = self.perform(held).await?;
        let observation = observe(&self.world, &held.state, outcomes, told).await;
        let transition = step(&held.state, &observation);
        let overdue = observation.now.since(held.written) >= JOURNAL_AT_LEAST;
        let record = transition.changed || (overdue && transition.state != held.recorded);
        let mut looks = held.looks.clone();
        let looked = looked(&held.state, &transition.state);
        if record || observation.smoke.is_some() || looked {
            let look = evidence(&transition.state, &observation);
            if looked {
                self.world.spectator.looked(&look, &transition.state);
            }
            looks.push(look);
        }
        if record {
            let appended = self.append(transition.state, looks).await?;
            return Ok(if appended { Round::Moved } else { Round::Lost });
        }
        if let Some(held) = &mut self.held {
            (held.state, held.looks) = (transition.state, looks);
        }
        Ok(Round::Still)
    }

    /// Performs what is intended, in order. Where one effect is not done, those after it wait, for a target would
    /// take a repeated earlier one for a late one; reports are independent of everything.
    async fn perform(&self, held: &Held) -> Result<Vec<EffectOutcome>, RolloutError> {
        let performer =
            Performer { world: &self.world, workdir: self.workdir, state: &held.state, tip: &held.tip };
        let mut outcomes = vec![];
        let mut waits = false;
        let now = moment(self.world.clock, &held.state);
        for intended in held.state.intended.iter().filter(|intended| intended.is_due(now)) {
            let report = is_report(&intended.effect);
            if waits && !report {
                continue;
            }
            self.pass(Boundary::BeforeEffect(intended.seq))?;
            let result = performer.perform(intended).await;
            self.pass(Boundary::AfterEffect(intended.seq))?;
            waits |= !report && !matches!(result, EffectResult::Applied | EffectResult::AlreadyThere);
            outcomes.push(EffectOutcome { seq: intended.seq, result });
        }
        Ok(outcomes)
    }

    /// Writes down what was seen since the last entry, so that the next run does not start from less.
    async fn flush(&mut self) -> Result<(), RolloutError> {
        if let Some(held) = &self.held
            && held.state != held.recorded
        {
            let (state, looks) = (held.state.clone(), held.looks.clone());
            self.append(state, looks).await?;
        }
        Ok(())
    }

    /// Reads the tip; what is known beyond it stays known where the tip is still the same.
    async fn read(&mut self) -> Result<(), RolloutError> {
        let entry = self.world.journals.tip(&self.journal()).await?;
        self.held = match (entry, self.held.take()) {
            (None, _) => None,
            (Some(entry), Some(held)) if entry.id == held.tip => Some(held),
            (Some(entry), _) => Some(self.open(&entry)?),
        };
        Ok(())
    }

    fn open(&self, entry: &Entry) -> Result<Held, RolloutError> {
        let unusable = |source| RolloutError::Journal { journal: self.journal(), source };
        let state = journal::state_of(entry).map_err(unusable)?;
        if state.environment != *self.environment || state.model != *self.model {
            return Err(unusable(JournalError::Foreign {
                found: format!("{} in {}", state.model, state.environment),
                expected: format!("{} in {}", self.model, self.environment),
            }));
        }
        let (tip, written) = (entry.id.clone(), entry.at);
        Ok(Held { tip, written, recorded: state.clone(), state, looks: vec![] })
    }

    /// Appends a state; answers whether this run was the one that did.
    async fn append(&mut self, state: RolloutState, looks: Vec<Look>) -> Result<bool, RolloutError> {
        let journal = self.journal();
        self.pass(Boundary::BeforeAppend(state.seq))?;
        let at = moment(self.world.clock, &state);
        let entry = journal::entry(&state, &looks, at)
            .map(|entry| journal::written_by(entry, self.run))
            .map_err(|source| RolloutError::Journal { journal: journal.clone(), source })?;
        let expected = self.held.as_ref().map(|held| &held.tip);
        match self.world.journals.append(&journal, expected, &entry).await {
            Ok(tip) => {
                self.world.spectator.recorded(&state);
                let seq = state.seq;
                self.held = Some(Held { tip, written: at, recorded: state.clone(), state, looks: vec![] });
                self.pass(Boundary::AfterAppend(seq))?;
                Ok(true)
            }
            Err(AppendError::Lost { .. }) => Ok(false),
            Err(AppendError::Port(error)) => Err(error.into()),
        }
    }

    fn pass(&self, at: Boundary) -> Result<(), RolloutError> {
        if self.interruption.stops(at) { Err(RolloutError::Interrupted { at }) } else { Ok(()) }
    }

    fn journal(&self) -> String {
        journal_name(self.environment, self.model)
    }
}

/// Whether nothing leads on within this run but a person: it is paused, or a freeze outlasts the run.
fn stands_still(state: &RolloutState, until: Timestamp, now: Timestamp) -> bool {
    match state.phase {
        Phase::Paused => true,
        Phase::Waiting => holds(state, now).is_some_and(|end| end > until),
        _ => false,
    }
}

/// How long to wait until the next tick: until the plan has something to do, but the target is looked at in between.
fn pause(state: &RolloutState, now: Timestamp) -> Duration {
    let millis = u64::try_from(state.plan.progress_deadline.std().as_millis()).unwrap_or(u64::MAX);
    let regular = Duration::from_millis(millis / LOOKS_PER_DEADLINE).clamp(FASTEST_LOOK, SLOWEST_LOOK);
    let event = next_event(state).map(|event| event.since(now).max(SHORTEST_PAUSE));
    event.unwrap_or(regular).min(regular)
}
