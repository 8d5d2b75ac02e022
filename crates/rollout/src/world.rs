//! The outside of a rollout, as ports.

use std::{collections::BTreeMap, fmt};

use tagship_ports::{
    Clock, Dispatcher, Forge, MetricSource, ModelRunner, OwnSource, Publisher, ReleaseSource, StageRegistry,
    StateStore, Target,
};

use crate::spectator::Spectator;

/// The outside, as ports.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Journals.
    pub journals: &'a dyn StateStore,
    /// Bytes and golden cases of releases.
    pub releases: &'a dyn ReleaseSource,
    /// Where traffic lives.
    pub target: &'a dyn Target,
    /// Runs golden cases against the target.
    pub runner: &'a dyn ModelRunner,
    /// What environments hold.
    pub registry: &'a dyn StageRegistry,
    /// Where deployments are shown.
    pub forge: &'a dyn Forge,
    /// Who is asked for the next stage.
    pub dispatcher: &'a dyn Dispatcher,
    /// Where people read.
    pub publisher: &'a dyn Publisher,
    /// Where counters are read; from the target itself where absent.
    pub metrics: Option<&'a dyn MetricSource>,
    /// Where single metrics are counted or read that have a source of their own, by name.
    pub sources: &'a BTreeMap<String, OwnSource>,
    /// Who watches.
    pub spectator: &'a dyn Spectator,
    /// Time.
    pub clock: &'a dyn Clock,
}

impl fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
