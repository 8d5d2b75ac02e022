//! The engine against recorded answers of onnxruntime, and against files that want to break it.

mod parity;
mod requests;

use std::path::PathBuf;

use super::{EngineError, LoadOptions, Model};

/// Loads a fixture by its path below the parity folder.
fn load(fixture: &str) -> Result<Model, EngineError> {
    Model::load(&path(fixture), &LoadOptions::default())
}

fn path(fixture: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/parity").join(fixture)
}
