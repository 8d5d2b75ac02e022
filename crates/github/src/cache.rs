//! Answers of earlier reads, to ask the host whether they still hold: "not modified" costs nothing of its budget.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::answer::Answer;

/// Most bytes of bodies that are kept.
const LIMIT: usize = 32 << 20;

/// Answers with their `ETag`s, by address.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<String, (String, Answer)>,
    bytes: usize,
}

impl Cache {
    /// The `ETag` of what is known of an address.
    pub(crate) fn etag(&self, address: &str) -> Option<String> {
        self.lock().answers.get(address).map(|(etag, _)| etag.clone())
    }

    /// What is known of an address.
    pub(crate) fn get(&self, address: &str) -> Option<Answer> {
        self.lock().answers.get(address).map(|(_, answer)| answer.clone())
    }

    /// Keeps an answer that has an `ETag`. Everything is forgotten before it gets too much: it only costs requests.
    pub(crate) fn put(&self, address: &str, answer: &Answer) {
        let Some(etag) = answer.header("etag").map(str::to_owned) else { return };
        let mut kept = self.lock();
        if kept.bytes + answer.body.len() > LIMIT {
            *kept = Kept::default();
        }
        if answer.body.len() > LIMIT {
            return;
        }
        kept.bytes += answer.body.len();
        if let Some((_, old)) = kept.answers.insert(address.to_owned(), (etag, answer.clone())) {
            kept.bytes -= old.body.len();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
