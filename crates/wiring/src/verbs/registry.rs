//! `tagship registry`.

use std::{collections::HashMap, path::Path};

use serde_json::Value;
use tagship_adapters::SystemClock;
use tagship_domain::{CommitId, Exit};
use tagship_git::GitRepo;
use tagship_ports::{Clock as _, Repo as _};
use tagship_registry::{CommitFacts, Model, Registry, Selector, to_json};
use tagship_report::terminal;
use tagship_runner::{
    Context, Failure, Screen,
    args::{RegistryArgs, RegistryQuestion},
};

use crate::{answer::Answer, failure::failed, project::registry_options};

/// Reads the registry of the repository around the working directory; needs no configuration.
pub(crate) async fn run(args: &RegistryArgs) -> Result<Answer, Failure> {
    let repo = GitRepo::discover(Path::new(".")).map_err(failed)?;
    let options = registry_options(repo.root())?;
    let registry = tagship_release::read_registry(&repo, options).await.map_err(failed)?;
    let style = crate::style(&Screen::of(&Context::read(), false));
    match &args.question {
        RegistryQuestion::Show { name: None, .. } => show_all(&registry, &style),
        RegistryQuestion::Show { name: Some(name), .. } => show(&registry, &repo, name, &style).await,
        RegistryQuestion::History { name, .. } => history(&registry, name.as_deref(), &style),
        RegistryQuestion::Doctor => Ok(doctor(&registry)),
    }
}

fn show_all(registry: &Registry, style: &terminal::Style) -> Result<Answer, Failure> {
    let stages = registry.stages();
    let mut header = vec!["MODEL", "LATEST"];
    header.extend(&stages);
    let holds = |version: Option<String>| version.unwrap_or_else(|| "-".to_owned());
    let mut rows = vec![];
    for (name, summary) in registry.show().0 {
        let mut row = vec![name, holds(summary.version)];
        row.extend(summary.stage.0.into_iter().map(|(_, version)| holds(version)));
        rows.push(row);
    }
    let text = if rows.is_empty() {
        "no model is registered yet\n".to_owned()
    } else {
        terminal::table(&header, &rows, style)
    };
    shown(text, &registry.show())
}

async fn show(
    registry: &Registry,
    repo: &GitRepo,
    name: &str,
    style: &terminal::Style,
) -> Result<Answer, Failure> {
    let selector: Selector = name.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
    let commits = commits(registry, repo, &selector.model).await?;
    let views = registry.show_versions(&selector, &commits).map_err(failed)?;
    let json = to_json(&views).map_err(failed)?;
    let rows = rows(&json, &["version", "commit_hexsha", "created_at", "author", "ref"])?;
    shown(terminal::table(&["VERSION", "COMMIT", "CREATED", "AUTHOR", "TAG"], &rows, style), &views)
}

/// The commit of every version of a model, as GTO's shape needs it.
async fn commits(
    registry: &Registry,
    repo: &GitRepo,
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
        };
        commits.insert(commit.id, facts);
    }
    Ok(commits)
}

fn history(registry: &Registry, name: Option<&str>, style: &terminal::Style) -> Result<Answer, Failure> {
    let entries = match name {
        None => registry.history(),
        Some(name) => registry.history_of(name).map_err(failed)?,
    };
    let json = to_json(&entries).map_err(failed)?;
    let rows = rows(&json, &["timestamp", "artifact", "event", "version", "stage", "author"])?;
    shown(terminal::table(&["TIME", "MODEL", "EVENT", "VERSION", "STAGE", "WHO"], &rows, style), &entries)
}

fn doctor(registry: &Registry) -> Answer {
    let findings = registry.doctor(SystemClock.now());
    let lines: Vec<String> =
        findings.iter().map(|finding| format!("{}: {finding}", finding.kind.code())).collect();
    let json = serde_json::json!({ "findings": lines }).to_string();
    let (exit, reason, text) = match lines.as_slice() {
        [] => (Exit::Done, "healthy", "every registry tag makes sense".to_owned()),
        lines => (Exit::Negative, "findings", lines.join("\n")),
    };
    Answer::plain(exit, "examined", reason, text, json)
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
