//! What the cluster holds: objects, the count of writes, what happened, and what is denied.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tagship_domain::Timestamp;

use super::{
    ask::Ask,
    failure::Failure,
    grants::Grants,
    kinds::{self, Resource},
};

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// As [`Resource::qualified`].
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) version: u64,
    /// `ADDED`, `MODIFIED`, `DELETED`.
    pub(super) what: &'static str,
    pub(super) key: Key,
    pub(super) object: Value,
}

/// Something that the caller may not do.
#[derive(Debug, Clone)]
pub(super) struct Denial {
    pub(super) verb: String,
    /// As [`Resource::qualified`].
    pub(super) kind: String,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) kinds: Vec<Resource>,
    pub(super) objects: BTreeMap<Key, Value>,
    pub(super) events: Vec<Event>,
    pub(super) denied: Vec<Denial>,
    /// What the account of clients may do beside that.
    pub(super) grants: Grants,
    /// Why reviews of access come to no answer, where they do not.
    pub(super) puzzled: Option<String>,
    /// When definitions that were added are established, by [`Resource::qualified`].
    pub(super) established: BTreeMap<String, i64>,
    /// Seconds after 1970.
    pub(super) now: i64,
    /// Writes so far: the newest resource version.
    pub(super) version: u64,
}

/// When the first test day begins, in seconds after 1970.
const FIRST_DAY: i64 = 1_767_225_600;

/// How long a fresh definition has no conditions, in seconds.
const ESTABLISHING: i64 = 2;

impl Store {
    pub(super) fn new() -> Self {
        Self {
            kinds: kinds::known(),
            objects: BTreeMap::new(),
            events: Vec::new(),
            denied: Vec::new(),
            grants: Grants::default(),
            puzzled: None,
            established: BTreeMap::new(),
            now: FIRST_DAY,
            version: 1,
        }
    }

    /// Adds kinds; one that is there is replaced.
    pub(super) fn define(&mut self, kinds: Vec<Resource>) {
        for kind in kinds {
            self.established.insert(kind.qualified(), self.now + ESTABLISHING);
            self.kinds.retain(|there| there.qualified() != kind.qualified() || there.version != kind.version);
            self.kinds.push(kind);
        }
    }

    /// The kind that is asked about.
    pub(super) fn resource(&self, ask: &Ask) -> Result<Resource, Failure> {
        let is_meant = |kind: &&Resource| {
            kind.group == ask.group && kind.version == ask.version && kind.plural == ask.plural
        };
        self.kinds.iter().find(is_meant).cloned().ok_or_else(Failure::no_such_path)
    }

    /// The kind of an object that says what it is.
    pub(super) fn resource_of(&self, object: &Value) -> Option<Resource> {
        let is_meant = |kind: &&Resource| {
            object["apiVersion"] == kind.api_version().as_str() && object["kind"] == kind.kind.as_str()
        };
        self.kinds.iter().find(is_meant).cloned()
    }

    /// The time, as objects carry it.
    pub(super) fn time(&self) -> String {
        Timestamp::from_seconds(self.now).map(|time| time.to_string()).unwrap_or_default()
    }

    /// Keeps a new state of an object under a new resource version, and tells of it.
    pub(super) fn keep(&mut self, key: Key, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let before = self.objects.insert(key.clone(), object.clone());
        let what = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.events.push(Event { version: self.version, what, key, object: object.clone() });
        object
    }

    /// Forgets an object, and tells of it.
    pub(super) fn forget(&mut self, key: &Key) -> Option<Value> {
        let mut object = self.objects.remove(key)?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.events.push(Event {
            version: self.version,
            what: "DELETED",
            key: key.clone(),
            object: object.clone(),
        });
        Some(object)
    }

    /// Whether the caller may do this.
    pub(super) fn allows(&self, verb: &str, kind: &str) -> bool {
        !self.denied.iter().any(|denial| denial.verb == verb && denial.kind == kind)
    }

    /// Whether anything was taken away from clients.
    pub(super) fn restricts(&self) -> bool {
        !self.denied.is_empty() || self.grants.are_set() || self.puzzled.is_some()
    }

    pub(super) fn permit(&self, verb: &str, resource: &Resource, ask: &Ask) -> Result<(), Failure> {
        let kind = match &ask.subresource {
            Some(subresource) => format!("{}/{subresource}", resource.qualified()),
            None => resource.qualified(),
        };
        // A POST names the object in its body alone, which no rule looks into.
        let name = ask.name.as_deref().filter(|_| ask.method != "POST");
        if self.allows(verb, &kind) && (!ask.is_account || self.grants.allow(verb, &kind, name)) {
            return Ok(());
        }
        let message = format!(
            "{} {:?} is forbidden: User \"tagship\" cannot {verb} resource {:?} in API group {:?} in the namespace {:?}",
            resource.qualified(),
            ask.name.as_deref().unwrap_or_default(),
            resource.plural,
            resource.group,
            ask.namespace.as_deref().unwrap_or_default(),
        );
        Err(Failure::new(403, "Forbidden", message))
    }
}

impl Key {
    pub(super) fn of(resource: &Resource, namespace: Option<&str>, name: &str) -> Self {
        Self {
            kind: resource.qualified(),
            namespace: namespace.unwrap_or_default().to_owned(),
            name: name.to_owned(),
        }
    }
}
