//! Why an order was not carried out.

use tagship_domain::{Digest, Version, routing::HeaderMatch, traffic::Weight};

use super::ServeError;
use crate::engine::EngineError;

/// A refused order. Nothing has changed, but for the fencing number that was seen.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "fence {fence} is lower than {seen}, which was seen before: a newer run has taken over; stop this one"
    )]
    Fenced { fence: u64, seen: u64 },
    #[error("version {version} is not loaded; load it first")]
    NotLoaded { version: Version },
    #[error("version {version} is loaded but can't answer: {message}")]
    NotReady { version: Version, message: String },
    #[error(
        "version {version} is here with digest {here}, not {asked}; a version never changes its bytes, use a new one"
    )]
    OtherBytes { version: Version, here: Digest, asked: Digest },
    #[error(
        "version {version} would answer copies of 0% of the requests; give it a share, or write null to end the shadow"
    )]
    NoShare { version: Version },
    #[error("version {version} has {weight} of the traffic; move it to another version first")]
    HasTraffic { version: Version, weight: Weight },
    #[error("version {version} answers the requests with `{rule}`; end that match first")]
    IsMatched { version: Version, rule: HeaderMatch },
    #[error(
        "version {version} is stable and keeps what the candidate leaves; promote or roll back to another version instead"
    )]
    IsStable { version: Version },
    #[error(
        "version {version} already has {weight} of the traffic beside stable; roll it back or promote it first"
    )]
    AnotherCandidate { version: Version, weight: Weight },
    #[error(
        "{weight} for version {version} leaves the rest to nobody: there is no stable version; promote it instead"
    )]
    NoStable { version: Version, weight: Weight },
    #[error("{} of the artifact's files are not here; upload each under its digest and repeat the order", .files.len())]
    Missing { files: Vec<Digest> },
    #[error("{detail}")]
    BadArtifact { detail: String },
    #[error("load version {version}: {source}")]
    Engine { version: Version, source: EngineError },
    #[error(transparent)]
    Storage(#[from] ServeError),
}
