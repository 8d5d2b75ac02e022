//! The command line reference, from the definition of the arguments itself.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use crate::args::Cli;

/// Width of the help texts in the reference; fixed, so that it does not depend on who writes it.
const WIDTH: usize = 100;

/// The help of every verb as one Markdown page.
pub fn command_line_reference() -> String {
    let mut page = "# Command line\n".to_owned();
    let mut command = Cli::command().term_width(WIDTH);
    command.build();
    append(&mut page, &mut command, "");
    page
}

fn append(page: &mut String, command: &mut Command, above: &str) {
    let name = if above.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{above} {}", command.get_name())
    };
    let help = command.clone().term_width(WIDTH).render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(page, "\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    for below in
        command.get_subcommands_mut().filter(|below| !below.is_hide_set() && below.get_name() != "help")
    {
        append(page, below, &name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_there_and_hidden_ones_are_not() {
        let page = command_line_reference();
        for verb in ["demo", "decide", "validate", "gate", "release", "rollout", "rollback", "registry show"]
        {
            assert!(page.contains(&format!("## `tagship {verb}`")), "{verb}");
        }
        assert!(!page.contains("tagship golden"));
    }
}
