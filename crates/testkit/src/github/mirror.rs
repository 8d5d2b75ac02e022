//! What a git repository holds, as the API shows it: with git's own ids, unlike what is made through the API.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{shape, world::World};
use crate::Repository;

const URL: &str = "https://example.org/x";
/// Name, id, kind, and of a tag what it points at, of every reference.
const REFERENCES: [&str; 2] =
    ["for-each-ref", "--format=%(refname) %(objectname) %(objecttype) %(*objectname)"];

/// A repository that git pushes to.
#[derive(Debug, Clone)]
pub(super) struct Mirrored {
    directory: PathBuf,
    /// Its references when they were last taken over.
    references: String,
}

impl Mirrored {
    pub(super) fn of(repository: &Path) -> Self {
        Self { directory: repository.to_owned(), references: String::new() }
    }

    /// Takes over what was pushed since the last time.
    pub(super) fn follow(&mut self, world: &mut World) {
        let references = git(&self.directory, &REFERENCES);
        if references != self.references {
            world.take_over(&self.directory, &references);
            self.references = references;
        }
    }
}

impl World {
    /// Takes over the branches, tags, commits and files of a repository that git pushes to. References of an earlier
    /// time that it lacks are gone afterwards; what was made through the API stays.
    #[track_caller]
    pub fn mirror(&mut self, repository: &Repository) {
        Mirrored::of(repository.path()).follow(self);
    }

    fn take_over(&mut self, directory: &Path, references: &str) {
        for id in git(directory, &["rev-list", "--all"]).lines() {
            if !self.commits.contains_key(id) {
                self.add_mirrored(directory, id);
            }
        }
        for gone in std::mem::take(&mut self.mirrored) {
            self.refs.remove(&gone);
        }
        for line in references.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, id, kind, commit] = words.as_slice() else { continue };
            self.refs.insert((*name).to_owned(), (*id).to_owned());
            self.mirrored.insert((*name).to_owned());
            if *kind == "tag" {
                self.add_tag(directory, name.trim_start_matches("refs/tags/"), id, commit);
            }
        }
    }

    fn add_tag(&mut self, directory: &Path, name: &str, id: &str, commit: &str) {
        let text = git(directory, &["cat-file", "tag", id]);
        let message = text.split_once("\n\n").map_or("", |(_, message)| message);
        let tag = json!({
            "sha": id, "node_id": "T_1", "url": URL, "tag": name, "message": message,
            "tagger": shape::person("Ada", "ada@example.com", "2026-01-01T12:00:00Z"),
            "object": { "sha": commit, "type": "commit", "url": URL },
        });
        self.tags.insert(id.to_owned(), tag);
    }

    fn add_mirrored(&mut self, directory: &Path, id: &str) {
        let mut entries = BTreeMap::new();
        for line in git(directory, &["ls-tree", "-r", id]).lines() {
            let Some((about, path)) = line.split_once('\t') else { continue };
            let blob = about.rsplit(' ').next().unwrap_or_default().to_owned();
            if !self.blobs.contains_key(&blob) {
                let bytes = git_bytes(directory, &["cat-file", "blob", &blob]);
                self.blobs.insert(blob.clone(), bytes);
            }
            entries.insert(path.to_owned(), blob);
        }
        let tree = git(directory, &["rev-parse", &format!("{id}^{{tree}}")]);
        self.trees.insert(tree.clone(), entries);
        let parents = git(directory, &["show", "--no-patch", "--format=%P", id]);
        let parents: Vec<Value> = parents
            .split_whitespace()
            .map(|parent| json!({ "sha": parent, "url": URL, "html_url": URL }))
            .collect();
        let person = shape::person("Ada", "ada@example.com", "2026-01-01T12:00:00Z");
        let commit = json!({
            "sha": id, "node_id": "C_1", "url": URL, "html_url": URL, "author": person, "committer": person,
            "tree": { "sha": tree, "url": URL }, "parents": parents,
            "message": git(directory, &["show", "--no-patch", "--format=%B", id]),
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
            },
        });
        self.commits.insert(id.to_owned(), commit);
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    String::from_utf8_lossy(&git_bytes(directory, arguments)).trim_end_matches('\n').to_owned()
}

fn git_bytes(directory: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("git");
    // Whoever runs the tests may have settings and a repository of their own around them.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let done = command.current_dir(directory).args(arguments).output().expect("git can be started");
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "git {}: {complaint}", arguments.join(" "));
    done.stdout
}
