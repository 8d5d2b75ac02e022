//! What can happen next: a run reads, a run takes a round as the driver does, a late order arrives, time passes, something
//! breaks. Each possibility is an [`Act`]; taking one gives the next world, or says which rule it broke.

use std::{collections::BTreeMap, rc::Rc};

use tagship_domain::{
    Duration, Version,
    event::Command,
    rollout::{
        Effect, EffectOutcome, EffectResult, Kind, Measured, Observation, Observed, PersonCommand, Phase,
        RolloutState, Unlocked,
    },
};

use super::{
    rules,
    scenario::Scenario,
    world::{Ghost, Message, Run, World},
};
use crate::{
    StartRefusal, StartRequest,
    look::questions,
    start,
    step::{is_report, revives},
    tests::sample::{by, failed, passed, plan, release},
};

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// A run reads the newest entry.
    Reads(usize),
    /// A run performs, looks, decides and records; with what a person says and what goes wrong meanwhile.
    Round(usize, Option<Word>, Option<Fault>),
    /// A run begins the next rollout.
    Begins,
    /// A late order arrives.
    Arrives(usize),
    /// A minute passes.
    Minute,
    /// More time passes than any phase may take.
    Hours,
    /// The candidate is lost, as by a crash.
    CandidateDies,
    /// Stable is no longer ready.
    StableDies,
    /// The target stops answering.
    Down,
    /// It answers again.
    Up,
}

/// What a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Says(Command),
    Unlocks,
    Newer,
}

/// What goes wrong in a round. A number is that of an order in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The order never arrives.
    Lost(usize),
    /// It is followed, and the answer does not arrive.
    Unanswered(usize),
    /// It arrives later, and until then nobody knows.
    Late(usize),
    /// It arrives now and once more later.
    Doubled(usize),
    /// It is refused for good.
    Refused(usize),
    /// The look gets no answer.
    Blind,
    /// The run dies before it records anything.
    Dies,
    /// The entry is written, and the run dies before it knows.
    DiesAfter,
}

/// Everything that may happen next.
pub(super) fn acts(world: &World, scenario: &Scenario) -> Vec<Act> {
    let tip = &world.journal.tip;
    // Elsewhere only a deadline depends on time.
    let timed = matches!(tip.phase, Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Waiting);
    let mut acts = if timed { vec![Act::Minute] } else { vec![] };
    for (index, run) in world.runs.iter().enumerate() {
        match run {
            Some(run) => rounds(world, scenario, index, run, &mut acts),
            None => acts.push(Act::Reads(index)),
        }
    }
    acts.extend((0..world.late.len()).map(Act::Arrives));
    if scenario.again && world.ghost.begun < 2 && tip.is_settled() && !tip.holds_lock() {
        acts.push(Act::Begins);
    }
    if !world.target.up {
        acts.push(Act::Up);
    }
    if world.faults > 0 && !tip.phase.is_terminal() {
        acts.push(Act::Hours);
        if world.target.up {
            acts.push(Act::Down);
        }
        let ready = |version: &Version| world.target.arms.get(version).is_some_and(|arm| arm.ready);
        if ready(&tip.candidate.version) {
            acts.push(Act::CandidateDies);
        }
        if tip.stable.as_ref().is_some_and(|stable| ready(&stable.version)) {
            acts.push(Act::StableDies);
        }
    }
    acts
}

fn rounds(world: &World, scenario: &Scenario, index: usize, run: &Run, acts: &mut Vec<Act>) {
    let fresh = run.number == world.journal.number;
    let words = if fresh { words(world, scenario, &run.state) } else { vec![] };
    acts.extend(words.into_iter().map(|word| Act::Round(index, Some(word), None)));
    if run.state.is_settled() {
        return;
    }
    acts.push(Act::Round(index, None, None));
    if world.faults == 0 {
        return;
    }
    let orders = run.state.intended.iter().filter(|intended| !is_report(&intended.effect));
    for (order, _) in orders.enumerate() {
        let faults = [
            Fault::Lost(order),
            Fault::Unanswered(order),
            Fault::Refused(order),
            Fault::Late(order),
            Fault::Doubled(order),
        ];
        acts.extend(faults.into_iter().map(|fault| Act::Round(index, None, Some(fault))));
    }
    let faults = [Fault::Blind, Fault::Dies, Fault::DiesAfter];
    acts.extend(faults.map(|fault| Act::Round(index, None, Some(fault))));
}

