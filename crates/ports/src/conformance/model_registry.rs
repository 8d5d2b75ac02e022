//! What every model registry must do.

use std::path::Path;

use crate::{ModelRegistry, Problem, target::Done};

/// Versions are listed once, aliases move, and bytes come whole or not at all. The model must have versions 1 and 2, each
/// of some bytes and less than a megabyte, and no alias `conformance`. `scratch` is an empty directory.
pub async fn model_registry(registry: &dyn ModelRegistry, scratch: &Path) {
    let numbers = async |after| {
        let versions = registry.versions(after).await.expect("versions are listed");
        versions.into_iter().map(|version| version.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0).await, [2, 1], "newest first");
    assert_eq!(numbers(1).await, [2], "what is known already is left out");
    assert_eq!(numbers(2).await, [0_u64; 0], "nothing is new");

    assert_eq!(registry.aliased("conformance").await, Ok(None), "no alias yet");
    assert_eq!(registry.point("conformance", 1).await, Ok(Done::Applied), "a new alias");
    assert_eq!(registry.point("conformance", 1).await, Ok(Done::AlreadyThere), "the same again");
    assert_eq!(registry.point("conformance", 2).await, Ok(Done::Applied), "an alias moves");
    assert_eq!(registry.aliased("conformance").await, Ok(Some(2)), "and names one version");
    let missing = registry.point("conformance", 99).await.map_err(|error| error.problem);
    assert_eq!(missing, Err(Problem::NotFound), "only what is there can be named");
    assert_eq!(registry.aliased("conformance").await, Ok(Some(2)), "a refused change changes nothing");

    let place = |name: &str| {
        let directory = scratch.join(name);
        std::fs::create_dir(&directory).expect("a directory of the suite");
        directory
    };
    let fetched = registry.fetch(1, &place("one"), 1 << 20).await.expect("a version is fetched");
    assert!(fetched.path.starts_with(scratch), "below the directory");
    for file in &fetched.files {
        let path = if fetched.single_file { fetched.path.clone() } else { fetched.path.join(&file.path) };
        let size = std::fs::metadata(&path).expect("a file that is named").len();
        assert_eq!(size, file.size, "{}", file.path);
    }
    assert!(!fetched.files.is_empty(), "a version has files");
    let missing = registry.fetch(99, &place("missing"), 1 << 20).await.map_err(|error| error.problem);
    assert_eq!(missing, Err(Problem::NotFound), "a version that is not there");
    let large = registry.fetch(2, &place("large"), 1).await.map_err(|error| error.problem);
    assert_eq!(large, Err(Problem::Invalid), "more than was allowed");
}
