//! What the account that clients log in with may do: everything, or what the rules of a Role grant.

use std::collections::BTreeSet;

use serde_json::Value;

/// A verb on a kind: `patch`, `deployments.apps`.
pub(super) type Use = (String, String);

/// Rules, and what was done under them.
#[derive(Debug, Default)]
pub(super) struct Grants {
    /// Without rules everything is granted.
    rules: Option<Vec<Rule>>,
    used: BTreeSet<Use>,
}

#[derive(Debug)]
struct Rule {
    verbs: Vec<String>,
    /// As [`super::kinds::Resource::qualified`].
    kinds: Vec<String>,
    /// Names of objects; any where there is none.
    names: Vec<String>,
}

impl Grants {
    /// Takes the rules of a Role over.
    pub(super) fn set(&mut self, role: &Value) {
        let rules = role["rules"].as_array().expect("a Role has rules");
        self.rules = Some(rules.iter().map(Rule::read).collect());
    }

    /// Whether there are rules.
    pub(super) fn are_set(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether a rule grants this. A request that makes an object names none, so that rules with names do not grant it.
    pub(super) fn allow(&self, verb: &str, kind: &str, name: Option<&str>) -> bool {
        let Some(rules) = &self.rules else { return true };
        let has = |all: &[String], one: &str| all.iter().any(|there| there == one || there == "*");
        let named = |rule: &Rule| {
            rule.names.is_empty() || name.is_some_and(|name| rule.names.iter().any(|there| there == name))
        };
        rules.iter().any(|rule| has(&rule.verbs, verb) && has(&rule.kinds, kind) && named(rule))
    }

    /// Remembers that this was asked for.
    pub(super) fn note(&mut self, verb: &str, kind: &str) {
        self.used.insert((verb.to_owned(), kind.to_owned()));
    }

    pub(super) fn used(&self) -> Vec<Use> {
        self.used.iter().cloned().collect()
    }
}

impl Rule {
    fn read(rule: &Value) -> Self {
        let texts = |field: &str| -> Vec<String> {
            let texts = rule[field].as_array().into_iter().flatten();
            texts.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let groups = texts("apiGroups");
        let of = |resource: &String| -> Vec<String> {
            groups.iter().map(|group| qualified(resource, group)).collect()
        };
        let kinds = texts("resources").iter().flat_map(of).collect();
        Self { verbs: texts("verbs"), kinds, names: texts("resourceNames") }
    }
}

/// A kind as errors name it; a part of it (`services/proxy`) comes last.
pub(super) fn qualified(resource: &str, group: &str) -> String {
    if group.is_empty() {
        return resource.to_owned();
    }
    match resource.split_once('/') {
        Some((plural, part)) => format!("{plural}.{group}/{part}"),
        None => format!("{resource}.{group}"),
    }
}
