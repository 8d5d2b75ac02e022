//! Arguments of `tagship plan`.

use clap::Parser;
use tagship_domain::{Duration, Version};

use super::{Common, quantity};

/// `tagship plan`.
#[derive(Debug, Parser)]
#[command(name = "tagship-plan")]
pub struct PlanArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "documented at its type")]
    pub common: Common,
    /// The version that would be rolled out; the newest release by default.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<Version>,
    /// Requests to the model, e.g. 100/s; the target is watched where it is left out.
    #[arg(long, value_name = "RATE", value_parser = quantity::rate)]
    pub rate: Option<f64>,
    /// How long the target is watched to find out the rate of requests.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub watch: Duration,
    /// Share of stable's requests that fail, e.g. 1%; what the target counted by default.
    #[arg(long, value_name = "SHARE", value_parser = quantity::share)]
    pub error_ratio: Option<f64>,
    /// Share of stable's labelled predictions that are right, e.g. 0.92; what the target counted by default.
    #[arg(long, value_name = "SHARE", value_parser = quantity::share)]
    pub accuracy: Option<f64>,
    /// Share of requests whose label arrives sooner or later, e.g. 10%; what the target counted by default.
    #[arg(long, value_name = "SHARE", value_parser = quantity::part)]
    pub label_share: Option<f64>,
    /// How many times as many failed or slow answers are to be seen.
    #[arg(long, value_name = "FACTOR", value_parser = quantity::factor, default_value = "2x")]
    pub regression: f64,
    /// How many points less accuracy are to be seen.
    #[arg(long, value_name = "POINTS", value_parser = quantity::part, default_value = "5%")]
    pub accuracy_loss: f64,
}
