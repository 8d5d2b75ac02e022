//! A forge in a directory, for work without a host: everything that reviewers would see lies there as files.
//!
//! ```text
//! comments/<pull request>-<topic>.md    the comment as Markdown, under a marker line with its time
//! pull-requests/<number>.json           {"head": commit, "merge": commit or absent}; written by people or tests
//! checks/<commit>.json                  {"<name>": "success" | "failure" | "pending"}; written by people or tests
//! deployments/<environment>/<rollout>.json
//! releases/<tag>/{note.md,manifest.json}
//! ```

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tagship_domain::{
    CommitId, Digest, Environment, Release, Timestamp,
    rollout::{DeploymentState, RolloutId},
};
use tagship_ports::{
    Forge, PortError, Problem,
    forge::{CheckState, Comment, CommentOutcome, CommitCheck, DeploymentStatus, ReleaseNote},
};

use crate::disk::{blocking, local, read_bounded, write_atomically};

/// Longest file that is read back.
const LIMIT: u64 = 4 << 20;

/// A directory that stands for a host.
#[derive(Debug, Clone)]
pub struct LocalForge {
    root: PathBuf,
}

/// A pull request as its file has it.
#[derive(Debug, Serialize, Deserialize)]
struct PullRequestFile {
    head: CommitId,
    #[serde(default)]
    merge: Option<CommitId>,
}

/// A deployment as its file has it.
#[derive(Debug, Serialize, Deserialize)]
struct DeploymentFile {
    environment: Environment,
    release: Release,
    rollout: RolloutId,
    state: DeploymentState,
    description: String,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl LocalForge {
    /// A forge in a directory, which is created when something is written.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a comment lies.
    pub fn comment_path(&self, pull_request: u64, topic: &str) -> PathBuf {
        self.root.join("comments").join(format!("{pull_request}-{}.md", file_name(topic)))
    }
}

#[async_trait]
impl Forge for LocalForge {
    async fn comment(&self, comment: &Comment) -> Result<CommentOutcome, PortError> {
        let path = self.comment_path(comment.pull_request, &comment.topic);
        let comment = comment.clone();
        blocking(move || write_comment(&path, &comment)).await
    }

