//! docs/reference/rollout-states.md: what leads from where to where, found by asking `step`.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    fmt::Write as _,
};

use anyhow::{Context, Result};

mod ask;
mod samples;

use self::{
    ask::{CAUSES, Cause, Standing, ask},
    samples::beginnings,
};
use super::{Generated, MARK, row};

/// A phase and its reason, as they are written.
type Place = (String, String);

pub(super) fn generate() -> Result<Generated> {
    let ways = explore()?;
    let mut page = format!("{MARK}{INTRODUCTION}");
    page.push_str(&diagram(&ways));
    page.push_str(TABLE_HEAD);
    for ((phase, reason), leads) in &ways {
        let leads: Vec<String> = leads.iter().map(|((to, why), causes)| lead(to, why, causes)).collect();
        page.push_str(&row(&[phase, reason, &leads.join("; ")]));
    }
    page.push_str(ELSEWHERE);
    Ok(Generated { path: "docs/reference/rollout-states.md".into(), content: page })
}

fn lead(to: &str, why: &str, causes: &BTreeSet<&'static str>) -> String {
    let causes: Vec<&str> = causes.iter().copied().collect();
    format!("{} → {to} ({why})", causes.join(", "))
}

/// From each place to each other, with what leads there.
type Ways = BTreeMap<Place, BTreeMap<Place, BTreeSet<&'static str>>>;

/// Everything that can be met, asked about everything that can be seen.
fn explore() -> Result<Ways> {
    let mut ways = Ways::new();
    for begins in beginnings().context("make the samples of rollouts")? {
        let mut known = HashSet::from([begins.key()]);
        let mut queue = VecDeque::from([begins]);
        while let Some(at) = queue.pop_front() {
            let leads = ways.entry(at.place()).or_default();
            // What changes nothing about how it goes as planned is no reason for it.
            let planned = ask(&at, Cause::Well).map(|next| next.place());
            for (cause, what) in CAUSES {
                let Some(next) = ask(&at, what) else { continue };
                let counts = what == Cause::Well || planned != Some(next.place());
                if counts && next.place() != at.place() {
                    leads.entry(next.place()).or_default().insert(cause);
                }
                if known.insert(next.key()) {
                    queue.push_back(next);
                }
            }
        }
    }
    Ok(ways)
}

/// One arrow from phase to phase; what leads along it stands in the table.
fn diagram(ways: &Ways) -> String {
    let mut arrows = BTreeSet::new();
    for ((from, _), leads) in ways {
        arrows.extend(leads.keys().filter(|(to, _)| to != from).map(|(to, _)| (from.clone(), to.clone())));
    }
    let mut diagram = "```mermaid\nstateDiagram-v2\n  [*] --> Pending\n".to_owned();
    for (from, to) in &arrows {
        let _ = writeln!(diagram, "  {from} --> {to}");
    }
    for end in ["Succeeded", "Failed", "RolledBack", "RollbackFailed", "Superseded"] {
        let _ = writeln!(diagram, "  {end} --> [*]");
    }
    diagram + "```\n"
}

impl Standing {
    fn place(&self) -> Place {
        (self.state.phase.to_string(), self.state.reason.to_string())
    }
}

const INTRODUCTION: &str = "\
# States of a rollout

A rollout is in one phase, for one reason. This page is made by asking the code about everything that it can meet; it is
the whole machine.

";

const TABLE_HEAD: &str = "
\"as planned\" is: what was ordered is done and seen, cases pass, metrics are good, time passes. What is not named leads
nowhere: it waits. Where the same leads to RollbackFailed and to RollingBack, the first is of a rollback, which keeps what it
brought back, and the second of a deployment.

| phase | reason | what leads on |
|---|---|---|
";

const ELSEWHERE: &str = "
## Words of other tools

| word | here |
|---|---|
| Gating, GateFailed | before the rollout: `tagship gate`; what does not pass is not released, so that no rollout begins |
| InvalidSpec | before the rollout: `tagship.yml` is refused with exit code 2 |
| Waiting for approval, WaitingPromotion | an environment's reviewers are asked by the job; a pause without a length, or blue-green without `auto-promote`, is Paused (StepPause) |
| Waiting for a lock | before the rollout: `decide` and `rollout` refuse what a person's lock keeps out; a newer version waits as `queued` in the rollout that runs |
| SkippedAnalysis | Succeeded (Completed) with `waived`, the name of whoever led it on |
| Degraded, aborted | RolledBack |

## As GitHub shows it

| phase | deployment | commit status |
|---|---|---|
| Pending, Waiting | none yet, or in_progress where it has begun | pending |
| Validating, Progressing, Paused, Baking, Promoting, Finalising, RollingBack | in_progress | pending |
| Succeeded | success | success |
| Failed, RolledBack | failure | failure |
| RollbackFailed | error | error |
| Superseded | inactive | success |
";
