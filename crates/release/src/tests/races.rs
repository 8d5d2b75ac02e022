//! Runs that race for the same version.

use tagship_ports::Problem;

use super::World;
use crate::{ReleaseError, read_manifest};

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

#[tokio::test]
async fn a_race_that_is_always_lost_ends() {
    let world = World::new();
    world.repo.faults.always("create_tag", Problem::Conflict);
    let error = world.maker().make(&world.draft(b"one", 10)).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Contended { attempts: 20, .. }), "{error}");
}
