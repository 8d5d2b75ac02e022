//! Files that are written from the code: JSON Schemas, reference pages, manifests of actions.
//!
//! Each generator answers whole files; whether they are written or compared is decided here.

mod actions;
mod command_line;
mod exit_codes;
mod expressions;
mod rollout_states;
mod rules;
mod schemas;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// A generated file.
struct Generated {
    /// Path in the repository.
    path: PathBuf,
    content: String,
}

/// Folders that hold generated files and nothing else.
const FOLDERS: [&str; 3] = ["schemas", "docs/reference", "docs/rules"];

/// Stands in front of generated Markdown.
const MARK: &str = "<!-- Written by `cargo xtask gen` from the code; edit the code. -->\n\n";

/// Everything that is generated. A new page is one more entry.
fn all(workspace: &Workspace) -> Result<Vec<Generated>> {
    let mut files = vec![command_line::generate(), exit_codes::generate(), expressions::generate()];
    files.extend(rules::generate()?);
    files.push(rollout_states::generate()?);
    files.extend(schemas::generate()?);
    files.extend(actions::generate(workspace)?);
    Ok(files)
}

/// Writes every generated file that differs, removes those that nothing generates any more, and answers their paths.
///
/// # Errors
/// When a file cannot be generated or written.
pub fn write(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let files = all(workspace)?;
    let mut changed = Vec::new();
    for file in &files {
        let path = workspace.path(&file.path);
        if fs::read_to_string(&path).is_ok_and(|there| there == file.content) {
            continue;
        }
        let folder = path.parent().context("a generated file lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        fs::write(&path, &file.content).with_context(|| format!("write {}", path.display()))?;
        changed.push(file.path.clone());
    }
    for orphan in orphans(workspace, &files)? {
        fs::remove_file(workspace.path(&orphan)).with_context(|| format!("remove {}", orphan.display()))?;
        changed.push(orphan);
    }
    Ok(changed)
}

/// One sentence per generated file that is missing, stale or left over.
///
/// # Errors
/// When a file cannot be generated.
pub fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let files = all(workspace)?;
    let mut problems = Vec::new();
    for file in &files {
        let what = match fs::read_to_string(workspace.path(&file.path)) {
            Ok(there) if there == file.content => continue,
            Ok(_) => "is stale",
            Err(_) => "is missing",
        };
        problems.push(format!("{} {what}; run `cargo xtask gen` and commit it", file.path.display()));
    }
    for orphan in orphans(workspace, &files)? {
        problems.push(format!("nothing generates {} any more; run `cargo xtask gen`", orphan.display()));
    }
    Ok(problems)
}

/// Files in the generated folders that no generator writes.
fn orphans(workspace: &Workspace, files: &[Generated]) -> Result<Vec<PathBuf>> {
    let mut orphans = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(workspace.path(folder)) else { continue };
        for entry in entries {
            let path = Path::new(folder).join(entry.with_context(|| format!("list {folder}"))?.file_name());
            if !files.iter().any(|file| file.path == path) {
                orphans.push(path);
            }
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// One row of a Markdown table.
fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}
