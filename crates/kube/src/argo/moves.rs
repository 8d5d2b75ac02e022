//! What an order means for what there is: at most one write to the `Rollout`, what is remembered in it, and whether requests are let
//! in. Pure.
//!
//! All is said by the pod template and the steps, and nothing by the status: what was written is observed by its generation, and a
//! promotion can be turned back at any time. The way back is the template of before: where Argo still keeps its pods as stable, they
//! have all traffic at once; after the promotion they are brought up again first.

use serde_json::{Value, json};
use tagship_domain::{Version, traffic::Weight};
use tagship_ports::{PortError, Problem, target::Done};

use super::{
    memory::{Known, Memory},
    refusals::refuse_drift,
    rollout::Rollout,
    steps::{self, Steps},
    view::View,
};
use crate::{digests::refuse_other_bytes, merge::difference};

/// A write to the `Rollout`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Write {
    Create(Value),
    /// A merge.
    Change(Value),
    Delete,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Move {
    pub(super) memory: Memory,
    pub(super) write: Option<Write>,
    /// Whether requests are to be let in from now on; absent where that stays as it is.
    pub(super) open: Option<bool>,
    pub(super) done: Done,
}

pub(super) type Decided = Result<Move, PortError>;

/// Who orders a version to lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    /// Works from any state: what others wrote in between is overwritten.
    Back,
}

impl Move {
    /// Nothing is written but what is remembered.
    pub(super) fn none(memory: Memory, done: Done) -> Self {
        Self { memory, write: None, open: None, done }
    }

    fn change(memory: Memory, change: Value) -> Self {
        Self { memory, write: Some(Write::Change(change)), open: None, done: Done::Pending }
    }
}

pub(super) fn refused(problem: Problem, operation: &str, message: String) -> PortError {
    PortError::new(problem, operation, message)
}

pub(super) fn loaded<'a>(operation: &str, view: &'a View, version: &Version) -> Result<&'a Known, PortError> {
    let known = view.memory.versions.get(version);
    known.ok_or_else(|| refused(Problem::NotFound, operation, format!("{version} is not loaded")))
}

/// Loads a version without traffic. `object` is the `Rollout` of it.
pub(super) fn prepare(
    operation: &str,
    view: &View,
    version: &Version,
    known: &Known,
    object: &Value,
) -> Decided {
    refuse_other_bytes(operation, view.memory.digests(), version, &known.digest)?;
    if view.is_written(version) {
        return loading(operation, view, version);
    }
    let mut memory = view.memory.clone();
    memory.versions.insert(version.clone(), known.clone());
    let Some(rollout) = &view.rollout else {
        let write = Some(Write::Create(object.clone()));
        return Ok(Move { memory, write, open: Some(false), done: Done::Pending });
    };
    refuse_drift(operation, view)?;
    if rollout.object["spec"]["selector"] != object["spec"]["selector"] {
        let message =
            "`spec.selector` of the manifest is not the Rollout's, which cannot be changed".to_owned();
        return Err(refused(Problem::Conflict, operation, message)
            .hint("write the old one back, or take the model out of service and delete the Rollout"));
    }
    let Some(stable) = view.memory.stable.as_ref() else {
        let message = "a version is loaded that was never made stable".to_owned();
        return Err(refused(Problem::Conflict, operation, message).hint("unload it first"));
    };
    if !view.is_settled(stable) || view.share(stable) != Some(100) {
        let why = view.failure().map(|why| format!(": {why}")).unwrap_or_default();
        let message = format!("{stable} does not yet have all traffic at rest{why}");
        return Err(refused(Problem::Unreachable, operation, message));
    }
    Ok(Move::change(memory, written(rollout, Some(known), &steps::to(None, 0))))
}

/// How far the written version is.
fn loading(operation: &str, view: &View, version: &Version) -> Decided {
    let memory = view.memory.clone();
    if view.is_ready(version) {
        return Ok(Move::none(memory, Done::AlreadyThere));
    }
    refuse_failed(operation, view, version)?;
    Ok(Move::none(memory, Done::Pending))
}

