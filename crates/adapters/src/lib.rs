//! What stands behind the ports: a folder per port, a file per adapter, and per port a table of the kinds that a
//! configuration may name. An unknown kind is an error that lists the known ones, never a default.

pub mod attestation_verifiers;
mod cache;
#[cfg(test)]
mod canned;
mod clock;
mod compression;
pub mod datasets;
mod disk;
mod exclusive;
pub mod forges;
mod http;
mod inference;
pub mod metric_sinks;
pub mod metric_sources;
pub mod model_registries;
pub mod model_runners;
pub mod notifiers;
mod parquet_pages;
#[cfg(test)]
mod parquet_written;
mod partial;
pub mod places;
mod settings;
pub mod stores;
mod table_format;
pub mod tables;
mod taking;
pub mod targets;

pub use cache::CacheFolder;
pub use clock::SystemClock;
pub use exclusive::open_exclusively;
