//! Every call of a deployment to GitHub meets every fault, by a clock that runs a hundred times as fast.

use anyhow::Result;

use super::{Ending, Subject};
use crate::process;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let workspace = subject.workspace;
    process::run(workspace.cargo(&["build", "--locked", "--package", "tagship", "--example", "hasty"]))?;
    let test = "faults::every_call_meets_every_fault";
    process::run(workspace.cargo(&[
        "test",
        "--locked",
        "--package",
        "tagship",
        "--test",
        "it",
        "--",
        "--ignored",
        "--exact",
        test,
        "--nocapture",
    ]))?;
    Ok(Ending::Passed)
}
