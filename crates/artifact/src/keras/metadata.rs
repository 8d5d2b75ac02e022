//! `metadata.json` of a `.keras` archive: which version wrote it, and when.

use std::io::Read;

use crate::{
    findings::Findings,
    json::{self, Event, Path, Visitor},
    rules,
    stream::Stop,
};

#[derive(Default)]
struct Metadata {
    version: Option<String>,
    repeated: Option<String>,
}

impl Visitor for Metadata {
    fn event(&mut self, path: &Path, event: &Event, _at: u64) {
        if let (1, true, Event::Text(text)) = (path.depth(), path.is_key("keras_version"), event) {
            self.version = Some(text.clone());
        }
    }

    fn repeated(&mut self, _path: &Path, key: &str, _at: u64) {
        self.repeated = Some(key.to_owned());
    }
}

/// Judges the member.
pub(crate) fn scan_metadata(text: impl Read, findings: &mut Findings) -> Result<(), Stop> {
    let mut metadata = Metadata::default();
    let read = json::walk(&mut json::Reader::new(text), &mut metadata);
    super::ended(read, findings)?;
    if let Some(key) = metadata.repeated {
        findings.about(&rules::KERAS_DUPLICATE, None, key, "this key is in the metadata twice");
    }
    if let Some(version) = &metadata.version {
        findings.facts.state("keras", version);
    }
    let sound = metadata.version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    if !sound {
        findings
            .whole(&rules::KERAS_CONFIG, "the metadata does not say which version of Keras wrote the model");
    }
    Ok(())
}
