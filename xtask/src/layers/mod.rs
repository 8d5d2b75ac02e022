//! The layers of ARCHITECTURE.md, held against what the crates really depend on and say.
//!
//! Dependencies point strictly downward; a library is named by the crates that `docs/dependencies.md` confines it to;
//! the layers of pure logic name no vendor and touch nothing outside of themselves.

mod dependencies;
mod page;
mod purity;
mod table;

use anyhow::Result;

use page::Page;

use crate::workspace::Workspace;

/// One sentence per broken rule.
///
/// # Errors
/// When the crates or their sources cannot be read.
pub fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = dependencies::problems(&workspace.members()?, &Page::read(workspace)?);
    problems.extend(purity::problems(workspace)?);
    Ok(problems)
}
