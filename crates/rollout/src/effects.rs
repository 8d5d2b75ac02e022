//! Performing one effect over the ports. Each is idempotent: a run that died in between performs it again.
//!
//! The fence of every effect is the number of the newest one that the recorded state decided. So all effects of one
//! entry can be repeated in order, and none of an earlier entry can.

use std::path::Path;

use tagship_domain::{
    CommitId, Environment, Release, Version,
    event::{CONTINUE, Continuation},
    rollout::{DeploymentState, Effect, EffectResult, Intended, Phase, RolloutState},
};
use tagship_ports::{
    PortError, Problem,
    dispatcher::Dispatch,
    forge::DeploymentStatus,
    stage_registry::StageChange,
    target::{Done, Note, Order},
};

use crate::{history::timeline, journal::journal_name, world::World};

/// Longest description of a deployment in characters, as forges take it.
const DESCRIPTION: usize = 140;
/// How many journal entries are read to tell the story of one rollout.
pub(crate) const STORY: usize = 500;

/// Performs effects of one recorded state.
pub(crate) struct Performer<'a> {
    /// The outside.
    pub(crate) world: &'a World<'a>,
    /// Where released bytes are put on their way to the target.
    pub(crate) workdir: &'a Path,
    /// The state whose effects are performed.
    pub(crate) state: &'a RolloutState,
    /// The entry that holds it.
    pub(crate) tip: &'a CommitId,
}

