//! Structural schemas as custom resource definitions carry them, as far as writes depend on them: types, required
//! fields, bounds, defaults, and how lists and maps are owned and merged.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

/// A schema of one value.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    pub(super) kind: Kind,
    pub(super) properties: BTreeMap<String, Schema>,
    /// Of the values of a map with any keys.
    pub(super) additional: Option<Box<Schema>>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) list: ListType,
    /// One manager owns the whole object.
    pub(super) is_atomic: bool,
    /// Fields that are not declared are kept.
    pub(super) preserves: bool,
    pub(super) nullable: bool,
    pub(super) required: Vec<String>,
    pub(super) default: Option<Value>,
    pub(super) allowed: Vec<Value>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    /// Smallest and largest number of characters or items.
    pub(super) length: (Option<u64>, Option<u64>),
}

/// The type of a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

/// How the items of a list are owned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum ListType {
    /// As a whole.
    #[default]
    Atomic,
    /// One by one, by value.
    Set,
    /// One by one, by the values of these fields.
    Map(Vec<String>),
}

/// What a field is that a schema keeps without knowing it.
static UNKNOWN: LazyLock<Schema> = LazyLock::new(|| Schema { preserves: true, ..Schema::default() });

impl Schema {
    /// Reads `openAPIV3Schema`. What it says beyond the fields of this type is left to real servers.
    pub(super) fn read(written: &Value) -> Self {
        let flag = |name: &str| written[name].as_bool().unwrap_or(false);
        let text = |name: &str| written[name].as_str().unwrap_or_default();
        let nested = |name: &str| written[name].is_object().then(|| Box::new(Self::read(&written[name])));
        let properties = written["properties"].as_object();
        let properties = properties.into_iter().flatten();
        let length = |small: &str, large: &str| (written[small].as_u64(), written[large].as_u64());
        let kind = kind(text("type"), flag("x-kubernetes-int-or-string"));
        Self {
            kind,
            properties: properties.map(|(name, schema)| (name.clone(), Self::read(schema))).collect(),
            additional: nested("additionalProperties"),
            items: nested("items"),
            list: list_type(written),
            is_atomic: text("x-kubernetes-map-type") == "atomic",
            preserves: flag("x-kubernetes-preserve-unknown-fields"),
            nullable: flag("nullable"),
            required: texts(&written["required"]),
            default: written.get("default").cloned(),
            allowed: written["enum"].as_array().cloned().unwrap_or_default(),
            minimum: written["minimum"].as_f64(),
            maximum: written["maximum"].as_f64(),
            length: match kind {
                Kind::String => length("minLength", "maxLength"),
                Kind::Array => length("minItems", "maxItems"),
                _ => (None, None),
            },
        }
    }

    /// The schema of a field; absent where it is not declared and not kept.
    pub(super) fn field(&self, name: &str) -> Option<&Schema> {
        let declared = self.properties.get(name).or(self.additional.as_deref());
        declared.or_else(|| (self.preserves || self.kind == Kind::Any).then_some(&*UNKNOWN))
    }

    /// The schema of a list's items.
    pub(super) fn item(&self) -> &Schema {
        self.items.as_deref().unwrap_or(&UNKNOWN)
    }

    /// Whether the fields of this value are owned one by one.
    pub(super) fn is_granular(&self, value: &Value) -> bool {
        value.is_object() && !self.is_atomic && matches!(self.kind, Kind::Object | Kind::Any)
    }

    /// Whether the items of this value are owned one by one.
    pub(super) fn is_associative(&self, value: &Value) -> bool {
        value.is_array() && self.list != ListType::Atomic
    }

    /// What names an item among its siblings, in the form of managed fields; absent where the keys are missing.
    pub(super) fn item_key(&self, item: &Value) -> Option<String> {
        match &self.list {
            ListType::Atomic => None,
            ListType::Set => Some(format!("v:{item}")),
            ListType::Map(keys) => {
                let item_schema = self.item();
                let of = |key: &String| {
                    let default =
                        || item_schema.properties.get(key).and_then(|schema| schema.default.as_ref());
                    Some((key.clone(), item.get(key).or_else(default)?.clone()))
                };
                let named: Option<BTreeMap<String, Value>> = keys.iter().map(of).collect();
                Some(format!("k:{}", serde_json::to_string(&named?).expect("a map is JSON")))
            }
        }
    }
}

fn kind(name: &str, int_or_string: bool) -> Kind {
    match name {
        _ if int_or_string => Kind::IntOrString,
        "object" => Kind::Object,
        "array" => Kind::Array,
        "string" => Kind::String,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        _ => Kind::Any,
    }
}

fn list_type(written: &Value) -> ListType {
    match written["x-kubernetes-list-type"].as_str() {
        Some("set") => ListType::Set,
        Some("map") => ListType::Map(texts(&written["x-kubernetes-list-map-keys"])),
        _ => ListType::Atomic,
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
