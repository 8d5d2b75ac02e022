//! What may be removed from a store.

use std::collections::BTreeSet;

use tagship_domain::{Duration, tag::Tag};
use tagship_ports::{
    ArtifactStore as _,
    inventory::{Begun, Stored},
};

use super::*;
use crate::{ReleaseError, abandoned, read_manifest, referenced, unreferenced};

#[tokio::test]
async fn what_a_release_refers_to_and_what_is_young_stays() {
    let world = World::new();
    let elsewhere = BTreeSet::new();
    let nothing = referenced(&world.registry().await, &elsewhere, &world.store).await;
    assert!(matches!(nothing, Err(ReleaseError::NothingReferenced)), "{nothing:?}");

    let made = world.maker().make(&world.draft(b"weights", 10)).await.unwrap();
    let known = referenced(&world.registry().await, &elsewhere, &world.store).await.unwrap();
    assert!(known.contains(&made.release.manifest) && known.contains(&digest_of(b"weights")));
    let manifest = read_manifest(&world.store, &made.release).await.unwrap();
    assert!(!manifest.attachments.is_empty(), "its card and its bill of materials");
    assert!(manifest.attachments.values().all(|file| known.contains(&file.sha256)));

    let others = BTreeSet::from([churn()]);
    let here = referenced(&world.registry().await, &others, &world.store).await.unwrap();
    assert_eq!(here, known, "what is here counts, wherever it might lie");
    let elsewhere_only = FakeArtifactStore::new(digest_of);
    let nothing = referenced(&world.registry().await, &others, &elsewhere_only).await;
    assert!(matches!(nothing, Err(ReleaseError::NothingReferenced)), "{nothing:?}");

    let file = |bytes: &[u8], minutes: i64| Stored {
        digest: digest_of(bytes),
        size: 7,
        written: Timestamp::from_seconds(minutes * 60).unwrap(),
    };
    let stored = vec![file(b"weights", 0), file(b"left behind", 0), file(b"in the making", 100)];
    let now = Timestamp::from_seconds(120 * 60).unwrap();
    let may_go = unreferenced(stored, &known, now, Duration::from_secs(3600));
    assert_eq!(may_go, [file(b"left behind", 0)]);

    let begun = |bytes: &[u8], minutes: i64, holds: &[&[u8]]| Begun {
        stored: file(bytes, minutes),
        holds: holds.iter().map(|bytes| digest_of(bytes)).collect(),
    };
    let uploads = vec![
        // Part of a file that lies there whole, and a draft that holds what a tag refers to.
        begun(b"weights", 0, &[]),
        begun(b"first", 0, &[b"first", b"weights"]),
        begun(b"given up", 0, &[b"given up"]),
        begun(b"running", 100, &[]),
    ];
    let may_go = abandoned(uploads, &known, now, Duration::from_secs(3600));
    assert_eq!(may_go, [begun(b"weights", 0, &[]), begun(b"given up", 0, &[b"given up"])]);
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_keeps_everything() {
    let world = World::new();
    let elsewhere = BTreeSet::new();
    world.maker().make(&world.draft(b"weights", 10)).await.unwrap();
    let empty = FakeArtifactStore::new(digest_of);
    empty.put_bytes(&digest_of(b"x"), b"x").await.unwrap();
    referenced(&world.registry().await, &elsewhere, &empty).await.unwrap_err();
}

#[tokio::test]
async fn a_tag_that_makes_no_sense_keeps_everything() {
    let world = World::new();
    world.maker().make(&world.draft(b"weights", 10)).await.unwrap();
    let light = Tag {
        name: "other@v1.0.0".to_owned(),
        target: Some(world.draft(b"weights", 10).commit),
        annotated: false,
        tagger: None,
        message: String::new(),
    };
    world.repo.add_tag(light);
    let unclear = referenced(&world.registry().await, &BTreeSet::new(), &world.store).await.unwrap_err();
    assert!(unclear.to_string().contains("registry doctor"), "{unclear}");
}
