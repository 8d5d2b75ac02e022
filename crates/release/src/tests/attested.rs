//! What a host attests about a release, and what is not taken for a pass.

use std::sync::Mutex;

use async_trait::async_trait;
use tagship_domain::{
    CommitId, Digest, Manifest,
    chain::{AttestationLink, ChainOutcome},
    digest::directory_listing,
};
use tagship_ports::{
    AttestationVerifier, Attestations, PortError, Problem,
    attestations::{AttestedBytes, Judged, Kept},
};

use super::World;
use crate::{check_attestations, fetch::digest_of, find_attestations, read_manifest};

/// A host and a verifier that say what they are told to.
struct Says {
    kept: Result<Kept, PortError>,
    judged: Result<Judged, PortError>,
    /// The text that was verified.
    seen: Mutex<Option<String>>,
}

#[async_trait]
impl Attestations for Says {
    async fn of(&self, _digest: &Digest) -> Result<Kept, PortError> {
        self.kept.clone()
    }
}

#[async_trait]
impl AttestationVerifier for Says {
    async fn verify(&self, bytes: AttestedBytes<'_>, _kept: &Kept) -> Result<Judged, PortError> {
        if let AttestedBytes::Text(text) = bytes {
            *self.seen.lock().unwrap() = Some(text.to_owned());
        }
        self.judged.clone()
    }
}

fn says(number: usize, judged: Judged) -> Says {
    Says { kept: Ok(Kept { number, bundles: None }), judged: Ok(judged), seen: Mutex::new(None) }
}

fn link(commit: &CommitId) -> AttestationLink {
    let (workflow, reference) = ("acme/shop/a.yml@main".to_owned(), "main".to_owned());
    AttestationLink { workflow, reference, commit: commit.clone(), run: None }
}

/// The manifest of a release, as if it were of a directory.
async fn released() -> Manifest {
    let world = World::new();
    let release = world.maker().make(&world.draft(b"one", 10)).await.unwrap().release;
    let manifest = read_manifest(&world.store, &release).await.unwrap();
    Manifest { single_file: false, ..manifest }
}

#[tokio::test]
async fn none_is_no_fault_and_a_host_that_does_not_answer_is_unknown() {
    let manifest = released().await;
    let mut host = says(0, Judged::Genuine(vec![]));
    let (kept, checked) = find_attestations(&host, &manifest).await;
    assert_eq!((kept, checked.unwrap().outcome), (None, ChainOutcome::NotApplicable));
    host.kept = Err(PortError::new(Problem::Denied, "read", "no"));
    let (kept, checked) = find_attestations(&host, &manifest).await;
    assert_eq!((kept, checked.unwrap().outcome), (None, ChainOutcome::Unknown));
}

#[tokio::test]
async fn one_of_the_manifests_commit_must_be_among_those_that_hold() {
    let manifest = released().await;
    let other: CommitId = "d".repeat(40).parse().unwrap();
    let (ours, other) = (link(&manifest.commit), link(&other));
    for (links, expected, words) in [
        (vec![ours.clone()], ChainOutcome::Holds, "attests that its run for main"),
        (vec![other.clone(), ours], ChainOutcome::Holds, "2 of 3 attestations hold"),
        (vec![other], ChainOutcome::Broken, "for commit ddddddd"),
        (vec![], ChainOutcome::Unknown, "names nothing"),
    ] {
        let number = if links.len() == 2 { 3 } else { 1 };
        let verifier = says(number, Judged::Genuine(links));
        let kept = verifier.kept.clone().unwrap();
        let (_, checked) = check_attestations(&verifier, &kept, &manifest, None).await;
        assert_eq!(checked.outcome, expected, "{}", checked.sentence);
        assert!(checked.sentence.contains(words), "{words}: {}", checked.sentence);
        let seen = verifier.seen.lock().unwrap().clone().unwrap();
        assert_eq!(digest_of(seen.as_bytes()), digest_of(directory_listing(&manifest.files).as_bytes()));
    }
}

#[tokio::test]
async fn a_refusal_is_broken_and_what_could_not_be_judged_unknown() {
    let manifest = released().await;
    let mut verifier = says(1, Judged::Refused("it is forged".to_owned()));
    let kept = verifier.kept.clone().unwrap();
    let (links, checked) = check_attestations(&verifier, &kept, &manifest, None).await;
    assert_eq!((links.len(), checked.outcome), (0, ChainOutcome::Broken));
    assert!(checked.sentence.contains("it is forged"), "{}", checked.sentence);
    let without_its_file = Manifest { single_file: true, ..manifest.clone() };
    let (_, checked) = check_attestations(&verifier, &kept, &without_its_file, None).await;
    assert_eq!(checked.outcome, ChainOutcome::Unknown);
    verifier.judged = Err(PortError::new(Problem::Unsupported, "verify", "no `gh`"));
    let (_, checked) = check_attestations(&verifier, &kept, &manifest, None).await;
    assert_eq!(checked.outcome, ChainOutcome::Unknown);
}
