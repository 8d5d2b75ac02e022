//! The remote: pushing one ref at a time, fetching what others pushed.

use git2::Oid;
use tagship_ports::{PortError, Problem};

use crate::{
    program::{LOCAL_LIMIT, REMOTE_LIMIT, Said},
    repository::GitRepo,
};

/// Tags are never moved by a fetch; journals follow the remote, which has the last word.
const TAGS: &str = "refs/tags/*:refs/tags/*";
const JOURNALS: &str = "+refs/tagship/*:refs/tagship/*";

/// How often a fetch begins again because another run in this clone wrote the same refs meanwhile. Each time the
/// other one has got on, so that more than a few tries in a row need as many neighbours.
const NEIGHBOURS: usize = 20;

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The remote has it, from now on or already.
    Done,
    /// The remote has something else, or did not want it; in its words.
    Rejected(String),
}

impl GitRepo {
    /// Fetches tags and journals from the remote, where there is one.
    ///
    /// # Errors
    /// [`Problem::Conflict`] where a tag here differs from the remote's of that name; [`Problem::Unreachable`] or
    /// [`Problem::Denied`] where the remote can't be read.
    pub async fn fetch(&self) -> Result<(), PortError> {
        self.fetch_refs("fetch tags and journals", &[TAGS, JOURNALS]).await
    }

    pub(crate) async fn fetch_tags(&self) -> Result<(), PortError> {
        self.fetch_refs("fetch tags", &[TAGS]).await
    }

    pub(crate) async fn fetch_journals(&self) -> Result<(), PortError> {
        self.fetch_refs("fetch journals", &[JOURNALS]).await
    }

    async fn fetch_refs(&self, operation: &str, refspecs: &[&str]) -> Result<(), PortError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let operation = format!("{operation} from {remote}");
        let options = ["fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
        let arguments = [&options[..], &[remote], refspecs].concat();
        let mut said = self.program.try_run(&operation, REMOTE_LIMIT, &arguments).await?;
        for _ in 0..NEIGHBOURS {
            if said.status.success() || !said.lost_to_a_neighbour() {
                break;
            }
            said = self.program.try_run(&operation, REMOTE_LIMIT, &arguments).await?;
        }
        if said.status.success() {
            return Ok(());
        }
        let clobbered = |line: &str| line.contains("would clobber existing tag");
        match said.err.lines().find(|line| clobbered(line)) {
            None => Err(said.failure(&operation)),
            Some(line) => Err(PortError::new(Problem::Conflict, operation, line.trim()).hint(
                "a tag here differs from the remote's: delete it here with `git tag -d`, then fetch again",
            )),
        }
    }

    /// Pushes one object to one ref, which the remote must have at `expected` (`None`: not at all). Without the
    /// lease a push could create a ref that should have existed, or pass over a ref that someone deleted.
    pub(crate) async fn push(
        &self,
        remote: &str,
        id: Oid,
        reference: &str,
        expected: Option<Oid>,
    ) -> Result<Pushed, PortError> {
        let operation = format!("push {reference} to {remote}");
        let lease = expected.map(|id| id.to_string()).unwrap_or_default();
        let lease = format!("--force-with-lease={reference}:{lease}");
        let refspec = format!("{id}:{reference}");
        let arguments = ["push", "--porcelain", "--no-verify", "--no-follow-tags", &lease, remote, &refspec];
        let said = self.program.try_run(&operation, REMOTE_LIMIT, &arguments).await?;
        match pushed(&said, reference) {
            Some(Pushed::Rejected(reason)) => Ok(Pushed::Rejected(reason + &said.of_the_remote())),
            Some(done) => Ok(done),
            None => Err(said.failure(&operation)),
        }
    }

    /// Moves a ref of this repository from `expected` (`None`: from not existing) to `id`; false where it is
    /// somewhere else.
    pub(crate) async fn swap(
        &self,
        reference: &str,
        expected: Option<Oid>,
        id: Oid,
    ) -> Result<bool, PortError> {
        let operation = format!("write {reference}");
        // To git an empty old value means: must not exist.
        let old = expected.map(|id| id.to_string()).unwrap_or_default();
        let new = id.to_string();
        let arguments = ["update-ref", reference, &new, &old];
        let said = self.program.try_run(&operation, LOCAL_LIMIT, &arguments).await?;
        if said.status.success() {
            return Ok(true);
        }
        if self.target(reference) == expected { Err(said.failure(&operation)) } else { Ok(false) }
    }

    /// What a ref of this repository points at.
    pub(crate) fn target(&self, reference: &str) -> Option<Oid> {
        self.lock().refname_to_id(reference).ok()
    }
}

/// Reads `git push --porcelain`: one line `FLAG TAB FROM:TO TAB SUMMARY` per ref. `None` where there is no line
/// for ours, i.e. the push did not get that far.
fn pushed(said: &Said, reference: &str) -> Option<Pushed> {
    said.out.lines().find_map(|line| {
        let (flag, rest) = line.split_once('\t')?;
        let (refs, summary) = rest.split_once('\t').unwrap_or((rest, ""));
        let (_, to) = refs.rsplit_once(':')?;
        if to != reference {
            return None;
        }
        Some(if flag == "!" { Pushed::Rejected(summary.to_owned()) } else { Pushed::Done })
    })
}
