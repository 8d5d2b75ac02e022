//! Controllers, played: each looks at the objects and says what it does next. Nothing happens between two steps that a
//! test asks for, so that every order of events can be played.

mod deployments;
mod flagger;
mod gateway;
mod kserve;
mod rollouts;
mod standard;

use std::{collections::BTreeMap, fmt::Debug};

use serde_json::{Value, json};

pub use deployments::Deployments;
pub use flagger::Flagger;
pub use gateway::Gateway;
pub use kserve::InferenceServices;
pub use rollouts::Rollouts;
pub use standard::StandardServices;

use super::store::Key;

/// Somebody who reacts to the objects of a cluster.
pub trait Actor: Debug + Send {
    /// Its name as the owner of what it writes.
    fn name(&self) -> &'static str;
    /// What it does next. Doing it again changes nothing, unless something has changed.
    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed>;
}

/// What an actor does to an object, which names itself by `apiVersion`, `kind`, name and namespace.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Merges into the status.
    Status(Value),
    /// Merges into the rest.
    Change(Value),
    /// Creates it.
    Create(Value),
    /// Deletes it.
    Delete(Value),
    /// The pods behind a Service answer so from now on, whatever they are asked.
    Answer {
        /// Name of the Service.
        service: String,
        /// Status of the answer.
        status: u16,
        /// The answer.
        body: Value,
    },
}

/// The objects that an actor sees.
#[derive(Debug)]
pub struct Scene<'a> {
    pub(super) objects: &'a BTreeMap<Key, Value>,
    /// The cluster's time, as objects have it.
    pub(super) now: String,
}

impl<'a> Scene<'a> {
    /// All objects of a kind, e.g. `deployments.apps`.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        let objects = self.objects;
        let kind = kind.to_owned();
        objects.iter().filter(move |(key, _)| key.kind == kind).map(|(_, object)| object)
    }

    /// One object.
    pub fn one(&self, kind: &str, namespace: &str, name: &str) -> Option<&'a Value> {
        let key = Key { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() };
        self.objects.get(&key)
    }
}

/// The deed that gives an object a status, where it has another.
fn with_status(object: &Value, status: Value) -> Option<Deed> {
    let mut after = object["status"].clone();
    super::patch::merge_patch(&mut after, &status);
    (after != object["status"]).then(|| {
        let mut told = named(object);
        told["status"] = status;
        Deed::Status(told)
    })
}

/// What names an object, without the rest.
fn named(object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"],
        "metadata": { "name": metadata["name"], "namespace": metadata["namespace"] },
    })
}

/// A text in an object; empty where there is none.
fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn generation(object: &Value) -> u64 {
    object["metadata"]["generation"].as_u64().unwrap_or_default()
}
