//! Reads: one object, a list, what happened since, what kinds there are, and what the caller may do.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{
    ask::Ask,
    failure::Failure,
    kinds::Resource,
    store::{Event, Key, Store},
    write::Answered,
};

/// One object or a list.
pub(super) fn read(store: &Store, ask: &Ask) -> Result<Answered, Failure> {
    let resource = store.resource(ask)?;
    store.permit(ask.verb(), &resource, ask)?;
    if let Some(name) = &ask.name {
        if ask.subresource.as_deref().is_some_and(|sub| sub != "status" || !resource.has_status) {
            return Err(Failure::no_such_path());
        }
        let key = Key::of(&resource, ask.namespace.as_deref(), name);
        let object = store.objects.get(&key).cloned();
        return object.map(|object| (200, object)).ok_or_else(|| Failure::not_found(&resource, name));
    }
    let filter = Filter::of(ask, &resource)?;
    let items: Vec<&Value> = store
        .objects
        .iter()
        .filter(|(key, object)| filter.takes(key, object))
        .map(|(_, object)| object)
        .collect();
    let metadata = json!({ "resourceVersion": store.version.to_string() });
    let kind = format!("{}List", resource.kind);
    Ok((
        200,
        json!({ "apiVersion": resource.api_version(), "kind": kind, "metadata": metadata, "items": items }),
    ))
}

/// A definition of a kind, as far as waiting for it needs it.
pub(super) fn definition(store: &Store, name: &str) -> Result<Answered, Failure> {
    let known = store.kinds.iter().find(|kind| kind.is_custom && kind.qualified() == name);
    let kind = known.ok_or_else(Failure::no_such_path)?;
    let is_fresh = store.established.get(name).is_some_and(|at| store.now < *at);
    let conditions =
        if is_fresh { Value::Null } else { json!([{ "type": "Established", "status": "True" }]) };
    Ok((
        200,
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": name },
            "spec": { "group": kind.group, "names": { "kind": kind.kind, "plural": kind.plural } },
            "status": { "conditions": conditions },
        }),
    ))
}

/// Which objects a list or a watch is about.
#[derive(Debug)]
pub(super) struct Filter {
    kind: String,
    namespace: Option<String>,
    name: Option<String>,
    labels: Vec<(String, String)>,
}

impl Filter {
    pub(super) fn of(ask: &Ask, resource: &Resource) -> Result<Self, Failure> {
        let mut filter = Self {
            kind: resource.qualified(),
            namespace: ask.namespace.clone(),
            name: None,
            labels: Vec::new(),
        };
        for term in terms(ask.query("fieldSelector")) {
            match equality(term) {
                Some(("metadata.name", name)) => filter.name = Some(name.to_owned()),
                Some(("metadata.namespace", namespace)) => filter.namespace = Some(namespace.to_owned()),
                _ => return Err(Failure::bad(format!("field label not supported: {term}"))),
            }
        }
        for term in terms(ask.query("labelSelector")) {
            let (label, value) =
                equality(term).ok_or_else(|| Failure::bad(format!("unable to parse requirement: {term}")))?;
            filter.labels.push((label.to_owned(), value.to_owned()));
        }
        Ok(filter)
    }

    pub(super) fn takes(&self, key: &Key, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        key.kind == self.kind
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
            && self.name.as_ref().is_none_or(|name| *name == key.name)
            && self.labels.iter().all(|(label, value)| labels[label.as_str()] == value.as_str())
    }

    /// What is there, as the beginning of a watch.
    pub(super) fn present(&self, store: &Store) -> VecDeque<Value> {
        let there = store.objects.iter().filter(|(key, object)| self.takes(key, object));
        there.map(|(_, object)| json!({ "type": "ADDED", "object": object })).collect()
    }

