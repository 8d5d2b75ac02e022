//! How far transfers between this machine and stores are, for whoever watches a terminal.

use std::sync::{Mutex, PoisonError};

use tagship_runner::Progress;

/// What is shown of transfers: one bar at most, for as long as somebody holds it.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    shown: Mutex<Option<Progress>>,
}

/// A bar that goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Shown<'a>(&'a Transfers);

impl Transfers {
    /// Shows a bar over so many bytes.
    pub(crate) fn show(&self, what: &str, total: u64) -> Shown<'_> {
        self.set(Some(Progress::bytes(what, total)));
        Shown(self)
    }

    /// So many more bytes are done. Nothing happens where no bar is shown.
    pub(crate) fn advance(&self, bytes: u64) {
        if let Some(progress) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            progress.advance(bytes);
        }
    }

    fn set(&self, progress: Option<Progress>) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
