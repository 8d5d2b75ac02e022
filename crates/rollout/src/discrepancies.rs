//! Whether the three who know what an environment holds agree: the journal, the stage tags and the target.
//!
//! Nothing is assumed of what could not be seen: that is told as unknown, and the others are compared with each other all the
//! same. While a rollout runs, the journal says which shares are right; at rest, the stage tag says what has all traffic.

use std::collections::BTreeMap;

use tagship_domain::{
    Digest, Environment, ModelName, Release, Timestamp, Version,
    chain::ChainOutcome,
    examination::{Discrepancy, DiscrepancyCode as Code},
    rollout::{Phase, RolloutState},
    traffic::{Arm, TargetState, Weight},
};

use crate::agreement::check_stage;

/// What was seen of an environment and a model; why not, where it could not be.
#[derive(Debug, Clone)]
pub struct Views<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The environment.
    pub environment: &'a Environment,
    /// When it was looked.
    pub now: Timestamp,
    /// The newest state of the journal, where there is one.
    pub journal: Result<Option<&'a RolloutState>, String>,
    /// What the tags say.
    pub tags: Result<Tags<'a>, String>,
    /// What the target serves.
    pub target: Result<&'a TargetState, String>,
}

/// What the registry's tags say.
#[derive(Debug, Clone)]
pub struct Tags<'a> {
    /// What the environment holds, where it holds something.
    pub held: Option<&'a Release>,
    /// The rollout that the stage tag names, where it names one.
    pub rollout: Option<&'a str>,
    /// Digests of all versions that were released.
    pub released: &'a BTreeMap<Version, Digest>,
}

/// Everything that does not agree or could not be seen.
pub fn discrepancies(views: &Views<'_>) -> Vec<Discrepancy> {
    let mut found = Found { views, all: vec![] };
    found.unseen();
    if let Ok(Some(state)) = views.journal {
        found.rollout(state);
    }
    if let (Ok(journal), Ok(tags)) = (&views.journal, &views.tags) {
        found.stage(*journal, tags);
    }
    if let (Ok(tags), Ok(target)) = (&views.tags, &views.target) {
        found.bytes(tags, target);
    }
    if let Ok(target) = views.target.clone() {
        match (&views.journal, &views.tags) {
            (Ok(Some(state)), _) if state.holds_lock() => found.shares_of(state, target),
            (Ok(_), Ok(tags)) => found.rest(tags.held, target),
            _ => {}
        }
    }
    found.all
}

struct Found<'a> {
    views: &'a Views<'a>,
    all: Vec<Discrepancy>,
}

