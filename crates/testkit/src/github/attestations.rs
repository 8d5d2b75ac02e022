//! Attestations of what workflows built.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{answer::Answer, ask::Ask, world::World};

/// What the host's word `provenance` stands for.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

impl World {
    /// Keeps an attestation about bytes, as `actions/attest` leaves one; it is signed by nobody.
    pub fn attest(&mut self, digest: &str, predicate_type: &str) {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1", "predicateType": predicate_type, "predicate": {},
            "subject": [{ "name": "model", "digest": { "sha256": digest.trim_start_matches("sha256:") } }],
        });
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "certificate": { "rawBytes": "" } },
            "dsseEnvelope": {
                "payloadType": "application/vnd.in-toto+json", "payload": STANDARD.encode(statement.to_string()),
                "signatures": [{ "sig": "" }],
            },
        });
        let kept = json!({
            "bundle": bundle, "repository_id": 1, "bundle_url": "https://storage.example/1.json.sn", "initiator": "user",
        });
        self.attestations.entry(digest.to_owned()).or_default().push(kept);
    }
}

/// Those of a kind, where one is asked for. One whose bundle lies elsewhere is not looked into.
pub(super) fn of(world: &World, ask: &Ask, digest: &str) -> Answer {
    let asked = ask.query("predicate_type").map(|kind| if kind == "provenance" { PROVENANCE } else { kind });
    let fits =
        |kept: &&Value| asked.is_none_or(|asked| predicate_type(kept).is_none_or(|kind| kind == asked));
    let kept = world.attestations.get(digest).into_iter().flatten().filter(fits).cloned();
    Answer::page(ask, kept.collect(), Some(("attestations", json!({}))))
}

fn predicate_type(kept: &Value) -> Option<String> {
    let payload = STANDARD.decode(kept.pointer("/bundle/dsseEnvelope/payload")?.as_str()?).ok()?;
    let statement: Value = serde_json::from_slice(&payload).ok()?;
    Some(statement["predicateType"].as_str()?.to_owned())
}