/// Refuses to go on with a version that cannot.
fn refuse_failed(operation: &str, view: &View, version: &Version) -> Result<(), PortError> {
    match view.failure().filter(|_| view.is_written(version)) {
        Some(why) => Err(refused(Problem::Invalid, operation, why.to_owned())),
        None => Ok(()),
    }
}

/// A merge of the `Rollout`: another template where one is given, and other steps.
fn written(rollout: &Rollout, known: Option<&Known>, steps: &Value) -> Value {
    let mut change = json!({ "spec": { "strategy": { "canary": { "steps": steps } } } });
    if let Some(known) = known {
        // All that is not in it goes, whoever wrote it.
        change["spec"]["template"] = difference(&rollout.object["spec"]["template"], &known.template);
    }
    change
}

/// Gives a version this share.
pub(super) fn set_weight(operation: &str, view: &View, version: &Version, weight: Weight) -> Decided {
    loaded(operation, view, version)?;
    let memory = view.memory.clone();
    let share = weight.get();
    let other = memory.stable.as_ref().filter(|stable| *stable != version);
    let (Some(rollout), Some(_)) = (&view.rollout, other) else {
        return alone(operation, view, version, weight);
    };
    if !view.is_written(version) {
        if share == 0 {
            let done = if view.share(version) == Some(0) { Done::AlreadyThere } else { Done::Pending };
            return Ok(Move::none(memory, done));
        }
        refuse_drift(operation, view)?;
        let message = format!("{version} is no longer written, and Argo shares traffic with that alone");
        return Err(refused(Problem::Conflict, operation, message).hint("prepare it again"));
    }
    if view.kept() == Some(version) {
        let message = format!("{version} has all traffic already");
        return Err(refused(Problem::Conflict, operation, message).hint("roll back instead"));
    }
    refuse_failed(operation, view, version)?;
    if rollout.steps == Steps::Share(share) {
        let done = if view.is_in_force(version, share) { Done::AlreadyThere } else { Done::Pending };
        return Ok(Move::none(memory, done));
    }
    refuse_drift(operation, view)?;
    if share > view.wanted(version) {
        refuse_unready(operation, view, version, share)?;
    }
    Ok(Move::change(memory, written(rollout, None, &steps::to(view.share(version), share))))
}

fn refuse_unready(operation: &str, view: &View, version: &Version, share: u8) -> Result<(), PortError> {
    if view.is_ready(version) {
        return Ok(());
    }
    let message = format!("{version} is not ready to take {share}% of the traffic");
    Err(refused(Problem::Unreachable, operation, message))
}

/// A share of the only version that counts: all or nothing.
fn alone(operation: &str, view: &View, version: &Version, weight: Weight) -> Decided {
    let memory = view.memory.clone();
    match weight {
        Weight::NONE if view.memory.stable.is_none() => Ok(close(view, memory)),
        Weight::ALL => lead(operation, view, memory, version, Way::Forward),
        _ => {
            let message = "no other version is stable and could keep the rest".to_owned();
            Err(refused(Problem::Unsupported, operation, message))
        }
    }
}

/// Makes a version stable.
pub(super) fn promote(operation: &str, view: &View, version: &Version) -> Decided {
    loaded(operation, view, version)?;
    let mut memory = view.memory.clone();
    memory.stable = Some(version.clone());
    lead(operation, view, memory, version, Way::Forward)
}

/// Gives everything back.
pub(super) fn rollback(operation: &str, view: &View, to: Option<&Version>) -> Decided {
    let mut memory = view.memory.clone();
    memory.stable = to.cloned();
    match to {
        Some(to) => {
            loaded(operation, view, to)?;
            lead(operation, view, memory, to, Way::Back)
        }
        None => Ok(close(view, memory)),
    }
}

