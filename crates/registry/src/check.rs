//! `gto check-ref --json`: the event that one tag is.

use serde::Serialize;

use crate::{error::RegistryError, event::Event, grammar::TagEvent, model::Model, registry::Registry};

/// The event of a tag, in the fields and the order of GTO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedTag {
    /// The model.
    pub artifact: String,
    /// ISO 8601 with the tagger's offset.
    pub created_at: String,
    /// Tagger's name.
    pub author: String,
    /// Tagger's address.
    pub author_email: String,
    /// Message without surrounding white space.
    pub message: String,
    /// The commit that the tag leads to.
    pub commit_hexsha: String,
    /// The tag's name.
    pub tag: String,
    /// Version, or commit where the commit is not registered; absent for a deprecation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Stage of an assignment or unassignment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// `registration`, `assignment`, ...
    pub event: &'static str,
}

impl Registry {
    /// The event that a tag is, by its name with or without `refs/tags/`.
    ///
    /// # Errors
    /// When there is no such tag, it is none of the registry's or unusable, or its model is set aside. (GTO answers with
    /// nothing.)
    pub fn check(&self, tag: &str) -> Result<CheckedTag, RegistryError> {
        let tag = tag.strip_prefix("refs/tags/").unwrap_or(tag);
        let nothing = || RegistryError::NoEvent { tag: tag.to_owned() };
        let name = TagEvent::parse(tag).map_err(|_foreign| nothing())?.model;
        self.find(&name).ok_or_else(nothing)?;
        let model = self.model_by_name(&name)?;
        let retired = || model.retirements().map(|event| (event, None));
        let of_versions = model.versions().flat_map(|version| {
            version.events().map(move |event| (event, Some(version.label().into_owned())))
        });
        let mut all = of_versions.chain(retired());
        let (event, version) = all.find(|(event, _)| event.tag == tag).ok_or_else(nothing)?;
        Ok(checked(model, event, version))
    }
}

fn checked(model: &Model, event: &Event, version: Option<String>) -> CheckedTag {
    CheckedTag {
        artifact: model.name().to_owned(),
        created_at: event.tagger.iso_time(),
        author: event.tagger.name.clone(),
        author_email: event.tagger.email.clone(),
        message: event.message.clone(),
        commit_hexsha: event.commit.to_string(),
        tag: event.tag.clone(),
        version,
        stage: event.action.stage().map(str::to_owned),
        event: event.action.word(),
    }
}
