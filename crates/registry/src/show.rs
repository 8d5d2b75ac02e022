//! `gto show --json`: the registry at a glance, and the versions of one model in full.
//!
//! Field names and order are GTO's (`gto/base.py`, `dict_state`), so that either tool's output can stand in for
//! the other's.

use std::{collections::HashMap, fmt, str::FromStr};

use serde::{Serialize, Serializer, ser::SerializeMap};
use tagship_domain::{CommitId, Version, annotation::Annotation, tag::Ident};

use crate::{
    error::RegistryError,
    event::Event,
    grammar::{Action, TagEvent},
    model::{Model, ModelVersion, StageRecord},
    registry::Registry,
};

/// A JSON object whose keys keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedMap<V>(pub Vec<(String, V)>);

/// One line of the registry: GTO's summary of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelSummary {
    /// The highest active registered version, prereleases included.
    pub version: Option<String>,
    /// What holds each stage of the registry.
    pub stage: OrderedMap<Option<String>>,
    /// Whether the model has tags, rather than a description alone.
    pub registered: bool,
    /// Always true here: deprecated models are left out.
    pub active: bool,
}

/// Which versions of a model to show: `churn`, `churn@latest`, `churn@v1.4.0`, `churn#production`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The model.
    pub model: String,
    which: Which,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    All,
    Latest,
    Version(Version),
    Stage(String),
}

/// What [`Registry::show_versions`] needs to know of a version's commit.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitFacts {
    /// Author's name.
    pub author: String,
    /// Author's address.
    pub author_email: String,
    /// Committer and commit time.
    pub committer: Ident,
    /// The whole message, as it is.
    pub message: String,
    /// What the commit's tree says about the model.
    pub annotation: Option<Annotation>,
}

/// One version in full.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionView {
    artifact: String,
    commit_hexsha: String,
    version: String,
    enrichments: Vec<CommitView>,
    registrations: Vec<EventView>,
    deregistrations: Vec<EventView>,
    stages: Vec<StageView>,
    is_active: bool,
    activated_at: String,
    #[serde(flatten)]
    authoring: Authoring,
    discovered: bool,
}

/// One stage that a version holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct StageView {
    artifact: String,
    commit_hexsha: String,
    version: String,
    stage: String,
    assignments: Vec<EventView>,
    unassignments: Vec<EventView>,
    is_active: bool,
    activated_at: String,
    #[serde(flatten)]
    authoring: Authoring,
}

/// The event that made a version or stage what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Authoring {
    created_at: String,
    author: String,
    author_email: String,
    message: String,
    #[serde(rename = "ref")]
    reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct EventView {
    priority: u8,
    addition: bool,
    artifact: String,
    created_at: String,
    author: String,
    author_email: String,
    message: String,
    commit_hexsha: String,
    tag: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
}

/// GTO shows the version's commit as an event of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct CommitView {
    priority: u8,
    addition: bool,
    artifact: String,
    created_at: String,
    author: String,
    author_email: String,
    message: String,
    commit_hexsha: String,
    version: String,
    enrichments: Vec<Enrichment>,
    committer: String,
    committer_email: String,
}

/// What GTO knows of a version from elsewhere; `artifacts.yaml` is the only place that it knows by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Enrichment {
    source: &'static str,
    artifact: Annotation,
}

impl<V: Serialize> Serialize for OrderedMap<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Registry {
    /// `gto show --json`: every active model with its latest version and what holds its stages.
    pub fn show(&self) -> OrderedMap<ModelSummary> {
        let stages = self.stages();
        let summary = |model: &Model| ModelSummary {
            version: model.latest(false).map(|version| version.label().into_owned()),
            stage: OrderedMap(
                stages
                    .iter()
                    .map(|&stage| (stage.to_owned(), model.holder(stage).map(|v| v.label().into_owned())))
                    .collect(),
            ),
            registered: model.is_registered(),
            active: true,
        };
        let active = self.models().filter(|model| model.is_active());
        OrderedMap(active.map(|model| (model.name().to_owned(), summary(model))).collect())
    }

