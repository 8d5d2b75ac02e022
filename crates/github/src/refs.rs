//! References through the API: read exactly, created or moved forward, never forced.

use serde::Deserialize;
use serde_json::json;

use crate::{
    GitHub,
    call::Call,
    error::{CallError, Reason},
};

const WRITES: &str = "contents: write";

/// A reference as the host has it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reference {
    /// With `refs/` in front.
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) object: Target,
}

/// What a reference points at.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) sha: String,
}

/// What became of creating or moving a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It points there now.
    Done,
    /// It points elsewhere, or does not exist.
    Elsewhere(Option<String>),
}

impl GitHub {
    /// A reference by its exact name, which begins with `refs/`.
    pub(crate) async fn reference(&self, name: &str, about: &str) -> Result<Option<Reference>, CallError> {
        let short = name.trim_start_matches("refs/");
        let path = self.client.repo(&["git", "ref", short]);
        let found: Option<Reference> = self.client.find(&Call::get(about, path)).await?;
        // Old servers answer the first name that begins like this one.
        Ok(found.filter(|found| found.name == name))
    }

    /// Every reference whose name begins with `prefix`, which begins with `refs/`.
    pub(crate) async fn references(&self, prefix: &str, about: &str) -> Result<Vec<Reference>, CallError> {
        // Asked for without the slash at its end, which not every server takes; what is too much is left out here.
        let short = prefix.trim_start_matches("refs/").trim_end_matches('/');
        let path = self.client.repo(&["git", "matching-refs", short]);
        let mut found: Vec<Reference> = self.client.list(Call::get(about, path), None).await?;
        found.retain(|reference| reference.name.starts_with(prefix));
        Ok(found)
    }

    /// Creates a reference. Of two that create it one wins, whatever became of the answers.
    pub(crate) async fn create_reference(
        &self,
        name: &str,
        sha: &str,
        about: &str,
    ) -> Result<Moved, CallError> {
        let path = self.client.repo(&["git", "refs"]);
        // Repeatable: the name can be taken once only.
        let call = Call::create(about, path, json!({ "ref": name, "sha": sha })).repeatable().needs(WRITES);
        self.settle(&call, name, sha).await
    }

    /// Moves a reference forward. `force` is off, so that on a chain this is a compare-and-swap: of two commits with
    /// one parent the second is refused.
    pub(crate) async fn move_reference(
        &self,
        name: &str,
        sha: &str,
        about: &str,
    ) -> Result<Moved, CallError> {
        let short = name.trim_start_matches("refs/");
        let path = self.client.repo(&["git", "refs", short]);
        let call = Call::update(about, path, json!({ "sha": sha, "force": false })).needs(WRITES);
        self.settle(&call, name, sha).await
    }

    async fn settle(&self, call: &Call, name: &str, sha: &str) -> Result<Moved, CallError> {
        match self.client.fetch::<Reference>(call).await {
            Ok(reference) if reference.object.sha == sha => Ok(Moved::Done),
            Ok(reference) => Ok(Moved::Elsewhere(Some(reference.object.sha))),
            Err(error) if matches!(error.reason, Reason::Unprocessable | Reason::Missing) => {
                // Taken or moved on, in whatever words; or it was us, and the answer got lost.
                let there = self.reference(name, &call.about).await?;
                match there {
                    Some(there) if there.object.sha == sha => Ok(Moved::Done),
                    Some(there) => Ok(Moved::Elsewhere(Some(there.object.sha))),
                    // It neither exists nor can be made: the refusal itself is the answer.
                    None if call.method == http::Method::POST => Err(error),
                    None => Ok(Moved::Elsewhere(None)),
                }
            }
            Err(error) => Err(error),
        }
    }
}
