//! What to write next: tags planned from the state, made by whoever holds the repository.
//!
//! A plan holds for the tags it was made from. When a planned tag turns out to exist already, another run was
//! faster: read the tags again and plan again.

mod by_hand;

use tagship_domain::{Bump, CommitId, Digest, Environment, ModelName, Timestamp, Version};

use crate::{
    error::RegistryError,
    grammar::{Action, TagEvent},
    model::{Model, ModelVersion},
    registry::Registry,
    trailers::{Trailer, Trailers},
};

pub use by_hand::Number;

/// The first version of a model is `v0.1.0`, whatever the bump: there is nothing yet to be a patch of.
/// (GTO starts at `v0.0.1`.)
pub const FIRST_VERSION: (u64, u64, u64) = (0, 1, 0);

/// An annotated tag to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTag {
    /// Name without `refs/tags/`.
    pub name: String,
    /// The commit it names.
    pub target: CommitId,
    /// Whole message: GTO's line, a blank line, trailers.
    pub message: String,
    /// Tagger time: now, or one second after the model's newest event where the clock is behind that. GTO
    /// orders by this time alone, in whole seconds.
    pub time: Timestamp,
}

/// An artifact to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationRequest {
    /// The model.
    pub model: ModelName,
    /// The commit that is to be the version.
    pub commit: CommitId,
    /// Digest of the artifact's bytes; becomes the first trailer.
    pub digest: Digest,
    /// Which number it takes.
    pub number: Number,
    /// More data for the message.
    pub trailers: Trailers,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// The bytes are registered already.
    Existing {
        /// As this version.
        version: Version,
        /// At this commit.
        commit: CommitId,
    },
    /// The tag that registers the version, for the first time or again after it was withdrawn.
    New {
        /// The version.
        version: Version,
        /// The tag to make.
        tag: PlannedTag,
    },
}

impl Registry {
    /// Plans the registration of an artifact.
    ///
    /// The same digest is the same version, at the commit where it was first registered, again after it was
    /// withdrawn. A commit registered without a digest (by GTO) is taken to be the version it says, and is
    /// registered once more with the digest, in the counter form. Anything else becomes the version asked for, or the
    /// next one after the highest there ever was, withdrawn ones included. Bytes get a second version only where it is
    /// asked for by its number and the one they have is a prerelease of it.
    ///
    /// # Errors
    /// When the commit already is another version, the number other bytes', the bytes another version that does not lead
    /// to this one, the model is set aside, or no legal tag is left.
    pub fn plan_registration(
        &self,
        request: &RegistrationRequest,
        now: Timestamp,
    ) -> Result<Registration, RegistryError> {
        let RegistrationRequest { model: name, commit, number, .. } = request;
        let model = self.known_or_new(name)?;
        let versions = || model.into_iter().flat_map(Model::versions);
        let numbered = |v: &ModelVersion| v.version().cloned().map(|version| (version, v.commit().clone()));
        let same = match model {
            Some(model) => same_bytes(model, request)?,
            None => None,
        };
        if let Some((found, (version, commit))) = same.and_then(|v| Some((v, numbered(v)?))) {
            if found.is_active() && found.digest().is_some() {
                return Ok(Registration::Existing { version, commit });
            }
            return self.new_registration(request, version, commit, now);
        }
        if let Some((version, commit)) = versions().filter(|v| v.commit() == commit).find_map(numbered) {
            return Err(RegistryError::CommitTaken { model: name.to_string(), commit, version });
        }
        let version = free_number(name, model, commit, number)?;
        self.new_registration(request, version, commit.clone(), now)
    }

    fn new_registration(
        &self,
        request: &RegistrationRequest,
        version: Version,
        target: CommitId,
        now: Timestamp,
    ) -> Result<Registration, RegistryError> {
        let name = &request.model;
        let action = Action::Register(version.clone());
        let counter = self.counter_if_taken(name, &action)?;
        let trailers = request.trailers.clone().with(Trailer::Digest, &request.digest.to_string());
        let subject = format!("Registering artifact {name} version {version}");
        let draft = Draft { action, counter, target, message: trailers.message(&subject) };
        let tag = self.plan(name, draft, self.next_time(name, now)?)?;
        Ok(Registration::New { version, tag })
    }

