//! Everything that the repository holds. Tests look at it and change it freely.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The repository and what surrounds it. Things are kept as the API shows them.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the repository's settings")]
pub struct World {
    /// Who the token writes as.
    pub login: String,
    /// Whether the token may ask who it is.
    pub tells_viewer: bool,
    /// Whether references may be moved over the GraphQL API.
    pub moves_refs: bool,
    /// Whether a rule keeps references where they are over that API.
    pub protects_refs: bool,
    /// Whether the token sees the repository at all.
    pub visible: bool,
    /// Whether nothing can be changed any more.
    pub archived: bool,
    /// Whether a rule forbids new tags.
    pub tag_rule: bool,
    /// Whether published releases are locked.
    pub immutable_releases: bool,
    /// Whether assets tell their digest, as newer servers do.
    pub tells_digests: bool,
    /// Whether the bytes of an asset come from the API itself rather than from a storage elsewhere.
    pub streams_assets: bool,
    /// Permissions that the token lacks: `issues=write`.
    pub lacks: BTreeSet<String>,
    /// Issues and pull requests whose conversation is locked.
    pub locked: BTreeSet<u64>,
    /// Issues by number; pull requests are issues too.
    pub issues: BTreeMap<u64, Value>,
    /// Pull requests by number.
    pub pulls: BTreeMap<u64, Value>,
    /// Which pull requests brought a commit.
    pub pulls_of: BTreeMap<String, Vec<u64>>,
    /// Comments, the oldest first, with the number of their issue.
    pub comments: Vec<(u64, Value)>,
    /// Reactions with the id of their comment.
    pub reactions: Vec<(u64, Value)>,
    /// Access of people by login: `admin`, `write`, `read`.
    pub access: BTreeMap<String, String>,
    /// References by their full name.
    pub refs: BTreeMap<String, String>,
    /// Commits by id.
    pub commits: BTreeMap<String, Value>,
    /// Trees by id: path to blob.
    pub trees: BTreeMap<String, BTreeMap<String, String>>,
    /// Blobs by id.
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// Tag objects by id.
    pub tags: BTreeMap<String, Value>,
    /// Releases, the oldest first.
    pub releases: Vec<Value>,
    /// Bytes of assets by id.
    pub asset_bytes: BTreeMap<u64, Vec<u8>>,
    /// Deployments, the oldest first.
    pub deployments: Vec<Value>,
    /// Statuses of deployments, the oldest first, with the deployment's id.
    pub deployment_statuses: Vec<(u64, Value)>,
    /// Check runs, the oldest first.
    pub check_runs: Vec<Value>,
    /// Commit statuses, the oldest first, with their commit.
    pub statuses: Vec<(String, Value)>,
    /// Bodies of dispatches, with the workflow's file where it was one.
    pub dispatches: Vec<(Option<String>, Value)>,
    /// Runs that wait for approval: id, commit and what they wait for.
    pub waiting: Vec<(u64, String, Vec<Value>)>,
    /// Artifacts of runs, the oldest first, with their run; the bytes of their archives lie with those of assets.
    pub run_artifacts: Vec<(u64, Value)>,
    /// When the attempts of runs began that kept something, the first one first.
    pub attempts: BTreeMap<u64, Vec<String>>,
    /// Attestations by the digest of what they are about, the oldest first.
    pub attestations: BTreeMap<String, Vec<Value>>,
    /// Workflow files that can be started.
    pub workflows: BTreeSet<String>,
    /// Where the API is, for addresses in answers.
    pub(super) base: String,
    /// References that git made, not the API.
    pub(super) mirrored: BTreeSet<String>,
    last_id: u64,
}

/// `owner/name` of the repository.
pub(super) const REPOSITORY: &str = "acme/shop";

impl World {
    pub(super) fn new(base: String) -> Self {
        let mut world = Self {
            login: "github-actions[bot]".to_owned(),
            tells_viewer: true,
            moves_refs: true,
            protects_refs: false,
            visible: true,
            archived: false,
            tag_rule: false,
            immutable_releases: false,
            tells_digests: true,
            streams_assets: false,
            lacks: BTreeSet::new(),
            locked: BTreeSet::new(),
            issues: BTreeMap::new(),
            pulls: BTreeMap::new(),
            pulls_of: BTreeMap::new(),
            comments: Vec::new(),
            reactions: Vec::new(),
            access: BTreeMap::new(),
            refs: BTreeMap::new(),
            commits: BTreeMap::new(),
            trees: BTreeMap::new(),
            blobs: BTreeMap::new(),
            tags: BTreeMap::new(),
            releases: Vec::new(),
            asset_bytes: BTreeMap::new(),
            deployments: Vec::new(),
            deployment_statuses: Vec::new(),
            check_runs: Vec::new(),
            statuses: Vec::new(),
            dispatches: Vec::new(),
            waiting: Vec::new(),
            run_artifacts: Vec::new(),
            attempts: BTreeMap::new(),
            attestations: BTreeMap::new(),
            workflows: BTreeSet::from(["deploy.yml".to_owned()]),
            base,
            mirrored: BTreeSet::new(),
            last_id: 0,
        };
        let first = world.add_commit(&[], &[]);
        world.refs.insert("refs/heads/main".to_owned(), first);
        world
    }