    async fn pull_requests_of(&self, commit: &CommitId) -> Result<Vec<u64>, PortError> {
        let (directory, commit) = (self.root.join("pull-requests"), commit.clone());
        blocking(move || {
            let mut numbers = Vec::new();
            for (name, path) in json_files(&directory)? {
                let pull: Option<PullRequestFile> = read_json(&path)?;
                let brought =
                    pull.is_some_and(|pull| pull.head == commit || pull.merge.as_ref() == Some(&commit));
                numbers.extend(name.parse::<u64>().ok().filter(|_| brought));
            }
            numbers.sort_unstable();
            Ok(numbers)
        })
        .await
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<CommitCheck>, PortError> {
        let path = self.root.join("checks").join(format!("{commit}.json"));
        let states: Option<BTreeMap<String, String>> = blocking(move || read_json(&path)).await?;
        let check = |(name, state): (String, String)| {
            let state = match state.as_str() {
                "success" => CheckState::Success,
                "pending" => CheckState::Pending,
                _ => CheckState::Failure,
            };
            CommitCheck { name, state }
        };
        Ok(states.unwrap_or_default().into_iter().map(check).collect())
    }

    async fn deployment(&self, status: &DeploymentStatus) -> Result<(), PortError> {
        let directory = self.root.join("deployments").join(file_name(status.environment.as_str()));
        let file = DeploymentFile {
            environment: status.environment.clone(),
            release: status.release.clone(),
            rollout: status.rollout.clone(),
            state: status.state,
            description: status.description.clone(),
            at: status.at,
            url: status.url.clone(),
        };
        blocking(move || write_deployment(&directory, &file)).await
    }

    async fn release(&self, note: &ReleaseNote) -> Result<(), PortError> {
        let directory = self.root.join("releases").join(file_name(&note.tag));
        let note = note.clone();
        blocking(move || {
            write_atomically(&directory.join("manifest.json"), note.manifest.as_bytes())?;
            write_atomically(&directory.join("note.md"), note.body.as_bytes())
        })
        .await
    }
}

/// First line of a comment's file; the time decides which of two writers is newer, and the checksum tells what a person changed.
fn marker(comment: &Comment) -> String {
    format!("<!-- tagship:{} {} {} -->", file_name(&comment.topic), comment.written, sum(&comment.body))
}

/// Time and checksum of a marker; older programs wrote no checksum.
fn written(text: &str) -> Option<(Timestamp, Option<&str>)> {
    let line = text.lines().next()?.strip_prefix("<!-- tagship:")?.strip_suffix(" -->")?;
    let mut words = line.split(' ').skip(1);
    Some((words.next()?.parse().ok()?, words.next()))
}

fn sum(body: &str) -> String {
    Digest::from_bytes(Sha256::digest(body).into()).short().to_owned()
}

/// Whether somebody else than a program of ours wrote what stands there.
fn is_edited(text: &str) -> bool {
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    written(text).is_none_or(|(_, written)| written.is_none_or(|written| written != sum(body)))
}

fn write_comment(path: &Path, comment: &Comment) -> Result<CommentOutcome, PortError> {
    let old = read_bounded(path, LIMIT)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let outcome = match &old {
        None if comment.only_refreshes => return Ok(CommentOutcome::NoneThere),
        None => CommentOutcome::Created,
        Some(old) if comment.only_refreshes && is_edited(old) => return Ok(CommentOutcome::Edited),
        Some(old) if written(old).is_some_and(|(there, _)| there > comment.written) => {
            return Ok(CommentOutcome::NewerThere);
        }
        Some(old) if old.split_once('\n').is_some_and(|(_, body)| body == comment.body) => {
            CommentOutcome::Unchanged
        }
        Some(_) => CommentOutcome::Updated,
    };
    let text = format!("{}\n{}", marker(comment), comment.body);
    // The same body of a later time is written too, so that nothing older than it replaces it.
    if old.as_ref() != Some(&text) {
        write_atomically(path, text.as_bytes())?;
    }
    Ok(outcome)
}

/// Writes one deployment and, when it is a success, makes the model's earlier ones here inactive.
fn write_deployment(directory: &Path, new: &DeploymentFile) -> Result<(), PortError> {
    let own = format!("{}-{}", file_name(new.release.model.as_str()), file_name(&new.rollout.0));
    let path = directory.join(format!("{own}.json"));
    if read_json::<DeploymentFile>(&path)?.is_some_and(|there| there.at > new.at) {
        return Ok(());
    }
    write_json(&path, new)?;
    if new.state != DeploymentState::Success {
        return Ok(());
    }
    for (name, path) in json_files(directory)? {
        let Some(other) = read_json::<DeploymentFile>(&path)? else { continue };
        let serves = other.state == DeploymentState::Success && other.release.model == new.release.model;
        if name != own && serves && other.at <= new.at {
            write_json(&path, &DeploymentFile { state: DeploymentState::Inactive, at: new.at, ..other })?;
        }
    }
    Ok(())
}

/// Names and paths of the JSON files in a directory, sorted; none where it does not exist.
fn json_files(directory: &Path) -> Result<Vec<(String, PathBuf)>, PortError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(local("list", directory, &error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| local("list", directory, &error))?.path();
        if let (Some(name), Some("json")) =
            (path.file_stem().and_then(|name| name.to_str()), path.extension().and_then(|end| end.to_str()))
        {
            files.push((name.to_owned(), path.clone()));
        }
    }
    files.sort();
    Ok(files)
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, PortError> {
    let Some(bytes) = read_bounded(path, LIMIT)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        PortError::new(Problem::Invalid, format!("read {}", path.display()), error.to_string())
    })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), PortError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| {
        PortError::new(Problem::Invalid, format!("write {}", path.display()), error.to_string())
    })?;
    write_atomically(path, text.as_bytes())
}

/// A name as one component of a path: everything but letters, digits, `-`, `_`, `.` (not in front), `@`, `#` becomes
/// `%` and two hex digits.
fn file_name(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_@#".contains(&byte) || (byte == b'.' && at > 0) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests;
