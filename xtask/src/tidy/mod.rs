//! Structural checks that no compiler makes: headers, sizes, words, manifests. A new check is one more entry.

mod manifests;
mod pins;
mod size;
mod words;

use anyhow::Result;

pub use size::long_files;

use crate::{sources::rust_files, workspace::Workspace};

type Check = fn(&Workspace) -> Result<Vec<String>>;

const CHECKS: &[Check] = &[headers, size::problems, words::problems, manifests::problems, pins::problems];

/// One sentence per problem.
///
/// # Errors
/// When the files cannot be listed or read.
pub fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for check in CHECKS {
        problems.extend(check(workspace)?);
    }
    Ok(problems)
}

/// Every Rust file begins with what it is for.
fn headers(workspace: &Workspace) -> Result<Vec<String>> {
    let files = rust_files(workspace)?;
    let bare = files.iter().filter(|file| !file.first_line().starts_with("//! "));
    Ok(bare.map(|file| format!("{}:1: begin with `//!` and what the file is for", file.path)).collect())
}
