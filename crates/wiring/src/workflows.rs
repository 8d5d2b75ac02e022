//! The workflows of the checkout as far as they run us: what starts them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tagship_config::yaml;

/// A workflow that runs us.
struct Workflow {
    file: String,
    text: String,
}

/// Whether a workflow of the checkout listens to comments, so that reviewers can act by writing one.
pub(crate) fn listens_to_comments(root: &Path) -> bool {
    ours(root).iter().any(|workflow| workflow.text.contains("issue_comment"))
}

/// What keeps a merge from starting anything: workflows that wait for pushes to other branches only, as they do after
/// the default branch was renamed. Nothing where one of them hears of the default branch.
pub(crate) fn deaf_to(root: &Path, default_branch: &str) -> Option<String> {
    let mut deaf = vec![];
    for Workflow { file, text } in ours(root) {
        // One that cannot be read starts nothing, which the host says itself.
        let Ok(workflow) = yaml::to_json(&text) else { continue };
        let Some(push) = push(&workflow) else { continue };
        match push.get("branches").and_then(names) {
            Some(names) if !names.iter().any(|name| may_be(name, default_branch)) => {
                deaf.push(format!("{file} (`branches: [{}]`)", names.join(", ")));
            }
            // Tags are heard of whatever the branch is called.
            None if push.get("tags").is_some() => {}
            _ => return None,
        }
    }
    if deaf.is_empty() {
        return None;
    }
    Some(format!(
        "the default branch is {default_branch}, and a push to it starts nothing: {} waits for other branches; write \
         `branches: [{default_branch}]` there",
        deaf.join(", ")
    ))
}

fn ours(root: &Path) -> Vec<Workflow> {
    let Ok(workflows) = std::fs::read_dir(root.join(".github/workflows")) else { return vec![] };
    let mut paths: Vec<PathBuf> = workflows.flatten().map(|workflow| workflow.path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let file = path.file_name()?.to_string_lossy().into_owned();
        text.contains("tagship").then_some(Workflow { file, text })
    };
    paths.into_iter().filter_map(read).collect()
}

/// What a workflow wants to know of pushes; absent where it listens to none.
fn push(workflow: &Value) -> Option<Value> {
    match workflow.get("on")? {
        Value::Object(events) => events.get("push").cloned(),
        Value::Array(events) => events.iter().any(|event| event == "push").then_some(Value::Null),
        event => (event == "push").then_some(Value::Null),
    }
}

fn names(branches: &Value) -> Option<Vec<String>> {
    let name = |name: &Value| name.as_str().map(str::to_owned);
    match branches {
        Value::Array(branches) => Some(branches.iter().filter_map(name).collect()),
        branch => name(branch).map(|branch| vec![branch]),
    }
}

/// Whether a filter lets a branch through, or might: patterns are the host's business.
fn may_be(filter: &str, branch: &str) -> bool {
    filter == branch || filter.contains(['*', '?', '+', '[', '!'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(on: &str) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        let workflows = root.path().join(".github/workflows");
        std::fs::create_dir_all(&workflows).unwrap();
        let text = format!("on: {on}\njobs: {{ x: {{ steps: [ {{ uses: acme/tagship@v1 }} ] }} }}\n");
        std::fs::write(workflows.join("deliver.yml"), text).unwrap();
        std::fs::write(workflows.join("other.yml"), "on: { push: { branches: [main] } }\n").unwrap();
        deaf_to(root.path(), "trunk")
    }

    #[test]
    fn a_workflow_that_waits_for_another_branch_is_named_with_what_to_write() {
        for on in ["{ push: { branches: [main] } }", "{ push: { branches: main }, issue_comment: {} }"] {
            let told = told(on).unwrap();
            assert!(told.contains("deliver.yml (`branches: [main]`)"), "{told}");
            assert!(told.contains("write `branches: [trunk]`") && !told.contains("other.yml"), "{told}");
        }
    }

    #[test]
    fn whoever_hears_of_the_default_branch_or_of_no_push_is_fine() {
        for on in [
            "push",
            "[push, pull_request]",
            "{ push: { branches: [main, trunk] } }",
            "{ push: { branches: ['tr*'] } }",
            "{ push: { tags: ['*@v*'] } }",
            "{ workflow_run: { workflows: [tests] } }",
            "{ push: { branches: [",
        ] {
            assert_eq!(told(on), None, "{on}");
        }
    }
}
