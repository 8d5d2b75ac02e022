//! Signatures of models by the `OpenSSF` Model Signing v1 standard, with a key on an elliptic curve: a statement about every
//! file, in a DSSE envelope, in a sigstore bundle.
//!
//! Stricter than the reference implementation (`model-signing` 1.1.1 for Python): one signature, resources in order and
//! without repetition, no legacy predicate, no links. What is signed is the list of names and digests; the statement's
//! root digest leaves names out and is no identity.

mod bundle;
mod error;
mod hash;
mod keys;
mod sign;
mod statement;
mod tree;
mod verify;

pub use bundle::MEDIA_TYPE;
pub use error::SignatureError;
pub use keys::{PublicKey, SigningKey};
pub use sign::{sign_files, sign_release};
pub use tree::FileTree;
pub use verify::{Verified, verify_bundle};

#[cfg(test)]
mod tests;