fn words(world: &World, scenario: &Scenario, state: &RolloutState) -> Vec<Word> {
    let mut words = vec![];
    if scenario.newer && state.queued.is_none() && !state.phase.is_terminal() && world.ghost.begun == 1 {
        words.push(Word::Newer);
    }
    if world.words == 0 {
        return words;
    }
    let commands: &[Command] = match state.phase {
        Phase::RollbackFailed if state.holds_lock() => {
            words.push(Word::Unlocks);
            &[Command::Retry, Command::Abort]
        }
        phase if phase.is_terminal() => &[],
        Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Waiting => {
            &[Command::Abort, Command::Pause, Command::Resume, Command::Promote, Command::PromoteFull]
        }
        _ => &[Command::Abort],
    };
    words.extend(commands.iter().map(|command| Word::Says(*command)));
    words
}

/// Lets something happen. Answers nothing where it means nothing here.
///
/// # Errors
/// The rule that it broke.
pub(super) fn take(world: &World, scenario: &Scenario, act: Act) -> Result<Option<World>, String> {
    let mut next = world.clone();
    if matches!(act, Act::Hours | Act::CandidateDies | Act::StableDies | Act::Down | Act::Round(.., Some(_)))
    {
        next.faults -= 1;
    }
    match act {
        Act::Reads(index) => {
            let run = Run { number: next.journal.number, state: Rc::clone(&next.journal.tip) };
            next.runs[index] = Some(run);
        }
        Act::Round(index, word, fault) => {
            if !next.round(scenario, index, word, fault)? {
                return Ok(None);
            }
        }
        Act::Begins => {
            if !next.begin(scenario)? {
                return Ok(None);
            }
        }
        Act::Arrives(index) => {
            let message = next.late.remove(index);
            next.deliver(scenario, &message)?;
        }
        Act::Minute => next.minute(scenario),
        Act::Hours => next.now = next.now.after(Duration::from_secs(1000)),
        Act::CandidateDies => {
            let version = next.journal.tip.candidate.version.clone();
            next.target.arms.remove(&version);
        }
        Act::StableDies => {
            let stable = next.journal.tip.stable.as_ref().map(|stable| stable.version.clone());
            if let Some(arm) = stable.and_then(|version| next.target.arms.get_mut(&version)) {
                arm.ready = false;
            }
        }
        Act::Down => next.target.up = false,
        Act::Up => next.target.up = true,
    }
    rules::rest(&next)?;
    next.forget(scenario);
    Ok(Some(next))
}

impl World {
    /// As [`crate::Driver`] takes a round: performs, looks, decides, records. Whether it meant anything.
    fn round(
        &mut self,
        scenario: &Scenario,
        index: usize,
        word: Option<Word>,
        fault: Option<Fault>,
    ) -> Result<bool, String> {
        let Some(run) = self.runs[index].clone() else { return Ok(false) };
        let told = Told::of(word, self);
        let revived = told.unlock.is_some() || told.commands.iter().any(|asked| revives(&run.state, asked));
        if run.state.is_settled() && !revived {
            return Ok(false);
        }
        if matches!(word, Some(Word::Says(_) | Word::Unlocks)) {
            self.words -= 1;
            self.ghost.aborted |= word == Some(Word::Says(Command::Abort));
        }
        let outcomes = self.perform(scenario, &run, fault)?;
        let blind = fault == Some(Fault::Blind);
        let observation = self.look(scenario, &run.state, outcomes, told, blind);
        let transition = (scenario.step)(&run.state, &observation);
        if fault == Some(Fault::Dies) {
            self.runs[index] = None;
            return Ok(true);
        }
        if !transition.changed {
            self.runs[index] = Some(Run { state: Rc::new(transition.state), ..run });
            return Ok(true);
        }
        if run.number != self.journal.number && scenario.swaps {
            self.runs[index] = None;
            return Ok(true);
        }
        rules::entry(&self.journal.tip, &transition.state)?;
        self.ghost.proven |= rules::proves(&run.state, &observation);
        rules::exposure(&transition.state, self.ghost.proven)?;
        self.record(transition.state);
        let tip = &self.journal;
        self.runs[index] =
            (fault != Some(Fault::DiesAfter)).then(|| Run { number: tip.number, state: Rc::clone(&tip.tip) });
        Ok(true)
    }

