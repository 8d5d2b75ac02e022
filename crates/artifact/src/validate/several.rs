//! The files of an artifact, each judged by itself.

use super::{
    file::{self, Judged},
    remembered,
};
use crate::{memory::Memory, pickle::Trust, tree::Tree, workers};

/// Where files lie, which globals they may name, and what earlier runs found in them.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) tree: &'p dyn Tree,
    pub(super) trust: Trust<'p>,
    pub(super) memory: Option<&'p dyn Memory>,
}

impl Place<'_> {
    /// Judges one file by itself.
    pub(super) fn judge(&self, path: &str, progress: &mut dyn FnMut(u64)) -> Judged {
        match self.memory {
            Some(memory) => remembered::judge(self.tree, path, self.trust, memory, progress),
            None => file::judge(self.tree, path, self.trust, progress),
        }
    }

    /// Judges files by themselves; the answers are in the order of the paths.
    pub(super) fn judge_each(&self, paths: &[String], progress: &mut dyn FnMut(u64)) -> Vec<Judged> {
        workers::each(
            paths,
            &|path: &str, progress: &mut dyn FnMut(u64)| self.judge(path, progress),
            progress,
        )
    }
}
