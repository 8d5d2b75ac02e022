//! Where verdicts of earlier runs are remembered. Who keeps them, and where, is decided outside of this crate.

use tagship_domain::digest::Digest;

/// The version of the analysis: it changes whenever a rule, a parser, a word of a report or a decoder does.
pub const RULESET: &str = env!("TAGSHIP_RULESET");

/// Keeps short byte strings under keys, and may forget any of them at any time. Nothing fails: what cannot be kept is judged
/// again.
///
/// Whoever can write what it gives back decides what files pass, as much as whoever can replace the program.
pub trait Memory: Sync {
    /// What was kept under a key.
    fn recall(&self, key: &Digest) -> Option<Vec<u8>>;

    /// Keeps bytes under a key, in place of what was there.
    fn keep(&self, key: &Digest, bytes: &[u8]);
}
