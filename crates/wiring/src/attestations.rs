//! What GitHub attests about a release, where the repository is there and the run has a token for it.

use std::path::Path;

use tagship_adapters::attestation_verifiers::{Gh, GhSettings, VARIABLES};
use tagship_domain::{
    Manifest,
    chain::{Attested, ChainCheck, ChainOutcome, ChainPart},
};
use tagship_ports::attestations::Kept;
use tagship_release::{check_attestations, find_attestations};
use tagship_runner::Context;

use crate::workspace::Workspace;

/// What is kept about a release and is still to be verified; where there is nothing, the check says why. Nothing of both where
/// the repository is not there.
pub(crate) async fn kept_attestations(
    workspace: &Workspace,
    manifest: &Manifest,
) -> (Option<Kept>, Option<ChainCheck>) {
    match (&workspace.host.github, workspace.context.hosted) {
        (Some(github), _) => find_attestations(github.as_ref(), manifest).await,
        (None, true) => {
            let sentence = "GitHub was not asked what it attests: the step has no token";
            let check = ChainCheck::of(ChainPart::Attestation, ChainOutcome::NotApplicable, sentence);
            (None, Some(check))
        }
        (None, false) => (None, None),
    }
}

/// What comes of verifying what is kept. `file` is the artifact, where it is one file and the right one.
pub(crate) async fn verified(
    workspace: &Workspace,
    manifest: &Manifest,
    kept: &Kept,
    file: Option<&Path>,
) -> (Attested, ChainCheck) {
    let (verified, check) = if let Some(gh) = gh(workspace) {
        check_attestations(&gh, kept, manifest, file).await
    } else {
        let sentence = "nobody can verify what the host attests without a token";
        (vec![], ChainCheck::of(ChainPart::Attestation, ChainOutcome::Unknown, sentence))
    };
    (Attested { kept: kept.number, verified }, check)
}

/// GitHub's own client.
fn gh(workspace: &Workspace) -> Option<Gh> {
    let addresses = workspace.context.host.as_ref()?;
    let inherited = |name: &str| Some((name.to_owned(), Context::inherited(name)?));
    Some(Gh::new(GhSettings {
        server_url: addresses.server_url.clone(),
        repository: addresses.repository.clone(),
        token: addresses.token.clone()?,
        environment: VARIABLES.into_iter().filter_map(inherited).collect(),
    }))
}
