//! One usable registry tag: name understood, commit and tagger known.

use tagship_domain::{CommitId, Timestamp, tag::Ident};

use crate::{
    grammar::{Action, TagEvent},
    trailers::Trailers,
};

/// Something that happened to a model, as one tag records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub action: Action,
    /// The tag's name.
    pub tag: String,
    /// The tag's counter, where it has one.
    pub counter: Option<u64>,
    /// The commit the tag leads to.
    pub commit: CommitId,
    /// Who and when.
    pub tagger: Ident,
    /// The message without surrounding white space, as GTO shows it.
    pub message: String,
}

impl Event {
    pub(crate) fn new(name: TagEvent, tag: String, commit: CommitId, tagger: Ident, message: &str) -> Self {
        // Python's strip, which GTO uses, also takes the four ASCII separators.
        let blank = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
        let message = message.trim_matches(blank).to_owned();
        Self { action: name.action, tag, counter: name.counter, commit, tagger, message }
    }

    /// When it happened.
    pub fn time(&self) -> Timestamp {
        self.tagger.time
    }

    /// The data in the message.
    pub fn trailers(&self) -> Trailers {
        Trailers::parse(&self.message)
    }

    /// The place in the order of events: time, then counter, then name. GTO knows time only.
    pub(crate) fn order(&self) -> (Timestamp, u64, &str) {
        (self.tagger.time, self.counter.unwrap_or(0), &self.tag)
    }
}
