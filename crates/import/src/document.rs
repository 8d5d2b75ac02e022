//! The documents of the given files, by kind and name.

use serde_json::Value;
use tagship_config::yaml::to_json_documents;

use crate::{ImportError, SourceFile, fields::Fields, notes::Notes};

/// One object.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its kind, e.g. `Rollout`; empty where it has none.
    pub(crate) kind: String,
    /// Its name; empty where it has none.
    pub(crate) name: String,
    /// Its namespace, where it says one.
    pub(crate) namespace: Option<String>,
    value: Value,
}

/// All of them, in order.
#[derive(Debug)]
pub(crate) struct Documents {
    list: Vec<Document>,
}

impl Documents {
    pub(crate) fn read(files: &[SourceFile<'_>]) -> Result<Self, ImportError> {
        let mut list = vec![];
        for file in files {
            let text = file.text.strip_prefix('\u{feff}').unwrap_or(file.text);
            let documents = to_json_documents(text)
                .map_err(|source| ImportError::Yaml { file: file.name.to_owned(), source })?;
            for document in documents {
                add(&mut list, document);
            }
        }
        Ok(Self { list })
    }

    /// The documents of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Document> {
        self.list.iter().filter(move |document| document.kind == kind)
    }

    /// The one document of a kind.
    pub(crate) fn only(&self, kind: &str, beside: &str) -> Result<&Document, ImportError> {
        let all: Vec<&Document> = self.of_kind(kind).collect();
        match all.as_slice() {
            [one] => Ok(one),
            [] => Err(ImportError::Count {
                found: format!("no {kind}"),
                help: format!("name the file that holds it, and {beside} beside it"),
            }),
            several => {
                let names: Vec<&str> = several.iter().map(|document| document.name.as_str()).collect();
                Err(ImportError::Count {
                    found: format!("{} of the kind {kind} ({})", several.len(), names.join(", ")),
                    help: "put each into a file of its own".to_owned(),
                })
            }
        }
    }

    /// Everything else than these kinds.
    pub(crate) fn others<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = &'a Document> {
        self.list.iter().filter(|document| !kinds.contains(&document.kind.as_str()))
    }
}

impl Document {
    /// How notes call it.
    pub(crate) fn title(&self) -> String {
        let kind = if self.kind.is_empty() { "document" } else { &self.kind };
        format!("{kind}/{}", self.name)
    }

    /// Its fields; what says what it is and where it lies counts as read.
    pub(crate) fn fields<'a>(&'a self, notes: &'a Notes) -> Fields<'a> {
        let fields = Fields::of(format!("{} ", self.title()), &self.value, notes);
        for known in ["apiVersion", "kind"] {
            fields.value(known);
        }
        fields
    }
}

fn add(list: &mut Vec<Document>, value: Value) {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let kind = text("/kind").unwrap_or_default();
    if kind == "List" || kind.ends_with("List") && value.get("items").is_some_and(Value::is_array) {
        if let Some(Value::Array(items)) = value.get("items") {
            for item in items {
                add(list, item.clone());
            }
        }
        return;
    }
    let name = text("/metadata/name").unwrap_or_default();
    list.push(Document { kind, name, namespace: text("/metadata/namespace"), value });
}
