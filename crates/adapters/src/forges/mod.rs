//! Forges: where the repository is hosted.

mod local;

pub use local::LocalForge;
