//! `action.yml` and `action-types.yml` of every action, and the tables of its README.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::{Context, Result};
use tagship_runner::manifest::{ACTIONS, Action, Input, Kind, ROOT};

use super::{Generated, row};
use crate::workspace::Workspace;

/// Who publishes the actions, as workflows name them.
const OWNER: &str = "tagship/tagship";

const MARK: &str = "# Written by `cargo xtask gen` from the code; edit the code.\n";

/// Between these lines of a README stand tables that are generated; everything else of it is written by hand.
const BEGIN: &str = "<!-- Inputs and outputs: written by `cargo xtask gen`. -->";
const END: &str = "<!-- End of what is generated. -->";

/// Files of every action.
pub(super) fn generate(workspace: &Workspace) -> Result<Vec<Generated>> {
    let mut files = vec![];
    for action in &ACTIONS {
        let folder = folder(action);
        files.push(Generated { path: folder.join("action.yml"), content: manifest(action) });
        files.push(Generated { path: folder.join("action-types.yml"), content: types(action) });
        let page = if action.verb == ROOT { "actions/README.md".into() } else { folder.join("README.md") };
        let written = workspace.read(&page)?;
        let content = with_tables(&written, &tables(action))
            .with_context(|| format!("{} lacks the lines `{BEGIN}` and `{END}`", page.display()))?;
        files.push(Generated { path: page, content });
    }
    Ok(files)
}

fn folder(action: &Action) -> PathBuf {
    if action.verb == ROOT { PathBuf::new() } else { format!("actions/{}", action.verb).into() }
}

fn manifest(action: &Action) -> String {
    let mut text = format!("{MARK}name: {}\n", action.title);
    let _ = writeln!(text, "description: {}", quoted(action.description));
    let _ = writeln!(text, "author: {}", OWNER.split('/').next().unwrap_or(OWNER));
    let _ = writeln!(text, "branding:\n  icon: {}\n  color: {}\n\ninputs:", action.icon, action.color);
    let inputs = action.inputs();
    for input in &inputs {
        let _ = writeln!(text, "  {}:\n    description: {}", input.name, quoted(&input.description));
        text.push_str("    required: false\n");
        if let Some(default) = &input.default {
            let _ = writeln!(text, "    default: {}", quoted(default));
        }
    }
    text.push_str("\noutputs:\n");
    for output in action.outputs() {
        let _ = writeln!(text, "  {}:\n    description: {}", output.name, quoted(output.description));
        let _ = writeln!(text, "    value: ${{{{ steps.run.outputs.{} }}}}", output.name);
    }
    let loader = if action.verb == ROOT { "actions/_run/run.sh" } else { "../_run/run.sh" };
    text.push_str("\nruns:\n  using: composite\n  steps:\n    - id: run\n      shell: bash\n");
    let words = action.words().collect::<Vec<_>>().join(" ");
    let _ = writeln!(text, "      run: '\"$GITHUB_ACTION_PATH/{loader}\" {words}'\n      env:");
    for input in &inputs {
        let _ = writeln!(text, "        {}: ${{{{ {} }}}}", input.variable, expression(input));
    }
    // What an earlier step left for shells to read first.
    text.push_str("        BASH_ENV: ''\n        ENV: ''\n");
    text
}

/// An empty mapping shadows a variable of the whole workflow, so the one that is set there is named.
fn expression(input: &Input) -> String {
    match input.name.as_str() {
        "binary-dir" => format!("inputs.{} || env.{}", input.name, input.variable),
        name => format!("inputs.{name}"),
    }
}

/// Types of inputs and outputs, as github.com/typesafegithub/github-actions-typing defines them.
fn types(action: &Action) -> String {
    let mut text = format!("{MARK}inputs:\n");
    for input in action.inputs() {
        let _ = writeln!(text, "  {}:", input.name);
        match &input.kind {
            Kind::Text => text.push_str("    type: string\n"),
            Kind::Integer => text.push_str("    type: integer\n"),
            Kind::Boolean => text.push_str("    type: boolean\n"),
            Kind::Lines => {
                text.push_str("    type: list\n    separator: \"\\n\"\n    list-item:\n      type: string\n");
            }
            Kind::Word(words) => {
                text.push_str("    type: enum\n    allowed-values:\n");
                text.extend(words.iter().map(|word| format!("      - {word}\n")));
            }
            Kind::Words(words) => {
                text.push_str("    type: list\n    separator: \",\"\n    list-item:\n      type: enum\n");
                text.push_str("      allowed-values:\n");
                text.extend(words.iter().map(|word| format!("        - {word}\n")));
            }
        }
    }
    text.push_str("outputs:\n");
    text.extend(action.outputs().map(|output| format!("  {}:\n    type: string\n", output.name)));
    text
}

fn tables(action: &Action) -> String {
    let mut text = "\n| input | meaning | default |\n|---|---|---|\n".to_owned();
    for input in action.inputs() {
        let default = input.default.map(|default| format!("`{default}`")).unwrap_or_default();
        text.push_str(&row(&[&format!("`{}`", input.name), &input.description, &default]));
    }
    text.push_str("\n| output | holds |\n|---|---|\n");
    for output in action.outputs() {
        text.push_str(&row(&[&format!("`{}`", output.name), output.description]));
    }
    text.push('\n');
    text
}

/// A page with other tables between its marks.
fn with_tables(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}{END}{after}"))
}

/// A text as a YAML string of one line.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_one_constant_step_and_hands_over_every_input() {
        for action in &ACTIONS {
            let text = manifest(action);
            let run: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("run:")).collect();
            assert_eq!(run.len(), 1, "{text}");
            assert!(run[0].contains("run.sh") && !run[0].contains("${{"), "{}", run[0]);
            for input in action.inputs() {
                let name = input.name.replace('-', "_").to_uppercase();
                let handed = format!("TAGSHIP_{name}: ${{{{ inputs.{}", input.name);
                assert!(text.contains(&handed), "{}: {handed}", action.verb);
            }
            for output in action.outputs() {
                assert!(types(action).contains(&format!("  {}:\n    type: string", output.name)));
            }
        }
    }

    #[test]
    fn prose_around_the_tables_stays() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = with_tables(&page, "\nnew\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\n\nnew\n{END}\nafter\n"));
        assert_eq!(with_tables(&new, "\nnew\n").as_ref(), Some(&new));
        assert_eq!(with_tables("nothing", ""), None);
    }
}
