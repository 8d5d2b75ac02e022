//! `tagship.yml`: from text to settings that every action can use, with errors that point into the text.
//!
//! A file is read into a tree that knows where everything stands (`tree`), from there into layers in which every
//! key may be absent (`read`), and at last into settings in which nothing is ([`Config`]). Knows no vendor: a
//! target or a store is a kind with settings ([`AdapterSpec`]), and whoever implements the kind judges them.
//!
//! Two readers of YAML live here: one that keeps places, for the file that people write, and `serde_yaml` in
//! [`yaml`], for data that programs write.

mod ab_test;
mod adapter;
mod allow;
mod analysis;
mod artifact;
mod bound;
mod choice;
mod config;
mod coverage;
mod diagnostic;
mod environment;
pub mod gate;
mod gto;
mod header;
mod kayenta;
mod kayenta_score;
mod limit;
mod margin;
mod mark;
mod metric;
mod model;
mod monitor;
mod notify;
mod path;
mod place;
mod read;
mod release;
mod reports;
mod scalar;
mod scoring;
mod share;
mod signing;
mod step;
mod strategy;
mod threshold;
mod tree;
pub mod validate;
pub mod yaml;

pub use adapter::AdapterSpec;
pub use allow::AllowedGlobal;
pub use analysis::{DEFAULT_INTERVAL, DEFAULT_MAX_WAIT, parse_analysis};
pub use artifact::{Address, Artifact};
pub use config::{Config, config_schema};
pub use diagnostic::{ConfigErrors, Diagnostic, Location};
pub use environment::{DEFAULT_PROGRESS_DEADLINE, EnvironmentConfig};
pub use gate::{CompareSettings, CompareTest, GateSettings, Rule, TestSettings};
pub use gto::{AnnotationEntry, GtoFileError, GtoSettings, parse_annotations, parse_gto_settings};
pub use mark::Mark;
pub use model::ModelConfig;
pub use monitor::{
    AlertSettings, Asks, DriftColumn, DriftFails, DriftSettings, MonitorSettings, ObjectiveSettings,
    QualityColumns, QualitySettings, StreamSettings,
};
pub use notify::NotifyConfig;
pub use path::{PathError, RepoPath};
pub use release::{BumpRule, ReleaseSettings};
pub use reports::ReportSettings;
pub use signing::KeySource;
pub use validate::{Format, GoldenSettings, ValidateSettings};
pub use yaml::YamlError;

#[cfg(test)]
mod tests;