/// Lets no request in, and gives the canary nothing.
fn close(view: &View, mut memory: Memory) -> Move {
    memory.open = false;
    let nothing = Steps::Share(0);
    let split =
        view.rollout.as_ref().filter(|rollout| rollout.current != rollout.stable && rollout.steps != nothing);
    let write = split.map(|rollout| Write::Change(written(rollout, None, &steps::to(None, 0))));
    let done = if view.is_closed() && write.is_none() { Done::AlreadyThere } else { Done::Applied };
    Move { memory, write, open: Some(false), done }
}

/// Leads all traffic to a version.
fn lead(operation: &str, view: &View, mut memory: Memory, version: &Version, way: Way) -> Decided {
    let known = loaded(operation, view, version)?;
    let Some(rollout) = &view.rollout else { return Ok(Move::none(memory, Done::Pending)) };
    let is_same = view.is_written(version) && refuse_drift(operation, view).is_ok();
    if is_same && (view.is_settled(version) || rollout.stable.is_none()) {
        if view.is_closed() && !view.is_ready(version) {
            refuse_failed(operation, view, version)?;
            return Ok(Move::none(memory, Done::Pending));
        }
        memory.open = true;
        let done = if view.share(version) == Some(100) { Done::AlreadyThere } else { Done::Pending };
        return Ok(Move { open: Some(true), ..Move::none(memory, done) });
    }
    // Argo goes on with what was aborted only where its steps change.
    let goes_on = is_same && rollout.steps == Steps::Through && !rollout.is_aborted;
    if way == Way::Forward {
        refuse_drift(operation, view)?;
        refuse_failed(operation, view, version)?;
    }
    memory.open = true;
    if goes_on {
        // What is late may still come, and nothing is better to wait for; what is refused will not.
        if rollout.is_refused {
            refuse_failed(operation, view, version)?;
        }
        return Ok(Move { open: Some(true), ..Move::none(memory, Done::Pending) });
    }
    if way == Way::Forward && view.is_written(version) {
        refuse_unready(operation, view, version, 100)?;
    }
    let from = view.share(version).filter(|_| is_same);
    let steps = steps::through(from, &rollout.object["spec"]["strategy"]["canary"]["steps"]);
    let change = written(rollout, Some(known).filter(|_| !is_same), &steps);
    Ok(Move { open: Some(true), ..Move::change(memory, change) })
}

/// Unloads a version.
pub(super) fn cleanup(operation: &str, view: &View, version: &Version) -> Decided {
    let mut memory = view.memory.clone();
    let (Some(rollout), Some(_)) = (&view.rollout, memory.versions.remove(version)) else {
        return Ok(Move::none(memory, Done::AlreadyThere));
    };
    refuse_busy(operation, view, version)?;
    if !view.is_written(version) {
        return Ok(Move::none(memory, Done::Applied));
    }
    let stable = memory.stable.clone().filter(|stable| stable != version);
    let Some(known) = stable.and_then(|stable| memory.versions.get(&stable).cloned()) else {
        let write = Some(Write::Delete);
        return Ok(Move { memory: view.memory.clone(), write, open: Some(false), done: Done::Applied });
    };
    let steps = steps::through(None, &Value::Null);
    Ok(Move { done: Done::Applied, ..Move::change(memory, written(rollout, Some(&known), &steps)) })
}

/// Refuses to unload a version that has traffic, or may still have.
fn refuse_busy(operation: &str, view: &View, version: &Version) -> Result<(), PortError> {
    match (view.wanted(version), view.share(version)) {
        (0, Some(0)) => Ok(()),
        (0, had) => {
            let had = had.map_or_else(|| "its share".to_owned(), |had| format!("its {had}%"));
            let message = format!("Argo has not yet confirmed that {version} lost {had} of the traffic");
            Err(refused(Problem::Unreachable, operation, message))
        }
        (has, _) => {
            Err(refused(Problem::Conflict, operation, format!("{version} has {has}% of the traffic")))
        }
    }
}
