//! Explores every world that can be reached, breadth first, and follows each to a rest.
//!
//! Two worlds are taken for one that differ only in what no decision rests on: sentences, exact times and counts. Of times
//! it counts how long ago in minutes, up to a few; of evidence, what it has decided.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    mem::discriminant,
};

use tagship_domain::{
    Timestamp,
    rollout::{Effect, Phase, RolloutState},
};

use super::{
    round::{Act, acts, take},
    scenario::Scenario,
    world::World,
};
use crate::step::holds;

/// What was explored.
#[derive(Debug, Default)]
pub(super) struct Explored {
    pub(super) worlds: usize,
    pub(super) acts: usize,
    /// How rollouts ended.
    pub(super) ends: BTreeSet<String>,
}

/// A rule that was broken, and how.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) rule: String,
    pub(super) story: Vec<Act>,
}

/// Longest way to a rest in acts.
const LONGEST: usize = 2000;

/// Explores a scenario.
///
/// # Errors
/// The first rule that is broken, on a shortest way.
pub(super) fn explore(scenario: &Scenario) -> Result<Explored, Broken> {
    let begins = World::new(scenario);
    let mut explored = Explored::default();
    let mut known = HashSet::from([key(&begins, true)]);
    let mut resting = HashSet::new();
    let mut ways: Vec<(usize, Act)> = vec![(0, Act::Minute)];
    let mut queue = VecDeque::from([(0, begins)]);
    while let Some((at, world)) = queue.pop_front() {
        explored.worlds += 1;
        let tip = &world.journal.tip;
        if tip.is_settled() {
            explored.ends.insert(format!("{} {}", tip.phase, tip.reason));
        }
        follow(&world, scenario, &mut resting).map_err(|rule| Broken { rule, story: story(&ways, at) })?;
        for act in acts(&world, scenario) {
            explored.acts += 1;
            let next = take(&world, scenario, act).map_err(|rule| {
                let mut story = story(&ways, at);
                story.push(act);
                Broken { rule, story }
            })?;
            if let Some(next) = next.filter(|next| known.insert(key(next, true))) {
                ways.push((at, act));
                queue.push_back((ways.len() - 1, next));
            }
        }
    }
    Ok(explored)
}

fn story(ways: &[(usize, Act)], mut at: usize) -> Vec<Act> {
    let mut story = vec![];
    while at > 0 {
        story.push(ways[at].1);
        at = ways[at].0;
    }
    story.reverse();
    story
}

/// From everywhere a world in which nothing more breaks comes to a rest: an end, or a person who is waited for.
fn follow(world: &World, scenario: &Scenario, resting: &mut HashSet<u64>) -> Result<(), String> {
    let mut now = World { runs: [None, None], faults: 0, words: 0, ..world.clone() };
    let mut way = vec![];
    for _ in 0..LONGEST {
        let here = key(&now, false);
        let tip = &now.journal.tip;
        let rests = tip.is_settled() || (tip.phase == Phase::Paused && now.late.is_empty());
        if rests || resting.contains(&here) {
            resting.extend(way);
            return Ok(());
        }
        way.push(here);
        now = lead_on(now, scenario)?;
    }
    let tip = &now.journal.tip;
    Err(format!("it never comes to a rest: {} {}, {}", tip.phase, tip.reason, tip.message))
}

/// One fair run: what is late arrives, the target answers, a run takes rounds while they change anything, a minute passes.
fn lead_on(mut world: World, scenario: &Scenario) -> Result<World, String> {
    let happens =
        |world: &World, act| take(world, scenario, act).map(|next| next.unwrap_or_else(|| world.clone()));
    while !world.late.is_empty() {
        world = happens(&world, Act::Arrives(0))?;
    }
    if !world.target.up {
        world = happens(&world, Act::Up)?;
    }
    if world.runs[0].is_none() {
        world = happens(&world, Act::Reads(0))?;
    }
    let number = world.journal.number;
    world = happens(&world, Act::Round(0, None, None))?;
    if world.journal.number == number { happens(&world, Act::Minute) } else { Ok(world) }
}

/// What a world is taken for; with or without its runs and what may still happen.
fn key(world: &World, whole: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    let tip = &world.journal.tip;
    let relative = |number: u64| number.wrapping_sub(tip.seq);
    state(tip, tip.seq, world.now, &mut hasher);
    (world.target.up, relative(world.target.fence), &world.target.stable).hash(&mut hasher);
    for (version, arm) in &world.target.arms {
        (version, arm.ready, arm.weight.get()).hash(&mut hasher);
    }
    (relative(world.registry.fence), &world.registry.assigned).hash(&mut hasher);
    for message in &world.late {
        effect(&message.effect, &mut hasher);
        (relative(message.fence), &message.candidate.version).hash(&mut hasher);
    }
    let ghost = &world.ghost;
    (ghost.begun, ghost.proven, ghost.planned.get()).hash(&mut hasher);
    (ghost.registry_refused, ghost.aborted).hash(&mut hasher);
    if whole {
        (world.faults, world.words).hash(&mut hasher);
        let mut runs = world.runs.each_ref().map(|run| {
            let mut hasher = DefaultHasher::new();
            if let Some(run) = run {
                (run.number == world.journal.number).hash(&mut hasher);
                state(&run.state, tip.seq, world.now, &mut hasher);
            }
            hasher.finish()
        });
        runs.sort_unstable();
        runs.hash(&mut hasher);
    }
    hasher.finish()
}

fn state(state: &RolloutState, seq: u64, now: Timestamp, hasher: &mut DefaultHasher) {
    let minutes =
        |since: Option<Timestamp>| since.map(|since| ((now.since(since).std().as_secs() + 1) / 60).min(3));
    (state.kind == tagship_domain::rollout::Kind::Deploy, state.step, state.assigned).hash(hasher);
    (discriminant(&state.phase), discriminant(&state.reason)).hash(hasher);
    state.interrupted.map(|phase| discriminant(&phase)).hash(hasher);
    (state.weight.desired.get(), state.weight.applied.get(), &state.candidate.version).hash(hasher);
    (state.waived.is_some(), state.unfrozen.is_some(), state.unlocked.is_some()).hash(hasher);
    (state.queued.is_some(), state.cause.is_some(), holds(state, now).is_some()).hash(hasher);
    (minutes(state.settled), minutes(state.looked.as_ref().map(|looked| looked.at))).hash(hasher);
    state.deadline.map(|deadline| now > deadline).hash(hasher);
    minutes(Some(state.since).filter(|_| state.phase == Phase::Waiting)).hash(hasher);
    for (name, judge) in &state.judges {
        (name, discriminant(&judge.phase), judge.looks.measured.min(6)).hash(hasher);
    }
    for intended in &state.intended {
        let optional = matches!(intended.effect, Effect::Cleanup { .. });
        effect(&intended.effect, hasher);
        (intended.seq.wrapping_sub(seq), if optional { intended.attempts } else { 0 }).hash(hasher);
    }
}

fn effect(effect: &Effect, hasher: &mut DefaultHasher) {
    discriminant(effect).hash(hasher);
    match effect {
        Effect::SetWeight { weight } => weight.get().hash(hasher),
        Effect::Cleanup { version } | Effect::AssignStage { version } | Effect::UnassignStage { version } => {
            version.hash(hasher);
        }
        Effect::SetDeployment { state } => discriminant(state).hash(hasher),
        Effect::Route { routing } => routing.is_plain().hash(hasher),
        Effect::Dispatch { environment } => environment.hash(hasher),
        Effect::Prepare | Effect::Promote | Effect::Rollback | Effect::Publish => {}
    }
}
