//! Which globals a team lets files name: bundles of the allow-list, and what it adds, exactly and for a time.
//!
//! Invariants: what is known to run code is never let through, and neither is an addition that would make the machine's
//! checks worthless; a name of the list keeps the list's rules, also where the team adds it.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use tagship_domain::{
    Timestamp,
    addition::{Addition, GlobalUse},
    bundle::Bundle,
    suppression::Day,
};

use super::allow::{self, Usage};

/// What a policy says of globals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trust<'p> {
    /// Bundles of the list that count.
    pub(crate) bundles: &'p BTreeSet<Bundle>,
    /// What the team adds.
    pub(crate) additions: &'p [Addition],
    /// When the artifact is judged, for additions that end.
    pub(crate) now: Timestamp,
}

/// Why a global cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unaddable {
    /// It is known to run code, to read, write or connect.
    #[error("it runs code, or reads, writes or connects")]
    Dangerous,
    /// It belongs to Python itself.
    #[error("of Python's own modules nothing can be added; what is harmless of them is on the list")]
    Standard,
    /// A call of a function in one of the libraries of the list.
    #[error(
        "this library holds functions that run code, so nothing of it can be added to be called; `call: newobj` makes instances only"
    )]
    Library,
}

/// What is thought of a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing<'p> {
    /// It is on the list.
    Listed(Usage),
    /// The team adds it.
    Added(Usage, &'p Addition),
    /// It is on the list, in a bundle that the team leaves out.
    LeftOut(Bundle),
    /// The team has added it until this day, which is over.
    Ended(Day),
    /// None of them.
    Unlisted,
}

impl<'p> Trust<'p> {
    /// What is thought of a global. Both names must be normalised, see [`allow::normalise`].
    pub(crate) fn standing(&self, module: &str, name: &str) -> Standing<'p> {
        let listed = allow::usage(module, name);
        let bundle = allow::bundle_of(module).filter(|bundle| !self.bundles.contains(bundle));
        match (listed, bundle, self.addition(module, name)) {
            (Some(usage), None, _) => Standing::Listed(usage),
            (listed, _, Some(addition)) if self.holds(addition) => {
                Standing::Added(listed.unwrap_or(Usage::Own(addition.call)), addition)
            }
            (_, _, Some(Addition { until: Some(day), .. })) => Standing::Ended(*day),
            (Some(_), Some(bundle), _) => Standing::LeftOut(bundle),
            (None, ..) => Standing::Unlisted,
        }
    }

    /// Whether the library that a module belongs to is not left out.
    pub(crate) fn takes_part(&self, module: &str) -> bool {
        allow::bundle_of(module).is_none_or(|bundle| self.bundles.contains(&bundle))
    }

    /// The addition that is about a global; one in force, where there are several.
    fn addition(&self, module: &str, name: &str) -> Option<&'p Addition> {
        let fits = |one: &&Addition| {
            let (added, named) = allow::normalise(one.global.module(), one.global.name());
            added == module && named == name && check(one).is_ok()
        };
        self.additions.iter().filter(fits).max_by_key(|one| self.holds(one))
    }

    fn holds(&self, addition: &Addition) -> bool {
        addition.until.is_none_or(|until| Day::of(self.now) <= until)
    }

    /// Everything that a judgement may depend on, as text: the same where the same globals are let through for the same
    /// reasons.
    pub(crate) fn identity(&self) -> String {
        let bundles: Vec<String> = self.bundles.iter().map(ToString::to_string).collect();
        let addition = |one: &Addition| format!("{one:?} {}", self.holds(one));
        let additions: Vec<String> = self.additions.iter().map(addition).collect();
        format!("{bundles:?} {additions:?}")
    }
}

/// What a finding says of a global that the team adds.
pub(crate) fn added(addition: &Addition) -> String {
    let until = addition.until.map(|day| format!(", until {day}")).unwrap_or_default();
    format!("not on the list, and let through by the policy{until}: {}", addition.reason)
}

/// What a finding says of a global whose bundle the team leaves out.
pub(crate) fn left_out(bundle: Bundle) -> String {
    format!("this belongs to the bundle `{bundle}`, which the policy does not list")
}

/// Whether a global can be added.
///
/// # Errors
/// Where it is not let through nevertheless.
pub(crate) fn check(addition: &Addition) -> Result<(), Unaddable> {
    let (module, name) = allow::normalise(addition.global.module(), addition.global.name());
    if allow::is_dangerous(&module, name) {
        Err(Unaddable::Dangerous)
    } else if allow::is_standard(&module) && allow::usage(&module, name).is_none() {
        Err(Unaddable::Standard)
    } else if addition.call == GlobalUse::Reduce
        && allow::bundle_of(&module).is_some()
        && allow::usage(&module, name).is_none()
    {
        Err(Unaddable::Library)
    } else {
        Ok(())
    }
}
