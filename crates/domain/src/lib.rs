//! The words of Tagship as plain data: names, versions, digests, events, decisions, reports, rollouts.
//!
//! Nothing here reads, writes, waits or knows a vendor. Every other crate speaks in these types, and every
//! document that crosses a process or lies in git is one of them (see [`schema`]).

pub mod addition;
pub mod analysis;
pub mod annotation;
pub mod approval;
pub mod bundle;
pub mod chain;
pub mod decision;
pub mod digest;
pub mod drift;
pub mod event;
pub mod evidence;
pub mod examination;
pub mod exit;
pub mod explanation;
pub mod facts;
pub mod forecast;
pub mod freeze;
pub mod front_matter;
pub mod gate;
pub mod golden;
pub mod hook;
pub mod import;
pub mod incident;
pub mod kayenta;
pub mod lock;
pub mod measurement;
pub mod monitor;
pub mod name;
pub mod notice;
pub mod overview;
pub mod plan;
pub mod quality;
pub mod redacted;
pub mod release;
pub mod report;
pub mod rollout;
pub mod routing;
pub mod rule;
pub mod schema;
pub mod scoring;
pub mod series;
pub mod serving;
pub mod signature;
pub mod slo;
pub mod suppression;
pub mod tag;
pub mod tally;
pub mod threshold;
pub mod time;
pub mod traffic;
pub mod units;
pub mod validation;
pub mod version;

pub use digest::{CommitId, Digest, FileEntry};
pub use exit::Exit;
pub use name::{Environment, ModelName};
pub use redacted::Redacted;
pub use release::{Manifest, Provenance, Release};
pub use schema::Document;
pub use signature::{Signature, TensorSpec};
pub use time::Timestamp;
pub use units::{ByteSize, Duration};
pub use version::{Bump, Version};
