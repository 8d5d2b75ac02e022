//! The world of the model: a journal, a target, a registry, messages that are late, two runs, and what is left to go wrong.

use std::{collections::BTreeMap, rc::Rc};

use tagship_domain::{
    Digest, Release, Timestamp, Version,
    rollout::{Effect, EffectResult, RolloutState},
    traffic::{Arm, Counters, TargetState, Weight},
};

use super::scenario::Scenario;
use crate::tests::sample::{noon, release};

/// Everything that there is at one moment.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) journal: Journal,
    pub(super) target: Target,
    pub(super) registry: Registry,
    /// Orders that are still on their way.
    pub(super) late: Vec<Message>,
    pub(super) runs: [Option<Run>; 2],
    /// How many faults may still happen.
    pub(super) faults: u8,
    /// How many commands people may still give.
    pub(super) words: u8,
    pub(super) ghost: Ghost,
}

/// The newest entry; the ones before are gone, but for their number.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    pub(super) number: u32,
    pub(super) tip: Rc<RolloutState>,
}

/// What a run knows: the entry that it read or wrote last, and what it saw since.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) number: u32,
    pub(super) state: Rc<RolloutState>,
}

/// What is remembered only to hold the rules against it.
#[derive(Debug, Clone, Default)]
pub(super) struct Ghost {
    /// The candidate of the newest rollout was loaded with its own bytes and passed its golden cases.
    pub(super) proven: bool,
    /// The largest share that the journal ever gave the candidate of the newest rollout.
    pub(super) planned: Weight,
    /// Rollouts that were begun.
    pub(super) begun: u8,
    /// The registry has refused something for good, so that it may say something else than the target.
    pub(super) registry_refused: bool,
    /// A person has stopped the newest rollout.
    pub(super) aborted: bool,
}

/// An order to the target or the registry, as it travels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) effect: Effect,
    pub(super) fence: u64,
    pub(super) candidate: Release,
    pub(super) stable: Option<Release>,
    /// A registry that has nothing to take out records that.
    pub(super) reaffirms: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) up: bool,
    pub(super) fence: u64,
    pub(super) stable: Option<Version>,
    pub(super) arms: BTreeMap<Version, Loaded>,
}

#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) digest: Digest,
    pub(super) ready: bool,
    pub(super) weight: Weight,
    pub(super) counters: Counters,
}

/// Which version the environment holds: the last of those that are assigned.
#[derive(Debug, Clone)]
pub(super) struct Registry {
    pub(super) fence: u64,
    pub(super) assigned: Vec<Version>,
}

impl World {
    /// v1.0.0 serves, and v1.1.0 is about to be rolled out.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let stable = release("v1.0.0");
        let mut arms = BTreeMap::from([(stable.version.clone(), Loaded::new(&stable, Weight::ALL))]);
        if scenario.loaded {
            let candidate = release("v1.1.0");
            arms.insert(candidate.version.clone(), Loaded::new(&candidate, Weight::NONE));
        }
        Self {
            now: noon(),
            journal: Journal { number: 1, tip: Rc::new(scenario.start()) },
            target: Target { up: true, fence: 0, stable: Some(stable.version.clone()), arms },
            registry: Registry { fence: 0, assigned: vec![stable.version] },
            late: vec![],
            runs: [None, None],
            faults: scenario.faults,
            words: scenario.words,
            ghost: Ghost { begun: 1, ..Ghost::default() },
        }
    }

    /// A minute passes, in which requests come.
    pub(super) fn minute(&mut self, scenario: &Scenario) {
        self.now = self.now.after(tagship_domain::Duration::from_secs(60));
        let bad = release("v1.1.0").version;
        for (version, arm) in &mut self.target.arms {
            arm.counters.requests += 20_000 * u64::from(arm.weight.get()) / 100;
            let share = if *version == bad { scenario.errors } else { 10 };
            arm.counters.errors = arm.counters.requests * share / 1000;
        }
    }
}

impl Loaded {
    fn new(release: &Release, weight: Weight) -> Self {
        Self { digest: release.digest.clone(), ready: true, weight, counters: Counters::default() }
    }
}

impl Target {
    /// What a look sees.
    pub(super) fn seen(&self) -> TargetState {
        let arm = |(version, loaded): (&Version, &Loaded)| Arm {
            version: version.clone(),
            digest: loaded.digest.clone(),
            ready: loaded.ready,
            weight: loaded.weight,
            counters: loaded.counters.clone(),
        };
        TargetState { arms: self.arms.iter().map(arm).collect() }
    }

    /// Takes an order, as the ports ask of every target.
    pub(super) fn take(&mut self, message: &Message, fenced: bool) -> EffectResult {
        if !self.up {
            return EffectResult::Retry("down".to_owned());
        }
        if fenced && message.fence < self.fence {
            return EffectResult::Refused("fenced".to_owned());
        }
        self.fence = self.fence.max(message.fence);
        let candidate = &message.candidate.version;
        match &message.effect {
            Effect::Prepare => {
                let fresh = || Loaded::new(&message.candidate, Weight::NONE);
                self.arms.entry(candidate.clone()).or_insert_with(fresh);
            }
            Effect::SetWeight { weight } if self.arms.contains_key(candidate) => {
                self.share(candidate, *weight);
            }
            Effect::Promote if self.arms.contains_key(candidate) => self.give_all(Some(candidate)),
            Effect::Rollback => match message.stable.as_ref().map(|stable| &stable.version) {
                Some(stable) if !self.arms.contains_key(stable) => return not_loaded(),
                stable => self.give_all(stable),
            },
            Effect::Cleanup { version } => {
                if self.arms.get(version).is_some_and(|arm| arm.weight > Weight::NONE) {
                    return EffectResult::Refused("it has traffic".to_owned());
                }
                self.arms.remove(version);
            }
            _ => return not_loaded(),
        }
        EffectResult::Applied
    }

    fn share(&mut self, version: &Version, weight: Weight) {
        let rest = Weight::percent(100 - weight.get()).unwrap_or_default();
        for (name, arm) in &mut self.arms {
            arm.weight = if name == version {
                weight
            } else if self.stable.as_ref() == Some(name) {
                rest
            } else {
                Weight::NONE
            };
        }
    }

    fn give_all(&mut self, to: Option<&Version>) {
        self.stable = to.cloned();
        match to {
            Some(version) => self.share(version, Weight::ALL),
            None => self.arms.values_mut().for_each(|arm| arm.weight = Weight::NONE),
        }
    }

    /// The share that a version has.
    pub(super) fn weight(&self, version: &Version) -> Weight {
        self.arms.get(version).map_or(Weight::NONE, |arm| arm.weight)
    }
}

fn not_loaded() -> EffectResult {
    EffectResult::Refused("not loaded".to_owned())
}

impl Registry {
    /// Takes a change, as the port asks of every registry.
    pub(super) fn take(&mut self, message: &Message, fenced: bool) -> EffectResult {
        if fenced && message.fence < self.fence {
            return EffectResult::Refused("fenced".to_owned());
        }
        match &message.effect {
            Effect::AssignStage { version } if self.assigned.last() != Some(version) => {
                self.assigned.push(version.clone());
            }
            Effect::UnassignStage { version } if self.assigned.contains(version) => {
                self.assigned.retain(|assigned| assigned != version);
            }
            Effect::UnassignStage { .. } if message.reaffirms => {
                self.fence = self.fence.max(message.fence);
                return EffectResult::AlreadyThere;
            }
            _ => return EffectResult::AlreadyThere,
        }
        self.fence = self.fence.max(message.fence);
        EffectResult::Applied
    }
}
