//! Words that have no place in a tracked file: paths of a machine, hosts of package registries, notes to oneself.

use std::fs;

use anyhow::Result;

use crate::workspace::Workspace;

/// Larger files are data.
const LARGEST: usize = 1 << 20;

/// What must not be written, split so that this file does not complain about itself.
const WORDS: &[(&[&str], &str)] = &[
    (&["/wo", "rk/"], "a path of one machine"),
    (&["/ro", "ot/"], "a path of one machine"),
    (&["/ho", "me/"], "a path of one machine"),
    (&["/Us", "ers/"], "a path of one machine"),
    (&["pypi", ".org"], "the host of a package registry"),
    (&["python", "hosted"], "the host of a package registry"),
    (&["registry.np", "mjs"], "the host of a package registry"),
    (&["index.cra", "tes.io"], "the host of a package registry"),
    (&["static.cra", "tes.io"], "the host of a package registry"),
    (&["deb.deb", "ian"], "the host of a package registry"),
    (&["TO", "DO"], "a note to oneself; do it or file it"),
    (&["FIX", "ME"], "a note to oneself; do it or file it"),
];

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in workspace.files()? {
        let Ok(bytes) = fs::read(workspace.path(&path)) else { continue };
        // Files that are not text are fixtures of models.
        if let Ok(text) = std::str::from_utf8(&bytes)
            && bytes.len() <= LARGEST
        {
            problems.extend(found(text).map(|(number, what)| format!("{path}:{number}: {what}")));
        }
    }
    Ok(problems)
}

fn found(text: &str) -> impl Iterator<Item = (usize, String)> {
    let words: Vec<(String, &str)> = WORDS.iter().map(|(parts, what)| (parts.concat(), *what)).collect();
    text.lines().enumerate().filter_map(move |(at, line)| {
        let (word, what) = words.iter().find(|(word, _)| line.contains(word.as_str()))?;
        Some((at + 1, format!("{word:?} is {what}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_found_with_their_line() {
        let text = format!("fine\nsee {}ada\n", ["/ho", "me/"].concat());
        let found: Vec<_> = found(&text).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, 2);
        assert!(found[0].1.ends_with("is a path of one machine"));
    }
}
