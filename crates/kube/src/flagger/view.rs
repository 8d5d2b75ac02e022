//! What there is: the `Canary` and both its Deployments, and what that means for a version.
//!
//! The primary Deployment gets a template only with its promotion, so that what it carries is what serves. A phase of the `Canary`
//! counts for the template that the other one carries only where Flagger wrote the status after that template came, or its hash of
//! the template changed while we looked: a phase that is older is of the version before.

use tagship_domain::{
    Duration, Version,
    traffic::{Arm, Counters, TargetState, Weight},
};
use tagship_ports::{PortError, Problem};

use super::{
    canary::{Canary, Phase},
    workload::{Mark, Workload},
};

/// What the cluster has.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) canary: Canary,
    /// What the team writes, and Flagger tries.
    pub(super) tried: Workload,
    /// What serves.
    pub(super) primary: Workload,
    /// Whether Flagger's hash of the template was seen to change while the template was this one.
    pub(super) has_moved: bool,
}

/// What a version is to Flagger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// All pods that serve, or would if what is tried failed, are of it.
    Promoted,
    /// Flagger is trying it.
    Tried,
    /// Flagger has given it up.
    Failed,
    /// It is to be tried, and Flagger has not taken it up.
    Untouched,
    /// Neither Deployment carries it.
    Elsewhere,
}

impl View {
    /// What a version is. `patience`: how much younger than the template a failure must be, so that it cannot be of the one before.
    pub(super) fn standing(&self, version: &Version, patience: Duration) -> Standing {
        let is = |workload: &Workload| workload.mark.as_ref().is_some_and(|mark| mark.version == *version);
        let phase = self.canary.phase;
        match (is(&self.primary), is(&self.tried)) {
            (true, false) => Standing::Promoted,
            (true, true) => match phase {
                Phase::Initializing | Phase::Promoting | Phase::Finalising => Standing::Tried,
                Phase::Failed => Standing::Failed,
                _ => Standing::Promoted,
            },
            (false, true) if phase.runs() && self.is_taken_up(Duration::default()) => Standing::Tried,
            (false, true) if phase == Phase::Failed && self.is_taken_up(patience) => Standing::Failed,
            (false, true) => Standing::Untouched,
            (false, false) => Standing::Elsewhere,
        }
    }

    /// Whether the status is of the template that is there now.
    fn is_taken_up(&self, patience: Duration) -> bool {
        let times = self.canary.changed.zip(self.tried.written);
        self.has_moved || times.is_some_and(|(changed, written)| changed >= written.after(patience))
    }

    /// What it serves.
    ///
    /// # Errors
    /// Where Flagger does not say which share the version has that it tries.
    pub(super) fn state(&self, operation: &str) -> Result<TargetState, PortError> {
        let unknown = |why: &str| {
            let message = format!("{why} ({})", self.canary.story());
            Err(PortError::new(Problem::Unreachable, operation, message))
        };
        let (primary, tried) = (self.primary.mark.as_ref(), self.tried.mark.as_ref());
        let is_same = primary == tried;
        let weight = match self.canary.phase {
            Phase::Initializing => return Ok(TargetState::default()),
            Phase::Terminating => return unknown("what Flagger leaves behind is not known"),
            Phase::Initialized | Phase::Succeeded | Phase::Failed | Phase::Finalising => 0,
            Phase::Promoting => {
                return unknown("Flagger does not say which share has the new version meanwhile");
            }
            _ if is_same => 0,
            Phase::WaitingPromotion => {
                return unknown("Flagger does not say which share the new version keeps meanwhile");
            }
            Phase::Progressing | Phase::Waiting => self.canary.weight,
        };
        let mut arms: Vec<Arm> = primary.map(|mark| arm(mark, 100 - weight)).into_iter().collect();
        if let Some(mark) = tried
            .filter(|mark| self.standing(&mark.version, Duration::default()) == Standing::Tried && !is_same)
        {
            arms.push(arm(mark, weight));
        }
        Ok(TargetState { arms })
    }
}

/// A version with a share. Whether its pods answer is Flagger's to judge, whose answer is the phase.
fn arm(mark: &Mark, percent: u8) -> Arm {
    Arm {
        version: mark.version.clone(),
        digest: mark.digest.clone(),
        ready: true,
        weight: Weight::percent(percent).unwrap_or_default(),
        counters: Counters::default(),
    }
}
