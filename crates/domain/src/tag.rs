//! Git tags and the people in git objects, as plain data. Whoever reads a repository fills them in.

use crate::{digest::CommitId, time::Timestamp};

/// One tag of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Name without `refs/tags/`.
    pub name: String,
    /// The commit the tag leads to once peeled; `None` when it leads to something else (a blob, a tree).
    pub target: Option<CommitId>,
    /// Whether it is an annotated tag, i.e. an object of its own. GTO ignores the others.
    pub annotated: bool,
    /// Who made it and when; `None` for lightweight tags and tag objects without a readable tagger line.
    pub tagger: Option<Ident>,
    /// The message, empty for a lightweight tag.
    pub message: String,
}

/// A person and a moment, as git records both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// Name.
    pub name: String,
    /// Email address.
    pub email: String,
    /// The moment, whole seconds.
    pub time: Timestamp,
    /// The person's offset from UTC in minutes, east positive.
    pub offset_minutes: i32,
}

impl Ident {
    /// The moment in ISO 8601 with the person's own offset, e.g. `2023-11-15T03:45:20+05:30`.
    pub fn iso_time(&self) -> String {
        self.time.with_offset(self.offset_minutes)
    }
}
