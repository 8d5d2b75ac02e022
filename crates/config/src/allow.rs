//! `validate.bundles` and `validate.allow`: which globals pickles may name.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    addition::{Addition, GlobalName, GlobalUse},
    suppression::Day,
};

use crate::{diagnostic::Location, place::Place};

/// A global that the team lets through, and where the configuration says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedGlobal {
    /// The global. Whether it can be let through at all is known to the analysis.
    pub addition: Addition,
    /// Where it stands.
    pub location: Location,
}

/// A global that was looked at and that pickles may name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Allow")]
pub(crate) struct AllowLayer {
    /// Module and name, exactly, e.g. `churn.features.Encoder`.
    #[schemars(required)]
    global: Option<GlobalName>,
    /// How it may be used: named only, instances made without `__init__`, or called with inert arguments.
    #[schemars(extend("default" = GlobalUse::Newobj))]
    call: Option<GlobalUse>,
    /// Why it is harmless; shown in the report.
    #[schemars(required)]
    reason: Option<String>,
    /// The last day on which it holds, in UTC, e.g. `2027-03-31`; for good where it is left out.
    until: Option<Day>,
}

impl AllowLayer {
    /// All of a list; none is there twice.
    pub(crate) fn resolve_all(layers: Vec<Self>, place: &Place<'_>) -> Vec<AllowedGlobal> {
        let mut names = BTreeSet::new();
        let mut allowed = Vec::new();
        for (index, layer) in layers.into_iter().enumerate() {
            let at = place.index(index);
            let Some(one) = layer.resolve(&at) else { continue };
            if !names.insert(one.addition.global.clone()) {
                let message = format!("the global `{}` stands here twice", one.addition.global);
                at.key("global").report(message, Some("keep one of the two".to_owned()));
            }
            allowed.push(one);
        }
        allowed
    }

    fn resolve(self, place: &Place<'_>) -> Option<AllowedGlobal> {
        let Some(global) = self.global else {
            place.key("global").report("the key `global` is missing".to_owned(), None);
            return None;
        };
        let reason = self.reason.unwrap_or_default();
        if reason.trim().is_empty() {
            let help = "say who looked at it and why it is harmless here".to_owned();
            place.key("reason").report("a global is not let through without a reason".to_owned(), Some(help));
        }
        let addition = Addition { global, call: self.call.unwrap_or_default(), reason, until: self.until };
        Some(AllowedGlobal { addition, location: place.key("global").location() })
    }
}
