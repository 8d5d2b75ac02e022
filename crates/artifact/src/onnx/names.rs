//! Names by number, so that a graph of a million edges stays small.

use std::{collections::HashMap, sync::Arc};

/// Bytes of distinct names kept.
const MAX_BYTES: usize = 24 << 20;

/// A name's number.
pub(super) type Name = u32;

/// All names of a model.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, Name>,
    list: Vec<Arc<str>>,
    bytes: usize,
}

impl Names {
    /// The number of a name; `None` where there are too many.
    pub(super) fn number(&mut self, name: &str) -> Option<Name> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        self.bytes += name.len() + 64;
        if self.bytes > MAX_BYTES {
            return None;
        }
        let number = Name::try_from(self.list.len()).ok()?;
        let name: Arc<str> = name.into();
        self.list.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Some(number)
    }

    /// The name of a number.
    pub(super) fn get(&self, number: Name) -> &str {
        &self.list[number as usize]
    }
}
