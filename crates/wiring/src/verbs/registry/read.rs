//! What the registry says.

use std::collections::HashMap;

use serde_json::Value;
use tagship_domain::{CommitId, Exit};
use tagship_git::GitRepo;
use tagship_ports::Repo as _;
use tagship_registry::{CommitFacts, Model, Registry, Selector, to_json};
use tagship_report::terminal;
use tagship_runner::Failure;

use super::annotations::Annotations;
use crate::{answer::Answer, failure::failed};

pub(super) fn show_all(registry: &Registry, style: &terminal::Style) -> Result<Answer, Failure> {
    let stages = registry.stages();
    let mut header = vec!["MODEL", "LATEST"];
    header.extend(&stages);
    let holds = |version: Option<String>| version.unwrap_or_else(|| "-".to_owned());
    let mut rows = vec![];
    for (name, summary) in registry.show().0 {
        // GTO's mark of a model that has a description and no tag.
        let name = if summary.registered { name } else { format!("*{name}") };
        let mut row = vec![name, holds(summary.version)];
        row.extend(summary.stage.0.into_iter().map(|(_, version)| holds(version)));
        rows.push(row);
    }
    let text =
        if rows.is_empty() { nothing_to_show(registry) } else { terminal::table(&header, &rows, style) };
    shown(text, &registry.show())
}

/// Why there is no model to show: there is none, all are retired, or their tags contradict each other.
fn nothing_to_show(registry: &Registry) -> String {
    let names = |models: Vec<&Model>| models.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ");
    let retired = names(registry.models().collect());
    let aside = names(registry.quarantined().collect());
    let mut lines = vec![];
    if !retired.is_empty() {
        lines.push(format!("every model is deprecated: {retired}; `tagship registry history` shows them\n"));
    }
    if !aside.is_empty() {
        lines.push(format!(
            "set aside, as their tags contradict each other: {aside}; see `tagship registry doctor`\n"
        ));
    }
    if lines.is_empty() { "no model is registered yet\n".to_owned() } else { lines.concat() }
}

pub(super) async fn show(
    registry: &Registry,
    repo: &GitRepo,
    annotations: &Annotations<'_>,
    name: &str,
    style: &terminal::Style,
) -> Result<Answer, Failure> {
    let selector: Selector = name.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
    let commits = commits(registry, repo, annotations, &selector.model).await?;
    let views = registry.show_versions(&selector, &commits).map_err(failed)?;
    let json = to_json(&views).map_err(failed)?;
    let rows = rows(&json, &["version", "commit_hexsha", "created_at", "author", "ref"])?;
    shown(terminal::table(&["VERSION", "COMMIT", "CREATED", "AUTHOR", "TAG"], &rows, style), &views)
}

/// The commit of every version of a model, as GTO's shape needs it.
async fn commits(
    registry: &Registry,
    repo: &GitRepo,
    annotations: &Annotations<'_>,
    model: &str,
) -> Result<HashMap<CommitId, CommitFacts>, Failure> {
    let mut commits = HashMap::new();
    let found = registry.models().find(|known| known.name() == model);
    for version in found.into_iter().flat_map(Model::versions) {
        let commit = repo.commit(version.commit()).await.map_err(failed)?;
        let facts = CommitFacts {
            author: commit.author.name,
            author_email: commit.author.email,
            committer: commit.committer,
            message: commit.message,
            annotation: annotations.of(version.commit(), model).await?,
        };
        commits.insert(commit.id, facts);
    }
    Ok(commits)
}

pub(super) fn history(
    registry: &Registry,
    name: Option<&str>,
    style: &terminal::Style,
) -> Result<Answer, Failure> {
    let entries = match name {
        None => registry.history(),
        Some(name) => registry.history_of(name).map_err(failed)?,
    };
    let json = to_json(&entries).map_err(failed)?;
    let rows = rows(&json, &["timestamp", "artifact", "event", "version", "stage", "author"])?;
    shown(terminal::table(&["TIME", "MODEL", "EVENT", "VERSION", "STAGE", "WHO"], &rows, style), &entries)
}

pub(super) fn check(registry: &Registry, tag: &str, style: &terminal::Style) -> Result<Answer, Failure> {
    let checked = registry.check(tag).map_err(failed)?;
    let missing = || "-".to_owned();
    let row = vec![
        checked.artifact.clone(),
        checked.event.to_owned(),
        checked.version.clone().unwrap_or_else(missing),
        checked.stage.clone().unwrap_or_else(missing),
        checked.commit_hexsha.chars().take(7).collect(),
        checked.created_at.clone(),
        checked.author.clone(),
    ];
    let header = ["MODEL", "EVENT", "VERSION", "STAGE", "COMMIT", "TIME", "WHO"];
    shown(terminal::table(&header, &[row], style), &checked)
}

fn shown<T: serde::Serialize>(text: String, value: &T) -> Result<Answer, Failure> {
    let json = to_json(value).map_err(failed)? + "\n";
    Ok(Answer::plain(Exit::Done, "shown", "done", text, json))
}

/// Columns of a list of JSON objects; missing values are `-`.
fn rows(json: &str, columns: &[&str]) -> Result<Vec<Vec<String>>, Failure> {
    let values: Vec<Value> = serde_json::from_str(json).map_err(Failure::incomplete)?;
    let cell = |row: &Value, column: &str| match row.get(column) {
        Some(Value::String(text)) if column == "commit_hexsha" => text.chars().take(7).collect(),
        Some(Value::String(text)) => text.clone(),
        _ => "-".to_owned(),
    };
    Ok(values.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect())
}
