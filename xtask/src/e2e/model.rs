//! The model check of rollouts, with as many faults in every scenario as the suite allows in few of them.

use anyhow::Result;

use super::{Ending, Subject};
use crate::process;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let mut cargo = subject.workspace.cargo(&["test", "--locked", "--workspace", "--lib", "--"]);
    cargo.args(["model::", "--ignored", "--nocapture"]);
    process::tests(cargo)?;
    Ok(Ending::Passed)
}
