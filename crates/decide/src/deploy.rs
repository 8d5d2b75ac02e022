//! Whether bytes go to an environment.

use tagship_domain::{
    Digest, Environment, ModelName, Version,
    decision::{Action, DecisionItem, ReasonCode},
};

use crate::state::{Arrival, ArtifactState, EnvironmentState, ModelState};

/// A model and one of its environments, about which something is decided.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a ModelName,
    pub(crate) model: &'a ModelState,
    pub(crate) environment: &'a Environment,
    pub(crate) state: &'a EnvironmentState,
}

impl<'a> Subject<'a> {
    /// Every environment of a model.
    pub(crate) fn all(name: &'a ModelName, model: &'a ModelState) -> impl Iterator<Item = Self> {
        model.environments.iter().map(move |(environment, state)| Self { name, model, environment, state })
    }

    pub(crate) fn item(self, action: Action, reason_code: ReasonCode, sentence: String) -> DecisionItem {
        DecisionItem {
            model: self.name.clone(),
            environment: Some(self.environment.clone()),
            action,
            reason_code,
            sentence,
            digest: None,
            version: None,
        }
    }

    /// Deploys the bytes of the checkout, unless the environment holds them or they failed there before.
    pub(crate) fn deploy_checkout(self, retry: bool) -> DecisionItem {
        match &self.model.artifact {
            ArtifactState::Missing(why) if matches!(self.model.arrival, Some(Arrival::Unknown(_))) => {
                let sentence = format!("the artifact of {} could not be fetched: {why}", self.name);
                self.item(Action::Skip, ReasonCode::SourceUnreadable, sentence)
            }
            ArtifactState::Missing(why) => {
                let sentence = format!("the artifact of {} is not in this checkout: {why}", self.name);
                self.item(Action::Skip, ReasonCode::ArtifactMissing, sentence)
            }
            ArtifactState::Present(digest) => {
                let version = self.model.release_of(digest).map(|release| release.version.clone());
                self.deploy(digest, version, retry)
            }
        }
    }

    /// Deploys a registered version.
    pub(crate) fn deploy_version(self, version: &Version, retry: bool) -> DecisionItem {
        match self.model.release(version) {
            Some(release) => self.deploy(&release.digest, Some(version.clone()), retry),
            None => {
                let sentence = format!("{} has no registered version {version}", self.name);
                self.item(Action::Skip, ReasonCode::UnknownVersion, sentence)
            }
        }
    }

    fn deploy(self, digest: &Digest, version: Option<Version>, retry: bool) -> DecisionItem {
        let (action, reason_code, sentence) = self.judge(digest, version.as_ref(), retry);
        DecisionItem { digest: Some(digest.clone()), version, ..self.item(action, reason_code, sentence) }
    }

    fn judge(self, digest: &Digest, version: Option<&Version>, retry: bool) -> (Action, ReasonCode, String) {
        let Self { name, environment, state, .. } = self;
        if let Some(running) = state.running.as_ref().filter(|running| Some(&running.version) == version) {
            let sentence = format!(
                "{name} {} is still rolling out to {environment} ({})",
                running.version, running.phase
            );
            return (Action::Tick, ReasonCode::RolloutRunning, sentence);
        }
        if let Some(current) = state.current.as_ref().filter(|current| current.digest == *digest) {
            let sentence =
                format!("{environment} already holds these bytes of {name} as {}", current.version);
            return (Action::Skip, ReasonCode::AlreadyDeployed, sentence);
        }
        let blocked = state.blocked.iter().find(|blocked| blocked.digest == *digest);
        if let Some(blocked) = blocked.filter(|_| !retry) {
            let sentence = format!(
                "the last rollout of these bytes of {name} to {environment} ({}) ended {}; retry it by hand or push \
                 another model",
                blocked.version, blocked.phase
            );
            return (Action::Skip, ReasonCode::PreviouslyRolledBack, sentence);
        }
        if let Some(before) = state.after.as_ref().filter(|before| !before.succeeded.contains(digest)) {
            return (Action::Skip, ReasonCode::AwaitsEnvironment, self.awaits(version, &before.environment));
        }
        if let Some(lock) = &state.lock {
            let sentence = format!("{name} is not deployed: {}; {}", lock.sentence(), lock.way_out());
            return (Action::Skip, ReasonCode::EnvironmentLocked, sentence);
        }
        let action = if retry { Action::Retry } else { Action::Deploy };
        let (reason_code, sentence) = self.why(digest, version);
        let sentence = match state.frozen_until {
            None => sentence,
            Some(until) => format!(
                "{sentence}; a freeze holds the rollout until {}, unless someone promotes it",
                until.readable()
            ),
        };
        (action, reason_code, sentence)
    }

    /// What is missing before bytes may come here, and what to do about it.
    fn awaits(self, version: Option<&Version>, before: &Environment) -> String {
        let Self { name, environment, .. } = self;
        let what =
            version.map_or_else(|| format!("these bytes of {name}"), |version| format!("{name} {version}"));
        format!(
            "{what} did not succeed in {before} yet, after which {environment} comes; deploy there first, then \
             `tagship run --request deploy --from {before} --environment {environment}`"
        )
    }

    /// Why bytes are deployed that nothing stands against.
    fn why(self, digest: &Digest, version: Option<&Version>) -> (ReasonCode, String) {
        let Self { name, environment, state, .. } = self;
        match (version, &state.current) {
            (Some(version), _) => {
                let sentence = format!("{name} {version} is released but not deployed to {environment}");
                (ReasonCode::ReleasedNotDeployed, sentence)
            }
            (None, None) => {
                (ReasonCode::FirstDeployment, format!("{environment} holds no version of {name} yet"))
            }
            (None, Some(current)) => {
                let sentence = format!(
                    "{name} changed: {} instead of {} ({}) in {environment}",
                    digest.short(),
                    current.digest.short(),
                    current.version
                );
                (ReasonCode::DigestChanged, sentence)
            }
        }
    }
}
