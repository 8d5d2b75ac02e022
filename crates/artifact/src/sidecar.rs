//! Files that may lie beside a model: settings, vocabularies, notes. They pass where nothing in them can make a
//! loader run code; a template or a reference to code leaves the artifact incomplete.

use std::{cell::RefCell, fmt, io::Read};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use crate::{
    findings::Findings,
    rules,
    stream::{Section, Stop, Stream},
};

/// Largest JSON file that is parsed.
const MAX_JSON: u64 = 64 << 20;

/// Keys by which loaders find code, classes or templates.
const ACTIVE: &[&str] = &[
    "_target_",
    "auto_map",
    "chat_template",
    "class_name",
    "custom_pipelines",
    "loader_module",
    "registered_name",
];

/// Whether a text file by this name is read by people or as data, never as code or settings.
pub(crate) fn is_inert_text(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or("");
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "md" | "txt" | "csv" | "tsv" | "rst")
        || (matches!(stem, "readme" | "license" | "licence" | "notice" | "copying") && extension.is_empty())
        || matches!(name.as_str(), ".gitattributes" | ".gitignore" | ".gitkeep")
}

/// What a JSON file tells.
#[derive(Debug, Default)]
pub(crate) struct Json {
    /// Tensor and shard, where it is the index of a sharded model.
    pub(crate) weight_map: Option<Vec<(String, String)>>,
}

/// Parses a JSON file to its end and looks for keys that make a loader run code.
pub(crate) fn scan_json(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<Json, Stop> {
    let size = stream.size();
    if size > MAX_JSON {
        findings.whole(&rules::NOT_ANALYSED, format!("JSON of more than {MAX_JSON} bytes is not analysed"));
        return Ok(Json::default());
    }
    let found = RefCell::new((Json::default(), Vec::new()));
    let parsed = parse(&mut Section::new(stream, size), &found);
    let (json, active) = found.into_inner();
    for key in active {
        findings.about(
            &rules::ACTIVE_SIDECAR,
            None,
            key,
            "this key can make a loader run code; it is not analysed yet",
        );
    }
    match parsed {
        Ok(()) => Ok(json),
        Err(error) if error.is_io() => Err(Stop::Io(error.into())),
        Err(error) => {
            findings.whole(&rules::BAD_JSON, format!("it does not parse: {error}"));
            Ok(Json::default())
        }
    }
}

type Found = RefCell<(Json, Vec<&'static str>)>;

fn parse(json: &mut impl Read, found: &Found) -> serde_json::Result<()> {
    let mut parser = serde_json::Deserializer::from_reader(json);
    Node { found, top: true }.deserialize(&mut parser)?;
    parser.end()
}

/// Any JSON value; objects are looked through, everything else is passed over.
#[derive(Clone, Copy)]
struct Node<'f> {
    found: &'f Found,
    top: bool,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = Self { top: false, ..self };
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = Self { top: false, ..self };
        while let Some(key) = map.next_key::<String>()? {
            if let Some(active) = ACTIVE.iter().find(|active| **active == key) {
                self.found.borrow_mut().1.push(active);
            }
            if self.top && key == "weight_map" {
                let pairs = map.next_value_seed(Pairs)?;
                self.found.borrow_mut().0.weight_map = Some(pairs);
            } else {
                map.next_value_seed(inner)?;
            }
        }
        Ok(())
    }
}

/// An object with text values, in order and with repetitions.
struct Pairs;

impl<'de> DeserializeSeed<'de> for Pairs {
    type Value = Vec<(String, String)>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the shard of every tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}
