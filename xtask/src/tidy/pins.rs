//! Actions of others: each is pinned to a commit, and to the same one wherever it is named.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::workspace::Workspace;

/// What names actions: workflows, guides that show them, and the code that writes them.
const NAMES_ACTIONS: [&str; 4] = [".yml", ".yaml", ".md", ".rs"];

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut pins = Vec::new();
    for path in workspace.files()? {
        if NAMES_ACTIONS.iter().any(|end| path.ends_with(end)) {
            let text = workspace.read(&path)?;
            pins.extend(found(&text).map(|(line, action, pin)| (format!("{path}:{line}"), action, pin)));
        }
    }
    Ok(differing(pins))
}

/// Line, action and commit of everything that is pinned.
fn found(text: &str) -> impl Iterator<Item = (usize, String, String)> {
    text.lines().enumerate().filter_map(|(at, line)| {
        let (_, named) = line.split_once("uses: ")?;
        let (action, rest) = named.split_once('@')?;
        let commit: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        (commit.len() == 40).then(|| (at + 1, action.to_owned(), commit))
    })
}

/// One sentence for each place that names another commit than the place that was read first.
fn differing(pins: Vec<(String, String, String)>) -> Vec<String> {
    let mut first: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (place, action, commit) in pins {
        let (known, at) = first.entry(action.clone()).or_insert_with(|| (commit.clone(), place.clone()));
        if *known != commit {
            problems.push(format!("{place}: {action} is pinned to another commit than at {at}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_two_pins_of_one_action_is_told() {
        let one = format!("- uses: actions/checkout@{} # v7.0.1\n", "a".repeat(40));
        let other = format!("steps:\n- uses: actions/checkout@{} # v5.0.0\n- uses: o/t@v1", "b".repeat(40));
        let at = |path: &str, text: &str| -> Vec<_> {
            found(text).map(|(line, action, pin)| (format!("{path}:{line}"), action, pin)).collect()
        };
        let pins = [at("a.yml", &one), at("b.md", &one), at("c.rs", &other)].concat();
        let problems = differing(pins);
        assert_eq!(problems, ["c.rs:2: actions/checkout is pinned to another commit than at a.yml:1"]);
    }
}
