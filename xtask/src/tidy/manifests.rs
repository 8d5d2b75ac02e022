//! Every crate's manifest says what the workspace decided, and says it by inheriting.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::{Member, Workspace};

/// Lines that every manifest has.
const INHERITED: [&str; 5] = [
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
    "publish.workspace = true",
];

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for member in workspace.members()? {
        let text = fs::read_to_string(&member.manifest_path)
            .with_context(|| format!("read {}", member.manifest_path.display()))?;
        problems.extend(problems_of(&member, &text));
    }
    Ok(problems)
}

fn problems_of(member: &Member, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for line in INHERITED.iter().filter(|line| !text.lines().any(|there| there == **line)) {
        problems.push(format!("{}: its Cargo.toml lacks `{line}`", member.name));
    }
    if !text.contains("\n[lints]\nworkspace = true\n") {
        problems.push(format!("{}: its Cargo.toml lacks `[lints] workspace = true`", member.name));
    }
    problems.extend(own_versions(text).map(|line| {
        format!("{}: `{line}` names a version of its own; move it to [workspace.dependencies]", member.name)
    }));
    problems
}

/// Dependencies that do not come from the workspace. The root manifest's own workspace table is what they come from.
fn own_versions(text: &str) -> impl Iterator<Item = &str> {
    let mut depends = false;
    text.lines().filter(move |line| {
        if line.starts_with('[') {
            depends = line.ends_with("dependencies]") && !line.starts_with("[workspace");
        }
        depends && line.contains('=') && !line.starts_with('#') && !line.contains("workspace = true")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_inherited_is_named() {
        let member: Member =
            serde_json::from_str(r#"{"name":"x","manifest_path":"Cargo.toml","dependencies":[]}"#).unwrap();
        let good = format!(
            "[package]\n{}\n\n[dependencies]\na = {{ workspace = true }}\n\n[lints]\nworkspace = true\n",
            INHERITED.join("\n")
        );
        assert_eq!(problems_of(&member, &good), Vec::<String>::new());
        let own = good.replace("{ workspace = true }", "\"1\"").replace("edition.workspace", "edition");
        assert_eq!(problems_of(&member, &own).len(), 2);
    }
}
