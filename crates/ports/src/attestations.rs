//! What a host attests about bytes, and who can tell whether that is genuine.
//!
//! Two capabilities: a host keeps attestations, and what it keeps is only a claim until somebody has verified the signature, the
//! time and the signer's identity.

use std::path::Path;

use async_trait::async_trait;
use tagship_domain::{Digest, chain::AttestationLink};

use crate::PortError;

/// Keeps attestations.
#[async_trait]
pub trait Attestations: Send + Sync {
    /// What is kept about how bytes were built (SLSA provenance); other statements are left out. Nothing of it is verified.
    async fn of(&self, digest: &Digest) -> Result<Kept, PortError>;
}

/// Attestations as a host keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many.
    pub number: usize,
    /// Each as a sigstore bundle in JSON; absent where the host tells of one only where it lies.
    pub bundles: Option<Vec<String>>,
}

/// What an attestation is about: what the verifier itself takes the digest of.
#[derive(Debug, Clone, Copy)]
pub enum AttestedBytes<'a> {
    /// A file.
    File(&'a Path),
    /// This text.
    Text(&'a str),
}

/// What came of verifying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// These are genuine; there is at least one.
    Genuine(Vec<AttestationLink>),
    /// None is, and why, on one line.
    Refused(String),
}

/// Tells whether attestations are genuine.
#[async_trait]
pub trait AttestationVerifier: Send + Sync {
    /// Verifies what is kept about bytes: signature, time, that the bytes are those, and that a workflow signed which the
    /// repository and its owner stand for.
    ///
    /// # Errors
    /// Where it could not be judged, and what to do. That is never a refusal.
    async fn verify(&self, bytes: AttestedBytes<'_>, kept: &Kept) -> Result<Judged, PortError>;
}
