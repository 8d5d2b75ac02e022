//! Judges model files without running them: identifies, hashes and statically analyses them.
//!
//! [`validate_path`] streams each file of an artifact once, from its first to its last byte, and says what it
//! is, whether its structure holds, and whether loading it could run code or reach outside. Nothing is
//! unpickled, loaded or executed; memory does not grow with the file; what was not understood is never called
//! good. What every rule id means is in [`rules::ALL`].
//!
//! It knows nothing of configuration files, repositories or networks.

#[cfg(test)]
extern crate self as tagship_artifact;

mod analyse;
mod archive;
mod booster;
#[cfg(test)]
mod build;
mod digest;
pub mod disk;
mod error;
mod exported;
mod facts;
mod findings;
mod fingerprint;
mod flatbuffer;
mod format;
#[cfg(test)]
#[path = "../fuzz/src/lib.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "a library of its own, which fuzz targets use as well"
)]
mod fuzz;
mod gguf;
mod hdf5;
#[cfg(test)]
#[path = "tests/hostile/mod.rs"]
mod hostile;
mod imports;
mod jinja;
mod json;
mod keras;
mod memory;
mod mlmodel;
mod npy;
mod onnx;
mod pages;
mod pickle;
mod policy;
mod protobuf;
pub mod rules;
mod safetensors;
#[cfg(test)]
#[path = "tests/seeds.rs"]
mod seeds;
mod settings;
mod sidecar;
mod skops;
mod stream;
mod tensorflow;
mod torch_legacy;
mod torchscript;
pub mod tree;
mod validate;
mod weights;

pub use digest::digest_path;
pub use error::ArtifactError;
pub use fingerprint::fingerprint;
pub use format::{Format, FormatError};
pub use memory::{Memory, RULESET};
pub use pickle::Unaddable;
pub use policy::ValidationPolicy;
pub use validate::{Validated, validate_path, validate_path_remembering, validate_tree};
