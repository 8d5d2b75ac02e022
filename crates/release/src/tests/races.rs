//! Runs that race for the same version.

use tagship_domain::Bump;
use tagship_ports::{Problem, StateStore as _};
use tagship_registry::Number;

use super::{World, at};
use crate::{Draft, ReleaseError, read_manifest};

#[tokio::test]
async fn two_runs_with_other_bytes_get_two_versions() {
    let mut world = World::new();
    let one = world.draft(b"one", 10);
    world.commit_again();
    let two = world.draft(b"two", 10);
    let maker = world.maker();
    let (one, two) = tokio::join!(maker.make(&one), maker.make(&two));
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut versions = [one.release.version.to_string(), two.release.version.to_string()];
    versions.sort();
    assert_eq!(versions, ["v0.1.0", "v0.2.0"]);
    assert!(one.new && two.new);
    for made in [one, two] {
        let manifest = read_manifest(&world.store, &made.release).await.unwrap();
        assert_eq!(
            manifest.version, made.release.version,
            "the loser planned and described its version anew"
        );
    }
}

#[tokio::test]
async fn two_runs_with_the_same_bytes_get_one_version() {
    let world = World::new();
    let draft = world.draft(b"one", 10);
    let maker = world.maker();
    let (one, two) = tokio::join!(maker.make(&draft), maker.make(&draft));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.release, two.release);
    assert!(one.new != two.new, "exactly one made it");
    assert_eq!(world.tags().await, ["churn@v0.1.0"]);
}

fn raising(draft: Draft, bump: Bump) -> Draft {
    Draft { number: Some(Number::Next(bump)), ..draft }
}

fn numbered(draft: Draft, version: &str) -> Draft {
    Draft { number: Some(Number::Exactly(version.parse().unwrap())), ..draft }
}

#[tokio::test]
async fn the_same_bytes_are_one_version_whatever_the_runs_raise() {
    let mut world = World::new();
    world.maker().make(&world.draft(b"one", 10)).await.unwrap();
    world.commit_again();
    let (minor, patch) =
        (raising(world.draft(b"two", 20), Bump::Minor), raising(world.draft(b"two", 20), Bump::Patch));
    let maker = world.maker();
    let (minor, patch) = tokio::join!(maker.make(&minor), maker.make(&patch));
    let (minor, patch) = (minor.unwrap(), patch.unwrap());
    assert_eq!(minor.release, patch.release);
    assert!(minor.new != patch.new, "exactly one made it");
    assert_eq!(world.tags().await.len(), 2);
}

#[tokio::test]
async fn what_a_run_that_died_had_claimed_is_what_its_bytes_become() {
    let mut world = World::new();
    let died = numbered(world.draft(b"one", 10), "v5.0.0");
    world.repo.faults.fail("create_tag", Problem::Unreachable, 1);
    world.maker().make(&died).await.unwrap_err();
    let other = world.maker().make(&world.draft(b"other", 20)).await.unwrap();
    assert_eq!(other.release.version.to_string(), "v0.1.0");
    let commit = world.commit_again().clone();
    let next = world.maker().make(&world.draft(b"one", 30)).await.unwrap();
    assert_eq!((next.release.version.to_string().as_str(), &next.release.commit), ("v5.0.0", &commit));
    assert!(next.new && next.because.unwrap().contains("an earlier run"));
    let claims = world.journals.history("claims/churn", 9).await.unwrap();
    assert_eq!(claims.len(), 2, "a claim is taken over as it is");
}

#[tokio::test]
async fn a_number_that_was_asked_for_comes_after_what_was_begun() {
    let mut world = World::new();
    let died = numbered(world.draft(b"one", 10), "v2.0.0-rc.1");
    world.repo.faults.fail("create_tag", Problem::Unreachable, 1);
    world.maker().make(&died).await.unwrap_err();
    world.commit_again();
    for entry in 1..=6 {
        world.repo.add_commit_beside(&format!("{entry:040x}").parse().unwrap(), at(20));
    }
    let last = world.maker().make(&numbered(world.draft(b"one", 20), "v2.0.0")).await.unwrap();
    assert_eq!(last.release.version.to_string(), "v2.0.0");
    assert_eq!(world.tags().await, ["churn@v2.0.0", "churn@v2.0.0-rc.1"]);
    let other = world.maker().make(&numbered(world.draft(b"one", 20), "v3.0.0")).await.unwrap_err();
    assert!(other.to_string().contains("already are version v2.0.0"), "{other}");
}

#[tokio::test]
async fn another_number_than_was_begun_is_refused_before_anything_is_visible() {
    let world = World::new();
    world.repo.faults.fail("create_tag", Problem::Unreachable, 1);
    world.maker().make(&world.draft(b"one", 10)).await.unwrap_err();
    let error = world.maker().make(&numbered(world.draft(b"one", 20), "v2.0.0")).await.unwrap_err();
    assert!(error.to_string().contains("begun to release these bytes as v0.1.0"), "{error}");
    assert!(world.tags().await.is_empty(), "{:?}", world.tags().await);
}

#[tokio::test]
async fn a_high_number_that_a_dead_run_claimed_raises_no_others() {
    let mut world = World::new();
    for (draft, why) in [
        (numbered(world.draft(b"one", 10), "v5.0.0"), "a number that was given"),
        (world.draft(b"two", 10), "the next one"),
    ] {
        world.repo.faults.fail("create_tag", Problem::Unreachable, 1);
        world.maker().make(&draft).await.expect_err(why);
    }
    let third = world.maker().make(&world.draft(b"three", 20)).await.unwrap();
    assert_eq!(third.release.version.to_string(), "v0.2.0");
    world.commit_again();
    let second = world.maker().make(&world.draft(b"two", 30)).await.unwrap();
    assert_eq!(second.release.version.to_string(), "v0.1.0");
    let manifest = read_manifest(&world.store, &second.release).await.unwrap();
    assert_eq!(manifest.previous, None, "a later version is not the one before");
    assert_eq!(manifest.created, at(30), "another commit is another making");
}

#[tokio::test]
async fn bytes_that_are_released_already_need_no_claim() {
    let world = World::new();
    let draft = world.draft(b"one", 10);
    world.maker().make(&draft).await.unwrap();
    world.journals.faults.always("tip", Problem::Unreachable);
    assert!(!world.maker().make(&draft).await.unwrap().new);
}

#[tokio::test]
async fn a_race_that_is_always_lost_ends() {
    let world = World::new();
    world.repo.faults.always("create_tag", Problem::Conflict);
    let error = world.maker().make(&world.draft(b"one", 10)).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Contended { attempts: 40, .. }), "{error}");
}
