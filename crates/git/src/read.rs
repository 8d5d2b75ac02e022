//! Reading: revisions, commits, files, tags, changed paths.

use std::path::Path;

use git2::{ErrorCode, ObjectType, Oid, Repository};
use tagship_domain::{
    CommitId, Timestamp,
    tag::{Ident, Tag},
};
use tagship_ports::{PortError, Problem, repo::Commit};

use crate::{error::at, repository::GitRepo};

/// The largest file that is read into memory, in bytes.
const MAX_FILE: usize = 512 * 1024 * 1024;

/// What to do where history or tags are missing.
const FETCH_ALL: &str =
    "fetch everything: `git fetch --unshallow --tags`, in a workflow `fetch-depth: 0` at actions/checkout";

impl GitRepo {
    /// Paths that differ between two commits, sorted; all files of `to` where there is no `from`. A renamed file
    /// counts as both paths.
    ///
    /// # Errors
    /// [`Problem::NotFound`] where a commit is not in this clone.
    pub fn changed_paths(&self, from: Option<&CommitId>, to: &CommitId) -> Result<Vec<String>, PortError> {
        let operation = format!("compare commits up to {}", to.short());
        let repository = self.lock();
        let tree = |id: &CommitId| find_commit(&repository, id)?.tree().map_err(at(&operation));
        let (old, new) = (from.map(tree).transpose()?, tree(to)?);
        let diff = repository.diff_tree_to_tree(old.as_ref(), Some(&new), None).map_err(at(&operation))?;
        let mut paths: Vec<String> = diff
            .deltas()
            .flat_map(|delta| [delta.old_file().path_bytes(), delta.new_file().path_bytes()])
            .flatten()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    pub(crate) fn resolve_revision(&self, revision: &str) -> Result<CommitId, PortError> {
        let operation = format!("find revision {revision}");
        let repository = self.lock();
        // A checkout in a workflow is often detached and knows branches under their remote's name only.
        let remote = self.remote.as_ref().map(|remote| format!("refs/remotes/{remote}/{revision}"));
        let found = match (repository.revparse_single(revision), remote) {
            (Err(error), Some(remote)) if error.code() == ErrorCode::NotFound => {
                repository.revparse_single(&remote).map_err(|_not_there| error)
            }
            (found, _) => found,
        };
        match found {
            Ok(object) => commit_id(object.peel_to_commit().map_err(at(&operation))?.id()),
            Err(error) if revision == "HEAD" && error.code() == ErrorCode::NotFound => {
                Err(PortError::new(Problem::NotFound, &operation, "the repository has no commit yet")
                    .hint("make a first commit"))
            }
            Err(error) => Err(at(&operation)(error)).map_err(|port: PortError| {
                if port.problem == Problem::NotFound && repository.is_shallow() {
                    port.hint(FETCH_ALL)
                } else {
                    port
                }
            }),
        }
    }

    pub(crate) fn read_commit(&self, id: &CommitId) -> Result<Commit, PortError> {
        let repository = self.lock();
        let commit = find_commit(&repository, id)?;
        let operation = format!("read commit {}", id.short());
        let person = |who: &git2::Signature<'_>| {
            ident(who).ok_or_else(|| {
                PortError::new(Problem::Invalid, &operation, "its time is outside the calendar")
            })
        };
        Ok(Commit {
            id: id.clone(),
            author: person(&commit.author())?,
            committer: person(&commit.committer())?,
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
            parents: commit.parent_ids().map(commit_id).collect::<Result<_, _>>()?,
        })
    }

