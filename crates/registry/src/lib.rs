//! The model registry as it lies in git tags, by the grammar and rules of GTO (<https://github.com/iterative/gto>).
//!
//! Tags come in as plain data ([`Tag`]), the state of every model comes out ([`Registry`]), and what to write
//! next is planned as plain data again ([`PlannedTag`]). Pure: no repository, no clock, no network. Who reads
//! the tags and who pushes the planned ones lives above.
//!
//! Where Tagship differs from GTO 1.10.1 on purpose: counters decide ties within one second; a broken tag or
//! an ambiguous model is set aside with a [`Finding`] and never disables the others; asking for what is not
//! there is an error; the bump after `v4.0.0-rc.1` is `v4.0.0`.

mod annotate;
mod check;
mod doctor;
mod error;
mod event;
mod finding;
mod grammar;
mod history;
mod json;
mod model;
mod plan;
mod registry;
mod repair;
mod show;
mod trailers;

pub use annotate::Entry;
pub use check::CheckedTag;
pub use error::RegistryError;
pub use event::Event;
pub use finding::{Finding, FindingKind};
pub use grammar::{Action, TagEvent, TagNameError};
pub use history::HistoryEntry;
pub use json::to_json;
pub use model::{Model, ModelVersion, StageRecord};
pub use plan::{FIRST_VERSION, Number, PlannedTag, Registration, RegistrationRequest};
pub use registry::{Options, Registry};
pub use repair::Repair;
pub use show::{CommitFacts, ModelSummary, OrderedMap, Selector, VersionView};
pub use tagship_domain::tag::{Ident, Tag};
pub use trailers::{Trailer, Trailers};

#[cfg(test)]
mod tests;
