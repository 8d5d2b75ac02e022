//! Git objects through the API. They are named by their content, so that writing one twice is writing it once, and
//! one that was read never has to be read again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use tagship_domain::{CommitId, Timestamp, tag::Ident};
use tagship_ports::{PortError, Problem, repo::Commit, state_store::Files};

use crate::{GitHub, call::Call, error::CallError};

/// The most that the files of one tree may hold, in bytes. Whoever can push can write a journal.
const LARGEST_TREE: u64 = 64 << 20;
/// Most bytes of blobs that are kept in memory.
const KEPT: usize = 64 << 20;
const READS: &str = "contents: read";
const WRITES: &str = "contents: write";

/// What a commit says, and its tree.
#[derive(Debug, Clone)]
pub(crate) struct CommitObject {
    pub(crate) commit: Commit,
    pub(crate) tree: String,
}

/// Objects that were read or written.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    commits: HashMap<String, CommitObject>,
    trees: HashMap<String, Files>,
    bytes: usize,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) sha: String,
}

#[derive(Debug, Deserialize)]
struct CommitReply {
    sha: String,
    author: Person,
    committer: Person,
    message: String,
    tree: Named,
    #[serde(default)]
    parents: Vec<Named>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    date: Timestamp,
}

impl Person {
    /// The host tells times in UTC whatever the object says.
    pub(crate) fn ident(self) -> Ident {
        Ident { name: self.name, email: self.email, time: self.date, offset_minutes: 0 }
    }
}

#[derive(Debug, Deserialize)]
struct TreeReply {
    #[serde(default)]
    tree: Vec<TreeEntry>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Debug, Deserialize)]
struct TreeEntry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    sha: String,
    #[serde(default)]
    size: u64,
}

#[derive(Debug, Deserialize)]
struct BlobReply {
    content: String,
    encoding: String,
}

