//! What checking a release again finds, and what it does not take for a pass.

use tagship_domain::{
    Manifest, Release,
    chain::{ChainCheck, ChainOutcome, ChainPart},
    gate::Outcome,
    validation::Verdict,
};
use tagship_ports::Problem;

use super::{World, validation};
use crate::{
    Trust, check_bytes, check_manifest, check_signed, check_verdicts, fetch::digest_of, read_manifest,
};

async fn released() -> (World, Release, Manifest) {
    let world = World::new();
    let release = world.maker().make(&world.draft(b"one", 10)).await.unwrap().release;
    let manifest = read_manifest(&world.store, &release).await.unwrap();
    (world, release, manifest)
}

fn found(checks: &[ChainCheck]) -> Vec<(ChainPart, ChainOutcome)> {
    checks.iter().map(|check| (check.link, check.outcome)).collect()
}

#[tokio::test]
async fn what_is_as_it_was_holds() {
    let (world, release, manifest) = released().await;
    let (read, checked) = check_manifest(&world.store, &release).await;
    assert_eq!((read.as_ref(), checked.outcome), (Some(&manifest), ChainOutcome::Holds));
    let bytes = check_bytes(&world.store, &manifest, world.scratch.path()).await;
    assert_eq!(
        found(&bytes),
        [(ChainPart::Bytes, ChainOutcome::Holds), (ChainPart::Documents, ChainOutcome::Holds)]
    );
    let verdicts = found(&check_verdicts(&manifest));
    assert_eq!(
        verdicts,
        [(ChainPart::Validation, ChainOutcome::Holds), (ChainPart::Gate, ChainOutcome::Holds)]
    );
}

#[tokio::test]
async fn a_store_that_does_not_answer_says_nothing_and_a_damaged_one_enough() {
    let (world, release, manifest) = released().await;
    let scratch = world.scratch.path();
    world.store.faults.always("get", Problem::Unreachable);
    world.store.faults.always("get_bytes", Problem::Unreachable);
    assert_eq!(check_manifest(&world.store, &release).await.1.outcome, ChainOutcome::Unknown);
    let bytes = check_bytes(&world.store, &manifest, scratch).await;
    assert!(bytes.iter().all(|check| check.outcome == ChainOutcome::Unknown), "{bytes:?}");
    world.store.faults.recover("get");
    world.store.faults.recover("get_bytes");
    world.store.damage(&manifest.digest, b"evil");
    let bytes = check_bytes(&world.store, &manifest, scratch).await;
    assert_eq!(bytes[0].outcome, ChainOutcome::Broken);
    assert!(bytes[0].sentence.contains("model.onnx"), "{}", bytes[0].sentence);
    let gone = Release { manifest: digest_of(b"gone"), ..release };
    assert_eq!(check_manifest(&world.store, &gone).await.1.outcome, ChainOutcome::Broken);
}

#[tokio::test]
async fn verdicts_about_other_bytes_are_none() {
    let (_, _, manifest) = released().await;
    let broken = |change: &dyn Fn(&mut Manifest), part: ChainPart| {
        let mut forged = manifest.clone();
        change(&mut forged);
        let checks = found(&check_verdicts(&forged));
        assert!(checks.contains(&(part, ChainOutcome::Broken)), "{checks:?}");
    };
    broken(&|forged| forged.gate.digest = Some(digest_of(b"other")), ChainPart::Gate);
    broken(&|forged| forged.gate.digest = None, ChainPart::Gate);
    broken(&|forged| forged.gate.outcome = Outcome::Inconclusive, ChainPart::Gate);
    broken(
        &|forged| forged.validation = validation(&digest_of(b"other"), Verdict::Pass),
        ChainPart::Validation,
    );
    broken(&|forged| forged.validation = validation(&forged.digest, Verdict::Reject), ChainPart::Validation);
    broken(&|forged| forged.validation.artifacts.clear(), ChainPart::Validation);
}

#[tokio::test]
async fn a_missing_signature_is_broken_only_where_one_is_demanded() {
    let (world, _, manifest) = released().await;
    for (required, expected) in [(false, ChainOutcome::NotApplicable), (true, ChainOutcome::Broken)] {
        let (link, checked) =
            check_signed(&world.store, &manifest, Trust { keys: &[], required, unread: None }).await;
        assert_eq!((link, checked.outcome), (None, expected));
    }
}
