//! What is wrong with the tags of a repository, and what was done about it.

use std::fmt;

use tagship_domain::Timestamp;

use crate::{model::Model, registry::Registry};

/// Tagger clocks may be this much ahead before it is worth a finding, in seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 24 * 60 * 60;

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

impl Registry {
    /// Everything that is wrong with the tags: by tag as read, then by model.
    pub fn doctor(&self, now: Timestamp) -> Vec<Finding> {
        let mut findings = self.tag_findings().to_vec();
        for model in self.all_models() {
            if let Some(reason) = model.contradiction() {
                findings.push(Finding {
                    kind: FindingKind::Contradiction,
                    subject: format!("model {}", model.name()),
                    detail: reason.to_owned(),
                });
            }
            findings.extend(clock_order(model));
            findings.extend(future_times(model, now));
        }
        findings
    }
}

/// Tags whose counter is lower than that of an older tag: written by a machine whose clock lags.
fn clock_order(model: &Model) -> Vec<Finding> {
    let mut counted: Vec<_> =
        model.events().filter_map(|event| Some((event.time(), event.counter?, &event.tag))).collect();
    counted.sort_unstable();
    let mut findings = Vec::new();
    let mut next: Option<(u64, &str)> = None;
    // From newest to oldest: a counter above the lowest seen so far belongs to a tag dated too early.
    for &(_, counter, tag) in counted.iter().rev() {
        match next {
            Some((lower, newer)) if counter > lower => findings.push(Finding {
                kind: FindingKind::ClockOrder,
                subject: tag.clone(),
                detail: format!("{newer} has the newer time and counts as the later event"),
            }),
            _ => next = Some((counter, tag)),
        }
    }
    findings
}

fn future_times(model: &Model, now: Timestamp) -> impl Iterator<Item = Finding> {
    let limit = now.as_seconds().saturating_add(CLOCK_TOLERANCE_SECONDS);
    model.events().filter(move |event| event.time().as_seconds() > limit).map(|event| Finding {
        kind: FindingKind::FutureTime,
        subject: event.tag.clone(),
        detail: event.tagger.iso_time(),
    })
}
