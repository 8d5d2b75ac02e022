//! Collects what model files state about themselves, on the way through the analysis.
//!
//! Invariants: memory is bounded; texts are escaped and cut before they enter; a count that is not of everything is no
//! count. Nothing here decides about a verdict.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tagship_domain::facts::{ModelFacts, Statement};

use crate::findings::escape;

/// Element types, licences and statements of one file that are kept.
const KINDS: usize = 32;
const LICENCES: usize = 8;
const STATEMENTS: usize = 32;
/// Characters of a text that are kept.
const TEXT: usize = 100;

/// What a file states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    dtypes: BTreeMap<String, u64>,
    tensors: u64,
    /// Something could not be counted.
    uncounted: bool,
    licences: BTreeSet<String>,
    stated: BTreeSet<Statement>,
}

impl Facts {
    /// A tensor of weights; `elements` is `None` where their number is not known.
    pub(crate) fn tensor(&mut self, kind: &str, elements: Option<u64>) {
        self.tensors = self.tensors.saturating_add(1);
        let kind = text(kind);
        let room = self.dtypes.len() < KINDS || self.dtypes.contains_key(&kind);
        let Some(elements) = elements.filter(|_| room) else {
            self.uncounted = true;
            return;
        };
        let count = self.dtypes.entry(kind).or_default();
        match count.checked_add(elements) {
            Some(sum) => *count = sum,
            None => self.uncounted = true,
        }
    }

    /// A licence, unless the text is empty.
    pub(crate) fn licence(&mut self, name: &str) {
        let name = text(name);
        if !name.is_empty() && self.licences.len() < LICENCES {
            self.licences.insert(name);
        }
    }

    /// Something else that the file states, unless the text is empty.
    pub(crate) fn state(&mut self, name: &str, value: &str) {
        let (name, value) = (text(name), text(value));
        if !value.is_empty() && self.stated.len() < STATEMENTS {
            self.stated.insert(Statement { name, value });
        }
    }

    /// Whether the file holds tensors of weights.
    pub(crate) fn has_tensors(&self) -> bool {
        self.tensors > 0
    }

    /// Takes over what another part of the file, or another file, states.
    pub(crate) fn append(&mut self, other: Self) {
        self.uncounted |= other.uncounted;
        let tensors = self.tensors.saturating_add(other.tensors);
        for (kind, count) in other.dtypes {
            self.tensor(&kind, Some(count));
        }
        self.tensors = tensors;
        for licence in &other.licences {
            self.licence(licence);
        }
        for Statement { name, value } in &other.stated {
            self.state(name, value);
        }
    }

    /// Counts are not told: they would not be of everything, or of some things twice.
    pub(crate) fn uncounted(self) -> Self {
        Self { uncounted: true, ..self }
    }

    /// What the report says; `None` where nothing is stated.
    pub(crate) fn report(self) -> Option<ModelFacts> {
        let parameters = self.dtypes.values().try_fold(0u64, |sum, count| sum.checked_add(*count));
        let counted = self.has_tensors() && !self.uncounted && parameters.is_some();
        let facts = ModelFacts {
            parameters: parameters.filter(|_| counted),
            tensors: counted.then_some(self.tensors),
            dtypes: if counted { self.dtypes } else { BTreeMap::new() },
            licences: self.licences.into_iter().collect(),
            stated: self.stated.into_iter().collect(),
        };
        Some(facts).filter(|facts| !facts.is_empty())
    }
}

fn text(foreign: &str) -> String {
    let (mut text, whole) = escape(foreign.trim(), TEXT);
    if !whole {
        text.push('…');
    }
    text
}
