//! What `gh` said, and whether it says it of our repository.
//!
//! Of what a genuine attestation holds, the certificate alone is read: GitHub filled it in. The statement is the workflow's own.
//! That the repository is ours and the signing workflow our owner's was demanded of `gh`, and is compared once more.

use serde::Deserialize;
use tagship_domain::{CommitId, chain::AttestationLink};
use tagship_ports::{PortError, Problem, attestations::Judged};

use super::{GhSettings, OPERATION, UPDATE};

/// Longest text of a certificate that is shown, in characters.
const LONGEST: usize = 300;

/// What a certificate says, in the words of `gh`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    /// The workflow that signed.
    subject_alternative_name: String,
    #[serde(rename = "sourceRepositoryURI")]
    repository: String,
    #[serde(rename = "sourceRepositoryDigest")]
    commit: String,
    #[serde(rename = "sourceRepositoryRef")]
    reference: String,
    #[serde(rename = "runInvocationURI", default)]
    run: String,
}

/// The workflows that may sign, as a regular expression: those of the repository's owner. A workflow that another repository
/// of the owner shares signs in its own name; the run must still be one of the repository's.
pub(super) fn signer(settings: &GhSettings) -> String {
    let mut expression = "(?i)^".to_owned();
    for character in owner(settings).chars() {
        if !character.is_ascii_alphanumeric() && !"/:_".contains(character) {
            expression.push('\\');
        }
        expression.push(character);
    }
    expression
}

/// Where the owner's repositories are, with the slash behind.
fn owner(settings: &GhSettings) -> String {
    let owner = settings.repository.split('/').next().unwrap_or_default();
    format!("{}/{owner}/", settings.server_url.trim_end_matches('/'))
}

/// Reads the certificates of what was verified.
pub(super) fn read(answer: &[u8], settings: &GhSettings) -> Result<Judged, PortError> {
    let certificates: Vec<Certificate> = serde_json::from_slice(answer).map_err(|error| {
        let message = format!("`gh` answered what is no list of certificates: {error}");
        PortError::new(Problem::Invalid, OPERATION, message).hint(UPDATE)
    })?;
    if certificates.is_empty() {
        let message = "`gh` ended well and names nothing that it verified";
        return Err(PortError::new(Problem::Invalid, OPERATION, message).hint(UPDATE));
    }
    let links: Result<Vec<_>, String> = certificates.iter().map(|one| link(one, settings)).collect();
    Ok(links.map_or_else(Judged::Refused, Judged::Genuine))
}

/// What a certificate tells, or why it is not about our repository.
fn link(certificate: &Certificate, settings: &GhSettings) -> Result<AttestationLink, String> {
    let Certificate { subject_alternative_name: workflow, repository, commit, reference, run } = certificate;
    let server = settings.server_url.trim_end_matches('/');
    if !repository.eq_ignore_ascii_case(&format!("{server}/{}", settings.repository)) {
        return Err(format!("it is of a run of {}, not of {}", plain(repository), settings.repository));
    }
    let owner = owner(settings);
    if !workflow.get(..owner.len()).is_some_and(|start| start.eq_ignore_ascii_case(&owner)) {
        return Err(format!("{} signed it, which is no workflow of {owner}", plain(workflow)));
    }
    let commit = commit.parse::<CommitId>().map_err(|error| format!("its commit: {error}"))?;
    Ok(AttestationLink {
        workflow: plain(&workflow[server.len() + 1..]),
        reference: plain(reference),
        commit,
        run: Some(plain(run)).filter(|run| !run.is_empty()),
    })
}

/// Text of others: one line, of no more than is worth showing.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}
