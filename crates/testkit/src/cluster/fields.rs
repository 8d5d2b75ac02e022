//! Sets of fields in the form of managed fields (`FieldsV1`): which an object has, which differ between two objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schema::{ListType, Schema};

/// A set of fields. Keys are those of `FieldsV1`: `f:name`, `k:{"name":"x"}`, `v:"x"`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    /// Whether the field itself belongs to the set, not only fields in it.
    itself: bool,
    children: BTreeMap<String, FieldSet>,
}

/// How two objects differ.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Fields that are new or have another value.
    pub(super) changed: FieldSet,
    pub(super) removed: FieldSet,
}

impl FieldSet {
    fn whole() -> Self {
        Self { itself: true, children: BTreeMap::new() }
    }

    /// The fields of a value.
    pub(super) fn of(schema: &Schema, value: &Value) -> Self {
        if schema.is_granular(value) {
            let fields = value.as_object().into_iter().flatten();
            let children = fields.filter_map(|(name, inner)| {
                let mut child = Self::of(schema.field(name)?, inner);
                let is_empty = inner.as_object().is_some_and(Map::is_empty);
                child.itself |= inner.is_null() || is_empty || !schema.properties.contains_key(name);
                Some((format!("f:{name}"), child))
            });
            let children = children.filter(|(_, child)| !child.is_empty()).collect();
            return Self { itself: false, children };
        }
        if schema.is_associative(value) {
            let items = value.as_array().into_iter().flatten();
            let children = items.filter_map(|item| {
                let mut child = match schema.list {
                    ListType::Map(_) => Self::of(schema.item(), item),
                    _ => Self::default(),
                };
                child.itself = true;
                Some((schema.item_key(item)?, child))
            });
            return Self { itself: false, children: children.collect() };
        }
        Self::whole()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.itself && self.children.is_empty()
    }

    /// The set below a key.
    pub(super) fn child(&self, key: &str) -> Option<&Self> {
        self.children.get(key)
    }

    pub(super) fn children(&self) -> impl Iterator<Item = (&String, &Self)> {
        self.children.iter()
    }

    /// Takes a field and everything in it out.
    pub(super) fn forget(&mut self, path: &[&str]) {
        match path {
            [] => {}
            [last] => {
                self.children.remove(*last);
            }
            [first, rest @ ..] => {
                if let Some(child) = self.children.get_mut(*first) {
                    child.forget(rest);
                    if child.is_empty() {
                        self.children.remove(*first);
                    }
                }
            }
        }
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.itself |= other.itself;
        for (key, child) in &other.children {
            let mine = all.children.entry(key.clone()).or_default();
            *mine = mine.union(child);
        }
        all
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine && !theirs, |mine| Some(mine.clone()))
    }

    pub(super) fn common(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine && theirs, |_| None)
    }

    fn combined(
        &self,
        other: &Self,
        itself: fn(bool, bool) -> bool,
        alone: fn(&Self) -> Option<Self>,
    ) -> Self {
        let children = self.children.iter().filter_map(|(key, child)| {
            let child = match other.children.get(key) {
                Some(theirs) => Some(child.combined(theirs, itself, alone)),
                None => alone(child),
            };
            child.filter(|child| !child.is_empty()).map(|child| (key.clone(), child))
        });
        Self { itself: itself(self.itself, other.itself), children: children.collect() }
    }

    /// Where its fields are, as conflicts name them: `.spec.rules`, `.spec.containers[name="x"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(String::new(), &mut found);
        found
    }

    fn walk(&self, path: String, found: &mut Vec<String>) {
        for (key, child) in &self.children {
            child.walk(format!("{path}{}", step(key)), found);
        }
        if self.itself {
            found.push(path);
        }
    }

    /// As it is written in managed fields.
    pub(super) fn written(&self) -> Value {
        let mut fields: Map<String, Value> =
            self.children.iter().map(|(key, child)| (key.clone(), child.written())).collect();
        if self.itself && !fields.is_empty() {
            fields.insert(".".to_owned(), Value::Object(Map::new()));
        }
        Value::Object(fields)
    }

    /// Reads what [`Self::written`] wrote.
    pub(super) fn read(written: &Value) -> Self {
        let fields = written.as_object();
        let itself = fields.is_none_or(|fields| fields.is_empty() || fields.contains_key("."));
        let children = fields.into_iter().flatten().filter(|(key, _)| *key != ".");
        Self { itself, children: children.map(|(key, child)| (key.clone(), Self::read(child))).collect() }
    }

    /// Reads the set of an object, which does not belong to itself.
    pub(super) fn read_root(written: &Value) -> Self {
        Self { itself: false, ..Self::read(written) }
    }
}

/// A key as a step of a path.
fn step(key: &str) -> String {
    match key.split_at_checked(2) {
        Some(("f:", name)) => format!(".{name}"),
        Some(("k:", named)) => {
            let named: BTreeMap<String, Value> = serde_json::from_str(named).unwrap_or_default();
            let named: Vec<String> = named.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", named.join(","))
        }
        Some((_, value)) => format!("[={value}]"),
        None => key.to_owned(),
    }
}

/// Compares two values of one schema.
pub(super) fn difference(schema: &Schema, old: &Value, new: &Value) -> Difference {
    let mut difference = Difference::default();
    if schema.is_granular(old) && schema.is_granular(new) {
        for (name, inner) in new.as_object().into_iter().flatten() {
            let Some(schema) = schema.field(name) else { continue };
            difference.take(&format!("f:{name}"), schema, old.get(name), Some(inner));
        }
        for (name, inner) in
            old.as_object().into_iter().flatten().filter(|(name, _)| new.get(*name).is_none())
        {
            let Some(schema) = schema.field(name) else { continue };
            difference.take(&format!("f:{name}"), schema, Some(inner), None);
        }
        return difference;
    }
    if schema.is_associative(old) && schema.is_associative(new) {
        let (before, after) = (keyed(schema, old), keyed(schema, new));
        for (key, item) in &after {
            difference.take(key, schema.item(), before.get(key).copied(), Some(item));
        }
        for (key, item) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
            difference.take(key, schema.item(), Some(item), None);
        }
        return difference;
    }
    if old != new {
        difference.changed = FieldSet::of(schema, new);
        difference.changed.itself = true;
    }
    difference
}

impl Difference {
    fn take(&mut self, key: &str, schema: &Schema, old: Option<&Value>, new: Option<&Value>) {
        let fields = |value: &Value| FieldSet { itself: true, ..FieldSet::of(schema, value) };
        let is_item = !key.starts_with("f:");
        let (changed, removed) = match (old, new) {
            (Some(old), Some(new)) => {
                let inner = difference(schema, old, new);
                (inner.changed, inner.removed)
            }
            (None, Some(new)) => {
                let mut all = FieldSet::of(schema, new);
                all.itself |= is_item || all.is_empty();
                (all, FieldSet::default())
            }
            (Some(old), None) => (FieldSet::default(), fields(old)),
            (None, None) => return,
        };
        for (all, part) in [(&mut self.changed, changed), (&mut self.removed, removed)] {
            if !part.is_empty() {
                all.children.insert(key.to_owned(), part);
            }
        }
    }
}

/// Items of an associative list by what names them.
pub(super) fn keyed<'a>(schema: &Schema, list: &'a Value) -> BTreeMap<String, &'a Value> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| Some((schema.item_key(item)?, item))).collect()
}