    fn record(&mut self, state: RolloutState) {
        self.ghost.planned = self.ghost.planned.max(state.weight.desired);
        self.journal.number += 1;
        self.journal.tip = Rc::new(state);
    }

    /// Performs what is intended, in order; what comes after an order that is not done waits, except reports.
    fn perform(
        &mut self,
        scenario: &Scenario,
        run: &Run,
        fault: Option<Fault>,
    ) -> Result<Vec<EffectOutcome>, String> {
        let (mut outcomes, mut waits, mut order) = (vec![], false, 0);
        for intended in &run.state.intended {
            let result = if is_report(&intended.effect) {
                EffectResult::Applied
            } else if waits {
                continue;
            } else {
                order += 1;
                let message = Message {
                    effect: intended.effect.clone(),
                    fence: run.state.seq,
                    candidate: run.state.candidate.clone(),
                    stable: run.state.stable.clone(),
                    reaffirms: scenario.reaffirms && run.state.phase == Phase::RollingBack,
                };
                let result = self.send(scenario, run, message, fault, order - 1)?;
                waits = !matches!(result, EffectResult::Applied | EffectResult::AlreadyThere);
                result
            };
            outcomes.push(EffectOutcome { seq: intended.seq, result });
        }
        Ok(outcomes)
    }

    fn send(
        &mut self,
        scenario: &Scenario,
        run: &Run,
        message: Message,
        fault: Option<Fault>,
        order: usize,
    ) -> Result<EffectResult, String> {
        let unknown = || EffectResult::Retry("no answer".to_owned());
        if is_registry(&message.effect) && run.number != self.journal.number {
            return Ok(unknown());
        }
        if !Self::is_handed_out(scenario, &message) {
            return Ok(EffectResult::Refused("it is not signed".to_owned()));
        }
        match fault {
            Some(Fault::Lost(at)) if at == order => Ok(unknown()),
            Some(Fault::Unanswered(at)) if at == order => self.deliver(scenario, &message).map(|_| unknown()),
            Some(Fault::Late(at)) if at == order => {
                self.late.push(message);
                Ok(unknown())
            }
            Some(Fault::Doubled(at)) if at == order => {
                let result = self.deliver(scenario, &message);
                self.late.push(message);
                result
            }
            Some(Fault::Refused(at)) if at == order => {
                self.ghost.registry_refused |= is_registry(&message.effect);
                Ok(EffectResult::Refused("denied".to_owned()))
            }
            _ => self.deliver(scenario, &message),
        }
    }

    /// Bytes are fetched and verified before the target is told of them; what lacks its signature is not handed out.
    fn is_handed_out(scenario: &Scenario, message: &Message) -> bool {
        let fetches = message.effect == Effect::Prepare && scenario.verifies;
        !fetches || scenario.is_signed(&message.candidate.version)
    }

    /// A run that fell behind and has no order left to give can only read again.
    fn forget(&mut self, scenario: &Scenario) {
        let newest = self.journal.number;
        let idle = |run: &Run| {
            let orders = run.state.intended.iter().any(|intended| !is_report(&intended.effect));
            scenario.swaps && run.number != newest && !orders
        };
        for run in &mut self.runs {
            run.take_if(|run| idle(run));
        }
    }

