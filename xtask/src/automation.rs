//! The repository's own files for GitHub Actions: which there are, and how zizmor looks at them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::workspace::Workspace;

/// The version that the settings in `zizmor.yml` are written for, as a Python package.
pub(crate) const ZIZMOR: &str = "zizmor==1.32.0";

/// Directories of workflows: those that run here, and those that users copy.
const WORKFLOWS: [&str; 2] = [".github/workflows/", ".github/examples/"];

/// Every workflow, relative.
pub(crate) fn workflows(workspace: &Workspace) -> Result<Vec<String>> {
    let mut files = workspace.files()?;
    files.retain(|file| is_yaml(file) && WORKFLOWS.iter().any(|directory| file.starts_with(directory)));
    Ok(files)
}

/// Every `action.yml`, relative.
pub(crate) fn manifests(workspace: &Workspace) -> Result<Vec<String>> {
    let mut files = workspace.files()?;
    files.retain(|file| matches!(file.rsplit('/').next(), Some("action.yml" | "action.yaml")));
    Ok(files)
}

/// zizmor's strictest rules over everything of ours, and `more` files. A file that cannot be read is a failure, not a
/// warning.
pub(crate) fn zizmor(workspace: &Workspace, zizmor: &Path, more: &[PathBuf]) -> Result<Command> {
    let mut command = workspace.command(zizmor);
    command.args(["--offline", "--no-progress", "--strict-collection", "--persona", "pedantic"]);
    // The directory brings workflows and actions; examples lie where no one else looks.
    command.args(["--config", "zizmor.yml", "."]);
    command.args(workflows(workspace)?.iter().filter(|file| file.starts_with(WORKFLOWS[1])));
    command.args(more);
    Ok(command)
}

fn is_yaml(file: &str) -> bool {
    [".yml", ".yaml"].iter().any(|ending| file.ends_with(ending))
}
