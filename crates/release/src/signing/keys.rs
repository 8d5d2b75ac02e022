//! Keys on P-256, P-384 and P-521. A curve brings its hash: SHA-256, SHA-384, SHA-512.
//!
//! Signatures are deterministic (RFC 6979): the same statement and key give the same bytes, so that a release which is
//! made again after a crash has the digest that it had.

use std::fmt;

use p256::{
    ecdsa::signature::{Signer as _, Verifier as _},
    pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _, LineEnding},
};
use sha2::{Digest as _, Sha256};
use tagship_domain::Redacted;

use super::error::SignatureError;

/// A private key.
#[derive(Clone)]
pub struct SigningKey(Private);

#[derive(Clone)]
enum Private {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

/// A public key, with what signatures call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: Public,
    hint: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Public {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

/// The same expression for the key of every curve.
macro_rules! on_curve {
    ($kind:ident, $value:expr, $key:ident => $result:expr) => {
        match $value {
            $kind::P256($key) => $result,
            $kind::P384($key) => $result,
            $kind::P521($key) => $result,
        }
    };
}

impl SigningKey {
    /// Reads a private key: PEM of PKCS #8 (`PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`), unencrypted.
    ///
    /// # Errors
    /// For anything else. The message holds nothing of the key.
    pub fn from_pem(text: &Redacted<String>) -> Result<Self, SignatureError> {
        let text = text.expose().trim();
        let refuse = |why: &str| Err(SignatureError::Key { what: "private key", why: why.to_owned() });
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return refuse("it is encrypted; store it decrypted, as a secret");
        }
        let key = if let Some(key) = block(text, "PRIVATE KEY") {
            p256::ecdsa::SigningKey::from_pkcs8_pem(&key)
                .map(Private::P256)
                .or_else(|_other| p384::ecdsa::SigningKey::from_pkcs8_pem(&key).map(Private::P384))
                .or_else(|_other| p521::ecdsa::SigningKey::from_pkcs8_pem(&key).map(Private::P521))
                .ok()
        } else if let Some(key) = block(text, "EC PRIVATE KEY") {
            p256::SecretKey::from_sec1_pem(&key)
                .map(|key| Private::P256(key.into()))
                .or_else(|_other| p384::SecretKey::from_sec1_pem(&key).map(|key| Private::P384(key.into())))
                .or_else(|_other| p521::SecretKey::from_sec1_pem(&key).map(|key| Private::P521(key.into())))
                .ok()
        } else {
            return refuse("it is no PEM text with a line `-----BEGIN PRIVATE KEY-----`");
        };
        key.map(Self).map_or_else(|| refuse("it is no key on P-256, P-384 or P-521"), Ok)
    }

    /// The key that verifies what this one signs.
    ///
    /// # Errors
    /// When it cannot be written as PEM, which no key of these curves refuses.
    pub fn public(&self) -> Result<PublicKey, SignatureError> {
        PublicKey::of(match &self.0 {
            Private::P256(key) => Public::P256(*key.verifying_key()),
            Private::P384(key) => Public::P384(*key.verifying_key()),
            Private::P521(key) => Public::P521(*key.verifying_key()),
        })
    }

    /// The signature of bytes, in DER.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let failed = |error: p256::ecdsa::Error| SignatureError::Key {
            what: "private key",
            why: format!("it does not sign: {error}"),
        };
        Ok(match &self.0 {
            Private::P256(key) => {
                let made: p256::ecdsa::DerSignature = key.try_sign(message).map_err(failed)?;
                made.as_bytes().to_vec()
            }
            Private::P384(key) => {
                let made: p384::ecdsa::DerSignature = key.try_sign(message).map_err(failed)?;
                made.as_bytes().to_vec()
            }
            Private::P521(key) => {
                let made: p521::ecdsa::DerSignature = key.try_sign(message).map_err(failed)?;
                made.as_bytes().to_vec()
            }
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

impl PublicKey {
    /// Reads a public key: PEM of its SPKI form (`PUBLIC KEY`).
    ///
    /// # Errors
    /// For anything else, and for a point that is not on its curve.
    pub fn from_pem(text: &str) -> Result<Self, SignatureError> {
        let refuse = |why: &str| SignatureError::Key { what: "public key", why: why.to_owned() };
        if text.contains("PRIVATE KEY-----") {
            return Err(refuse("it is a private key; `openssl pkey -pubout` makes the public one of it"));
        }
        let text = block(text, "PUBLIC KEY")
            .ok_or_else(|| refuse("it is no PEM text with a line `-----BEGIN PUBLIC KEY-----`"))?;
        let key = p256::ecdsa::VerifyingKey::from_public_key_pem(&text)
            .map(Public::P256)
            .or_else(|_other| p384::ecdsa::VerifyingKey::from_public_key_pem(&text).map(Public::P384))
            .or_else(|_other| p521::ecdsa::VerifyingKey::from_public_key_pem(&text).map(Public::P521))
            .map_err(|_none| refuse("it is no key on P-256, P-384 or P-521"))?;
        Self::of(key)
    }

    /// What bundles call the key: the SHA-256 of its PEM text as this program writes it, in lower hex.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// The key as PEM.
    ///
    /// # Errors
    /// As [`SigningKey::public`].
    pub fn to_pem(&self) -> Result<String, SignatureError> {
        pem(&self.key)
    }

    /// Whether these bytes are this key's signature (DER) of a message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Public::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::P521(key) => p521::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }

    fn of(key: Public) -> Result<Self, SignatureError> {
        let hint = hex(&Sha256::digest(pem(&key)?.as_bytes()));
        Ok(Self { key, hint })
    }
}

fn pem(key: &Public) -> Result<String, SignatureError> {
    on_curve!(Public, key, key => key.to_public_key_pem(LineEnding::LF)).map_err(|error| {
        SignatureError::Key { what: "public key", why: format!("it cannot be written as PEM: {error}") }
    })
}

/// The PEM block with a label; `openssl ecparam -genkey` writes another one before it.
fn block(text: &str, label: &str) -> Option<String> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let start = text.find(&begin)?;
    let length = text[start..].find(&end)? + end.len();
    Some(format!("{}\n", text[start..start + length].replace('\r', "")))
}

/// Lower hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
