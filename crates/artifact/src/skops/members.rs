//! The arrays of an archive by the names of their members: `.npy` holds one, `.npz` the parts of a sparse matrix.

use std::collections::BTreeMap;

use crate::{
    npy::{Array, Arrays},
    pickle::{self, Matrix, Stored},
};

/// Arrays that are remembered.
const MAX_ARRAYS: usize = 1 << 16;
/// Longest name in bytes of one that is. skops makes them of a number.
pub(super) const MAX_NAME: usize = 64;

/// What the members behind us are. One that is not remembered is none that is followed.
#[derive(Debug)]
pub(crate) struct Members {
    arrays: BTreeMap<String, Arrays>,
    count: usize,
}

impl Members {
    /// No members.
    pub(crate) const NONE: Self = Self { arrays: BTreeMap::new(), count: 0 };

    /// Remembers what a member is.
    pub(crate) fn keep(&mut self, name: &str, arrays: Arrays) {
        // Readers of archives differ in how they read other names.
        let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic()) && name.len() <= MAX_NAME;
        let count = match &arrays {
            Arrays::None => return,
            Arrays::One(_) => 1,
            Arrays::Named(arrays) => arrays.len(),
        };
        if is_plain && self.count + count <= MAX_ARRAYS {
            self.count += count;
            self.arrays.insert(name.to_owned(), arrays);
        }
    }

    /// The array that a member is.
    pub(super) fn array(&self, name: &str) -> Option<&Array> {
        match self.arrays.get(name)? {
            Arrays::One(array) => Some(array),
            _ => None,
        }
    }

    /// What is known of that array.
    pub(super) fn known(&self, name: &str) -> Option<&pickle::Array> {
        self.array(name).map(|array| &array.known)
    }

    /// The sparse matrix that a member is.
    pub(super) fn sparse(&self, name: &str) -> Option<Stored> {
        let Arrays::Named(arrays) = self.arrays.get(name)? else { return None };
        let part = |name: &str| {
            let is_it = |(member, _): &&(String, Array)| member.strip_suffix(".npy") == Some(name);
            arrays.iter().find(is_it).map(|(_, array)| array)
        };
        let shape = part("shape").and_then(Array::extent);
        Stored::of(part("format")?.text()?, shape, |name| part(name).map(|array| &array.known))
    }

    /// The sparse matrix by rows that a member is, whose indices lead inside.
    pub(super) fn matrix(&self, name: &str) -> Option<Matrix> {
        match self.sparse(name)? {
            Stored::Rows(matrix) => Some(matrix),
            Stored::Sound | Stored::Outside => None,
        }
    }
}
