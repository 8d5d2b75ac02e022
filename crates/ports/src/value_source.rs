//! Where the values of one metric are read: whatever a query, a program or an address answers.

use std::fmt;

use async_trait::async_trait;
use tagship_domain::{Timestamp, Version, threshold::Point};

use crate::{LabelledSource, PortError, TallySource};

/// What is asked about one version at one look.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The version that the answer is about.
    pub version: &'a Version,
    /// The candidate of the rollout.
    pub candidate: &'a Version,
    /// What serves beside it; absent where nothing does.
    pub stable: Option<&'a Version>,
    /// When the look before ended.
    pub from: Timestamp,
    /// When this one ends.
    pub to: Timestamp,
}

/// A source of values of one metric.
#[async_trait]
pub trait ValueSource: Send + Sync {
    /// The values between the ends of the look, oldest first; one where the source answers with one. Nothing at all is an
    /// empty list, a value that is missing or no number is null, and neither is ever a zero. What is no answer is an
    /// error that says why.
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError>;

    /// Whether it can still answer about looks in the past.
    fn knows_the_past(&self) -> bool {
        false
    }
}

/// The source that a metric has of its own: of counts, of values, or of labelled predictions.
pub enum OwnSource {
    /// Counts by version.
    Tally(Box<dyn TallySource>),
    /// Values.
    Value(Box<dyn ValueSource>),
    /// Labelled predictions.
    Labelled(Box<dyn LabelledSource>),
}

impl fmt::Debug for OwnSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tally(_) => "OwnSource::Tally",
            Self::Value(_) => "OwnSource::Value",
            Self::Labelled(_) => "OwnSource::Labelled",
        })
    }
}
