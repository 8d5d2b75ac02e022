//! The demo's repository: a bare origin, a clone, and the events that a host would send about them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tagship_runner::Failure;

use super::{child::Children, directory::Directory, stage::TIME_BUDGET};

/// The default branch.
pub(super) const MAIN: &str = "main";
/// The clone's directory.
pub(super) const CLONE: &str = "clone";
/// Name of the repository at the host that the payloads tell of.
const FULL_NAME: &str = "demo/churn";

/// A clone with its origin.
#[derive(Debug)]
pub(super) struct Repository {
    children: Children,
    clone: PathBuf,
    origin: PathBuf,
}

/// An event: its name and the file with its payload.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) payload: PathBuf,
}

impl Event {
    /// The arguments that make this program do all that the event leads to.
    pub(super) fn run(&self) -> [String; 7] {
        let payload = self.payload.display().to_string();
        let arguments =
            ["run", "--event-name", self.name, "--event-path", &payload, "--time-budget", TIME_BUDGET];
        arguments.map(str::to_owned)
    }
}

impl Repository {
    /// An empty origin and a clone of it.
    ///
    /// # Errors
    /// When git is missing or fails.
    pub(super) async fn create(directory: &Directory, children: &Children) -> Result<Self, Failure> {
        let (origin, clone) = (directory.at("origin.git"), directory.at(CLONE));
        let root = directory.at("");
        children.git(&root, &["init", "--quiet", "--bare", "origin.git"]).await?;
        // Older versions of git know no option for the first branch's name.
        children.git(&origin, &["symbolic-ref", "HEAD", "refs/heads/main"]).await?;
        children.git(&root, &["clone", "--quiet", "origin.git", CLONE]).await?;
        children.git(&clone, &["symbolic-ref", "HEAD", "refs/heads/main"]).await?;
        for (key, value) in [
            ("user.name", "demo"),
            ("user.email", "demo@tagship.invalid"),
            ("commit.gpgsign", "false"),
            ("core.autocrlf", "false"),
        ] {
            children.git(&clone, &["config", key, value]).await?;
        }
        Ok(Self { children: children.clone(), clone, origin })
    }

    /// The clone's directory.
    pub(super) fn clone(&self) -> &Path {
        &self.clone
    }

    /// Begins a branch at main.
    ///
    /// # Errors
    /// When git fails.
    pub(super) async fn branch(&self, name: &str) -> Result<(), Failure> {
        self.git(&["checkout", "--quiet", "-b", name, MAIN]).await.map(drop)
    }

    /// Goes back to main.
    ///
    /// # Errors
    /// When git fails.
    pub(super) async fn main(&self) -> Result<(), Failure> {
        self.git(&["checkout", "--quiet", MAIN]).await.map(drop)
    }

    /// Commits all that changed and pushes the branch; answers the commit.
    ///
    /// # Errors
    /// When git fails.
    pub(super) async fn commit(&self, message: &str) -> Result<String, Failure> {
        self.git(&["add", "--all"]).await?;
        self.git(&["commit", "--quiet", "--message", message]).await?;
        self.push().await
    }

    /// Merges a branch into main, as a host does, and pushes; answers the merge commit.
    ///
    /// # Errors
    /// When git fails.
    pub(super) async fn merge(&self, branch: &str, message: &str) -> Result<String, Failure> {
        self.main().await?;
        self.git(&["merge", "--quiet", "--no-ff", "--message", message, branch]).await?;
        self.push().await
    }

    async fn push(&self) -> Result<String, Failure> {
        self.git(&["push", "--quiet", "origin", "HEAD"]).await?;
        self.head().await
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// When git fails.
    pub(super) async fn head(&self) -> Result<String, Failure> {
        self.git(&["rev-parse", "HEAD"]).await
    }

    /// What the origin has under a name such as `refs/x:file`.
    ///
    /// # Errors
    /// When it has no such thing.
    pub(super) async fn at_origin(&self, object: &str) -> Result<String, Failure> {
        self.git_at_origin(&["show", object]).await
    }

    /// What git says at the origin.
    ///
    /// # Errors
    /// When git fails.
    pub(super) async fn git_at_origin(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.children.git(&self.origin, arguments).await
    }

    async fn git(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.children.git(&self.clone, arguments).await
    }
}

/// The push of a commit to main.
///
/// # Errors
/// When the payload cannot be written.
pub(super) fn pushed(directory: &Directory, commit: &str) -> Result<Event, Failure> {
    let payload = json!({
        "ref": format!("refs/heads/{MAIN}"),
        "after": commit,
        "repository": { "full_name": FULL_NAME, "default_branch": MAIN },
    });
    event(directory, "push", &format!("push-{}", &commit[..7.min(commit.len())]), &payload)
}

/// A pull request that was opened. The forge in the clone's files learns of it too.
///
/// # Errors
/// When the payload cannot be written.
pub(super) fn opened(directory: &Directory, number: u64, head: &str) -> Result<Event, Failure> {
    let repository = json!({ "full_name": FULL_NAME, "default_branch": MAIN });
    let payload = json!({
        "action": "opened",
        "number": number,
        "pull_request": {
            "number": number,
            "merged": false,
            "head": { "sha": head, "repo": repository },
            "base": { "ref": MAIN, "repo": repository },
        },
        "repository": repository,
    });
    record(directory, number, &json!({ "head": head }))?;
    event(directory, "pull_request", &format!("pull-request-{number}"), &payload)
}

/// Tells the forge in the clone's files that a pull request was merged.
///
/// # Errors
/// When it cannot be written.
pub(super) fn merged(directory: &Directory, number: u64, head: &str, merge: &str) -> Result<(), Failure> {
    record(directory, number, &json!({ "head": head, "merge": merge }))
}

fn record(directory: &Directory, number: u64, pull_request: &Value) -> Result<(), Failure> {
    let path = format!("{CLONE}/.tagship/forge/pull-requests/{number}.json");
    directory.write(&path, pull_request.to_string().as_bytes()).map(drop)
}

fn event(directory: &Directory, name: &'static str, file: &str, payload: &Value) -> Result<Event, Failure> {
    let path = directory.write(&format!("events/{file}.json"), format!("{payload:#}\n").as_bytes())?;
    Ok(Event { name, payload: path })
}
