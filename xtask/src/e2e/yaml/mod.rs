//! Everything of ours that GitHub reads, held against its official parser and the linters of the field: workflows,
//! examples, actions, the YAML in Markdown, and shell scripts.

mod checkers;
mod snippets;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{Ending, Subject};
use crate::{automation, workspace::Workspace};
use checkers::Checker;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let workspace = subject.workspace;
    let absolute = |files: Vec<String>| files.iter().map(|file| workspace.path(file)).collect::<Vec<_>>();
    let manifests = absolute(automation::manifests(workspace)?);
    let snippets = snippets::write(workspace, &workspace.path("target/e2e/snippets"))?;
    let mut workflows = absolute(automation::workflows(workspace)?);
    workflows.extend(snippets.iter().cloned());
    let everything: Vec<PathBuf> = workflows.iter().chain(&manifests).cloned().collect();
    let scripts = absolute(scripts(workspace)?);

    if workflows.is_empty() || manifests.is_empty() || scripts.is_empty() {
        bail!("there is no workflow, action or script to judge");
    }
    let tools = checkers::install(workspace)?;
    let rounds: [(&Checker<'_>, &[PathBuf]); 4] = [
        (&tools.zizmor, &snippets),
        (&tools.parser, &everything),
        (&tools.validator, &manifests),
        (&tools.shellcheck, &scripts),
    ];
    let mut failed = Vec::new();
    for (checker, files) in rounds {
        if let Err(error) = checker.judge(files) {
            println!("{error:#}");
            failed.push(checker.name);
        }
    }
    println!(
        "{} workflows (of which {} in Markdown), {} actions, {} scripts",
        workflows.len(),
        snippets.len(),
        manifests.len(),
        scripts.len()
    );
    if failed.is_empty() { Ok(Ending::Passed) } else { bail!("{} found something", failed.join(", ")) }
}

/// Every shell script, by its ending or its first line.
fn scripts(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in workspace.files()? {
        let bytes = fs::read(workspace.path(&file)).with_context(|| format!("read {file}"))?;
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let first = String::from_utf8_lossy(first);
        let shell = first.starts_with("#!")
            && ["/sh", "/bash", " sh", " bash"].iter().any(|end| first.ends_with(end));
        if shell || Path::new(&file).extension().is_some_and(|ending| ending == "sh") {
            found.push(file);
        }
    }
    Ok(found)
}
