//! What a finding is recognised by.

use sha2::{Digest as _, Sha256};
use tagship_domain::{
    Digest,
    validation::{ArtifactReport, Finding},
};

/// What a finding is recognised by from one run to the next: its rule, where it is, and what it is about; not the bytes
/// around it, which change with every version of a model.
pub fn fingerprint(artifact: &ArtifactReport, finding: &Finding) -> Digest {
    let about = finding.target.as_deref().unwrap_or(&finding.message);
    let parts = [&artifact.path, finding.rule.as_ref(), finding.member.as_deref().unwrap_or(""), about];
    Digest::from_bytes(Sha256::digest(parts.join("\0").as_bytes()).into())
}