impl Found<'_> {
    fn say(&mut self, code: Code, sentence: String, remedy: String) {
        self.all.push(Discrepancy { code, sentence, remedy });
    }

    /// A command about this model and environment.
    fn command(&self, words: &str) -> String {
        let Views { model, environment, .. } = self.views;
        format!("tagship {words} --model {model} --environment {environment}")
    }

    /// GTO assigns what once held a stage by force alone.
    fn assign(&self, release: &str) -> String {
        let Views { model, environment, .. } = self.views;
        format!("gto assign {model} --version {release} --stage {environment} --force && git push --tags")
    }

    fn unseen(&mut self) {
        let again = self.command("doctor");
        let views = self.views;
        if let Err(why) = &views.target {
            let remedy = format!("make the target reachable, then `{again}`");
            self.say(Code::TargetUnknown, format!("what the target serves is unknown: {why}"), remedy);
        }
        if let Err(why) = &views.journal {
            let remedy = format!("make the journal readable, then `{again}`");
            self.say(Code::JournalUnknown, format!("whether a rollout runs is unknown: {why}"), remedy);
        }
        if let Err(why) = &views.tags {
            let sentence = format!("what is assigned is unknown: {why}");
            self.say(Code::RegistryUnknown, sentence, "tagship registry doctor".to_owned());
        }
    }

    /// What no run has finished.
    fn rollout(&mut self, state: &RolloutState) {
        let go_on = self.command("rollout --once");
        let RolloutState { id, phase, .. } = state;
        match (phase, state.deadline) {
            (Phase::RollbackFailed, _) if state.holds_lock() => {
                let sentence = format!("{id} could not go back and keeps the lock: {}", state.message);
                let (again, unlock) = (self.command("rollback"), self.command("unlock"));
                let remedy = format!("bring the target in order, then `{again}`, or `{unlock}`");
                self.say(Code::RollbackFailed, sentence, remedy);
            }
            (_, Some(deadline)) if self.views.now > deadline => {
                let late = self.views.now.since(deadline);
                let sentence = format!(
                    "{id} is {phase} and had to make progress until {deadline}, {late} ago; no run has led it on since"
                );
                self.say(Code::RolloutOverdue, sentence, go_on);
            }
            _ if phase.is_terminal() && state.is_open() => {
                let sentence = format!("{id} has ended ({phase}), and what was decided then is not done");
                self.say(Code::RolloutUnfinished, sentence, go_on);
            }
            _ => {}
        }
    }

    fn stage(&mut self, journal: Option<&RolloutState>, tags: &Tags<'_>) {
        let Some(held) = tags.held else {
            let left = journal.filter(|state| state.phase == Phase::Succeeded);
            if let Some(state) = left {
                let version = &state.candidate.version;
                let sentence = format!(
                    "no tag says what is there, and the journal's newest rollout {} left {version}",
                    state.id
                );
                self.say(Code::StageDiffers, sentence, self.assign(&version.to_string()));
            }
            return;
        };
        let check = check_stage(journal, held, tags.rollout);
        match check.outcome {
            ChainOutcome::Broken => {
                let left = journal.map(|state| match state.phase {
                    Phase::Succeeded => &state.candidate,
                    _ => state.stable.as_ref().unwrap_or(&state.candidate),
                });
                let remedy = left.map(|left| self.assign(&left.version.to_string())).unwrap_or_default();
                self.say(Code::StageDiffers, check.sentence, remedy);
            }
            ChainOutcome::Unknown => {
                let remedy = "git fetch origin '+refs/tagship/*:refs/tagship/*'".to_owned();
                self.say(Code::JournalMissing, check.sentence, remedy);
            }
            ChainOutcome::Holds | ChainOutcome::NotApplicable => {}
        }
    }

    /// Whether what is loaded is what was released.
    fn bytes(&mut self, tags: &Tags<'_>, target: &TargetState) {
        for Arm { version, digest, weight, .. } in &target.arms {
            match tags.released.get(version) {
                None => {
                    let sentence = format!(
                        "{version} is loaded with {weight} of the traffic, and no tag says that it was released"
                    );
                    let remedy = "git fetch --tags; if it is unknown then, find out who loaded it".to_owned();
                    self.say(Code::UnknownVersion, sentence, remedy);
                }
                Some(released) if released != digest => {
                    let (loaded, released) = (digest.short(), released.short());
                    let sentence = format!(
                        "{version} is loaded as sha256:{loaded}, and was released as sha256:{released}"
                    );
                    let remedy =
                        "find out who loaded it, unload it there, and roll the version out again".to_owned();
                    self.say(Code::OtherBytes, sentence, remedy);
                }
                Some(_) => {}
            }
        }
    }

    /// Whether the versions of a rollout have the shares that the journal says. A share may be on its way: what is wanted and what
    /// was there before are both right.
    fn shares_of(&mut self, state: &RolloutState, target: &TargetState) {
        let candidate = &state.candidate.version;
        let go_on = self.command("rollout --once");
        for version in having_traffic(state).filter(|version| target.arm(version).is_none()) {
            let sentence = format!(
                "the journal of {} ({}) gives {version} traffic, and the target has not loaded it",
                state.id, state.phase
            );
            self.say(Code::NotLoaded, sentence, go_on.clone());
        }
        for Arm { version, weight, .. } in &target.arms {
            let is_stable = state.stable.as_ref().is_some_and(|stable| stable.version == *version);
            if version == candidate {
                let right = [state.weight.desired, state.weight.applied];
                // Going back, it has nothing as soon as the target did it.
                let is_leaving = state.phase == Phase::RollingBack && *weight == Weight::NONE;
                let is_becoming = state.phase == Phase::Promoting && *weight == Weight::ALL;
                if !right.contains(weight) && !is_leaving && !is_becoming {
                    let sentence = format!(
                        "{version} has {weight} of the traffic, and the journal of {} ({}) says {}",
                        state.id, state.phase, state.weight.desired
                    );
                    self.say(Code::ShareDiffers, sentence, go_on.clone());
                }
            } else if !is_stable && *weight != Weight::NONE {
                let sentence = format!("{version} has {weight} of the traffic and no part in {}", state.id);
                let remedy = format!("`{go_on}`, or `{}`", self.command("rollout --abort"));
                self.say(Code::ForeignShare, sentence, remedy);
            }
        }
    }

    /// Whether the version that is assigned has everything, and no other anything.
    fn rest(&mut self, held: Option<&Release>, target: &TargetState) {
        let Views { model, environment, .. } = self.views;
        for Arm { version, weight, .. } in target.arms.iter().filter(|arm| arm.weight != Weight::NONE) {
            match held {
                Some(held) if held.version == *version => {}
                Some(held) => {
                    let sentence = format!(
                        "the tag says {} holds {}, and {version} has {weight} of the traffic",
                        environment, held.version
                    );
                    let (right, again) = (
                        self.assign(&version.to_string()),
                        self.command(&format!("rollout --version {} --retry", held.version)),
                    );
                    let remedy =
                        format!("if {version} is right `{right}`; if not, the same and then `{again}`");
                    self.say(Code::ForeignShare, sentence, remedy);
                }
                None => {
                    let sentence = format!(
                        "no tag assigns {model} in {environment}, and {version} has {weight} of the traffic"
                    );
                    self.say(Code::ServesUnassigned, sentence, self.assign(&version.to_string()));
                }
            }
        }
        let Some(held) = held else { return };
        let version = &held.version;
        let unassign = format!("gto deprecate {model} {version} {environment} && git push --tags");
        let again = self.command(&format!("rollout --version {version} --retry"));
        let anew = format!("`{unassign}`, then `{again}`");
        match target.arm(version) {
            None => {
                let sentence =
                    format!("the tag says {environment} holds {version}, and the target has not loaded it");
                self.say(Code::NotLoaded, sentence, anew);
            }
            Some(arm) if !arm.ready => {
                let sentence = format!("{version} is loaded and not ready");
                let remedy = format!("look at the target; `{}` goes back", self.command("rollback"));
                self.say(Code::NotReady, sentence, remedy);
            }
            Some(arm) if arm.weight != Weight::ALL => {
                let sentence =
                    format!("{version} has {} of the traffic, and nothing is being rolled out", arm.weight);
                self.say(Code::ShareDiffers, sentence, anew);
            }
            Some(_) => {}
        }
    }
}

/// The versions that have traffic by the journal; none while that is handed over.
fn having_traffic(state: &RolloutState) -> impl Iterator<Item = &Version> {
    let is_between = matches!(state.phase, Phase::RollingBack | Phase::Promoting | Phase::Finalising);
    let share = state.weight.applied;
    let candidate = Some(&state.candidate).filter(|_| share != Weight::NONE);
    let stable = state.stable.as_ref().filter(|_| share != Weight::ALL);
    let all = candidate.into_iter().chain(stable).filter(move |_| !is_between && !state.phase.is_terminal());
    all.map(|release| &release.version)
}

#[cfg(test)]
mod tests;