    /// The bytes of a file at a commit of this clone; absent where there is none.
    ///
    /// # Errors
    /// [`Problem::NotFound`] where the commit is not in this clone.
    pub fn read_file(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        let operation = format!("read {path} at {}", commit.short());
        let repository = self.lock();
        let tree = find_commit(&repository, commit)?.tree().map_err(at(&operation))?;
        let entry = match tree.get_path(Path::new(path.trim_start_matches("./"))) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(at(&operation)(error)),
        };
        if entry.kind() != Some(ObjectType::Blob) {
            return Ok(None);
        }
        read_blob(&repository, entry.id(), MAX_FILE, &operation).map(Some)
    }

    /// Every tag, and whether the clone is shallow.
    pub(crate) fn read_tags(&self) -> Result<Vec<Tag>, PortError> {
        let operation = "read the tags";
        let repository = self.lock();
        if repository.is_shallow() {
            return Err(PortError::new(
                Problem::Invalid,
                operation,
                "the clone is shallow, tags may be missing",
            )
            .hint(FETCH_ALL));
        }
        let references = repository.references_glob("refs/tags/*").map_err(at(operation))?;
        let mut tags = Vec::new();
        for reference in references {
            let reference = reference.map_err(at(operation))?;
            let name = String::from_utf8_lossy(reference.name_bytes());
            let name = name.strip_prefix("refs/tags/").unwrap_or(&name).to_owned();
            tags.push(read_tag(&repository, name, reference.target()));
        }
        Ok(tags)
    }
}

/// A tag whose object can't be read, or that leads to no object, has no target.
fn read_tag(repository: &Repository, name: String, id: Option<Oid>) -> Tag {
    let mut tag = Tag { name, target: None, annotated: false, tagger: None, message: String::new() };
    let Some(object) = id.and_then(|id| repository.find_object(id, None).ok()) else { return tag };
    match object.as_tag() {
        Some(annotation) => {
            tag.annotated = true;
            tag.tagger = annotation.tagger().as_ref().and_then(ident);
            tag.message =
                String::from_utf8_lossy(annotation.message_bytes().unwrap_or_default()).into_owned();
            tag.target = match annotation.target_type() {
                Some(ObjectType::Commit) => commit_id(annotation.target_id()).ok(),
                Some(ObjectType::Tag) => object.peel_to_commit().ok().and_then(|c| commit_id(c.id()).ok()),
                _ => None,
            };
        }
        None if object.kind() == Some(ObjectType::Commit) => tag.target = commit_id(object.id()).ok(),
        None => {}
    }
    tag
}

/// The bytes of a blob of at most `limit` bytes.
pub(crate) fn read_blob(
    repository: &Repository,
    id: Oid,
    limit: usize,
    operation: &str,
) -> Result<Vec<u8>, PortError> {
    let odb = repository.odb().map_err(at(operation))?;
    let (size, _) = odb.read_header(id).map_err(at(operation))?;
    if size > limit {
        let message = format!("it has {size} bytes, more than the {limit} that are read into memory");
        return Err(PortError::new(Problem::Invalid, operation, message));
    }
    let blob = repository.find_blob(id).map_err(at(operation))?;
    Ok(blob.content().to_vec())
}

pub(crate) fn find_commit<'a>(
    repository: &'a Repository,
    id: &CommitId,
) -> Result<git2::Commit<'a>, PortError> {
    let operation = format!("read commit {}", id.short());
    let oid = Oid::from_str(id.as_str()).map_err(at(&operation))?;
    repository.find_commit(oid).map_err(|error| {
        let port = at(&operation)(error);
        if repository.is_shallow() { port.hint(FETCH_ALL) } else { port }
    })
}

pub(crate) fn commit_id(id: Oid) -> Result<CommitId, PortError> {
    let text = id.to_string();
    text.parse()
        .map_err(|error| PortError::new(Problem::Invalid, format!("read id {text}"), format!("{error}")))
}

fn ident(who: &git2::Signature<'_>) -> Option<Ident> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Ident {
        name: text(who.name_bytes()),
        email: text(who.email_bytes()),
        time: Timestamp::from_seconds(who.when().seconds()).ok()?,
        offset_minutes: who.when().offset_minutes(),
    })
}
