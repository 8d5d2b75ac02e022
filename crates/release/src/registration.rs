//! Commits of a journal that stand for versions which have no commit of the repository to themselves.

use tagship_domain::{CommitId, Digest, Version};
use tagship_ports::{
    journal_ref::part,
    state_store::{AppendError, Files, NewEntry},
};

use crate::{
    draft::Draft,
    error::ReleaseError,
    make::ReleaseMaker,
    race::{ATTEMPTS, Race},
};

impl ReleaseMaker<'_> {
    /// A commit of its own for a second version of one source commit, or for bytes that no commit holds: GTO knows a
    /// version by its commit, so two versions must not share one.
    pub(crate) async fn registration_commit(
        &self,
        draft: &Draft,
        digest: &Digest,
        why: &str,
        wanted: Option<&Version>,
    ) -> Result<CommitId, ReleaseError> {
        let journal = format!("registry/{}", part(draft.model.as_str()));
        let (model, built) = (&draft.model, draft.commit.short());
        let mut files = Files::from([("digest".to_owned(), format!("{digest}\n").into_bytes())]);
        if let Some(origin) = &draft.origin {
            files.insert("origin".to_owned(), format!("{} {}\n", origin.place, origin.version).into_bytes());
        }
        let what = match wanted {
            // A prerelease and what it becomes have the same bytes, and are two versions.
            Some(wanted) => {
                files.insert("version".to_owned(), format!("{wanted}\n").into_bytes());
                wanted.to_string()
            }
            None => "other bytes".to_owned(),
        };
        let message =
            format!("Register {what} of {model} built at {built}\n\n{why} The bytes are {digest}.\n");
        let entry = NewEntry { message, files: files.clone(), at: draft.now };
        let mut race = Race::new(self.clock, &draft.by, digest);
        loop {
            let tip = self.journals.tip(&journal).await?;
            // An earlier run may have ended before it tagged its commit.
            if let Some(tip) = tip.as_ref().filter(|tip| tip.files == files) {
                return Ok(tip.id.clone());
            }
            match self.journals.append(&journal, tip.as_ref().map(|tip| &tip.id), &entry).await {
                Ok(id) => return Ok(id),
                Err(AppendError::Lost { .. }) if race.again().await => {}
                Err(AppendError::Lost { .. }) => {
                    return Err(ReleaseError::Contended { model: draft.model.clone(), attempts: ATTEMPTS });
                }
                Err(AppendError::Port(error)) => return Err(error.into()),
            }
        }
    }
}
