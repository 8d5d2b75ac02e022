//! Every call of a deployment to GitHub meets every fault, by a clock that runs a hundred times as fast.

use anyhow::Result;

use super::{Ending, Subject};
use crate::process;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let test = "faults::every_call_meets_every_fault";
    let all = ["test", "--locked", "--workspace", "--test", "it", "--"];
    let mut cargo = subject.workspace.cargo(&all);
    cargo.args(["--ignored", "--exact", test, "--nocapture"]);
    process::tests(cargo)?;
    Ok(Ending::Passed)
}
