//! Changes that a person makes to the registry alone, as with GTO's commands: no bytes, no traffic.

use tagship_domain::{Bump, CommitId, ModelName, Timestamp, Version};

use super::{Draft, PlannedTag, active_version, free_number};
use crate::{
    error::RegistryError, grammar::Action, model::ModelVersion, registry::Registry, trailers::Trailers,
};

/// Which number a version takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// The next one after the highest there ever was.
    Next(Bump),
    /// This one.
    Exactly(Version),
}

impl Number {
    fn may_be(&self, version: &Version) -> bool {
        match self {
            Self::Next(_) => true,
            Self::Exactly(wanted) => wanted == version,
        }
    }
}

impl Registry {
    /// Plans to register a commit as a version, without saying what its bytes are. A commit whose version was withdrawn
    /// becomes that version again.
    ///
    /// # Errors
    /// When the commit already is a version, the number is another commit's, the model is set aside, or no legal tag is
    /// left.
    pub fn plan_version(
        &self,
        name: &ModelName,
        commit: &CommitId,
        number: &Number,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<PlannedTag, RegistryError> {
        let model = self.known_or_new(name)?;
        let mut here = model.into_iter().flat_map(|model| model.versions_at(commit));
        let here = here.find_map(|found| Some((found, found.version()?)));
        let version = match (here, number) {
            (Some((found, version)), number) if !found.is_active() && number.may_be(version) => {
                version.clone()
            }
            (Some((_, version)), _) => {
                let (model, commit, version) = (name.to_string(), commit.clone(), version.clone());
                return Err(RegistryError::CommitTaken { model, commit, version });
            }
            (None, number) => free_number(name, model, commit, number)?,
        };
        let subject = format!("Registering artifact {name} version {version}");
        self.plan_event(name, Action::Register(version), commit, &trailers.message(&subject), now)
    }

    /// Plans to withdraw a version. Stages that it holds fall back to what they held before.
    ///
    /// # Errors
    /// When there is no such version in force, the model is set aside, or no legal tag is left.
    pub fn plan_withdrawal(
        &self,
        name: &ModelName,
        version: &Version,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<PlannedTag, RegistryError> {
        let commit = active_version(self.model(name)?, version)?.commit();
        let subject = format!("Deregistering artifact {name} version {version}");
        self.plan_event(name, Action::Deregister(version.clone()), commit, &trailers.message(&subject), now)
    }

    /// Plans to retire a model until it is registered again; `None` when it is retired already. The tag lies at the
    /// highest version in force, or at the commit of the newest event where there is none.
    ///
    /// # Errors
    /// When the model is unknown or set aside, or no legal tag is left.
    pub fn plan_retirement(
        &self,
        name: &ModelName,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<Option<PlannedTag>, RegistryError> {
        let model = self.model(name)?;
        if !model.is_active() {
            return Ok(None);
        }
        let newest = || model.events().max_by(|a, b| a.order().cmp(&b.order())).map(|event| &event.commit);
        let Some(commit) = model.latest(false).map(ModelVersion::commit).or_else(newest) else {
            return Ok(None);
        };
        let message = trailers.message(&format!("Deprecating artifact '{name}'"));
        self.plan_event(name, Action::Deprecate, commit, &message, now).map(Some)
    }

    fn plan_event(
        &self,
        name: &ModelName,
        action: Action,
        commit: &CommitId,
        message: &str,
        now: Timestamp,
    ) -> Result<PlannedTag, RegistryError> {
        let counter = self.counter_if_taken(name, &action)?;
        let draft = Draft { action, counter, target: commit.clone(), message: message.to_owned() };
        self.plan(name, draft, self.next_time(name, now)?)
    }
}
