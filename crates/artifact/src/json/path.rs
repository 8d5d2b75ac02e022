//! Where in a document an event is, and the loop that hands out events with it.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{Event, JsonError, Source, Visitor};

/// The keys and indices that lead to a value, outermost first.
#[derive(Debug, Default)]
pub(crate) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// The current key, in an object.
    key: Option<String>,
    /// Hashes of the keys so far: fixed keys, so that the same bytes give the same report.
    seen: HashSet<u64>,
}

impl Path {
    /// How many containers lie around the value.
    pub(crate) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// The key of the value in the object around it; the nearest one outwards where arrays lie between.
    pub(crate) fn key(&self) -> &str {
        self.steps.iter().rev().find_map(|step| step.key.as_deref()).unwrap_or("")
    }

    /// The key at a depth, counted from the outermost; empty in an array.
    pub(crate) fn key_at(&self, depth: usize) -> &str {
        self.steps.get(depth).and_then(|step| step.key.as_deref()).unwrap_or("")
    }

    /// Whether the value is directly in an object, under this key.
    pub(crate) fn is_key(&self, key: &str) -> bool {
        self.steps.last().is_some_and(|step| step.key.as_deref() == Some(key))
    }

    /// Whether this is part of the value's key or of one further out.
    pub(crate) fn is_within(&self, part: &str) -> bool {
        self.steps.iter().any(|step| step.key.as_deref().is_some_and(|key| key.contains(part)))
    }

    /// Whether the keys around the value end like this; `*` stands for an index.
    pub(crate) fn ends_with(&self, keys: &[&str]) -> bool {
        self.steps.len() >= keys.len() && {
            let steps = &self.steps[self.steps.len() - keys.len()..];
            steps.iter().zip(keys).all(|(step, key)| match &step.key {
                Some(own) => own == key,
                None => *key == "*",
            })
        }
    }
}

/// Keys of one object that are told apart; the largest published vocabularies have some hundred thousand.
const MAX_KEYS: usize = 2_000_000;

/// Hands every event of a document to a visitor. Fails where the document does not end well.
pub(crate) fn walk(source: &mut impl Source, visitor: &mut impl Visitor) -> Result<(), JsonError> {
    let mut path = Path::default();
    while let Some(event) = source.next()? {
        let at = source.position();
        match &event {
            Event::Key(key) => {
                if let Some(step) = path.steps.last_mut() {
                    let mut hasher = DefaultHasher::new();
                    key.hash(&mut hasher);
                    if step.seen.len() >= MAX_KEYS {
                        return Err(JsonError::Syntax {
                            at,
                            what: "an object of more keys than are followed",
                        });
                    }
                    let repeated = !step.seen.insert(hasher.finish());
                    step.key = Some(key.clone());
                    if repeated {
                        visitor.repeated(&path, key, at);
                    }
                }
            }
            Event::ObjectStart | Event::ArrayStart => {
                visitor.event(&path, &event, at);
                path.steps.push(Step { key: None, seen: HashSet::new() });
            }
            Event::ObjectEnd | Event::ArrayEnd => {
                path.steps.pop();
                visitor.event(&path, &event, at);
            }
            _ => visitor.event(&path, &event, at),
        }
    }
    Ok(())
}