    /// `gto show NAME --json`: active versions, highest first; none for a deprecated model. `commits` should
    /// hold the commit of every version of the model (see [`crate::Model::versions`]); what it lacks is shown
    /// without its commit.
    ///
    /// # Errors
    /// When the model, the version or anything in the stage does not exist (GTO answers with an empty list),
    /// or the model is set aside.
    pub fn show_versions(
        &self,
        selector: &Selector,
        commits: &HashMap<CommitId, CommitFacts>,
    ) -> Result<Vec<VersionView>, RegistryError> {
        let model = self.model_by_name(&selector.model)?;
        let selected = selector.select(model)?;
        if !model.is_active() {
            return Ok(Vec::new());
        }
        let held = stages_held(model);
        Ok(selected.into_iter().map(|v| version_view(model, v, &held, commits.get(v.commit()))).collect())
    }
}

impl Selector {
    fn select<'a>(&self, model: &'a Model) -> Result<Vec<&'a ModelVersion>, RegistryError> {
        let active = model.active_versions();
        let missing = |version: String| RegistryError::UnknownVersion {
            model: self.model.clone(),
            version,
            active: active.iter().map(|v| v.label().into_owned()).collect(),
        };
        let one = match &self.which {
            Which::All => return Ok(active),
            Which::Latest => active.first().copied().ok_or_else(|| missing("latest".to_owned())),
            Which::Version(version) => active
                .iter()
                .find(|v| v.version() == Some(version))
                .copied()
                .ok_or_else(|| missing(version.to_string())),
            Which::Stage(stage) => model.holder(stage).ok_or_else(|| RegistryError::NothingInStage {
                model: self.model.clone(),
                stage: stage.clone(),
            }),
        };
        one.map(|version| vec![version])
    }
}

impl FromStr for Selector {
    type Err = std::convert::Infallible;

