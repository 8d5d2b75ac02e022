//! Which version bytes become, agreed among runs before one of them makes a tag.
//!
//! A tag's name keeps two digests from one version. Nothing in git keeps one digest from two: clones that know other tags,
//! or raise another part, would tag the same bytes under two names, and both pushes would go through. So a run claims the
//! number for its digest first, in a journal of the model that is moved by compare-and-swap. A claim is open until a tag of
//! its version is there, whoever made it; a run with the same bytes takes an open claim over, also that of a run that died.
//! With it come who claimed and when: what is made twice is made the same, and nothing of the first time is left over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tagship_domain::{Bump, CommitId, Digest, ModelName, Provenance, Timestamp, Version};
use tagship_ports::{
    StateStore,
    journal_ref::part,
    state_store::{AppendError, Files, NewEntry},
};
use tagship_registry::{ModelVersion, Registry};

use crate::{error::ReleaseError, find::known};

/// The file of an entry: every open claim, by digest.
const FILE: &str = "claims.json";

/// What bytes are about to become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The version.
    pub(crate) version: Version,
    /// Who began to release it.
    pub(crate) by: Provenance,
    /// When.
    pub(crate) at: Timestamp,
    /// The commit that was checked out.
    pub(crate) commit: CommitId,
}

/// The claims of a model.
pub(crate) struct Claims<'a> {
    journals: &'a dyn StateStore,
    model: &'a ModelName,
    tip: Option<CommitId>,
    open: BTreeMap<Digest, Claim>,
}

impl<'a> Claims<'a> {
    /// Reads them. Tags that are read after this hold every version whose claim is not among them any more.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) async fn read(
        journals: &'a dyn StateStore,
        model: &'a ModelName,
    ) -> Result<Self, ReleaseError> {
        let Some(tip) = journals.tip(&journal(model)).await? else {
            return Ok(Self { journals, model, tip: None, open: BTreeMap::new() });
        };
        let open = serde_json::from_slice(tip.files.get(FILE).map_or(b"{}", Vec::as_slice));
        let open = open
            .map_err(|error| ReleaseError::BadClaims { journal: journal(model), why: error.to_string() })?;
        Ok(Self { journals, model, tip: Some(tip.id), open })
    }

    /// Leaves out what has its tag, and claims for bytes that have another version, unless that one leads to it.
    pub(crate) fn settle(&mut self, registry: &Registry) -> Result<(), ReleaseError> {
        let Some(model) = known(registry, self.model)? else { return Ok(()) };
        let is_open = |digest: &Digest, claim: &Claim| {
            let leads = |there: &Version| there.leads_to(&claim.version);
            let holds = model.by_digest(digest).filter(|there| there.is_active());
            model.version(&claim.version).is_none() && holds.and_then(ModelVersion::version).is_none_or(leads)
        };
        self.open.retain(|digest, claim| is_open(digest, claim));
        Ok(())
    }

    /// What these bytes are about to become.
    pub(crate) fn of(&self, digest: &Digest) -> Option<&Claim> {
        self.open.get(digest)
    }

    /// The planned number, or the next one that no other bytes have claimed.
    pub(crate) fn free(&self, planned: Version, bump: Bump) -> Version {
        let mut number = planned;
        while self.open.values().any(|claim| claim.version == number) {
            number = number.next(bump);
        }
        number
    }

    /// Claims a number for bytes; false where another run claimed one meanwhile.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn add(mut self, digest: &Digest, claim: &Claim) -> Result<bool, ReleaseError> {
        self.open.insert(digest.clone(), claim.clone());
        let json = serde_json::to_vec_pretty(&self.open);
        let json = json.map_err(|error| ReleaseError::BadClaims {
            journal: journal(self.model),
            why: error.to_string(),
        })?;
        let message = format!("Claim {}@{} for {digest}\n", self.model, claim.version);
        let entry = NewEntry { message, files: Files::from([(FILE.to_owned(), json)]), at: claim.at };
        match self.journals.append(&journal(self.model), self.tip.as_ref(), &entry).await {
            Ok(_) => Ok(true),
            Err(AppendError::Lost { .. }) => Ok(false),
            Err(AppendError::Port(error)) => Err(error.into()),
        }
    }
}

fn journal(model: &ModelName) -> String {
    format!("claims/{}", part(model.as_str()))
}
