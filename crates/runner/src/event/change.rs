//! Changes: pushes, pull requests, merge queues.

use tagship_domain::event::{Event, PullRequest};

use super::reader::Reader;
use crate::error::Failure;

/// A commit id of zeros stands for "nothing": the branch or tag was deleted or is new.
fn is_nothing(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

pub(super) fn push(read: Reader<'_>) -> Result<Event, Failure> {
    let reference = read.text("/ref")?;
    let deleted = read.is_true("/deleted") || is_nothing(read.text("/after")?);
    let after = if deleted { None } else { Some(read.commit("/after")?) };
    if let Some(tag) = reference.strip_prefix("refs/tags/") {
        // What an annotated tag moved to is the tag itself; what it points at stands beside it.
        let commit = read.find("/head_commit/id").and_then(|id| id.parse().ok());
        return Ok(Event::TagPush { tag: tag.to_owned(), after: after.map(|after| commit.unwrap_or(after)) });
    }
    Ok(Event::Push { branch: branch(reference), after })
}

/// The head commit, never the merge commit that the host makes for trying: deployments and statuses of that one are shown
/// nowhere.
pub(super) fn pull_request(read: Reader<'_>, privileged: bool) -> Result<Event, Failure> {
    Ok(Event::PullRequest(PullRequest {
        number: read.number("/pull_request/number")?,
        activity: read.text("/action")?.to_owned(),
        head: read.commit("/pull_request/head/sha")?,
        base: read.text("/pull_request/base/ref")?.to_owned(),
        merged: read.is_true("/pull_request/merged"),
        // A head without a repository is one of a fork that was deleted.
        from_fork: read.is_foreign("/pull_request/head/repo/full_name", "/pull_request/base/repo/full_name"),
        privileged,
    }))
}

pub(super) fn merge_group(read: Reader<'_>) -> Result<Event, Failure> {
    if let Some(other) = read.other_activity("checks_requested")? {
        return Ok(other);
    }
    Ok(Event::MergeGroup {
        sha: read.commit("/merge_group/head_sha")?,
        base: branch(read.text("/merge_group/base_ref")?),
    })
}

fn branch(reference: &str) -> String {
    reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned()
}