    /// No counter, or the next one where the simple form is taken: by an earlier event, or by a tag that could not be used.
    fn counter_if_taken(&self, name: &ModelName, action: &Action) -> Result<Option<u64>, RegistryError> {
        let simple = TagEvent { model: name.to_string(), action: action.clone(), counter: None }.to_string();
        self.tag_named(&simple).map(|_taken| self.next_counter(name)).transpose()
    }

    /// Plans to put a version into a stage; `None` when it holds the stage already.
    ///
    /// # Errors
    /// When the version is unknown or withdrawn, `.gto` does not allow the stage, or no legal tag is left.
    pub fn plan_assignment(
        &self,
        name: &ModelName,
        version: &Version,
        environment: &Environment,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<Option<PlannedTag>, RegistryError> {
        let model = self.model(name)?;
        let chosen = active_version(model, version)?;
        self.check_stage(environment)?;
        if model.current(environment).is_some_and(|holder| holder.commit() == chosen.commit()) {
            return Ok(None);
        }
        let step = Step::Assign(version, chosen.commit());
        Ok(self.plan_steps(name, environment, &[step], trailers, now)?.pop())
    }

    /// Plans to take a version out of a stage; `None` when it is not in it. The stage then falls back to the
    /// version that was assigned before and not taken out.
    ///
    /// # Errors
    /// When the version is unknown, the model is set aside, or no legal tag is left.
    pub fn plan_unassignment(
        &self,
        name: &ModelName,
        version: &Version,
        environment: &Environment,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<Option<PlannedTag>, RegistryError> {
        let chosen = known_version(self.model(name)?, version)?;
        if !chosen.is_in(environment) {
            return Ok(None);
        }
        let step = Step::Unassign(version, chosen.commit());
        Ok(self.plan_steps(name, environment, &[step], trailers, now)?.pop())
    }

    /// Plans a tag that changes nothing and takes the next counter: whoever planned a change before it finds the name
    /// of its tag taken. It assigns the version that holds the stage once more; where none does, it takes the given one
    /// out once more.
    ///
    /// # Errors
    /// As [`Registry::plan_unassignment`].
    pub fn plan_reaffirmation(
        &self,
        name: &ModelName,
        version: &Version,
        environment: &Environment,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<PlannedTag, RegistryError> {
        let model = self.model(name)?;
        let out = Step::Unassign(version, known_version(model, version)?.commit());
        let held = model.current(environment).and_then(|holder| Some((holder.version()?, holder.commit())));
        let step = held.map_or(out, |(version, commit)| Step::Assign(version, commit));
        let (action, subject, target) = step.parts(name, environment);
        let counter = Some(self.next_counter(name)?);
        let draft = Draft { action, counter, target: target.clone(), message: trailers.message(&subject) };
        self.plan(name, draft, self.next_time(name, now)?)
    }

    /// Plans the tags of a rollback, to be made in this order: `bad` leaves the stage, then `target` takes it
    /// unless the stage falls back to it by itself. Left in the stage, `bad` would come back at a later
    /// unassignment. Without a target the stage ends empty. Nothing to do is an empty plan.
    ///
    /// # Errors
    /// As [`Registry::plan_assignment`].
    pub fn plan_rollback(
        &self,
        name: &ModelName,
        bad: &Version,
        target: Option<&Version>,
        environment: &Environment,
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<Vec<PlannedTag>, RegistryError> {
        let model = self.model(name)?;
        let bad_one = known_version(model, bad)?;
        let target =
            target.map(|version| Ok((version, active_version(model, version)?.commit()))).transpose()?;
        self.check_stage(environment)?;
        let mut rest = model.holders(environment.as_str());
        let mut steps = Vec::new();
        // A withdrawn version holds nothing, but would again once it is registered again: it leaves too.
        if bad_one.is_in(environment) {
            steps.push(Step::Unassign(bad, bad_one.commit()));
            rest.retain(|version| version.commit() != bad_one.commit());
        }
        match target {
            None => steps.extend(rest.iter().filter_map(|v| Some(Step::Unassign(v.version()?, v.commit())))),
            Some((_, to)) if rest.first().is_some_and(|holder| holder.commit() == to) => {}
            Some((version, to)) => steps.push(Step::Assign(version, to)),
        }
        self.plan_steps(name, environment, &steps, trailers, now)
    }

    /// The tags of steps on one stage, a counter and a second apart.
    fn plan_steps(
        &self,
        name: &ModelName,
        environment: &Environment,
        steps: &[Step<'_>],
        trailers: &Trailers,
        now: Timestamp,
    ) -> Result<Vec<PlannedTag>, RegistryError> {
        let mut time = self.next_time(name, now)?;
        let mut tags = Vec::with_capacity(steps.len());
        for (step, counter) in steps.iter().zip(self.next_counter(name)?..) {
            let (action, subject, target) = step.parts(name, environment);
            let draft = Draft {
                action,
                counter: Some(counter),
                target: target.clone(),
                message: trailers.message(&subject),
            };
            tags.push(self.plan(name, draft, time)?);
            time = after(time);
        }
        Ok(tags)
    }

    fn plan(&self, name: &ModelName, draft: Draft, time: Timestamp) -> Result<PlannedTag, RegistryError> {
        let event = TagEvent { model: name.to_string(), action: draft.action, counter: draft.counter };
        let tag = event.to_string();
        match self.clash(&tag) {
            Some(existing) => Err(RegistryError::RefClash { tag, existing: existing.to_owned() }),
            None => Ok(PlannedTag { name: tag, target: draft.target, message: draft.message, time }),
        }
    }

    /// `None` for a model that is not there yet.
    fn known_or_new(&self, name: &ModelName) -> Result<Option<&Model>, RegistryError> {
        self.find(name.as_str()).map(|_| self.model(name)).transpose()
    }

    fn check_stage(&self, environment: &Environment) -> Result<(), RegistryError> {
        match &self.options().stages {
            Some(allowed) if !allowed.iter().any(|stage| stage == environment.as_str()) => {
                Err(RegistryError::StageNotAllowed {
                    stage: environment.to_string(),
                    allowed: allowed.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Now in whole seconds, or a second after the model's newest event where that is later.
    fn next_time(&self, name: &ModelName, now: Timestamp) -> Result<Timestamp, RegistryError> {
        let now = Timestamp::from_seconds(now.as_seconds()).unwrap_or(now);
        let Some((newest, tag)) = self.find(name.as_str()).and_then(Model::newest) else { return Ok(now) };
        if after(newest) == newest {
            let (tag, model) = (tag.to_owned(), name.to_string());
            return Err(RegistryError::Exhausted { what: "time", tag, model });
        }
        Ok(now.max(after(newest)))
    }

    fn tag_named(&self, name: &str) -> Option<&str> {
        let names = self.tag_names();
        names.binary_search_by(|known| known.as_str().cmp(name)).ok().map(|at| names[at].as_str())
    }

    /// A tag that is a directory of the new one, or lies in a directory of the new one's name.
    fn clash(&self, tag: &str) -> Option<&str> {
        let above = tag.match_indices('/').find_map(|(at, _)| self.tag_named(&tag[..at]));
        above.or_else(|| {
            let directory = format!("{tag}/");
            let names = self.tag_names();
            let at = names.partition_point(|known| *known < directory);
            names.get(at).filter(|known| known.starts_with(&directory)).map(String::as_str)
        })
    }
}

/// A tag without its time.
struct Draft {
    action: Action,
    counter: Option<u64>,
    target: CommitId,
    message: String,
}

/// One event of a stage, for the version at a commit.
enum Step<'a> {
    Assign(&'a Version, &'a CommitId),
    Unassign(&'a Version, &'a CommitId),
}

impl Step<'_> {
    /// The event, the message's first line in GTO's words (quotes and preposition included), the commit.
    fn parts(&self, name: &ModelName, environment: &Environment) -> (Action, String, &CommitId) {
        let stage = environment.to_string();
        match self {
            Self::Assign(version, commit) => {
                let subject = format!("Assigning stage {environment} to artifact {name} version {version}");
                (Action::Assign(stage), subject, commit)
            }
            Self::Unassign(version, commit) => {
                let subject =
                    format!("Unassigning stage '{environment}' to artifact '{name}' version '{version}'");
                (Action::Unassign(stage), subject, commit)
            }
        }
    }
}

/// The number of a new version, which no other commit may have.
fn free_number(
    name: &ModelName,
    model: Option<&Model>,
    commit: &CommitId,
    number: &Number,
) -> Result<Version, RegistryError> {
    let version = match number {
        Number::Next(bump) => next_version(model, *bump),
        Number::Exactly(version) => version.clone(),
    };
    match model.and_then(|model| model.version(&version)).filter(|v| v.commit() != commit) {
        None => Ok(version),
        Some(other) => {
            let (model, commit) = (name.to_string(), other.commit().clone());
            Err(RegistryError::VersionTaken { model, version, commit })
        }
    }
}

/// The version that the bytes of a request are already, or its commit is without saying what its bytes are.
fn same_bytes<'a>(
    model: &'a Model,
    request: &RegistrationRequest,
) -> Result<Option<&'a ModelVersion>, RegistryError> {
    let digest = Some(&request.digest);
    let Number::Exactly(wanted) = &request.number else {
        return Ok(model.by_digest(&request.digest).or_else(|| undescribed(model, &request.commit)));
    };
    if let Some(exact) = model.version(wanted).filter(|v| v.digest().as_ref() == digest) {
        return Ok(Some(exact));
    }
    match model.by_digest(&request.digest).and_then(ModelVersion::version) {
        Some(other) if !other.leads_to(wanted) => Err(RegistryError::BytesTaken {
            model: model.name().to_owned(),
            version: other.clone(),
            wanted: wanted.clone(),
        }),
        _ => Ok(undescribed(model, &request.commit).filter(|v| v.version() == Some(wanted))),
    }
}

/// The version at a commit, where it does not say what its bytes are.
fn undescribed<'a>(model: &'a Model, commit: &CommitId) -> Option<&'a ModelVersion> {
    model.versions_at(commit).find(|v| v.version().is_some() && v.digest().is_none())
}

/// The version after the highest there ever was, withdrawn ones included.
fn next_version(model: Option<&Model>, bump: Bump) -> Version {
    let (major, minor, patch) = FIRST_VERSION;
    let highest = model.into_iter().flat_map(Model::versions).filter_map(ModelVersion::version).max();
    highest.map_or(Version::new(major, minor, patch), |version| version.next(bump))
}

fn known_version<'a>(model: &'a Model, version: &Version) -> Result<&'a ModelVersion, RegistryError> {
    model.version(version).ok_or_else(|| unknown(model, version))
}

fn active_version<'a>(model: &'a Model, version: &Version) -> Result<&'a ModelVersion, RegistryError> {
    model.version(version).filter(|v| v.is_active()).ok_or_else(|| unknown(model, version))
}

fn unknown(model: &Model, version: &Version) -> RegistryError {
    RegistryError::UnknownVersion {
        model: model.name().to_owned(),
        version: version.to_string(),
        active: model.active_versions().iter().map(|v| v.label().into_owned()).collect(),
    }
}

/// The next second, or the same one at the end of the calendar.
fn after(time: Timestamp) -> Timestamp {
    Timestamp::from_seconds(time.as_seconds().saturating_add(1)).unwrap_or(time)
}
