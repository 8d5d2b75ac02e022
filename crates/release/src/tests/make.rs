//! Making releases, one run at a time.

use tagship_domain::{
    CommitId,
    gate::Outcome,
    release::{Evidence, Origin},
    schema,
    tag::{Ident, Tag},
    validation::Verdict,
};
use tagship_ports::{ArtifactStore, Problem, StateStore};
use tagship_registry::Number;

use super::{World, at, churn, gate, signature, validation};
use crate::{Draft, ReleaseError, fetch::digest_of, read_manifest, releases};

/// The commit of a registration where one version was made before: its number was claimed in the first entry.
fn registration_commit() -> CommitId {
    format!("{:040x}", 5).parse().unwrap()
}

#[tokio::test]
async fn a_release_is_a_tag_a_manifest_and_stored_bytes() {
    let world = World::new();
    let mut draft = world.draft(b"one", 10);
    draft.evidence = vec![(Evidence::Golden, world.file(b"cases"))];
    let made = world.maker().make(&draft).await.unwrap();
    assert!(made.new);
    assert_eq!(made.because.as_deref(), Some("first release"));
    assert_eq!(made.release.to_string(), "churn@v0.1.0");
    assert_eq!(releases(&world.registry().await, &churn()).unwrap(), std::slice::from_ref(&made.release));

    let manifest = read_manifest(&world.store, &made.release).await.unwrap();
    assert_eq!(manifest.digest, digest_of(b"one"));
    assert_eq!((manifest.size, manifest.format.as_str()), (3, "onnx"));
    assert_eq!(manifest.metrics["accuracy"].to_bits(), 0.93_f64.to_bits());
    assert_eq!((manifest.created, &manifest.previous), (at(10), &None));
    assert!(world.store.has(&manifest.evidence[&Evidence::Golden].sha256).await.unwrap());
    assert!(world.store.has(&digest_of(b"one")).await.unwrap());

    let [shown] = world.forge.releases().try_into().unwrap();
    assert_eq!(shown.tag, "churn@v0.1.0");
    assert_eq!(shown.manifest, schema::to_json(&manifest).unwrap());
    assert!(shown.body.contains("tagship pull churn@v0.1.0"), "{}", shown.body);
}

#[tokio::test]
async fn the_same_bytes_are_the_same_version_wherever_they_are_committed() {
    let mut world = World::new();
    let first = world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    world.commit_again();
    let again = world.maker().make(&world.draft(b"one", 20)).await.unwrap();
    assert!(!again.new);
    assert_eq!(again.release, first.release);
    assert_eq!(world.tags().await, ["churn@v0.1.0"]);
}

#[tokio::test]
async fn what_changed_decides_the_next_version() {
    let mut world = World::new();
    world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    world.commit_again();
    let weights = world.maker().make(&world.draft(b"two", 20)).await.unwrap();
    assert_eq!(weights.release.version.to_string(), "v0.2.0");
    world.commit_again();
    let mut draft = world.draft(b"three", 30);
    draft.validation.artifacts[0].signature = Some(signature(5));
    let interface = world.maker().make(&draft).await.unwrap();
    assert_eq!(interface.release.version.to_string(), "v1.0.0");
    assert!(interface.because.unwrap().contains("x: FP32[?, 4] is gone or different"));
    let manifest = read_manifest(&world.store, &interface.release).await.unwrap();
    assert_eq!(manifest.previous, Some(weights.release.version));
}

#[tokio::test]
async fn a_second_version_of_one_commit_gets_a_commit_of_its_own() {
    let world = World::new();
    world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    world.repo.add_commit_beside(&registration_commit(), at(20));
    let second = world.maker().make(&world.draft(b"two", 20)).await.unwrap();
    assert_eq!(second.release.version.to_string(), "v0.2.0");
    assert_ne!(second.release.commit, world.commit);
    let tip = world.journals.tip("registry/churn").await.unwrap().unwrap();
    assert_eq!(second.release.commit, tip.id);
    assert_eq!(tip.files["digest"], format!("{}\n", digest_of(b"two")).into_bytes());
    let manifest = read_manifest(&world.store, &second.release).await.unwrap();
    assert_eq!(manifest.commit, world.commit, "the manifest names the commit that the bytes were built from");
}

