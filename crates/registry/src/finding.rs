//! What can be wrong with the tags of a repository, and what was done about it.

use std::fmt;

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A registry tag that is no annotated tag; GTO and Tagship skip it.
    LightweightTag,
    /// A registry tag that leads to no commit; skipped. GTO crashes on it.
    NotACommit,
    /// A registry tag without a readable tagger; skipped, since its time is unknown. GTO crashes on it.
    NoTagger,
    /// A `@created` tag; skipped, since it says nothing. GTO crashes on it.
    CreatedTag,
    /// A number in the name does not fit 64 bits; skipped.
    NumberTooLarge,
    /// The tags of a model contradict each other; the model is set aside.
    Contradiction,
    /// A tag has a higher counter but an older time than another; time decides.
    ClockOrder,
    /// A tagger's time is more than a day ahead; every later tag must be dated after it.
    FutureTime,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// The tag, or the model where no single tag is to blame.
    pub subject: String,
    /// Particulars; may be empty.
    pub detail: String,
}

impl FindingKind {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::LightweightTag => "lightweight-tag",
            Self::NotACommit => "tag-not-on-commit",
            Self::NoTagger => "tag-without-tagger",
            Self::CreatedTag => "created-tag",
            Self::NumberTooLarge => "tag-number-too-large",
            Self::Contradiction => "contradicting-tags",
            Self::ClockOrder => "tag-clock-order",
            Self::FutureTime => "tag-in-the-future",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::LightweightTag => "is not annotated and therefore ignored",
            Self::NotACommit => "does not lead to a commit and is ignored",
            Self::NoTagger => "has no readable tagger line and is ignored",
            Self::CreatedTag => "says nothing and is ignored, but GTO stops working on it",
            Self::NumberTooLarge => "holds a number beyond 64 bits and is ignored",
            Self::Contradiction => "is set aside",
            Self::ClockOrder => "has a higher counter but an older time than another tag",
            Self::FutureTime => "is dated in the future",
        }
    }
}

impl Finding {
    pub(crate) fn on_tag(kind: FindingKind, tag: &str) -> Self {
        Self { kind, subject: tag.to_owned(), detail: String::new() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.kind.sentence())?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}
