//! The words of Tagship as plain data: names, versions, digests, events, decisions, reports, rollouts.
//!
//! Nothing here reads, writes, waits or knows a vendor. Every other crate speaks in these types, and every
//! document that crosses a process or lies in git is one of them (see [`schema`]).

pub mod digest;
pub mod exit;
pub mod gate;
pub mod name;
pub mod schema;
pub mod signature;
pub mod units;
pub mod validation;
pub mod version;

pub use digest::{CommitId, Digest, FileEntry};
pub use exit::Exit;
pub use jiff::Timestamp;
pub use name::{Environment, ModelName};
pub use schema::Document;
pub use signature::{Signature, TensorSpec};
pub use units::{ByteSize, Duration};
pub use version::{Bump, Version};
