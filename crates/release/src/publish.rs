//! Planned tags made in the repository: a run that lost a race reads the tags again and plans again.

use tagship_ports::{Problem, Repo, repo::NewTag};
use tagship_registry::{Options, PlannedTag, Registry};

use crate::{error::ReleaseError, find::read_registry};

/// How often a lost race for a tag is run again.
const ATTEMPTS: u32 = 20;

/// Makes the tag that a plan asks for and answers it; nothing where the plan asks for none.
///
/// # Errors
/// As the plan, when the tags cannot be read or written, or when other runs were faster again and again.
pub async fn publish(
    repo: &dyn Repo,
    options: &Options,
    plan: &(dyn Fn(&Registry) -> Result<Option<PlannedTag>, ReleaseError> + Sync),
) -> Result<Option<PlannedTag>, ReleaseError> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let registry = read_registry(repo, options.clone()).await?;
        let Some(planned) = plan(&registry)? else { return Ok(None) };
        let PlannedTag { name, target: commit, message, time: at } = planned.clone();
        match repo.create_tag(&NewTag { name, commit, message, at }).await {
            Ok(()) => return Ok(Some(planned)),
            Err(error) if error.problem == Problem::Conflict => last = planned.name,
            Err(error) => return Err(error.into()),
        }
    }
    Err(ReleaseError::Overtaken { tag: last, attempts: ATTEMPTS })
}