#[tokio::test]
async fn a_run_that_ended_before_its_tag_leaves_one_registration_commit() {
    let world = World::new();
    world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    world.repo.add_commit_beside(&registration_commit(), at(20));
    world.repo.faults.fail("create_tag", Problem::Unreachable, 1);
    let draft = world.draft(b"two", 20);
    world.maker().make(&draft).await.unwrap_err();
    let made = world.maker().make(&draft).await.unwrap();
    assert!(made.new);
    assert_eq!(world.journals.history("registry/churn", 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_version_that_gto_registered_by_hand_is_registered_again_with_its_digest() {
    let world = World::new();
    let tagger =
        Ident { name: "Bo".to_owned(), email: "bo@example.com".to_owned(), time: at(5), offset_minutes: 0 };
    world.repo.add_tag(Tag {
        name: "churn@v2.0.0".to_owned(),
        target: Some(world.commit.clone()),
        annotated: true,
        tagger: Some(tagger),
        message: "Registering artifact churn version v2.0.0".to_owned(),
    });
    assert_eq!(releases(&world.registry().await, &churn()).unwrap(), [], "no digest, no release");
    let made = world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    assert!(made.new);
    assert_eq!(made.release.version.to_string(), "v2.0.0");
    assert_eq!(releases(&world.registry().await, &churn()).unwrap(), [made.release]);
    assert_eq!(world.tags().await.len(), 2);
}

#[tokio::test]
async fn only_bytes_that_passed_are_released() {
    let world = World::new();
    let good = world.draft(b"one", 10);
    let other = digest_of(b"other");
    let mut drafts = vec![];
    let mut refuse = |why: &'static str, change: &dyn Fn(&mut Draft)| {
        let mut draft = good.clone();
        change(&mut draft);
        drafts.push((why, draft));
    };
    refuse("there are no files", &|draft| draft.files.clear());
    refuse("judged 0 artifacts", &|draft| draft.validation.artifacts.clear());
    refuse("validation judged other bytes", &|draft| draft.validation = validation(&other, Verdict::Pass));
    refuse("validation said reject", &|draft| {
        draft.validation = validation(&draft.files[0].entry.sha256, Verdict::Reject);
    });
    refuse("the gate is failed", &|draft| {
        draft.gate = gate(&draft.files[0].entry.sha256, Outcome::Failed);
    });
    refuse("the gate is inconclusive", &|draft| {
        draft.gate = gate(&draft.files[0].entry.sha256, Outcome::Inconclusive);
    });
    refuse("the gate judged other bytes", &|draft| draft.gate = gate(&other, Outcome::Successful));
    refuse("the gate judged other bytes", &|draft| draft.gate.digest = None);
    for (why, draft) in drafts {
        let error = world.maker().make(&draft).await.unwrap_err();
        assert!(matches!(error, ReleaseError::NotJudged { .. }), "{why}: {error}");
        assert!(error.to_string().contains(why), "{error} does not say {why:?}");
    }
    assert_eq!(world.tags().await, [""; 0]);
}

#[tokio::test]
async fn files_that_changed_since_they_were_judged_or_committed_are_refused() {
    let world = World::new();
    let draft = world.draft(b"one", 10);
    std::fs::write(&draft.files[0].path, b"changed").unwrap();
    let error = world.maker().make(&draft).await.unwrap_err();
    assert!(matches!(&error, ReleaseError::Port(error) if error.problem == Problem::Invalid), "{error}");

    let draft = world.draft(b"one", 10);
    world.repo.set_uncommitted(&["models/churn/model.onnx"]);
    let error = world.maker().make(&draft).await.unwrap_err();
    assert!(error.to_string().contains("models/churn/model.onnx changed since the last commit"), "{error}");
    assert_eq!(world.tags().await, [""; 0]);
}

#[tokio::test]
async fn nothing_is_visible_until_everything_is_stored() {
    for (call, times) in [("put", 1), ("put_bytes", 1)] {
        let world = World::new();
        let draft = world.draft(b"one", 10);
        world.store.faults.fail(call, Problem::Local, times);
        world.maker().make(&draft).await.unwrap_err();
        assert_eq!(world.tags().await, [""; 0], "{call} failed");
        assert!(world.forge.releases().is_empty(), "{call} failed");
        assert!(world.maker().make(&draft).await.unwrap().new, "the next run goes on");
    }
}

#[tokio::test]
async fn a_run_that_ended_after_its_tag_is_finished_by_the_next() {
    for (broken, call) in [("the answer to the tag", "create_tag"), ("the forge", "release")] {
        let world = World::new();
        let draft = world.draft(b"one", 10);
        if call == "release" {
            world.forge.faults.fail(call, Problem::Unreachable, 1);
        } else {
            world.repo.faults.lose_answer(call);
        }
        world.maker().make(&draft).await.unwrap_err();
        assert!(world.forge.releases().is_empty(), "{broken} failed");
        let made = world.maker().make(&draft).await.unwrap();
        assert!(!made.new, "the tag stands");
        assert_eq!(world.tags().await, ["churn@v0.1.0"]);
        assert_eq!(world.forge.releases().len(), 1, "the release is shown now");
    }
}

#[tokio::test]
async fn a_note_compares_with_the_version_before_and_names_the_commits_since() {
    let mut world = World::new();
    world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    world.commit_again();
    let mut draft = world.draft(b"two", 20);
    draft.gate.metrics[0].candidate = Some(0.95);
    let planned =
        world.maker().plan(&draft, "v0.2.0".parse().unwrap(), &world.registry().await).await.unwrap();
    assert_eq!(world.tags().await.len(), 1, "nothing was written");
    world.maker().make(&draft).await.unwrap();
    let notes = world.forge.releases();
    let note = &notes.last().unwrap().body;
    assert_eq!(*note, planned.note);
    assert!(note.contains("| metric | v0.1.0 | v0.2.0 | change |"), "{note}");
    assert!(note.contains("| `accuracy` | 0.93 | 0.95 | +0.02 |"), "{note}");
    assert!(note.contains("Commits since v0.1.0:\n\n- "), "{note}");
    assert_eq!(note.matches("\n- ").count(), 1, "{note}");
}

#[tokio::test]
async fn a_prerelease_becomes_final_with_the_same_bytes_at_a_commit_of_its_own() {
    let world = World::new();
    let numbered = |version: &str| Draft {
        number: Some(Number::Exactly(version.parse().unwrap())),
        ..world.draft(b"one", 10)
    };
    for entry in 1..=16 {
        world.repo.add_commit_beside(&format!("{entry:040x}").parse().unwrap(), at(20));
    }
    let candidate = world.maker().make(&numbered("v2.0.0-rc.1")).await.unwrap();
    let next = world.maker().make(&numbered("v2.0.0-rc.2")).await.unwrap();
    let last = world.maker().make(&numbered("v2.0.0")).await.unwrap();
    assert!(candidate.new && next.new && last.new);
    assert_eq!(candidate.release.digest, last.release.digest);
    let mut commits = [&candidate, &next, &last].map(|made| made.release.commit.clone());
    commits.sort();
    assert!(commits[0] != commits[1] && commits[1] != commits[2], "two versions never share a commit");
    assert_eq!(world.tags().await, ["churn@v2.0.0", "churn@v2.0.0-rc.1", "churn@v2.0.0-rc.2"]);
    let again = world.maker().make(&numbered("v2.0.0")).await.unwrap();
    assert!(!again.new && again.release == last.release, "it is final already");
    let plain = world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    assert_eq!(plain.release, last.release, "without a number the bytes are what they became");
    let manifest = read_manifest(&world.store, &last.release).await.unwrap();
    assert_eq!(manifest.previous, Some(next.release.version));
    let refused = world.maker().make(&numbered("v2.0.1")).await.unwrap_err();
    assert!(refused.to_string().contains("already are version v2.0.0"), "{refused}");
}

#[tokio::test]
async fn a_number_that_other_bytes_have_is_refused() {
    let mut world = World::new();
    let numbered = |draft: Draft| Draft { number: Some(Number::Exactly("v2.0.0".parse().unwrap())), ..draft };
    world.maker().make(&numbered(world.draft(b"one", 10))).await.unwrap();
    world.commit_again();
    let refused = world.maker().make(&numbered(world.draft(b"two", 20))).await.unwrap_err();
    assert_eq!(refused.exit(), tagship_domain::Exit::Usage);
    assert_eq!(world.tags().await, ["churn@v2.0.0"]);
}

#[tokio::test]
async fn bytes_from_elsewhere_get_a_commit_of_their_own_and_say_where_they_come_from() {
    let world = World::new();
    world.repo.add_commit_beside(&format!("{:040x}", 2).parse().unwrap(), at(20));
    let origin = Origin { place: "registry:churn".to_owned(), version: "7".to_owned(), run: None };
    let fetched = || Draft { artifact: None, origin: Some(origin.clone()), ..world.draft(b"one", 10) };
    let made = world.maker().make(&fetched()).await.unwrap();
    assert_ne!(made.release.commit, world.commit, "the branch's own commit is left alone");
    let tip = world.journals.tip("registry/churn").await.unwrap().unwrap();
    assert_eq!(tip.id, made.release.commit);
    assert!(tip.message.contains("they come from registry:churn, version 7"), "{}", tip.message);
    let manifest = read_manifest(&world.store, &made.release).await.unwrap();
    assert_eq!((manifest.origin, &manifest.commit), (Some(origin.clone()), &world.commit));
    let again = world.maker().make(&fetched()).await.unwrap();
    assert!(!again.new && again.release == made.release, "the same bytes are the same version");
    assert_eq!(world.journals.history("registry/churn", 9).await.unwrap().len(), 1);
}
