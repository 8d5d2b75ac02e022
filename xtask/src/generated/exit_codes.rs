//! docs/reference/exit-codes.md.

use tagship_domain::Exit;

use super::{Generated, MARK, row};

pub(super) fn generate() -> Generated {
    let mut page = format!("{MARK}# Exit codes\n\nOf every tagship program.\n\n");
    page.push_str("| code | meaning |\n|---:|---|\n");
    for (exit, meaning) in Exit::ALL {
        page.push_str(&row(&[&exit.code().to_string(), meaning]));
    }
    Generated { path: "docs/reference/exit-codes.md".into(), content: page }
}