impl GitHub {
    /// Writes blobs, where they are no text, and a tree.
    pub(crate) async fn write_tree(&self, files: &Files, about: &str) -> Result<String, CallError> {
        if files.is_empty() {
            return Err(PortError::new(Problem::Invalid, about, "the host keeps no empty tree").into());
        }
        let mut entries = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            // Text travels inside the tree: one request less per file.
            let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
            let mut entry = json!({ "path": path, "mode": "100644", "type": "blob" });
            match text {
                Some(text) => entry["content"] = Value::from(text),
                None => entry["sha"] = Value::from(self.write_blob(bytes, about).await?),
            }
            entries.push(entry);
        }
        let path = self.client.repo(&["git", "trees"]);
        let call = Call::object(about, path, json!({ "tree": entries })).needs(WRITES);
        let tree: Named = self.client.fetch(&call).await?;
        self.objects.put_tree(&tree.sha, files);
        Ok(tree.sha)
    }

    async fn write_blob(&self, bytes: &[u8], about: &str) -> Result<String, CallError> {
        let body = json!({ "content": STANDARD.encode(bytes), "encoding": "base64" });
        let call = Call::object(about, self.client.repo(&["git", "blobs"]), body).needs(WRITES);
        Ok(self.client.fetch::<Named>(&call).await?.sha)
    }

    /// Writes a commit. People and time are given, so that the same entry has the same id whoever writes it again.
    pub(crate) async fn write_commit(
        &self,
        tree: &str,
        parent: Option<&CommitId>,
        message: &str,
        at: Timestamp,
        about: &str,
    ) -> Result<CommitId, CallError> {
        let person = self.person(at, about)?;
        let parents: Vec<&str> = parent.into_iter().map(CommitId::as_str).collect();
        let body = json!({
            "message": message, "tree": tree, "parents": parents, "author": person, "committer": person,
        });
        let call = Call::object(about, self.client.repo(&["git", "commits"]), body).needs(WRITES);
        let reply: CommitReply = self.client.fetch(&call).await?;
        let object = reply.object(about)?;
        let id = object.commit.id.clone();
        self.objects.put_commit(object);
        Ok(id)
    }

    /// Who commits and tags, at whole seconds in UTC, as git keeps times.
    pub(crate) fn person(&self, at: Timestamp, about: &str) -> Result<Value, PortError> {
        let date = Timestamp::from_seconds(at.as_seconds())
            .map_err(|error| PortError::new(Problem::Invalid, about, format!("{error}")))?;
        let identity = &self.client.settings.identity;
        Ok(json!({ "name": identity.name, "email": identity.email, "date": date.to_string() }))
    }

    pub(crate) async fn read_commit(&self, id: &str, about: &str) -> Result<CommitObject, CallError> {
        if let Some(known) = self.objects.lock().commits.get(id) {
            return Ok(known.clone());
        }
        let call = Call::get(about, self.client.repo(&["git", "commits", id])).needs(READS);
        let reply: CommitReply = self.client.fetch(&call).await?;
        let object = reply.object(about)?;
        self.objects.put_commit(object.clone());
        Ok(object)
    }

    /// Every file of a tree, with its bytes.
    pub(crate) async fn read_tree(&self, tree: &str, about: &str) -> Result<Files, CallError> {
        if let Some(known) = self.objects.lock().trees.get(tree) {
            return Ok(known.clone());
        }
        let path = self.client.repo(&["git", "trees", tree]);
        let call = Call::get(about, path).query("recursive", "1").needs(READS);
        let reply: TreeReply = self.client.fetch(&call).await?;
        let size: u64 = reply.tree.iter().map(|entry| entry.size).sum();
        if reply.truncated || size > LARGEST_TREE {
            let message = format!("its files have {size} bytes or more, at most {LARGEST_TREE}");
            return Err(PortError::new(Problem::Invalid, about, message).into());
        }
        let mut files = Files::new();
        for entry in reply.tree.into_iter().filter(|entry| entry.kind == "blob") {
            files.insert(entry.path, self.read_blob(&entry.sha, about).await?);
        }
        self.objects.put_tree(tree, &files);
        Ok(files)
    }

    pub(crate) async fn read_blob(&self, id: &str, about: &str) -> Result<Vec<u8>, CallError> {
        let call = Call::get(about, self.client.repo(&["git", "blobs", id])).needs(READS);
        let blob: BlobReply = self.client.fetch(&call).await?;
        Ok(decode(&blob.content, &blob.encoding, about)?)
    }
}

/// The bytes of a blob as the host writes them: base64 in lines, or the text itself.
pub(crate) fn decode(content: &str, encoding: &str, about: &str) -> Result<Vec<u8>, PortError> {
    let invalid = |message: String| PortError::new(Problem::Invalid, about, message);
    match encoding {
        "base64" => {
            let joined: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            STANDARD.decode(joined).map_err(|error| invalid(format!("its base64 is broken: {error}")))
        }
        "utf-8" => Ok(content.as_bytes().to_vec()),
        other => Err(invalid(format!("its encoding {other:?} is not known"))),
    }
}

pub(crate) fn commit_id(id: &str, about: &str) -> Result<CommitId, PortError> {
    id.parse().map_err(|error| PortError::new(Problem::Invalid, about, format!("{error}")))
}

impl CommitReply {
    fn object(self, about: &str) -> Result<CommitObject, PortError> {
        let parents = self.parents.iter().map(|parent| commit_id(&parent.sha, about));
        Ok(CommitObject {
            commit: Commit {
                id: commit_id(&self.sha, about)?,
                parents: parents.collect::<Result<_, _>>()?,
                author: self.author.ident(),
                committer: self.committer.ident(),
                message: self.message,
            },
            tree: self.tree.sha,
        })
    }
}

impl Objects {
    fn put_commit(&self, object: CommitObject) {
        self.lock().commits.insert(object.commit.id.as_str().to_owned(), object);
    }

    fn put_tree(&self, id: &str, files: &Files) {
        let size: usize = files.values().map(Vec::len).sum();
        let mut known = self.lock();
        // Forgetting costs only requests.
        if known.bytes + size > KEPT {
            known.trees.clear();
            known.bytes = 0;
        }
        if known.trees.insert(id.to_owned(), files.clone()).is_none() {
            known.bytes += size;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
