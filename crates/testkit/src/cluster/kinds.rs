//! Which kinds of objects there are: those that every cluster has, and those that definitions add.

use std::path::Path;

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::schema::Schema;

/// Kinds that every cluster has, with the fields that Tagship and the played controllers use.
const BUILT_IN: &str = include_str!("kinds/built-in.yaml");
/// Small definitions of our own, so that tests need nothing from outside.
pub(super) const OWN: [&str; 5] = [
    include_str!("kinds/canaries.yaml"),
    include_str!("kinds/httproutes.yaml"),
    include_str!("kinds/inferenceservices.yaml"),
    include_str!("kinds/revisions.yaml"),
    include_str!("kinds/rollouts.yaml"),
];

/// One kind in one version.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) kind: String,
    pub(super) has_status: bool,
    /// Whether a definition added it.
    pub(super) is_custom: bool,
    pub(super) schema: Schema,
}

impl Resource {
    /// `apiVersion` of its objects.
    pub(super) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// As errors name it: `deployments.apps`.
    pub(super) fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }
}

/// The kinds that a new cluster knows.
pub(super) fn known() -> Vec<Resource> {
    let mut all = definitions(BUILT_IN, false);
    all.extend(OWN.iter().flat_map(|text| definitions(text, true)));
    all
}

/// The kinds of a file of definitions.
pub(super) fn of_file(path: &Path) -> Vec<Resource> {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{} can be read: {error}", path.display()));
    let found = definitions(&text, true);
    assert!(!found.is_empty(), "{} defines no kind", path.display());
    found
}

fn definitions(text: &str, is_custom: bool) -> Vec<Resource> {
    let documents = serde_yaml::Deserializer::from_str(text);
    let documents = documents.map(|document| Value::deserialize(document).expect("definitions are YAML"));
    documents.flat_map(|document| versions(&document, is_custom)).collect()
}

fn versions(definition: &Value, is_custom: bool) -> Vec<Resource> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let served =
        spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true);
    let resource = |version: &Value| {
        let mut schema = Schema::read(&version["schema"]["openAPIV3Schema"]);
        for (name, inner) in identity().properties {
            schema.properties.insert(name, inner);
        }
        Resource {
            group: text(&spec["group"]),
            version: text(&version["name"]),
            plural: text(&spec["names"]["plural"]),
            kind: text(&spec["names"]["kind"]),
            has_status: version["subresources"]["status"].is_object(),
            is_custom,
            schema,
        }
    };
    served.map(resource).collect()
}

/// What every object has, whatever its definition says about it.
fn identity() -> Schema {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let of = |kind: &str| json!({ "type": kind });
    let metadata = json!({
        "type": "object",
        "properties": {
            "name": of("string"), "generateName": of("string"), "namespace": of("string"), "uid": of("string"),
            "resourceVersion": of("string"), "selfLink": of("string"), "generation": of("integer"),
            "creationTimestamp": { "type": "string", "nullable": true },
            "deletionTimestamp": { "type": "string", "nullable": true },
            "labels": texts, "annotations": texts,
            "finalizers": { "type": "array", "items": of("string"), "x-kubernetes-list-type": "set" },
            "managedFields": { "type": "array", "items": { "x-kubernetes-preserve-unknown-fields": true } },
            "ownerReferences": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"],
                "items": {
                    "type": "object", "x-kubernetes-map-type": "atomic",
                    "required": ["apiVersion", "kind", "name", "uid"],
                    "properties": {
                        "apiVersion": of("string"), "kind": of("string"), "name": of("string"), "uid": of("string"),
                        "controller": of("boolean"), "blockOwnerDeletion": of("boolean"),
                    },
                },
            },
        },
    });
    let whole = json!({
        "type": "object",
        "properties": { "apiVersion": of("string"), "kind": of("string"), "metadata": metadata },
    });
    Schema::read(&whole)
}