impl Performer<'_> {
    /// Performs an effect and says what became of it.
    pub(crate) async fn perform(&self, intended: &Intended) -> EffectResult {
        self.attempt(intended).await.unwrap_or_else(|error| failed(&error))
    }

    async fn attempt(&self, intended: &Intended) -> Result<EffectResult, PortError> {
        let target = self.world.target;
        let candidate = &self.state.candidate.version;
        let order =
            Order { model: self.state.model.clone(), fence: self.state.seq, note: Some(note(self.state)) };
        let done = match &intended.effect {
            Effect::Prepare => self.prepare(&order).await?,
            Effect::SetWeight { weight } => target.set_weight(&order, candidate, *weight).await?,
            Effect::Route { routing } => target.route(&order, routing).await?,
            Effect::Promote => target.promote(&order, candidate).await?,
            Effect::Rollback => {
                let stable = self.state.stable.as_ref().map(|stable| &stable.version);
                target.rollback(&order, stable).await?
            }
            Effect::Cleanup { version } => target.cleanup(&order, version).await?,
            Effect::AssignStage { version } | Effect::UnassignStage { version } => {
                let Some(change) = self.change(version) else { return Ok(unknown(version)) };
                if !self.is_current().await? {
                    return Ok(self.overtaken());
                }
                if matches!(intended.effect, Effect::AssignStage { .. }) {
                    self.world.registry.assign(&change).await?
                } else {
                    self.unassign(&change).await?
                }
            }
            Effect::SetDeployment { state } => self.report_deployment(*state).await?,
            Effect::Publish => return self.publish().await,
            Effect::Dispatch { environment } => self.ask_for(environment).await?,
        };
        Ok(match done {
            Done::Applied => EffectResult::Applied,
            Done::AlreadyThere => EffectResult::AlreadyThere,
            Done::Pending => EffectResult::Pending,
        })
    }

    /// On the way back nothing may be left to take out although a run that stalled is still about to assign the
    /// candidate: the record is then made for its number. A registry that refuses even that refuses the late
    /// assignment too.
    async fn unassign(&self, change: &StageChange) -> Result<Done, PortError> {
        let registry = self.world.registry;
        let done = registry.unassign(change).await?;
        if done != Done::AlreadyThere || self.state.phase != Phase::RollingBack {
            return Ok(done);
        }
        match registry.reaffirm(change).await {
            Err(error) if error.may_pass() => Err(error),
            _ => Ok(done),
        }
    }

    /// Bytes are fetched and verified again right before the target gets them.
    async fn prepare(&self, order: &Order) -> Result<Done, PortError> {
        let candidate = &self.state.candidate;
        let directory = self.workdir.join(candidate.manifest.hex());
        let bytes = self.world.releases.fetch(candidate, &directory).await?;
        self.world.target.prepare(order, &candidate.version, &candidate.digest, &bytes).await
    }

    fn change(&self, version: &Version) -> Option<StageChange> {
        let state = self.state;
        let stable = state.stable.as_ref();
        let is_meant = |release: &&Release| release.version == *version;
        let release = Some(&state.candidate).filter(is_meant).or(stable.filter(is_meant))?;
        Some(StageChange {
            model: state.model.clone(),
            version: version.clone(),
            commit: release.commit.clone(),
            environment: state.environment.clone(),
            rollout: state.id.clone(),
            fence: state.seq,
            reason: state
                .cause
                .clone()
                .unwrap_or_else(|| format!("rollout {} by {}", state.id, state.by.actor)),
            by: state.by.clone(),
            at: state.since,
        })
    }

    async fn report_deployment(&self, deployment: DeploymentState) -> Result<Done, PortError> {
        let state = self.state;
        let status = DeploymentStatus {
            environment: state.environment.clone(),
            release: state.candidate.clone(),
            rollout: state.id.clone(),
            state: deployment,
            description: shortened(&state.message),
            at: state.since,
            url: None,
        };
        self.world.forge.deployment(&status).await.map(|()| Done::Applied)
    }

    /// Asks for the next stage. Nothing tells afterwards whether it was asked for, so that a run that dies right here
    /// lets the next one ask again: whoever is asked deploys a version once, however often.
    async fn ask_for(&self, environment: &Environment) -> Result<Done, PortError> {
        let Release { model, version, .. } = &self.state.candidate;
        let next = Continuation {
            model: Some(model.clone()),
            environment: Some(environment.clone()),
            version: Some(version.clone()),
        };
        let event = Dispatch::Event { name: CONTINUE.to_owned(), payload: next.payload() };
        self.world.dispatcher.dispatch(&event).await.map(|()| Done::Applied)
    }

    /// Shows the rollout, unless another run has written a newer entry and will show that.
    async fn publish(&self) -> Result<EffectResult, PortError> {
        let entries = self.world.journals.history(&self.journal(), STORY).await?;
        if entries.first().map(|entry| &entry.id) != Some(self.tip) {
            return Ok(self.overtaken());
        }
        match timeline(&entries) {
            Ok(story) => {
                self.world.publisher.publish(self.state, &story).await.map(|()| EffectResult::Applied)
            }
            Err(error) => Ok(EffectResult::Refused(error.to_string())),
        }
    }

    /// Whether the journal's newest entry is still the one whose effects are performed. A registry remembers a fence
    /// only once something was written under it, so that it is asked as late as possible.
    async fn is_current(&self) -> Result<bool, PortError> {
        let tip = self.world.journals.tip(&self.journal()).await?;
        Ok(tip.is_some_and(|entry| entry.id == *self.tip))
    }

    fn overtaken(&self) -> EffectResult {
        EffectResult::Retry(format!("journal {} was moved on by another run", self.journal()))
    }

    fn journal(&self) -> String {
        journal_name(&self.state.environment, &self.state.model)
    }
}

/// What people see of a state where its orders are carried out.
fn note(state: &RolloutState) -> Note {
    Note {
        rollout: state.id.clone(),
        candidate: state.candidate.digest.clone(),
        stable: state.stable.as_ref().map(|stable| stable.digest.clone()),
        step: format!("{} {}", state.phase, state.step),
        deadline: state.deadline,
        run: state.by.run.clone(),
    }
}

/// What a failed call means: it may pass, it will not, or there is nothing to do any more.
fn failed(error: &PortError) -> EffectResult {
    match error.problem {
        _ if error.may_pass() => EffectResult::Retry(error.to_string()),
        Problem::Superseded => EffectResult::Superseded(error.to_string()),
        _ => EffectResult::Refused(error.to_string()),
    }
}

fn unknown(version: &Version) -> EffectResult {
    EffectResult::Refused(format!("{version} is neither candidate nor stable of this rollout"))
}

fn shortened(message: &str) -> String {
    if message.chars().count() <= DESCRIPTION {
        return message.to_owned();
    }
    message.chars().take(DESCRIPTION - 3).chain("...".chars()).collect()
}
