//! Who owns which fields of an object: `metadata.managedFields`, as applies and updates change it.

use serde_json::{Value, json};

use super::{
    fields::{FieldSet, difference},
    merge,
    schema::Schema,
};

/// Who writes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) name: String,
    pub(super) applies: bool,
    pub(super) subresource: Option<String>,
}

/// One owner.
#[derive(Debug, Clone)]
struct Manager {
    writer: Writer,
    api_version: String,
    time: String,
    set: FieldSet,
}

/// Fields that belong to the server, and those that name the object.
const NOBODYS: [&[&str]; 11] = [
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:generateName"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:resourceVersion"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:managedFields"],
    &["f:metadata", "f:selfLink"],
];

/// The owners of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Managers(Vec<Manager>);

/// A write whose owners are to be found.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    pub(super) schema: &'a Schema,
    pub(super) writer: &'a Writer,
    pub(super) api_version: &'a str,
    pub(super) now: &'a str,
}

/// A conflict: what is said about the owner, and the field.
pub(super) type Conflict = (String, String);

impl Managers {
    pub(super) fn of(object: &Value) -> Self {
        let entries = object["metadata"]["managedFields"].as_array();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let manager = |entry: &Value| Manager {
            writer: Writer {
                name: text(&entry["manager"]),
                applies: entry["operation"] == "Apply",
                subresource: entry["subresource"].as_str().map(str::to_owned),
            },
            api_version: text(&entry["apiVersion"]),
            time: text(&entry["time"]),
            set: FieldSet::read_root(&entry["fieldsV1"]),
        };
        Self(entries.into_iter().flatten().map(manager).collect())
    }

    /// As it stands in the metadata.
    pub(super) fn written(&self) -> Value {
        let entry = |manager: &Manager| {
            let writer = &manager.writer;
            let mut entry = json!({
                "manager": writer.name, "operation": if writer.applies { "Apply" } else { "Update" },
                "apiVersion": manager.api_version, "time": manager.time,
                "fieldsType": "FieldsV1", "fieldsV1": manager.set.written(),
            });
            if let Some(subresource) = &writer.subresource {
                entry["subresource"] = json!(subresource);
            }
            entry
        };
        self.0.iter().map(entry).collect()
    }

    /// Lays what the writer says over the live object and makes it the owner of that; conflicts where others own it
    /// with other values.
    pub(super) fn apply(
        &mut self,
        claim: &Claim<'_>,
        live: &Value,
        said: &Value,
    ) -> Result<Value, Vec<Conflict>> {
        let last = self.set_of(claim.writer);
        self.set(claim, without_identity(FieldSet::of(claim.schema, said)));
        let mut new = merge::merged(claim.schema, live, said);
        let kept = self.0.iter().fold(FieldSet::default(), |all, manager| all.union(&manager.set));
        merge::without(claim.schema, &mut new, &last, &kept);
        let changes = difference(claim.schema, live, &new);
        let conflicts = self.conflicts(claim.writer, &without_identity(changes.changed.clone()));
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        self.drop_from_others(claim.writer, &changes.removed);
        if !changes.changed.is_empty() || !changes.removed.is_empty() {
            self.touch(claim);
        }
        Ok(new)
    }

    /// Makes a writer that asks nobody the owner of what it changed.
    pub(super) fn update(&mut self, claim: &Claim<'_>, live: &Value, new: &Value) {
        let changes = difference(claim.schema, live, new);
        let (changed, removed) = (without_identity(changes.changed), changes.removed);
        self.drop_from_others(claim.writer, &changed.union(&removed));
        let mine = self.set_of(claim.writer).minus(&removed).union(&changed);
        self.set(claim, mine);
        if !changed.is_empty() {
            self.touch(claim);
        }
    }

    /// The writer has changed a value.
    fn touch(&mut self, claim: &Claim<'_>) {
        for manager in self.0.iter_mut().filter(|manager| manager.writer == *claim.writer) {
            claim.now.clone_into(&mut manager.time);
        }
    }

    fn conflicts(&self, writer: &Writer, changed: &FieldSet) -> Vec<Conflict> {
        let others = self.0.iter().filter(|manager| manager.writer != *writer);
        let of = |manager: &Manager| -> Vec<Conflict> {
            let fields = manager.set.common(changed).paths();
            fields.into_iter().map(|field| (format!("conflict with {}", manager.named()), field)).collect()
        };
        others.flat_map(of).collect()
    }

    fn drop_from_others(&mut self, writer: &Writer, fields: &FieldSet) {
        for manager in self.0.iter_mut().filter(|manager| manager.writer != *writer) {
            manager.set = manager.set.minus(fields);
        }
        self.0.retain(|manager| !manager.set.is_empty());
    }

    fn set_of(&self, writer: &Writer) -> FieldSet {
        let mine = self.0.iter().find(|manager| manager.writer == *writer);
        mine.map(|manager| manager.set.clone()).unwrap_or_default()
    }

    /// Replaces the set of the writer; the time tells when that, or a value in it, changed last.
    fn set(&mut self, claim: &Claim<'_>, set: FieldSet) {
        let at = self.0.iter().position(|manager| manager.writer == *claim.writer);
        let is_same = |at: usize| self.0[at].set == set && self.0[at].api_version == claim.api_version;
        if at.is_some_and(is_same) {
            return;
        }
        let manager = Manager {
            writer: claim.writer.clone(),
            api_version: claim.api_version.to_owned(),
            time: claim.now.to_owned(),
            set,
        };
        match at {
            Some(at) => self.0[at] = manager,
            None => self.0.push(manager),
        }
        self.0.retain(|manager| !manager.set.is_empty());
    }
}

impl Manager {
    /// As conflicts name it.
    fn named(&self) -> String {
        let writer = &self.writer;
        let part =
            writer.subresource.as_ref().map(|part| format!(" with subresource {part:?}")).unwrap_or_default();
        let update = || format!(" using {} at {}", self.api_version, self.time);
        let how = if writer.applies { String::new() } else { update() };
        format!("{:?}{part}{how}", writer.name)
    }
}

fn without_identity(mut set: FieldSet) -> FieldSet {
    for path in NOBODYS {
        set.forget(path);
    }
    set
}
