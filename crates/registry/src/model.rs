//! One model: its versions, the stages they hold, and what can be asked about them.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use tagship_domain::{CommitId, Digest, Environment, Timestamp, Version};

use crate::{event::Event, grammar::Action};

/// Everything the tags say about one model.
#[derive(Debug, Clone)]
pub struct Model {
    name: String,
    versions: Vec<ModelVersion>,
    retirements: Vec<Event>,
    by_commit: HashMap<CommitId, usize>,
    by_version: HashMap<Version, usize>,
    shared_commits: HashSet<CommitId>,
    contradiction: Option<String>,
}

/// A commit that is a version of a model.
#[derive(Debug, Clone)]
pub struct ModelVersion {
    version: Option<Version>,
    commit: CommitId,
    events: Vec<Event>,
    stages: Vec<StageRecord>,
}

/// What happened between one version and one stage.
#[derive(Debug, Clone)]
pub struct StageRecord {
    stage: String,
    events: Vec<Event>,
}

impl Model {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            versions: Vec::new(),
            retirements: Vec::new(),
            by_commit: HashMap::new(),
            by_version: HashMap::new(),
            shared_commits: HashSet::new(),
            contradiction: None,
        }
    }

    /// Takes in the next event. Within a kind they must come in order, and every registration before the
    /// first stage event, because a stage tag knows its version by the commit only.
    pub(crate) fn apply(&mut self, event: Event) {
        match event.action.clone() {
            Action::Create => {}
            Action::Deprecate => self.retirements.push(event),
            Action::Register(version) | Action::Deregister(version) => self.apply_version(version, event),
            Action::Assign(stage) | Action::Unassign(stage) => self.apply_stage(&stage, event),
        }
    }

    fn apply_version(&mut self, version: Version, event: Event) {
        if let Some(&at) = self.by_version.get(&version) {
            let known = &mut self.versions[at];
            if known.commit == event.commit {
                known.events.push(event);
            } else {
                let (here, there) = (known.commit.short(), event.commit.short());
                let reason = format!("{version} is registered at two commits, {here} and {there}");
                self.contradiction.get_or_insert(reason);
            }
            return;
        }
        let at = self.versions.len();
        if self.by_commit.insert(event.commit.clone(), at).is_some() {
            self.shared_commits.insert(event.commit.clone());
        }
        self.by_version.insert(version.clone(), at);
        let commit = event.commit.clone();
        self.versions.push(ModelVersion {
            version: Some(version),
            commit,
            events: vec![event],
            stages: Vec::new(),
        });
    }

    fn apply_stage(&mut self, stage: &str, event: Event) {
        if self.shared_commits.contains(&event.commit) {
            let names: Vec<String> =
                self.versions_at(&event.commit).map(|v| v.label().into_owned()).collect();
            let (tag, commit, names) = (&event.tag, event.commit.short(), names.join(" and "));
            let reason = format!("tag {tag} is on commit {commit}, which is both {names}");
            self.contradiction.get_or_insert(reason);
            return;
        }
        let versions = &mut self.versions;
        let at = *self.by_commit.entry(event.commit.clone()).or_insert_with(|| {
            let commit = event.commit.clone();
            versions.push(ModelVersion { version: None, commit, events: Vec::new(), stages: Vec::new() });
            versions.len() - 1
        });
        let stages = &mut versions[at].stages;
        match stages.iter_mut().find(|record| record.stage == stage) {
            Some(record) => record.events.push(event),
            None => stages.push(StageRecord { stage: stage.to_owned(), events: vec![event] }),
        }
    }

    /// Takes in a commit that describes the model without a tag; nothing new where it has tags.
    pub(crate) fn discover(&mut self, commit: &CommitId) {
        let (versions, at) = (&mut self.versions, self.by_commit.get(commit));
        if at.is_none() {
            self.by_commit.insert(commit.clone(), versions.len());
            let (events, stages) = (Vec::new(), Vec::new());
            versions.push(ModelVersion { version: None, commit: commit.clone(), events, stages });
        }
    }

    /// Whether it has tags, rather than a description alone.
    pub fn is_registered(&self) -> bool {
        self.events().next().is_some()
    }

    /// The model's name, with `:` between directory and name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why the tags of this model can't be trusted, where they contradict each other.
    pub fn contradiction(&self) -> Option<&str> {
        self.contradiction.as_deref()
    }

    /// Whether the newest event of any kind is not a deprecation.
    pub fn is_active(&self) -> bool {
        let newest = self.events().max_by(|a, b| a.order().cmp(&b.order()));
        newest.is_none_or(|event| event.action != Action::Deprecate)
    }

    /// Every event, in no particular order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.retirements.iter().chain(self.versions.iter().flat_map(ModelVersion::events))
    }

    /// Deprecations, oldest first.
    pub(crate) fn retirements(&self) -> impl Iterator<Item = &Event> {
        self.retirements.iter()
    }

    /// Every version ever, active or not, in order of first mention.
    pub fn versions(&self) -> impl Iterator<Item = &ModelVersion> {
        self.versions.iter()
    }

    /// The active versions, highest first; commits that hold a stage without being registered come last.
    pub fn active_versions(&self) -> Vec<&ModelVersion> {
        let mut active: Vec<&ModelVersion> = self.versions.iter().filter(|v| v.is_active()).collect();
        active.sort_by(|a, b| a.cmp_precedence(b));
        active.reverse();
        active
    }

    /// The highest active registered version. With `stable_only`, prereleases do not count; GTO counts them.
    pub fn latest(&self, stable_only: bool) -> Option<&ModelVersion> {
        let fits = |v: &&ModelVersion| {
            v.version.as_ref().is_some_and(|version| !(stable_only && version.is_prerelease()))
        };
        self.active_versions().into_iter().find(fits)
    }

    /// A version by its number, active or not.
    pub fn version(&self, version: &Version) -> Option<&ModelVersion> {
        self.by_version.get(version).map(|&at| &self.versions[at])
    }

    /// The versions that a commit is; more than one only where GTO's rules were broken.
    pub fn versions_at(&self, commit: &CommitId) -> impl Iterator<Item = &ModelVersion> {
        self.versions.iter().filter(move |v| v.commit == *commit)
    }

    /// The version with these bytes, by the digest its registration records: an active one where there is one, and of
    /// several the highest, as a prerelease and what it became have the same bytes.
    pub fn by_digest(&self, digest: &Digest) -> Option<&ModelVersion> {
        let same = self.versions.iter().filter(|v| v.digest().as_ref() == Some(digest));
        same.max_by(|a, b| a.is_active().cmp(&b.is_active()).then_with(|| a.cmp_precedence(b)))
    }

    /// The version that holds a stage now: among the active versions that are assigned, the one assigned last.
    pub fn current(&self, environment: &Environment) -> Option<&ModelVersion> {
        self.holder(environment.as_str())
    }

    pub(crate) fn holder(&self, stage: &str) -> Option<&ModelVersion> {
        self.holders(stage).into_iter().next()
    }

    /// Active versions assigned to a stage, last assigned first: the first holds it, the next ones are what
    /// it falls back to.
    pub(crate) fn holders(&self, stage: &str) -> Vec<&ModelVersion> {
        let mut holders: Vec<(&Event, &ModelVersion)> = self
            .versions
            .iter()
            .filter(|v| v.is_active())
            .filter_map(|v| Some((v.stage(stage)?.active_since()?, v)))
            .collect();
        holders.sort_by(|(a, _), (b, _)| b.order().cmp(&a.order()));
        holders.into_iter().map(|(_, version)| version).collect()
    }

    /// Every assignment to a stage that ever was, newest first, with the version it put there.
    pub fn assignments(&self, environment: &Environment) -> Vec<(&ModelVersion, &Event)> {
        let mut all: Vec<(&ModelVersion, &Event)> = self
            .versions
            .iter()
            .filter_map(|v| Some((v, v.stage(environment.as_str())?)))
            .flat_map(|(v, record)| record.assignments().map(move |event| (v, event)))
            .collect();
        all.sort_by(|(_, a), (_, b)| b.order().cmp(&a.order()));
        all
    }

    /// The active version that held a stage before the current one: what a rollback without a named version
    /// goes back to.
    pub fn previous(&self, environment: &Environment) -> Option<&ModelVersion> {
        let current = self.current(environment)?;
        self.assignments(environment)
            .into_iter()
            .map(|(version, _)| version)
            .skip_while(|version| version.commit != current.commit)
            .find(|version| version.commit != current.commit && version.is_active())
    }

    /// Stages that an active version holds.
    pub fn used_stages(&self) -> impl Iterator<Item = &str> {
        let active = self.versions.iter().filter(|v| v.is_active());
        active.flat_map(|v| v.stages.iter()).filter(|r| r.active_since().is_some()).map(|r| r.stage.as_str())
    }

    /// The time of the newest event and the tag that holds it.
    pub(crate) fn newest(&self) -> Option<(Timestamp, &str)> {
        self.events().map(|event| (event.time(), event.tag.as_str())).max()
    }
}