    /// The next thing that happened after a resource version, as a line of a watch.
    pub(super) fn next(&self, store: &Store, after: u64) -> Option<(u64, Value)> {
        let is_next = |event: &&Event| event.version > after && self.takes(&event.key, &event.object);
        let event = store.events.iter().find(is_next)?;
        Some((event.version, json!({ "type": event.what, "object": event.object })))
    }
}

fn terms(selector: Option<&str>) -> impl Iterator<Item = &str> {
    selector.unwrap_or_default().split(',').map(str::trim).filter(|term| !term.is_empty())
}

/// `a=b` or `a==b`; other operators are not needed here.
fn equality(term: &str) -> Option<(&str, &str)> {
    let (label, value) = term.split_once('=')?;
    let value = value.strip_prefix('=').unwrap_or(value);
    let is_plain = !label.contains(['!', ' ', '(']) && !value.contains(['=', '(']);
    is_plain.then_some((label, value))
}

/// `/version`, `/api`, `/apis` and the lists of kinds.
pub(super) fn discover(store: &Store, path: &str) -> Option<Answered> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let body = match parts.as_slice() {
        ["version"] => json!({ "major": "1", "minor": "36", "gitVersion": "v1.36.2" }),
        ["api"] => json!({ "kind": "APIVersions", "versions": ["v1"] }),
        ["apis"] => {
            let mut names: Vec<&str> =
                store.kinds.iter().map(|kind| kind.group.as_str()).filter(|name| !name.is_empty()).collect();
            names.sort_unstable();
            names.dedup();
            let groups: Vec<Value> = names.iter().filter_map(|name| group(store, name)).collect();
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
        }
        ["apis", name] => group(store, name)?,
        ["api", version] => resources(store, "", version)?,
        ["apis", group, version] => resources(store, group, version)?,
        _ => return None,
    };
    Some((200, body))
}

fn group(store: &Store, name: &str) -> Option<Value> {
    let kinds = store.kinds.iter().filter(|kind| kind.group == name);
    let mut versions: Vec<&str> = kinds.map(|kind| kind.version.as_str()).collect();
    versions.dedup();
    let described =
        |version: &&str| json!({ "groupVersion": format!("{name}/{version}"), "version": version });
    let all: Vec<Value> = versions.iter().map(described).collect();
    let preferred = all.first()?.clone();
    Some(
        json!({ "kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": all, "preferredVersion": preferred }),
    )
}

fn resources(store: &Store, group: &str, version: &str) -> Option<Value> {
    let kinds = store.kinds.iter().filter(|kind| kind.group == group && kind.version == version);
    let mut listed = Vec::new();
    let mut api_version = None;
    for kind in kinds {
        api_version = Some(kind.api_version());
        let mut add = |name: String, verbs: &[&str]| {
            listed.push(json!({
                "name": name, "singularName": kind.kind.to_lowercase(), "namespaced": true, "kind": kind.kind, "verbs": verbs,
            }));
        };
        add(kind.plural.clone(), &["create", "delete", "get", "list", "patch", "update", "watch"]);
        if kind.has_status {
            add(format!("{}/status", kind.plural), &["get", "patch", "update"]);
        }
    }
    Some(
        json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version?, "resources": listed }),
    )
}

/// Answers `SelfSubjectAccessReview`.
pub(super) fn review(store: &Store, ask: &Ask) -> Result<Answered, Failure> {
    let mut review = ask.body()?;
    let asked = &review["spec"]["resourceAttributes"];
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let mut kind = text("resource").to_owned();
    for (separator, part) in [(".", text("group")), ("/", text("subresource"))] {
        if !part.is_empty() {
            kind = format!("{kind}{separator}{part}");
        }
    }
    let name = Some(text("name")).filter(|name| !name.is_empty());
    let is_granted = store.allows(text("verb"), &kind) && store.grants.allow(text("verb"), &kind, name);
    review["status"] = match &store.puzzled {
        Some(why) => json!({ "allowed": false, "evaluationError": why }),
        None => json!({ "allowed": is_granted }),
    };
    Ok((201, review))
}
