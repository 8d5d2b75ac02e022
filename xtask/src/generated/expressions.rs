//! docs/reference/expressions.md: the functions and bounds of rules.

use std::fmt::Write;

use tagship_expr::{FUNCTIONS, MAX_DEPTH, MAX_LENGTH, MAX_STEPS};

use super::{Generated, MARK, row};

pub(super) fn generate() -> Generated {
    let mut page = format!("{MARK}# Expressions\n\nFunctions and macros of the rules in `gate`.\n\n");
    page.push_str("| written | gives |\n|---|---|\n");
    for function in FUNCTIONS {
        page.push_str(&row(&[&format!("`{}`", function.signature), function.summary]));
    }
    let _ = writeln!(
        page,
        "\nAn expression has at most {MAX_LENGTH} characters, is nested at most {MAX_DEPTH} deep and takes at most \
         {MAX_STEPS} steps."
    );
    Generated { path: "docs/reference/expressions.md".into(), content: page }
}
