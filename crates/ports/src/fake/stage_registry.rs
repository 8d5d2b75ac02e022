//! Assignments in memory, with the registry's rule that an unassignment shows what was held before.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use tagship_domain::{Environment, ModelName, Version};

use super::{Faults, lock::held};
use crate::{PortError, Problem, StageRegistry, stage_registry::StageChange, target::Done};

/// Assignments in memory.
#[derive(Debug, Default)]
pub struct FakeStageRegistry {
    /// What goes wrong in `assign`, `unassign` and `reaffirm`.
    pub faults: Faults,
    records: Mutex<Vec<Record>>,
    read_only: AtomicBool,
}

#[derive(Debug, Clone)]
struct Record {
    change: StageChange,
    assigned: bool,
}

impl FakeStageRegistry {
    /// What an environment holds: the active version with the newest assignment.
    pub fn holds(&self, model: &ModelName, environment: &Environment) -> Option<Version> {
        holder(&held(&self.records), model, environment)
    }

    /// Everything that was recorded, oldest first: `+v1.0.0` for an assignment, `-v1.0.0` for an unassignment.
    pub fn records(&self) -> Vec<String> {
        let sign = |record: &Record| if record.assigned { '+' } else { '-' };
        held(&self.records)
            .iter()
            .map(|record| format!("{}{}", sign(record), record.change.version))
            .collect()
    }

    /// Refuses everything that would have to be written from now on, as missing permissions do.
    pub fn refuse_writes(&self) {
        self.read_only.store(true, Ordering::SeqCst);
    }

    async fn record(&self, call: &str, change: &StageChange, assigned: bool) -> Result<Done, PortError> {
        let body = || {
            let mut records = held(&self.records);
            check_fence(&records, call, change)?;
            let there = if assigned {
                holder(&records, &change.model, &change.environment).as_ref() == Some(&change.version)
            } else {
                !active(&records, change)
            };
            if there {
                return Ok(Done::AlreadyThere);
            }
            self.write(&mut records, call, Record { change: change.clone(), assigned })
        };
        self.faults.around(call, body).await
    }

    fn write(&self, records: &mut Vec<Record>, call: &str, record: Record) -> Result<Done, PortError> {
        if self.read_only.load(Ordering::SeqCst) {
            return Err(PortError::new(Problem::Denied, call, "no permission to write"));
        }
        records.push(record);
        Ok(Done::Applied)
    }
}

fn same_place(a: &StageChange, model: &ModelName, environment: &Environment) -> bool {
    a.model == *model && a.environment == *environment
}

fn holder(records: &[Record], model: &ModelName, environment: &Environment) -> Option<Version> {
    records
        .iter()
        .rev()
        .filter(|record| record.assigned && same_place(&record.change, model, environment))
        .find(|record| active(records, &record.change))
        .map(|record| record.change.version.clone())
}

/// Whether the newest record of a version in a place is an assignment.
fn active(records: &[Record], change: &StageChange) -> bool {
    let of_version = |record: &&Record| {
        same_place(&record.change, &change.model, &change.environment)
            && record.change.version == change.version
    };
    records.iter().rev().find(of_version).is_some_and(|record| record.assigned)
}

fn check_fence(records: &[Record], call: &str, change: &StageChange) -> Result<(), PortError> {
    let in_place =
        records.iter().filter(|record| same_place(&record.change, &change.model, &change.environment));
    match in_place.map(|record| record.change.fence).max() {
        Some(newest) if change.fence < newest => Err(PortError::new(
            Problem::Fenced,
            call,
            format!("change {} came after change {newest}", change.fence),
        )),
        _ => Ok(()),
    }
}

#[async_trait]
impl StageRegistry for FakeStageRegistry {
    async fn assign(&self, change: &StageChange) -> Result<Done, PortError> {
        self.record("assign", change, true).await
    }

    async fn unassign(&self, change: &StageChange) -> Result<Done, PortError> {
        self.record("unassign", change, false).await
    }

    async fn reaffirm(&self, change: &StageChange) -> Result<Done, PortError> {
        let body = || {
            let mut records = held(&self.records);
            check_fence(&records, "reaffirm", change)?;
            if records.iter().any(|record| {
                (&record.change.rollout, record.change.fence) == (&change.rollout, change.fence)
            }) {
                return Ok(Done::AlreadyThere);
            }
            let holder = holder(&records, &change.model, &change.environment);
            let assigned = holder.is_some();
            let version = holder.unwrap_or_else(|| change.version.clone());
            self.write(
                &mut records,
                "reaffirm",
                Record { change: StageChange { version, ..change.clone() }, assigned },
            )
        };
        self.faults.around("reaffirm", body).await
    }
}
