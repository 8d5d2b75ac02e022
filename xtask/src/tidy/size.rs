//! Files stay small enough to be read: a long one holds more than one concept.

use anyhow::Result;

use crate::{sources::rust_files, workspace::Workspace};

/// Most lines of production code in one file.
const LIMIT: usize = 600;
/// From here on a file is worth a look.
const LONG: usize = 500;

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let long = lengths(workspace)?.into_iter().filter(|(_, length)| *length > LIMIT);
    Ok(long
        .map(|(path, length)| format!("{path}: {length} lines of code, at most {LIMIT}; split it by concept"))
        .collect())
}

/// Files that are not too long yet.
///
/// # Errors
/// When the files cannot be listed or read.
pub fn long_files(workspace: &Workspace) -> Result<Vec<String>> {
    let long = lengths(workspace)?.into_iter().filter(|(_, length)| (LONG..=LIMIT).contains(length));
    Ok(long.map(|(path, length)| format!("{path}: {length} lines of code")).collect())
}

fn lengths(workspace: &Workspace) -> Result<Vec<(String, usize)>> {
    Ok(rust_files(workspace)?.iter().map(|file| (file.path.clone(), file.production().count())).collect())
}
