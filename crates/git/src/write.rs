//! Making tags, and the `Repo` port as a whole.

use async_trait::async_trait;
use git2::{ObjectType, Oid};
use tagship_domain::{CommitId, tag::Tag};
use tagship_ports::{
    PortError, Problem, Repo,
    repo::{Commit, NewTag},
};

use crate::{
    error::at,
    program::LOCAL_LIMIT,
    publish::Pushed,
    repository::{GitRepo, identity},
};

#[async_trait]
impl Repo for GitRepo {
    async fn resolve(&self, revision: &str) -> Result<CommitId, PortError> {
        self.resolve_revision(revision)
    }

    async fn commit(&self, id: &CommitId) -> Result<Commit, PortError> {
        self.read_commit(id)
    }

    async fn tags(&self) -> Result<Vec<Tag>, PortError> {
        let tags = self.read_tags()?;
        if !tags.is_empty() || self.remote.is_none() {
            return Ok(tags);
        }
        // No proof of none: the clone may have been made without tags, or a run died between its first push and the
        // ref here.
        self.fetch_tags().await?;
        self.read_tags()
    }

    async fn refresh(&self) -> Result<(), PortError> {
        self.fetch_all_tags().await
    }

    async fn file_at(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.read_file(commit, path)
    }

    async fn create_tag(&self, tag: &NewTag) -> Result<(), PortError> {
        let operation = format!("create tag {}", tag.name);
        let reference = format!("refs/tags/{}", tag.name);
        if !git2::Reference::is_valid_name(&reference) {
            return Err(PortError::new(Problem::Invalid, operation, "git does not allow this name"));
        }
        let id = self.write_tag_object(tag, &operation)?;
        match self.target(&reference) {
            Some(there) if there != id => return Err(taken(&operation)),
            // Made by a run that died before it was published, or by this one before: publishing is repeatable.
            Some(_) if self.remote.is_none() => return Ok(()),
            _ => {}
        }
        if let Some(remote) = &self.remote
            && let Pushed::Rejected(reason) = self.push(remote, id, &reference, None).await?
        {
            self.fetch_tags().await?;
            return Err(match self.target(&reference) {
                Some(_) => taken(&operation),
                None => refused(&operation, remote, &reason),
            });
        }
        if self.swap(&reference, None, id).await? || self.target(&reference) == Some(id) {
            Ok(())
        } else {
            Err(taken(&operation))
        }
    }

    async fn uncommitted(&self, path: &str, limit: usize) -> Result<Vec<String>, PortError> {
        let operation = format!("look for uncommitted changes below {path:?}");
        if self.lock().is_bare() {
            return Ok(Vec::new());
        }
        self.resolve_revision("HEAD")?;
        // The program, not libgit2: it knows filters such as LFS, by which a file's bytes differ from its blob.
        let path = if path.is_empty() { "." } else { path };
        let options = ["--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let arguments = [&["--literal-pathspecs", "diff"], &options[..], &["HEAD", "--", path]].concat();
        let listed = self.program.run(&operation, LOCAL_LIMIT, &arguments).await?;
        let mut paths: Vec<String> =
            listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        paths.sort_unstable();
        paths.truncate(limit);
        Ok(paths)
    }
}

impl GitRepo {
    /// Writes the tag object alone. No ref names it yet: a lost race leaves nothing to clean up.
    fn write_tag_object(&self, tag: &NewTag, operation: &str) -> Result<Oid, PortError> {
        let repository = self.lock();
        let target = Oid::from_str(tag.commit.as_str()).map_err(at(operation))?;
        let target = repository.find_object(target, Some(ObjectType::Commit)).map_err(at(operation))?;
        let tagger = identity(&repository, tag.at)?;
        repository.tag_annotation_create(&tag.name, &target, &tagger, &tag.message).map_err(at(operation))
    }
}

fn taken(operation: &str) -> PortError {
    PortError::new(Problem::Conflict, operation, "another tag of this name exists")
        .hint("read the tags again and take the next number")
}

/// The remote said no although nobody was faster: it could not write, or a rule or a permission forbids it.
pub(crate) fn refused(operation: &str, remote: &str, reason: &str) -> PortError {
    // What `git receive-pack` says when its own disk or a lock, not the pusher, is to blame.
    if ["unpacker error", "failed to update ref", "failed to lock"].iter().any(|words| reason.contains(words))
    {
        return PortError::new(
            Problem::Unreachable,
            operation,
            format!("{remote} could not write it: {reason}"),
        )
        .hint("see that the remote has free space and may be written there, then run again");
    }
    PortError::new(Problem::Denied, operation, format!("{remote} refused it: {reason}"))
        .hint("the credentials or the rules of the repository do not allow this ref")
}