    /// The next id.
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A time that grows with every id.
    pub(super) fn time(&self) -> String {
        let (hour, minute, second) = (self.last_id / 3600 % 24, self.last_id / 60 % 60, self.last_id % 60);
        format!("2026-11-24T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// Adds a commit with exactly these files and answers its id; no reference moves.
    pub fn add_commit(&mut self, parents: &[&str], files: &[(&str, &[u8])]) -> String {
        let tree = self.add_tree(files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())));
        let person = super::shape::person("Ada", "ada@example.com", "2026-01-01T12:00:00Z");
        super::objects::add_commit(self, &tree, parents, "A commit", (&person, &person))
    }

    /// Adds a commit of a given id, with no files.
    pub fn add_commit_as(&mut self, id: &str) {
        let made = self.add_commit(&[], &[]);
        if let Some(mut commit) = self.commits.get(&made).cloned() {
            commit["sha"] = Value::from(id);
            self.commits.insert(id.to_owned(), commit);
        }
    }

    /// Adds a pull request whose branch ends in this commit, and says that it brought the commit.
    pub fn add_pull(&mut self, number: u64, head: &str, from_fork: bool) {
        let pull = super::shape::pull(self, number, head, from_fork);
        self.pulls.insert(number, pull);
        let mut issue = super::shape::issue(self, number, "A pull request", "");
        issue["pull_request"] = serde_json::json!({});
        self.issues.insert(number, issue);
        self.pulls_of.entry(head.to_owned()).or_default().push(number);
    }

    /// Lets a run wait until one of these people, or a team, lets it deploy to an environment.
    pub fn hold_back(&mut self, run: u64, sha: &str, environment: &str, people: &[&str], team: Option<&str>) {
        let pending = super::shape::pending_deployment(environment, people, team);
        self.waiting.push((run, sha.to_owned(), vec![pending]));
    }

    /// Writes a comment in someone's name and answers its id.
    pub fn add_comment(&mut self, issue: u64, login: &str, body: &str) -> u64 {
        let comment = super::shape::comment(self, issue, login, body);
        let id = comment["id"].as_u64().unwrap_or_default();
        self.comments.push((issue, comment));
        id
    }

    /// Texts of an issue's comments, the oldest first.
    pub fn comment_bodies(&self, issue: u64) -> Vec<&str> {
        let of_issue = self.comments.iter().filter(|(number, _)| *number == issue);
        of_issue.map(|(_, comment)| comment["body"].as_str().unwrap_or_default()).collect()
    }

    /// State of the newest status of every deployment, the oldest deployment first; `none` without one.
    pub fn deployment_states(&self) -> Vec<&str> {
        let newest = |id: &Value| {
            let mut of =
                self.deployment_statuses.iter().rev().filter(|(there, _)| Some(*there) == id.as_u64());
            of.next().and_then(|(_, status)| status["state"].as_str()).unwrap_or("none")
        };
        self.deployments.iter().map(|deployment| newest(&deployment["id"])).collect()
    }

    /// Commits from a reference back to the first, the newest first.
    pub fn chain(&self, reference: &str) -> Vec<String> {
        let (mut chain, mut next) = (Vec::new(), self.refs.get(reference).cloned());
        while let Some(id) = next {
            let parent = self.commits.get(&id).and_then(|commit| commit["parents"][0]["sha"].as_str());
            next = parent.map(str::to_owned);
            chain.push(id);
        }
        chain
    }

    pub(super) fn add_tree(&mut self, files: impl Iterator<Item = (String, Vec<u8>)>) -> String {
        let entries = files.map(|(path, bytes)| {
            let id = hash("blob", &bytes);
            self.blobs.insert(id.clone(), bytes);
            (path, id)
        });
        let entries: BTreeMap<String, String> = entries.collect();
        self.add_entries(entries)
    }

    pub(super) fn add_entries(&mut self, entries: BTreeMap<String, String>) -> String {
        let id = hash("tree", format!("{entries:?}").as_bytes());
        self.trees.insert(id.clone(), entries);
        id
    }
}

/// A name by content, as long as git's. Nothing here compares it with git's own.
pub(super) fn hash(kind: &str, bytes: &[u8]) -> String {
    let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(bytes).finalize();
    hex(&digest)[..40].to_owned()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
