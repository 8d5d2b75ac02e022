//! What differs, collected on the way.

use std::{cell::RefCell, fmt::Display};

use tagship_domain::import::{ImportKind, ImportNote};

/// Most fields that are reported as malformed at once.
const MOST_WRONG: usize = 20;

/// The place in the result that a note is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// The environment as a whole.
    Environment,
    /// A key of the environment.
    Key(&'static str),
    /// A step of a canary, by its index.
    Step(usize),
    /// A metric, by its name.
    Metric(String),
}

/// Notes and mistakes, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    list: RefCell<Vec<(About, ImportNote)>>,
    wrong: RefCell<Vec<String>>,
}

impl Notes {
    /// It was carried over and behaves in another way.
    pub(crate) fn differs(&self, about: About, at: impl Display, text: impl Into<String>) {
        self.push(about, ImportKind::Differs, &at, &text.into());
    }

    /// Nothing here corresponds to it.
    pub(crate) fn left_out(&self, about: About, at: impl Display, text: impl Into<String>) {
        self.push(about, ImportKind::LeftOut, &at, &text.into());
    }

    /// A person writes it, or decides in its place.
    pub(crate) fn by_hand(&self, about: About, at: impl Display, text: impl Into<String>) {
        self.push(about, ImportKind::ByHand, &at, &text.into());
    }

    fn push(&self, about: About, kind: ImportKind, at: &dyn Display, text: &str) {
        let note = ImportNote { kind, at: printable(&at.to_string()), text: printable(text) };
        let mut list = self.list.borrow_mut();
        // A template that is used twice is read twice.
        if !list.iter().any(|(_, known)| *known == note) {
            list.push((about, note));
        }
    }

    /// A field does not hold what its definition says.
    pub(crate) fn mistake(&self, at: impl Display, text: impl Display) {
        let mut wrong = self.wrong.borrow_mut();
        if wrong.len() < MOST_WRONG {
            wrong.push(printable(&format!("{at}: {text}")));
        }
    }

    /// What is malformed.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.borrow().clone()
    }

    /// The notes about a place, as lines of comments.
    pub(crate) fn about(&self, is_about: impl Fn(&About) -> bool) -> Vec<String> {
        let list = self.list.borrow();
        list.iter().filter(|(about, _)| is_about(about)).map(|(_, note)| line(note)).collect()
    }

    /// All of them.
    pub(crate) fn into_list(self) -> Vec<ImportNote> {
        self.list.into_inner().into_iter().map(|(_, note)| note).collect()
    }
}

fn line(note: &ImportNote) -> String {
    let field = note.at.split_once(' ').map_or(note.at.as_str(), |(_, path)| path);
    format!("{}: {field}: {}", note.kind.as_str(), note.text)
}

/// Foreign text without what could steer a terminal or end a comment.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 600;
    let clean =
        |c: char| if c.is_control() || "\u{85}\u{2028}\u{2029}\u{feff}".contains(c) { ' ' } else { c };
    let mut shown: String = text.chars().take(LONGEST).map(clean).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
