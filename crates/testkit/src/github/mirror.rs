//! What a git repository holds, as the API shows it: with git's own ids, unlike what is made through the API.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{shape, world::World};
use crate::environment;

const URL: &str = "https://example.org/x";

/// A repository that is followed.
#[derive(Debug)]
pub(super) struct Mirror {
    path: PathBuf,
    home: TempDir,
    /// What it listed the last time.
    listed: String,
    /// Names of the references that came from it.
    names: BTreeSet<String>,
}

impl Mirror {
    pub(super) fn of(path: &Path) -> Self {
        let (listed, names) = (String::new(), BTreeSet::new());
        Self { path: path.to_owned(), home: environment::home(), listed, names }
    }

    /// Takes over branches, tags, commits and files that git has got since the last time.
    pub(super) fn update(&mut self, world: &mut World) {
        let format = "--format=%(refname) %(objectname) %(objecttype) %(*objectname)";
        let listed = self.git(&["for-each-ref", format]);
        if listed == self.listed {
            return;
        }
        for id in self.git(&["rev-list", "--all"]).lines() {
            if !world.commits.contains_key(id) {
                self.add_commit(world, id);
            }
        }
        for name in std::mem::take(&mut self.names) {
            world.refs.remove(&name);
        }
        for line in listed.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, id, kind, commit] = words.as_slice() else { continue };
            world.refs.insert((*name).to_owned(), (*id).to_owned());
            self.names.insert((*name).to_owned());
            if *kind == "tag" && !world.tags.contains_key(*id) {
                let tag = self.tag(name, id, commit);
                world.tags.insert((*id).to_owned(), tag);
            }
        }
        self.listed = listed;
    }

    fn tag(&self, name: &str, id: &str, commit: &str) -> Value {
        let text = self.git(&["cat-file", "tag", id]);
        json!({
            "sha": id, "node_id": "T_1", "url": URL, "tag": name.trim_start_matches("refs/tags/"),
            "message": text.split_once("\n\n").map_or("", |(_, message)| message),
            "tagger": shape::person("Ada", "ada@example.com", "2026-01-01T12:00:00Z"),
            "object": { "sha": commit, "type": "commit", "url": URL },
        })
    }

    fn add_commit(&self, world: &mut World, id: &str) {
        let mut entries = BTreeMap::new();
        for line in self.git(&["ls-tree", "-r", id]).lines() {
            let Some((about, path)) = line.split_once('\t') else { continue };
            let blob = about.rsplit(' ').next().unwrap_or_default().to_owned();
            if !world.blobs.contains_key(&blob) {
                world.blobs.insert(blob.clone(), self.output(&["cat-file", "blob", &blob]));
            }
            entries.insert(path.to_owned(), blob);
        }
        let tree = self.git(&["rev-parse", &format!("{id}^{{tree}}")]);
        world.trees.insert(tree.clone(), entries);
        let parents = self.git(&["show", "--no-patch", "--format=%P", id]);
        let parents: Vec<Value> = parents
            .split_whitespace()
            .map(|parent| json!({ "sha": parent, "url": URL, "html_url": URL }))
            .collect();
        let person = shape::person("Ada", "ada@example.com", "2026-01-01T12:00:00Z");
        let commit = json!({
            "sha": id, "node_id": "C_1", "url": URL, "html_url": URL, "author": person, "committer": person,
            "tree": { "sha": tree, "url": URL }, "parents": parents,
            "message": self.git(&["show", "--no-patch", "--format=%B", id]),
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
            },
        });
        world.commits.insert(id.to_owned(), commit);
    }

    fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8_lossy(&self.output(arguments)).trim_end_matches('\n').to_owned()
    }

    fn output(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("git");
        environment::scrub(&mut command, &self.home);
        let done = command.current_dir(&self.path).args(arguments).output().expect("git can be started");
        let complaint = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "git {}: {complaint}", arguments.join(" "));
        done.stdout
    }
}
