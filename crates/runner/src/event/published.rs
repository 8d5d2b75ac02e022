//! What was published on the host: releases and packages.

use tagship_domain::event::Event;

use super::reader::{Reader, shown};
use crate::error::Failure;

/// Drafts and edits are no release. The payload names no commit: `target_commitish` is a branch as often as not.
pub(super) fn release(read: Reader<'_>) -> Result<Event, Failure> {
    if let Some(other) = read.other_activity("published")? {
        return Ok(other);
    }
    Ok(Event::ReleasePublished { tag: read.text("/release/tag_name")?.to_owned(), at: None })
}

/// For a container the version is a digest, and the tag is what people call it.
pub(super) fn package(read: Reader<'_>) -> Result<Event, Failure> {
    let activity = read.text("/action")?;
    if !matches!(activity, "published" | "updated") {
        return Ok(
            read.irrelevant(format!("a package is read when it is published, not {}", shown(activity)))
        );
    }
    let tag = read.find("/registry_package/package_version/container_metadata/tag/name");
    let version =
        tag.filter(|tag| !tag.is_empty()).or_else(|| read.find("/registry_package/package_version/version"));
    Ok(Event::PackagePublished {
        package: read.text("/registry_package/name")?.to_owned(),
        version: version.map(str::to_owned),
    })
}
