//! A few seconds of every fuzz target: that they build, and that nothing near their seeds breaks.

use anyhow::Result;

use super::{Ending, Subject};
use crate::{
    fuzz::{Fuzzer, VERSION},
    process,
};

/// Seconds that each target runs; longer runs are `cargo xtask fuzz`.
const SECONDS: u32 = 2;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let tools = subject.workspace.path("target/tools/fuzz");
    let mut install =
        subject.workspace.cargo(&["install", "cargo-fuzz", "--version", VERSION, "--locked", "--root"]);
    install.arg(&tools);
    process::run(install)?;
    Fuzzer { workspace: subject.workspace, tools: Some(tools) }.fuzz(&[], SECONDS)?;
    Ok(Ending::Passed)
}
