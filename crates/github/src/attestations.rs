//! Attestations that the host keeps (GitHub, REST API, "Repository attestations"). What it answers is a claim; nothing is
//! verified here.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use tagship_domain::Digest;
use tagship_ports::{Attestations, PortError, attestations::Kept};

use crate::{GitHub, call::Call};

const NEEDS: &str = "attestations: read";
/// Most that are looked at: those that the host shows first.
const MOST: &str = "100";
/// The kind of statement that says how something was built.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

#[derive(Debug, Deserialize)]
struct Reply {
    attestations: Vec<Attestation>,
}

#[derive(Debug, Deserialize)]
struct Attestation {
    /// Absent where it lies at an address alone.
    #[serde(default)]
    bundle: Option<Value>,
}

#[async_trait]
impl Attestations for GitHub {
    async fn of(&self, digest: &Digest) -> Result<Kept, PortError> {
        let about = format!("read the attestations of {digest}");
        let path = self.client.repo(&["attestations", &digest.to_string()]);
        let call = Call::get(about, path).query("predicate_type", "provenance").query("per_page", MOST);
        // For bytes that it knows nothing of the host answers an empty list or 404.
        let reply: Option<Reply> = self.client.find(&call.needs(NEEDS)).await?;
        let mut kept: Vec<Attestation> = reply.map(|reply| reply.attestations).unwrap_or_default();
        // Older servers answer all kinds. What cannot be read stays, for the verifier to refuse.
        kept.retain(|one| one.predicate_type().is_none_or(|kind| kind == PROVENANCE));
        let bundles = kept.iter().map(|one| one.bundle.as_ref().map(Value::to_string)).collect();
        Ok(Kept { number: kept.len(), bundles })
    }
}

impl Attestation {
    /// What kind of statement it claims to be.
    fn predicate_type(&self) -> Option<String> {
        let payload = self.bundle.as_ref()?.pointer("/dsseEnvelope/payload")?.as_str()?;
        let statement: Value = serde_json::from_slice(&STANDARD.decode(payload).ok()?).ok()?;
        Some(statement.get("predicateType")?.as_str()?.to_owned())
    }
}
