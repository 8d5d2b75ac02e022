//! Locking that a panicked test thread cannot spoil.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The content; of a poisoned lock too, for a fake has no half-made state worth protecting.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
