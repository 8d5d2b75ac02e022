//! The files below `tests/fixtures`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Path of a fixture, e.g. `models/churn/v1/model.onnx`. Panics where there is none.
#[track_caller]
pub fn path(relative: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(relative);
    path.canonicalize().unwrap_or_else(|error| panic!("fixture {relative}: {error}"))
}

/// Bytes of a fixture.
#[track_caller]
pub fn bytes(relative: &str) -> Vec<u8> {
    fs::read(path(relative)).unwrap_or_else(|error| panic!("fixture {relative}: {error}"))
}

/// Text of a fixture.
#[track_caller]
pub fn text(relative: &str) -> String {
    String::from_utf8(bytes(relative)).unwrap_or_else(|error| panic!("fixture {relative}: {error}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn fixtures_are_found_from_every_crate() {
        assert!(super::text("models/churn/v1/metrics.json").starts_with('{'));
        assert!(super::path("models/hostile/model.pkl").is_absolute());
    }
}
