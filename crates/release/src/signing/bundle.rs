//! The sigstore bundle v0.3 around one DSSE envelope that a plain key signed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    error::SignatureError,
    keys::{PublicKey, SigningKey},
};

/// Media type of the bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Type of what the envelope holds.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<KeyHint>,
    #[serde(default, skip_serializing)]
    certificate: Option<serde::de::IgnoredAny>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<serde::de::IgnoredAny>,
    // The reference implementation expects the list to be there.
    #[serde(default, deserialize_with = "count")]
    tlog_entries: Vec<()>,
}

#[derive(Serialize, Deserialize)]
struct KeyHint {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
struct EnvelopeSignature {
    sig: String,
    #[serde(default)]
    keyid: String,
}

/// A statement that a trusted key has signed.
pub(super) struct Signed {
    /// Its bytes.
    pub(super) statement: Vec<u8>,
    /// Hint of the key.
    pub(super) key: String,
    /// Whether the bundle itself named the key.
    pub(super) named: bool,
}

/// Signs a statement.
pub(super) fn seal(statement: &str, key: &SigningKey) -> Result<String, SignatureError> {
    let signature = key.sign(&pre_authentication(statement.as_bytes()))?;
    let bundle = Bundle {
        media_type: MEDIA_TYPE.to_owned(),
        verification_material: Material {
            public_key: Some(KeyHint { hint: key.public()?.hint().to_owned() }),
            certificate: None,
            x509_certificate_chain: None,
            tlog_entries: vec![],
        },
        dsse_envelope: Envelope {
            payload: STANDARD.encode(statement),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![EnvelopeSignature { sig: STANDARD.encode(signature), keyid: String::new() }],
        },
    };
    let text =
        serde_json::to_string(&bundle).map_err(|error| SignatureError::malformed(error.to_string()))?;
    Ok(text + "\n")
}

/// The statement of a bundle, once one of the trusted keys is found to have signed it. Nothing of it is looked at before.
pub(super) fn open(bundle: &[u8], trusted: &[PublicKey]) -> Result<Signed, SignatureError> {
    let bundle: Bundle =
        serde_json::from_slice(bundle).map_err(|error| SignatureError::malformed(error.to_string()))?;
    if bundle.media_type != MEDIA_TYPE {
        return Err(SignatureError::malformed(format!(
            "its media type is {:?}, not {MEDIA_TYPE:?}",
            bundle.media_type
        )));
    }
    let hint = bundle.verification_material.hint()?;
    let envelope = bundle.dsse_envelope;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(SignatureError::malformed(format!(
            "its payload is {:?}, not {PAYLOAD_TYPE:?}",
            envelope.payload_type
        )));
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err(SignatureError::malformed(format!(
            "it has {} signatures, not one",
            envelope.signatures.len()
        )));
    };
    let statement = decoded("payload", &envelope.payload)?;
    let signature = decoded("sig", &signature.sig)?;
    let message = pre_authentication(&statement);
    let named = !hint.is_empty();
    let candidates: Vec<&PublicKey> = trusted.iter().filter(|key| !named || key.hint() == hint).collect();
    if candidates.is_empty() {
        let trusted = trusted.iter().map(|key| key.hint().to_owned()).collect();
        return Err(SignatureError::OtherKey { hint, trusted });
    }
    match candidates.iter().find(|key| key.verifies(&message, &signature)) {
        Some(key) => Ok(Signed { statement, key: key.hint().to_owned(), named }),
        None => Err(SignatureError::Forged { hint: candidates[0].hint().to_owned() }),
    }
}

impl Material {
    /// The hint of the one key.
    fn hint(self) -> Result<String, SignatureError> {
        match (self.public_key, self.certificate.is_some() || self.x509_certificate_chain.is_some()) {
            (Some(key), false) => Ok(key.hint),
            (None, true) => {
                let why = "it was made with a certificate; only signatures of plain keys are judged here"
                    .to_owned();
                Err(SignatureError::Unsupported { why })
            }
            (None, false) => Err(SignatureError::malformed("it names no key")),
            (Some(_), true) => Err(SignatureError::malformed("it names a key and a certificate")),
        }
    }
}

/// The bytes that are signed in place of a payload, DSSE's encoding with lengths in front.
fn pre_authentication(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn decoded(what: &str, text: &str) -> Result<Vec<u8>, SignatureError> {
    STANDARD
        .decode(text)
        .map_err(|error| SignatureError::malformed(format!("its {what} is no base64: {error}")))
}

/// Entries of a transparency log, which a plain key needs none of.
fn count<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<()>, D::Error> {
    Vec::<serde::de::IgnoredAny>::deserialize(from).map(|entries| vec![(); entries.len()])
}
