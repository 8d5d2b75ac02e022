//! Releases: a version tag, a manifest, and the bytes in a store.
//!
//! The bytes and the manifest are stored first, by digest; the tag, which names the manifest's digest, comes last
//! and makes the release visible. So a release that can be seen is complete, and a race is decided by what git decides:
//! who creates the tag, and before that who claims its number for these bytes.

mod attach;
mod attested;
mod bom;
mod bump;
mod card;
mod chain;
mod claim;
mod draft;
mod error;
mod fetch;
mod find;
mod judged;
mod lease;
mod make;
mod note;
mod places;
mod planned;
mod preview;
mod publish;
mod race;
mod registration;
mod request;
mod show;
pub mod signing;
mod since;
mod source;
mod stages;
mod sweep;
mod trust;

pub use attested::{check_attestations, find_attestations};
pub use bump::breaking_change;
pub use bump::{NextBump, next_bump};
pub use card::Readme;
pub use chain::{SCRATCH, Trust, check_bytes, check_manifest, check_signed, check_verdicts};
pub use draft::{Draft, Made, SourceFile};
pub use error::ReleaseError;
pub use fetch::{
    Reference, artifact_digest, artifact_in, fetch_release, read_attachment, read_evidence, read_manifest,
};
pub use find::{current, previous, read_registry, release_of_version, releases};
pub use lease::{LEASE, Leases, SWEEP};
pub use make::ReleaseMaker;
pub use places::{check_places, compared};
pub use planned::Planned;
pub use preview::{Preview, PreviewRequest, preview};
pub use publish::publish;
pub use source::StoredReleases;
pub use stages::TagStages;
pub use sweep::{abandoned, referenced, unreferenced};
pub use trust::check_signature;

#[cfg(test)]
mod tests;
