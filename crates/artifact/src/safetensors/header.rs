//! The JSON header, read entry by entry so that keys that occur twice are seen and memory stays small.

use std::{collections::HashSet, fmt, io::Read};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use super::Extent;
use crate::{findings::Findings, rules, weights::Float};

/// Tensors per file.
const MAX_TENSORS: usize = 500_000;
/// Axes of a tensor; no framework makes more.
const MAX_AXES: usize = 64;

/// Bits per element of each dtype.
const DTYPES: &[(&str, u64)] = &[
    ("BOOL", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("C64", 64),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
];

/// The floating-point type behind a dtype, where its values can be sampled.
fn float(dtype: &str) -> Option<Float> {
    match dtype {
        "F16" => Some(Float::F16),
        "BF16" => Some(Float::Bf16),
        "F32" => Some(Float::F32),
        "F64" => Some(Float::F64),
        _ => None,
    }
}

/// Fragments that metadata of a model has no reason to hold.
const CODE: &[&str] = &[
    "#!/",
    "<script",
    "__import__",
    "eval(",
    "exec(",
    "import os",
    "import subprocess",
    "os.system",
    "subprocess.",
];

/// What is read from the header.
pub(super) struct Header<'f> {
    findings: &'f mut Findings,
    pub(super) tensors: Vec<Extent>,
    pub(super) names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    #[serde(deserialize_with = "shape")]
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Reads a shape; one that would only fill memory is an error.
fn shape<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    struct Axes;
    impl<'de> Visitor<'de> for Axes {
        type Value = Vec<u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MAX_AXES} sizes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sizes: A) -> Result<Vec<u64>, A::Error> {
            let mut shape = Vec::new();
            while let Some(size) = sizes.next_element()? {
                if shape.len() >= MAX_AXES {
                    return Err(de::Error::invalid_length(shape.len() + 1, &self));
                }
                shape.push(size);
            }
            Ok(shape)
        }
    }
    deserializer.deserialize_seq(Axes)
}

impl<'f> Header<'f> {
    pub(super) fn new(findings: &'f mut Findings) -> Self {
        Self { findings, tensors: Vec::new(), names: Vec::new() }
    }

    /// Reads the header; nothing but white space may follow the object.
    pub(super) fn read(&mut self, json: &mut impl Read) -> serde_json::Result<()> {
        let mut parser = serde_json::Deserializer::from_reader(json);
        DeserializeSeed::deserialize(&mut *self, &mut parser)?;
        parser.end()
    }

    fn entry(&mut self, name: String, entry: &Entry) {
        let (begin, end) = entry.data_offsets;
        let bits = DTYPES.iter().find(|(dtype, _)| *dtype == entry.dtype).map(|(_, bits)| *bits);
        let Some(bits) = bits else {
            self.findings.about(
                &rules::ST_DTYPE,
                None,
                &name,
                format!("its type {:?} does not exist", entry.dtype),
            );
            return;
        };
        let total = entry.shape.iter().try_fold(u128::from(bits), |n, size| n.checked_mul(u128::from(*size)));
        let fits =
            end.checked_sub(begin).zip(total).is_some_and(|(length, bits)| u128::from(length) * 8 == bits);
        if !fits {
            let message =
                format!("shape {:?} of {} does not fill bytes {begin} to {end}", entry.shape, entry.dtype);
            self.findings.about(&rules::ST_EXTENT, None, &name, message);
        }
        let elements = entry.shape.iter().try_fold(1u64, |n, size| n.checked_mul(*size));
        self.findings.facts.tensor(&entry.dtype, elements);
        let float = float(&entry.dtype);
        self.tensors.push(Extent { begin, end, name: self.names.len(), float });
        self.names.push(name);
    }
}

impl<'de> DeserializeSeed<'de> for &mut Header<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Header<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one entry per tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                self.findings.about(&rules::ST_DUPLICATE, None, &name, "this key is in the header twice");
            }
            if name == "__metadata__" {
                map.next_value_seed(Metadata(self.findings))?;
                continue;
            }
            let entry: Entry = map.next_value()?;
            if self.tensors.len() < MAX_TENSORS {
                self.entry(name, &entry);
            } else {
                self.findings.whole(&rules::ST_LIMIT, format!("more than {MAX_TENSORS} tensors"));
            }
        }
        Ok(())
    }
}

/// `__metadata__`: texts by text.
struct Metadata<'f>(&'f mut Findings);

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some((key, text)) = map.next_entry::<String, String>()? {
            if CODE.iter().any(|code| text.contains(code)) {
                self.0.about(&rules::ST_SCRIPT, None, &key, "this metadata reads like a script");
            }
            if !seen.insert(key.clone()) {
                self.0.about(&rules::ST_DUPLICATE, None, &key, "this key is in the metadata twice");
            }
            match key.as_str() {
                "license" | "licence" | "modelspec.license" => self.0.facts.licence(&text),
                "format" => self.0.facts.state("written for", &text),
                _ => {}
            }
        }
        Ok(())
    }
}
