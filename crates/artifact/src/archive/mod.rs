//! Containers: archives and compressed streams, walked without extracting anything.
//!
//! Everything inside is judged by the same function as a file of its own, in the same forward pass over the
//! outermost file. What all containers of one file may expand to, hold in memory and nest is bounded together, and
//! reaching a bound is never a pass.

pub(crate) mod compressed;
mod decoder;
mod held;
mod limits;
mod member;
mod names;
pub(crate) mod tar;
#[cfg(test)]
mod tests;
pub(crate) mod zip;

pub(crate) use held::{held, streams};
pub(crate) use limits::{Limits, Metered};

use crate::{
    error::ArtifactError,
    tree::{FileFacts, OpenFile, Tree},
};

/// What lies beside a member: nothing that a loader could be led to by a path.
#[derive(Debug)]
pub(crate) struct NoTree;

impl Tree for NoTree {
    fn files(&self) -> Result<Vec<Result<String, ArtifactError>>, ArtifactError> {
        Ok(Vec::new())
    }

    fn open(&self, path: &str) -> Result<OpenFile, ArtifactError> {
        Err(ArtifactError::Missing { path: path.to_owned() })
    }

    fn facts(&self, path: &str) -> Result<FileFacts, ArtifactError> {
        Err(ArtifactError::Missing { path: path.to_owned() })
    }
}
