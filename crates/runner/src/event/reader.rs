//! Fields of a payload, by JSON pointer.

use serde_json::Value;
use tagship_domain::{CommitId, event::Event};

use crate::error::Failure;

/// A payload with the name of its event.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) event: &'a str,
    pub(super) payload: &'a Value,
}

impl<'a> Reader<'a> {
    /// A text, where there is one.
    pub(super) fn find(self, pointer: &str) -> Option<&'a str> {
        self.payload.pointer(pointer).and_then(Value::as_str)
    }

    /// Whether a field is there and true.
    pub(super) fn is_true(self, pointer: &str) -> bool {
        self.payload.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A text that must be there.
    pub(super) fn text(self, pointer: &str) -> Result<&'a str, Failure> {
        self.find(pointer).ok_or_else(|| self.lacks(pointer, "a text"))
    }

    /// A number that must be there.
    pub(super) fn number(self, pointer: &str) -> Result<u64, Failure> {
        let number = self.payload.pointer(pointer).and_then(Value::as_u64);
        number.ok_or_else(|| self.lacks(pointer, "a number"))
    }

    /// A commit id that must be there.
    pub(super) fn commit(self, pointer: &str) -> Result<CommitId, Failure> {
        let text = self.text(pointer)?;
        text.parse().ok().ok_or_else(|| self.lacks(pointer, "a commit id"))
    }

    /// Whether a repository is another one than the payload's; one that was deleted is.
    pub(super) fn is_foreign(self, repository: &str, home: &str) -> bool {
        let home = self.find(home);
        home.is_none() || self.find(repository) != home
    }

    /// The event, when its activity is another one than those that it is read for.
    pub(super) fn other_activity(self, wanted: &str) -> Result<Option<Event>, Failure> {
        let activity = self.text("/action")?;
        Ok((activity != wanted).then(|| {
            self.irrelevant(format!("{} is read when it is {wanted}, not {}", self.event, shown(activity)))
        }))
    }

    /// An event that asks for nothing.
    pub(super) fn irrelevant(self, why: impl Into<String>) -> Event {
        Event::Irrelevant { kind: self.event.to_owned(), why: why.into() }
    }

    pub(super) fn lacks(self, pointer: &str, what: &str) -> Failure {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        Failure::usage(format!("the {} payload has no {field} that is {what}", self.event))
            .hint("pass the payload that belongs to the event's name")
    }
}

/// Foreign text inside a sentence: quoted, and short.
pub(super) fn shown(foreign: &str) -> String {
    format!("{:?}", foreign.chars().take(60).collect::<String>())
}