impl ModelVersion {
    /// The version number; `None` for a commit that holds a stage without being registered.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The version, or the commit where there is none, as GTO shows it.
    pub fn label(&self) -> Cow<'_, str> {
        match &self.version {
            Some(version) => Cow::Owned(version.to_string()),
            None => Cow::Borrowed(self.commit.as_str()),
        }
    }

    /// The commit that is this version.
    pub fn commit(&self) -> &CommitId {
        &self.commit
    }

    /// Whether it is not withdrawn: its newest registration event is a registration, or it has none.
    pub fn is_active(&self) -> bool {
        self.events.last().is_none_or(|event| event.action.is_addition())
    }

    /// Registrations, oldest first.
    pub fn registrations(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.action.is_addition())
    }

    /// Deregistrations, oldest first.
    pub fn deregistrations(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| !event.action.is_addition())
    }

    /// The digest of its bytes, from the newest registration that records one.
    pub fn digest(&self) -> Option<Digest> {
        self.registrations().filter_map(|event| event.trailers().digest()).last()
    }

    /// Whether it is assigned to a stage (it need not be the one that holds it).
    pub fn is_in(&self, environment: &Environment) -> bool {
        self.stage(environment.as_str()).is_some_and(|record| record.active_since().is_some())
    }

    pub(crate) fn stage(&self, stage: &str) -> Option<&StageRecord> {
        self.stages.iter().find(|record| record.stage == stage)
    }

    /// Its records of stages, in order of first assignment.
    pub fn stages(&self) -> impl Iterator<Item = &StageRecord> {
        self.stages.iter()
    }

    /// All its events: registrations first, then stage by stage.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().chain(self.stages.iter().flat_map(|record| &record.events))
    }

    /// SemVer precedence, build metadata left out; unregistered commits below all versions, by their id.
    fn cmp_precedence(&self, other: &Self) -> Ordering {
        match (&self.version, &other.version) {
            (Some(a), Some(b)) => a.cmp_precedence(b),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (None, None) => self.commit.cmp(&other.commit),
        }
    }
}

impl StageRecord {
    /// The stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Assignments, oldest first.
    pub fn assignments(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.action.is_addition())
    }

    /// Unassignments, oldest first.
    pub fn unassignments(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| !event.action.is_addition())
    }

    /// The assignment in force: the newest event, where that is an assignment.
    pub fn active_since(&self) -> Option<&Event> {
        self.events.last().filter(|event| event.action.is_addition())
    }
}
