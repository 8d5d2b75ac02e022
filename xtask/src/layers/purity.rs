//! Vendor names and ways to the outside in the layers of pure logic. Comments and tests may say what they like.

use anyhow::Result;

use super::table::{EXCEPTIONS, LAYERS, OUTSIDE, PURE, VENDORS};
use crate::{
    sources::{RustFile, has_word, rust_files},
    workspace::Workspace,
};

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    Ok(rust_files(workspace)?.iter().filter(|file| is_pure(file)).flat_map(problems_of).collect())
}

fn is_pure(file: &RustFile) -> bool {
    LAYERS.iter().filter(|(_, layer)| *layer <= PURE).any(|(name, _)| {
        let folder = name.trim_start_matches("tagship-");
        file.path
            .strip_prefix("crates/")
            .and_then(|path| path.strip_prefix(folder))
            .is_some_and(|path| path.starts_with("/src/"))
    })
}

fn problems_of(file: &RustFile) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in file.code() {
        let mut complain = |words: &[&str], what: &str| {
            for word in words.iter().filter(|word| has_word(line, word) && !is_exception(file, word)) {
                problems.push(format!(
                    "{}:{number}: {what} {word}; layers up to {PURE} leave it to adapters",
                    file.path
                ));
            }
        };
        complain(VENDORS, "names the vendor");
        complain(OUTSIDE, "reaches outside by");
    }
    problems
}

fn is_exception(file: &RustFile, word: &str) -> bool {
    EXCEPTIONS
        .iter()
        .any(|(path, excepted, _)| file.path.starts_with(path) && (excepted.is_empty() || *excepted == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_and_the_outside_are_found() {
        let text = "//! GitHub may be explained.\nlet host = \"github\";\nlet now = Instant::now();\nlet t = cargo;\n";
        let found = problems_of(&RustFile::new("crates/gate/src/x.rs", text));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/gate/src/x.rs:2: names the vendor github"));
        assert!(found[1].contains("reaches outside by Instant::now"));
    }

    #[test]
    fn only_pure_layers_are_held_to_it() {
        assert!(is_pure(&RustFile::new("crates/gate/src/x.rs", "")));
        assert!(!is_pure(&RustFile::new("crates/git/src/x.rs", "")));
        assert!(!is_pure(&RustFile::new("xtask/src/x.rs", "")));
    }
}
