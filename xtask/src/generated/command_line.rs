//! docs/reference/cli.md.

use tagship_runner::command_line_reference;

use super::{Generated, MARK};

pub(super) fn generate() -> Generated {
    Generated { path: "docs/reference/cli.md".into(), content: format!("{MARK}{}", command_line_reference()) }
}
