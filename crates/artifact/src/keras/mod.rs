//! Keras models by their configuration: which code each object of it would make Keras run.
//!
//! The same configuration is a member of a `.keras` archive, an attribute of an HDF5 file and a JSON file by itself;
//! [`scan_config`] reads it from any of them. Keras's own switch for safe loading is not relied on: whole formats
//! ignore it (CVE-2025-9905), and a file can turn it off (CVE-2025-9906).

mod archive;
mod config;
mod metadata;
mod names;
mod symbols;
#[cfg(test)]
mod tests;

use std::io::Read;

pub(crate) use archive::check_members;
pub(crate) use config::Config;
pub(crate) use metadata::scan_metadata;

use crate::{
    findings::Findings,
    json::{self, JsonError},
    rules,
    stream::Stop,
};

/// Judges a configuration to its end. `model` says whether it must describe a model, not only how to train one.
pub(crate) fn scan_config(text: impl Read, model: bool, findings: &mut Findings) -> Result<(), Stop> {
    let mut config = Config::default();
    let read = json::walk(&mut json::Reader::new(text), &mut config);
    let complete = config.is_model() || !model;
    findings.append(config.into_findings());
    ended(read, findings)?;
    if !complete {
        findings.whole(&rules::KERAS_CONFIG, "the configuration does not describe a model");
    }
    Ok(())
}

/// Judges what a SavedModel keeps about one layer. A class that is not of Keras is no finding there: the graph holds what it
/// computes, and Keras takes that where it does not know the class.
pub(crate) fn scan_layer(text: impl Read, findings: &mut Findings) -> Result<(), Stop> {
    let mut config = Config::with_graph();
    let read = json::walk(&mut json::Reader::new(text), &mut config);
    findings.append(config.into_findings());
    ended(read, findings)
}

/// Reports a document that did not end well.
fn ended(read: Result<(), JsonError>, findings: &mut Findings) -> Result<(), Stop> {
    match read {
        Ok(()) => Ok(()),
        Err(JsonError::Io(error)) => Err(Stop::Io(error)),
        Err(error) => {
            findings.whole(&rules::KERAS_CONFIG, format!("the configuration does not parse: {error}"));
            Ok(())
        }
    }
}
