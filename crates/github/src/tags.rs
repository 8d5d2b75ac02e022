//! The repository through the API: commits, files at commits, and tags, for runs that have no clone or no push
//! credential. There is no working tree here, so that nothing is ever uncommitted.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tagship_domain::{CommitId, tag::Tag};
use tagship_ports::{
    PortError, Problem, Repo,
    repo::{Commit, NewTag},
};

use crate::{
    GitHub,
    call::Call,
    error::{CallError, Reason},
    objects::{Named, Person, commit_id, decode},
    refs::{Moved, Target},
};

/// In front of every tag's name.
const TAGS: &str = "refs/tags/";
/// How many tag objects that point at tag objects are followed.
const DEPTH: usize = 5;

/// Tag objects that were read; they never change.
#[derive(Debug, Default)]
pub(crate) struct TagObjects {
    known: Mutex<HashMap<String, TagObject>>,
}

#[derive(Debug, Clone)]
struct TagObject {
    target: Target,
    tagger: Option<tagship_domain::tag::Ident>,
    message: String,
}

#[derive(Debug, Deserialize)]
struct TagReply {
    sha: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    tagger: Option<Person>,
    object: Target,
}

#[derive(Debug, Deserialize)]
struct FileReply {
    #[serde(rename = "type")]
    kind: String,
    sha: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    encoding: String,
}

#[async_trait]
impl Repo for GitHub {
    async fn resolve(&self, revision: &str) -> Result<CommitId, PortError> {
        let about = format!("find revision {revision}");
        let path = self.client.repo(&["commits", revision]);
        // The files of the commit come in pages too; one is enough.
        let call = Call::get(&about, path).query("per_page", "1");
        let found: Named = self.client.fetch(&call).await?;
        commit_id(&found.sha, &about)
    }

    async fn commit(&self, id: &CommitId) -> Result<Commit, PortError> {
        let about = format!("read commit {}", id.short());
        Ok(self.read_commit(id.as_str(), &about).await?.commit)
    }

    async fn tags(&self) -> Result<Vec<Tag>, PortError> {
        let about = "read the tags";
        let mut tags = Vec::new();
        for reference in self.references(TAGS, about).await? {
            let name = reference.name.trim_start_matches(TAGS).to_owned();
            tags.push(self.read_tag(name, &reference.object, about).await?);
        }
        Ok(tags)
    }

    /// Every reading is of the host itself.
    async fn refresh(&self) -> Result<(), PortError> {
        Ok(())
    }

    async fn file_at(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        let about = format!("read {path} at {}", commit.short());
        let path = path.trim_start_matches("./");
        let address = self.client.repo(&["contents", path]);
        let call = Call::get(&about, address).query("ref", commit.as_str());
        let Some(found) = self.client.find::<Value>(&call).await? else { return Ok(None) };
        // A directory is a list; a submodule or a link is no file.
        let content: FileReply = match serde_json::from_value(found) {
            Ok(content) => content,
            Err(_not_a_file) => return Ok(None),
        };
        match content.encoding.as_str() {
            _ if content.kind != "file" => Ok(None),
            // Too large for this call.
            "none" => Ok(Some(self.read_blob(&content.sha, &about).await?)),
            encoding => decode(&content.content, encoding, &about).map(Some),
        }
    }

    async fn create_tag(&self, tag: &NewTag) -> Result<(), PortError> {
        let about = format!("create tag {}", tag.name);
        let body = json!({
            "tag": tag.name, "message": tag.message, "object": tag.commit.as_str(), "type": "commit",
            "tagger": self.person(tag.at, &about)?,
        });
        let call = Call::object(&about, self.client.repo(&["git", "tags"]), body).needs("contents: write");
        // People and time are given, so that the object of a repeated call is the same.
        let object: Named = self.client.fetch(&call).await?;
        let name = format!("{TAGS}{}", tag.name);
        match self.create_reference(&name, &object.sha, &about).await? {
            Moved::Done => Ok(()),
            Moved::Elsewhere(_) => {
                Err(PortError::new(Problem::Conflict, about, "another tag of this name exists")
                    .hint("read the tags again and take the next number"))
            }
        }
    }

    async fn uncommitted(&self, _path: &str, _limit: usize) -> Result<Vec<String>, PortError> {
        Ok(Vec::new())
    }
}

impl GitHub {
    async fn read_tag(&self, name: String, target: &Target, about: &str) -> Result<Tag, CallError> {
        let mut tag = Tag { name, target: None, annotated: false, tagger: None, message: String::new() };
        let mut target = target.clone();
        for depth in 0..DEPTH {
            match target.kind.as_str() {
                "commit" => {
                    tag.target = Some(commit_id(&target.sha, about)?);
                    break;
                }
                "tag" => {
                    let object = match self.tag_object(&target.sha, about).await {
                        Ok(object) => object,
                        // Someone removed it; it leads nowhere.
                        Err(error) if error.reason == Reason::Missing => break,
                        Err(error) => return Err(error),
                    };
                    if depth == 0 {
                        (tag.annotated, tag.tagger, tag.message) = (true, object.tagger, object.message);
                    }
                    target = object.target;
                }
                _ => break,
            }
        }
        Ok(tag)
    }

    async fn tag_object(&self, id: &str, about: &str) -> Result<TagObject, CallError> {
        let known = || self.tag_objects.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = known().get(id) {
            return Ok(object.clone());
        }
        let reply: TagReply =
            self.client.fetch(&Call::get(about, self.client.repo(&["git", "tags", id]))).await?;
        let object = TagObject {
            target: reply.object,
            tagger: reply.tagger.map(Person::ident),
            message: reply.message,
        };
        known().insert(reply.sha, object.clone());
        Ok(object)
    }
}
