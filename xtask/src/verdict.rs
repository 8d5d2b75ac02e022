//! What a check ends with.

use anyhow::{Result, bail};

/// Prints problems and fails where there are some.
pub(crate) fn verdict(check: &str, problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        println!("{check}: nothing to complain about");
        return Ok(());
    }
    for problem in problems {
        println!("{problem}");
    }
    bail!("{check} found {} problem{}", problems.len(), if problems.len() == 1 { "" } else { "s" })
}
