//! A check without an expression: how all checks but rules are written down.

use tagship_domain::{
    Digest,
    gate::{CheckKind, GateCheck, Outcome},
};

/// The check.
pub(crate) fn plain(kind: CheckKind, name: &str, (outcome, message): (Outcome, String)) -> GateCheck {
    GateCheck { name: name.to_owned(), kind, outcome, message, expression: None, saw: Vec::new() }
}

/// A digest as messages show it.
pub(crate) fn short(digest: &Digest) -> String {
    format!("sha256:{}", digest.short())
}
