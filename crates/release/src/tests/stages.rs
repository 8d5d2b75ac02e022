//! Stage tags.

use tagship_domain::{CommitId, Environment, Provenance, Version, rollout::RolloutId};
use tagship_ports::{Problem, Repo, StageRegistry, conformance, stage_registry::StageChange, target::Done};
use tagship_registry::Options;

use super::{World, at, churn};
use crate::{TagStages, current, previous};

/// A world with two releases.
async fn two_releases() -> (World, Version, Version) {
    let mut world = World::new();
    let one = world.maker().make(&world.draft(b"one", 10)).await.unwrap().release.version;
    world.commit_again();
    let two = world.maker().make(&world.draft(b"two", 20)).await.unwrap().release.version;
    (world, one, two)
}

fn change(commit: &CommitId, version: &Version, fence: u64) -> StageChange {
    StageChange {
        model: churn(),
        version: version.clone(),
        commit: commit.clone(),
        environment: production(),
        rollout: RolloutId(format!("production-churn-{version}")),
        fence,
        reason: "smoke check passed".to_owned(),
        by: Provenance { actor: "ada".to_owned(), run: None },
        at: at(100 + i64::try_from(fence).unwrap()),
    }
}

fn production() -> Environment {
    "production".parse().unwrap()
}

#[tokio::test]
async fn behaves_like_every_registry_of_stages() {
    let mut world = World::new();
    let options = Options::default();
    for (version, bytes) in [("v1.0.0", b"one"), ("v1.1.0", b"two")] {
        let commit = world.commit_again().clone();
        let message = format!("Registering artifact churn version {version}\n");
        let tag =
            tagship_ports::repo::NewTag { name: format!("churn@{version}"), commit, message, at: at(0) };
        world.repo.create_tag(&tag).await.unwrap();
        world.maker().make(&world.draft(bytes, 10)).await.unwrap();
    }
    let stages = TagStages { repo: &world.repo, options: &options };
    conformance::stage_registry(&stages, &world.commit).await;
}

#[tokio::test]
async fn the_tags_tell_what_an_environment_holds_and_held() {
    let (world, one, two) = two_releases().await;
    let options = Options::default();
    let stages = TagStages { repo: &world.repo, options: &options };
    let held = async || {
        let registry = world.registry().await;
        let version = |release: Option<tagship_domain::Release>| release.map(|release| release.version);
        (
            version(current(&registry, &churn(), &production()).unwrap()),
            version(previous(&registry, &churn(), &production()).unwrap()),
        )
    };
    assert_eq!(held().await, (None, None));
    assert_eq!(stages.assign(&change(&world.commit, &one, 3)).await, Ok(Done::Applied));
    assert_eq!(stages.assign(&change(&world.commit, &two, 7)).await, Ok(Done::Applied));
    assert_eq!(held().await, (Some(two.clone()), Some(one.clone())));
    assert_eq!(stages.unassign(&change(&world.commit, &two, 9)).await, Ok(Done::Applied));
    assert_eq!(held().await.0, Some(one));
}

#[tokio::test]
async fn a_run_that_wakes_up_late_records_nothing() {
    let (world, one, two) = two_releases().await;
    let options = Options::default();
    let stages = TagStages { repo: &world.repo, options: &options };
    stages.assign(&change(&world.commit, &two, 7)).await.unwrap();
    let before = world.tags().await;
    let late = stages.assign(&change(&world.commit, &one, 6)).await.unwrap_err();
    assert_eq!(late.problem, Problem::Fenced);
    assert!(late.message.contains("number 7"), "{late}");
    let mut elsewhere = change(&world.commit, &one, 1);
    elsewhere.environment = "staging".parse().unwrap();
    assert_eq!(world.tags().await, before);
    assert_eq!(stages.assign(&elsewhere).await, Ok(Done::Applied), "numbers count per environment");
}

#[tokio::test]
async fn a_lost_race_is_settled_by_looking_again() {
    let (world, one, two) = two_releases().await;
    let options = Options::default();
    let stages = TagStages { repo: &world.repo, options: &options };
    let (a, b) = (change(&world.commit, &one, 3), change(&world.commit, &two, 3));
    let (a, b) = tokio::join!(stages.assign(&a), stages.assign(&b));
    assert_eq!((a, b), (Ok(Done::Applied), Ok(Done::Applied)));
    let stage_tags = world.tags().await.into_iter().filter(|tag| tag.contains("#production"));
    assert_eq!(stage_tags.count(), 2, "each has a counter of its own");
}

#[tokio::test]
async fn a_race_that_is_always_lost_ends() {
    let (world, one, _) = two_releases().await;
    let options = Options::default();
    let stages = TagStages { repo: &world.repo, options: &options };
    world.repo.faults.always("create_tag", Problem::Conflict);
    let error = stages.assign(&change(&world.commit, &one, 9)).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.message.contains("faster 20 times"), "{error}");
}

#[tokio::test]
async fn an_unknown_version_is_refused_with_what_there_is() {
    let (world, _, _) = two_releases().await;
    let options = Options::default();
    let stages = TagStages { repo: &world.repo, options: &options };
    let unknown = change(&world.commit, &"v9.0.0".parse().unwrap(), 1);
    let error = stages.assign(&unknown).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.message.contains("v9.0.0"), "{error}");
}