    /// Reads a selector. What is no shortcut is taken as the name of a model, which then is not found.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = |which| Self { model: text.to_owned(), which };
        if let Some((model, "latest" | "greatest")) = text.split_once('@') {
            return Ok(Self { model: model.to_owned(), which: Which::Latest });
        }
        // A tag has `=` where a name has `:`; a name with `=` is no name.
        let tag = text.replacen(':', "=", 1);
        Ok(match TagEvent::parse(&tag) {
            Ok(TagEvent { model, action, counter: None }) if !text.contains('=') => match action {
                Action::Register(version) => Self { model, which: Which::Version(version) },
                Action::Assign(stage) => Self { model, which: Which::Stage(stage) },
                _ => whole(Which::All),
            },
            _ => whole(Which::All),
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = &self.model;
        match &self.which {
            Which::All => f.write_str(model),
            Which::Latest => write!(f, "{model}@latest"),
            Which::Version(version) => write!(f, "{model}@{version}"),
            Which::Stage(stage) => write!(f, "{model}#{stage}"),
        }
    }
}

/// The stages of a model with the commit that holds each, last assigned first.
fn stages_held(model: &Model) -> Vec<(&StageRecord, &CommitId)> {
    let mut names: Vec<&str> = model.used_stages().collect();
    names.sort_unstable();
    names.dedup();
    let holder = |stage: &&str| model.holder(stage).and_then(|v| Some((v.stage(stage)?, v.commit())));
    let mut held: Vec<_> = names.iter().filter_map(holder).collect();
    held.sort_by(|(a, _), (b, _)| {
        let order = |record: &StageRecord| record.active_since().map(|e| (e.time(), e.counter));
        order(b).cmp(&order(a))
    });
    held
}

fn version_view(
    model: &Model,
    version: &ModelVersion,
    held: &[(&StageRecord, &CommitId)],
    commit: Option<&CommitFacts>,
) -> VersionView {
    let artifact = model.name();
    let label = version.label();
    let event_view = |event: &Event| EventView::new(artifact, &label, event);
    let stage_view = |record: &StageRecord| {
        let in_stage = |event: &Event| EventView { event: Some(event.action.word()), ..event_view(event) };
        let since = record.active_since();
        StageView {
            artifact: artifact.to_owned(),
            commit_hexsha: version.commit().to_string(),
            version: label.clone().into_owned(),
            stage: record.stage().to_owned(),
            assignments: record.assignments().map(in_stage).collect(),
            unassignments: record.unassignments().map(in_stage).collect(),
            is_active: since.is_some(),
            activated_at: since.map(|event| event.tagger.iso_time()).unwrap_or_default(),
            authoring: record.assignments().last().map(Authoring::event).unwrap_or_default(),
        }
    };
    VersionView {
        artifact: artifact.to_owned(),
        commit_hexsha: version.commit().to_string(),
        version: label.clone().into_owned(),
        enrichments: commit.map(|facts| CommitView::new(artifact, version, facts)).into_iter().collect(),
        registrations: version.registrations().map(event_view).collect(),
        deregistrations: version.deregistrations().map(event_view).collect(),
        stages: held.iter().filter(|(_, at)| *at == version.commit()).map(|(r, _)| stage_view(r)).collect(),
        is_active: version.is_active(),
        activated_at: activated_at(version, commit),
        authoring: authoring(version, commit),
        discovered: version.version().is_none(),
    }
}

/// The first registration; for a commit that is not registered its own time or the first stage event's.
fn activated_at(version: &ModelVersion, commit: Option<&CommitFacts>) -> String {
    if let Some(first) = version.registrations().next() {
        return first.tagger.iso_time();
    }
    let events = version.events().map(|event| &event.tagger);
    let earliest = events.chain(commit.map(|facts| &facts.committer)).min_by_key(|who| who.time);
    earliest.map(Ident::iso_time).unwrap_or_default()
}

/// The newest registration; for a commit that is not registered the newest of its stage events and itself.
fn authoring(version: &ModelVersion, commit: Option<&CommitFacts>) -> Authoring {
    if let Some(newest) = version.registrations().last() {
        return Authoring::event(newest);
    }
    let newest = version.events().max_by(|a, b| a.order().cmp(&b.order()));
    match (newest, commit) {
        (Some(event), Some(facts)) if facts.committer.time > event.time() => {
            Authoring::commit(version.commit(), facts)
        }
        (Some(event), _) => Authoring::event(event),
        (None, facts) => facts.map(|facts| Authoring::commit(version.commit(), facts)).unwrap_or_default(),
    }
}

impl Default for Authoring {
    fn default() -> Self {
        let none = String::new;
        Self { created_at: none(), author: none(), author_email: none(), message: none(), reference: none() }
    }
}

impl Authoring {
    fn event(event: &Event) -> Self {
        Self {
            created_at: event.tagger.iso_time(),
            author: event.tagger.name.clone(),
            author_email: event.tagger.email.clone(),
            message: event.message.clone(),
            reference: event.tag.clone(),
        }
    }

    fn commit(id: &CommitId, facts: &CommitFacts) -> Self {
        Self {
            created_at: facts.committer.iso_time(),
            author: facts.author.clone(),
            author_email: facts.author_email.clone(),
            message: facts.message.clone(),
            reference: id.to_string(),
        }
    }
}

impl EventView {
    fn new(artifact: &str, version: &str, event: &Event) -> Self {
        Self {
            priority: event.action.priority(),
            addition: event.action.is_addition(),
            artifact: artifact.to_owned(),
            created_at: event.tagger.iso_time(),
            author: event.tagger.name.clone(),
            author_email: event.tagger.email.clone(),
            message: event.message.clone(),
            commit_hexsha: event.commit.to_string(),
            tag: event.tag.clone(),
            version: version.to_owned(),
            stage: event.action.stage().map(str::to_owned),
            event: None,
        }
    }
}

impl Enrichment {
    fn of_gto(artifact: Annotation) -> Self {
        Self { source: "gto", artifact }
    }
}

impl CommitView {
    fn new(artifact: &str, version: &ModelVersion, facts: &CommitFacts) -> Self {
        Self {
            priority: 0,
            addition: true,
            artifact: artifact.to_owned(),
            created_at: facts.committer.iso_time(),
            author: facts.author.clone(),
            author_email: facts.author_email.clone(),
            message: facts.message.clone(),
            commit_hexsha: version.commit().to_string(),
            version: version.label().into_owned(),
            enrichments: facts.annotation.clone().into_iter().map(Enrichment::of_gto).collect(),
            committer: facts.committer.name.clone(),
            committer_email: facts.committer.email.clone(),
        }
    }
}
