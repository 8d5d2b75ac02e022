//! Workflows in Markdown, written to files of their own so that they are judged as any other.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// What stands around steps that are shown alone.
const AROUND: &str = "\
name: snippet
on: { workflow_dispatch: {} }
permissions: {}
concurrency: { group: snippet, cancel-in-progress: false }
jobs:
  snippet:
    name: snippet
    runs-on: ubuntu-latest
    steps:
";

/// Writes every workflow of every Markdown file into a directory and answers their paths.
pub(super) fn write(workspace: &Workspace, directory: &Path) -> Result<Vec<PathBuf>> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("remove {}", directory.display()))?;
    }
    fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    let mut written = Vec::new();
    for page in workspace.files()? {
        let Some(name) = page.strip_suffix(".md") else { continue };
        for (line, text) in of_page(&workspace.read(&page)?) {
            let name = format!("{}-{line}.yml", name.replace('/', "-"));
            let path = directory.join(name);
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            written.push(path);
        }
    }
    Ok(written)
}

/// Workflows of one page, each with the line where it begins. Steps that are shown alone get a job around them.
fn of_page(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (at, line) in page.lines().enumerate() {
        match &mut block {
            None if ["```yaml", "```yml"].iter().any(|fence| line.trim_start().starts_with(fence)) => {
                block = Some((at + 1, String::new()));
            }
            Some((begin, text)) if line.trim_start().starts_with("```") => {
                found.extend(workflow(text).map(|workflow| (*begin, workflow)));
                block = None;
            }
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    found
}

/// A workflow of a block, where it is one.
fn workflow(block: &str) -> Option<String> {
    let begins = |word: &str| block.lines().any(|line| line.starts_with(word));
    if begins("jobs:") {
        return Some(block.to_owned());
    }
    let first = block.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
    let steps = match first.trim_end() {
        "steps:" => block.split_once("steps:\n")?.1.to_owned(),
        other if other.trim_start().starts_with("- ") && block.contains("uses:") => block.to_owned(),
        _ => return None,
    };
    let depth = steps.lines().find(|line| !line.trim().is_empty())?;
    let depth = depth.len() - depth.trim_start().len();
    let indented = steps.lines().map(|line| format!("      {}\n", line.get(depth..).unwrap_or_default()));
    Some(format!("{AROUND}{}", indented.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_workflows_and_steps_are_found_and_other_yaml_is_not() {
        let page = "# Title\n```yaml\non: push\njobs: {}\n```\ntext\n```yaml\n  - uses: a/b@c\n    with:\n      x: y\n```\n\
                    ```yaml\nversion: 1\nmodels: {}\n```\n```sh\njobs: none\n```\n";
        let found = of_page(page);
        assert_eq!(found[0], (2, "on: push\njobs: {}\n".to_owned()));
        assert_eq!(found[1].0, 7);
        assert!(
            found[1].1.ends_with("    steps:\n      - uses: a/b@c\n        with:\n          x: y\n"),
            "{}",
            found[1].1
        );
        assert_eq!(found.len(), 2);
    }
}