    /// An order arrives.
    pub(super) fn deliver(&mut self, scenario: &Scenario, message: &Message) -> Result<EffectResult, String> {
        if is_registry(&message.effect) {
            return Ok(self.registry.take(message, scenario.fenced));
        }
        let before = self.target.clone();
        let result = self.target.take(message, scenario.fenced);
        rules::traffic(&before, self, message)?;
        rules::signature(&before, &self.target, scenario)?;
        Ok(result)
    }

    fn look(
        &self,
        scenario: &Scenario,
        state: &RolloutState,
        outcomes: Vec<EffectOutcome>,
        told: Told,
        blind: bool,
    ) -> Observation {
        let target = if self.target.up && !blind {
            Observed::Seen(self.target.seen())
        } else {
            Observed::Unreachable("down".to_owned())
        };
        let asked = questions(state, &target, self.now);
        let counters = match &target {
            Observed::Seen(seen) => {
                let arms = seen.arms.iter();
                Measured::Counters(arms.map(|arm| (arm.version.clone(), arm.counters.clone())).collect())
            }
            Observed::Unreachable(why) => Measured::Error(why.clone()),
        };
        // Only the candidate of the story may give wrong answers.
        let sound = scenario.sound || state.candidate.version != release("v1.1.0").version;
        Observation {
            now: self.now,
            smoke: asked.smoke.then(|| if sound { passed() } else { failed() }),
            counters: asked.counters.then_some(counters),
            own: BTreeMap::new(),
            values: BTreeMap::new(),
            labelled: BTreeMap::new(),
            missed: vec![],
            target,
            newer: told.newer.then(|| release("v1.2.0")),
            commands: told.commands,
            unlock: told.unlock,
            outcomes,
        }
    }

    /// Begins the rollout that comes after the one that has ended: the newer version, or back to the earlier one.
    fn begin(&mut self, _: &Scenario) -> Result<bool, String> {
        let tip = Rc::clone(&self.journal.tip);
        let Some(holds) = self.registry.assigned.last() else { return Ok(false) };
        let (kind, candidate) = match tip.phase {
            Phase::Succeeded => (Kind::Rollback, release("v1.0.0")),
            _ => (Kind::Deploy, release("v1.2.0")),
        };
        if *holds == candidate.version {
            return Ok(false);
        }
        let stable = release(&holds.to_string());
        let begun = start(&StartRequest {
            kind,
            environment: &tip.environment,
            candidate: &candidate,
            stable: Some(&stable),
            plan: &plan(),
            previous: Some(&tip),
            now: self.now,
            by: &by("alice"),
            fired: None,
        });
        let begun = match begun {
            Ok(begun) => begun,
            Err(StartRefusal::Unrecorded { .. }) if self.ghost.registry_refused => return Ok(false),
            Err(refusal) => return Err(format!("what has ended keeps others out: {refusal}")),
        };
        rules::entry(&tip, &begun)?;
        self.ghost = Ghost { begun: self.ghost.begun + 1, ..Ghost::default() };
        self.record(begun);
        Ok(true)
    }
}

/// What a run is told, as the driver is.
struct Told {
    commands: Vec<PersonCommand>,
    unlock: Option<Unlocked>,
    newer: bool,
}

impl Told {
    fn of(word: Option<Word>, world: &World) -> Self {
        let says = |command| PersonCommand { command, by: by("bob") };
        let unlocked = || Unlocked { by: by("carol"), reason: "by hand".to_owned(), at: world.now };
        Self {
            commands: word
                .into_iter()
                .filter_map(|word| if let Word::Says(what) = word { Some(says(what)) } else { None })
                .collect(),
            unlock: (word == Some(Word::Unlocks)).then(unlocked),
            newer: word == Some(Word::Newer),
        }
    }
}

fn is_registry(effect: &Effect) -> bool {
    matches!(effect, Effect::AssignStage { .. } | Effect::UnassignStage { .. })
}
