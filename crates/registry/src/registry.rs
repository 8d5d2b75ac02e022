//! The state of all models, from the tags of a repository.

use std::collections::{BTreeSet, HashMap};

use tagship_domain::{ModelName, tag::Tag};

use crate::{
    error::RegistryError,
    event::Event,
    finding::{Finding, FindingKind},
    grammar::{Action, TagEvent, TagNameError},
    model::Model,
};

/// What the repository's `.gto` file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The only stages there may be, where the list is given.
    pub stages: Option<Vec<String>>,
    /// The only types that descriptions may have, where the list is given.
    pub types: Option<Vec<String>>,
}

/// Every model of a repository.
#[derive(Debug, Clone)]
pub struct Registry {
    models: Vec<Model>,
    by_name: HashMap<String, usize>,
    counters: HashMap<String, u64>,
    tag_names: Vec<String>,
    findings: Vec<Finding>,
    options: Options,
}

impl Registry {
    /// Reads the state from tags in any order. Tags that are not of the grammar are skipped; tags that are but
    /// can't be used become findings, see [`Registry::doctor`].
    pub fn from_tags(tags: Vec<Tag>, options: Options) -> Self {
        let mut registry = Self {
            models: Vec::new(),
            by_name: HashMap::new(),
            counters: HashMap::new(),
            tag_names: tags.iter().map(|tag| tag.name.clone()).collect(),
            findings: Vec::new(),
            options,
        };
        registry.tag_names.sort_unstable();
        let mut events: Vec<(String, Event)> =
            tags.into_iter().filter_map(|tag| registry.understand(tag)).collect();
        events.sort_by(|(_, a), (_, b)| pass(a).cmp(&pass(b)).then_with(|| a.order().cmp(&b.order())));
        for (model, event) in events {
            registry.entry(model).apply(event);
        }
        registry
    }

    /// The usable event of a tag, or `None` with a finding where one is due.
    fn understand(&mut self, tag: Tag) -> Option<(String, Event)> {
        let name = match TagEvent::parse(&tag.name) {
            Ok(name) => name,
            Err(TagNameError::Foreign) => return None,
            Err(TagNameError::TooLarge) => {
                self.findings.push(Finding::on_tag(FindingKind::NumberTooLarge, &tag.name));
                return None;
            }
        };
        // Even an unusable tag occupies its name, so its counter counts.
        let highest = self.counters.entry(name.model.clone()).or_default();
        *highest = name.counter.unwrap_or(0).max(*highest);
        let kind = match (tag.annotated, tag.target, tag.tagger) {
            (false, ..) => FindingKind::LightweightTag,
            (true, None, _) => FindingKind::NotACommit,
            (true, Some(_), None) => FindingKind::NoTagger,
            (true, Some(_), Some(_)) if name.action == Action::Create => FindingKind::CreatedTag,
            (true, Some(commit), Some(tagger)) => {
                let model = name.model.clone();
                return Some((model, Event::new(name, tag.name, commit, tagger, &tag.message)));
            }
        };
        self.findings.push(Finding::on_tag(kind, &tag.name));
        None
    }

    pub(crate) fn entry(&mut self, name: String) -> &mut Model {
        let models = &mut self.models;
        let at = *self.by_name.entry(name).or_insert_with_key(|name| {
            models.push(Model::new(name.clone()));
            models.len() - 1
        });
        &mut self.models[at]
    }

    /// A model whose tags make sense.
    ///
    /// # Errors
    /// [`RegistryError::UnknownModel`], or [`RegistryError::Quarantined`] when its tags contradict each other.
    pub fn model(&self, name: &ModelName) -> Result<&Model, RegistryError> {
        self.model_by_name(name.as_str())
    }

    pub(crate) fn model_by_name(&self, name: &str) -> Result<&Model, RegistryError> {
        let model = self.find(name).ok_or_else(|| RegistryError::UnknownModel {
            model: name.to_owned(),
            known: self.models.iter().map(|model| model.name().to_owned()).collect(),
        })?;
        match model.contradiction() {
            None => Ok(model),
            Some(reason) => {
                Err(RegistryError::Quarantined { model: name.to_owned(), reason: reason.to_owned() })
            }
        }
    }

    /// A model whether its tags make sense or not; `None` when no usable tag names it.
    pub(crate) fn find(&self, name: &str) -> Option<&Model> {
        self.by_name.get(name).map(|&at| &self.models[at])
    }

    /// The models whose tags make sense, in order of first mention.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.contradiction().is_none())
    }

    /// The models that are set aside because their tags contradict each other.
    pub fn quarantined(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.contradiction().is_some())
    }

    /// The stages of the registry: those that `.gto` lists, else those in use, sorted.
    pub fn stages(&self) -> Vec<&str> {
        match &self.options.stages {
            Some(allowed) => allowed.iter().map(String::as_str).collect(),
            None => self.models().flat_map(Model::used_stages).collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }

    /// The number the next tag of a model takes: one above the highest of all its tags.
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] when the highest number is the last there is.
    pub fn next_counter(&self, model: &ModelName) -> Result<u64, RegistryError> {
        let highest = self.counters.get(model.as_str()).copied().unwrap_or(0);
        highest.checked_add(1).ok_or_else(|| RegistryError::Exhausted {
            what: "counter",
            tag: format!("{}#...#{highest}", model.tag_form()),
            model: model.as_str().to_owned(),
        })
    }

    pub(crate) fn note(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(crate) fn all_models(&self) -> &[Model] {
        &self.models
    }

    /// What is wrong with single tags.
    pub fn tag_findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Names of all tags, foreign ones too, sorted.
    pub(crate) fn tag_names(&self) -> &[String] {
        &self.tag_names
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
}

/// GTO applies all deprecations, then all registrations, then all stage tags, each in order of time.
fn pass(event: &Event) -> u8 {
    match event.action {
        Action::Create | Action::Deprecate => 0,
        Action::Register(_) | Action::Deregister(_) => 1,
        Action::Assign(_) | Action::Unassign(_) => 2,
    }
}
