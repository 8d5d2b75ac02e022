//! `gto history --json`: the journal of registry events.

use serde::Serialize;

use crate::{
    error::RegistryError,
    event::Event,
    model::{Model, ModelVersion},
    registry::Registry,
};

/// One event, in the fields and the order of GTO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// ISO 8601 with the tagger's offset.
    pub timestamp: String,
    /// The model.
    pub artifact: String,
    /// `registration`, `assignment`, ...
    pub event: &'static str,
    /// GTO's rank within a second.
    pub priority: u8,
    /// Version, or commit where the commit is not registered; null for a deprecation.
    pub version: Option<String>,
    /// Stage of an assignment or unassignment.
    pub stage: Option<String>,
    /// Commit.
    pub commit: String,
    /// Tagger's name.
    pub author: String,
    /// Tagger's address.
    pub author_email: String,
    /// Message without surrounding white space.
    pub message: String,
    /// Tag.
    #[serde(rename = "ref")]
    pub reference: String,
}

impl Registry {
    /// Every event of every model, newest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        entries(self.models())
    }

    /// Every event of one model, newest first.
    ///
    /// # Errors
    /// When the model is unknown or set aside. (GTO answers with an empty list.)
    pub fn history_of(&self, name: &str) -> Result<Vec<HistoryEntry>, RegistryError> {
        self.model_by_name(name).map(|model| entries(std::iter::once(model)))
    }
}

fn entries<'a>(models: impl Iterator<Item = &'a Model>) -> Vec<HistoryEntry> {
    let mut all: Vec<(&Event, &Model, Option<&ModelVersion>)> = Vec::new();
    for model in models {
        all.extend(model.retirements().map(|event| (event, model, None)));
        all.extend(
            model.versions().flat_map(|version| version.events().map(move |e| (e, model, Some(version)))),
        );
    }
    all.sort_by(|(a, ..), (b, ..)| b.order().cmp(&a.order()));
    all.into_iter().map(|(event, model, version)| entry(event, model, version)).collect()
}

fn entry(event: &Event, model: &Model, version: Option<&ModelVersion>) -> HistoryEntry {
    HistoryEntry {
        timestamp: event.tagger.iso_time(),
        artifact: model.name().to_owned(),
        event: event.action.word(),
        priority: event.action.priority(),
        version: version.map(|version| version.label().into_owned()),
        stage: event.action.stage().map(str::to_owned),
        commit: event.commit.to_string(),
        author: event.tagger.name.clone(),
        author_email: event.tagger.email.clone(),
        message: event.message.clone(),
        reference: event.tag.clone(),
    }
}
