//! What the repository's host attests about the bytes of a release, beside or instead of a key.
//!
//! Nobody demands an attestation, so that none is no fault. Where one is kept it must hold: a bad one says that somebody tried.

use std::path::Path;

use tagship_domain::{
    Manifest,
    chain::{AttestationLink, ChainCheck, ChainOutcome, ChainPart},
    digest::directory_listing,
};
use tagship_ports::{
    AttestationVerifier, Attestations,
    attestations::{AttestedBytes, Judged, Kept},
};

/// Asks what the host keeps. What it answers is a claim; where there is nothing to verify the check says so.
pub async fn find_attestations(
    host: &dyn Attestations,
    manifest: &Manifest,
) -> (Option<Kept>, Option<ChainCheck>) {
    match host.of(&manifest.digest).await {
        Err(error) => (None, Some(check(ChainOutcome::Unknown, error.to_string()))),
        Ok(kept) if kept.number == 0 => {
            let sentence = "the host attests nothing about how these bytes were built";
            (None, Some(check(ChainOutcome::NotApplicable, sentence)))
        }
        Ok(kept) => (Some(kept), None),
    }
}

/// Whether what is kept is genuine and agrees with the manifest. `file` is the artifact of a release of a single file; absent where
/// it is not as the manifest says, or could not be read.
pub async fn check_attestations(
    verifier: &dyn AttestationVerifier,
    kept: &Kept,
    manifest: &Manifest,
    file: Option<&Path>,
) -> (Vec<AttestationLink>, ChainCheck) {
    let listing;
    let bytes = match (manifest.single_file, file) {
        // What was attested is the digest of a directory, which is that of this text.
        (false, _) => {
            listing = directory_listing(&manifest.files);
            AttestedBytes::Text(&listing)
        }
        (true, Some(file)) => AttestedBytes::File(file),
        (true, None) => {
            let sentence = "the host attests these bytes, and nothing was verified without them";
            return (vec![], check(ChainOutcome::Unknown, sentence));
        }
    };
    match verifier.verify(bytes, kept).await {
        Err(error) => (vec![], check(ChainOutcome::Unknown, error.to_string())),
        Ok(Judged::Refused(why)) => {
            let sentence = format!("the host keeps {}, and it is not genuine: {why}", counted(kept.number));
            (vec![], check(ChainOutcome::Broken, sentence))
        }
        Ok(Judged::Genuine(links)) => {
            let checked = compared(&links, kept, manifest);
            (links, checked)
        }
    }
}

/// Bytes may be attested more than once, by every run that has built or released them. The run of the manifest's commit must be
/// among those.
fn compared(links: &[AttestationLink], kept: &Kept, manifest: &Manifest) -> ChainCheck {
    match (links.iter().find(|link| link.commit == manifest.commit), links.first()) {
        (Some(link), _) => {
            let AttestationLink { workflow, reference, commit, .. } = link;
            let rest = match (links.len(), kept.number) {
                (1, 1) => String::new(),
                (genuine, number) => format!("; {genuine} of {} hold", counted(number)),
            };
            let commit = commit.short();
            let sentence = format!(
                "{workflow} attests that its run for {reference}, commit {commit}, made these bytes{rest}"
            );
            check(ChainOutcome::Holds, sentence)
        }
        (None, Some(link)) => {
            let AttestationLink { workflow, commit, .. } = link;
            let sentence = format!(
                "{workflow} attests these bytes for commit {}, and the manifest says that they are of {}",
                commit.short(),
                manifest.commit.short()
            );
            check(ChainOutcome::Broken, sentence)
        }
        (None, None) => check(ChainOutcome::Unknown, "the verifier names nothing that it verified"),
    }
}

fn counted(number: usize) -> String {
    if number == 1 { "an attestation".to_owned() } else { format!("{number} attestations") }
}

fn check(outcome: ChainOutcome, sentence: impl Into<String>) -> ChainCheck {
    ChainCheck::of(ChainPart::Attestation, outcome, sentence)
}
