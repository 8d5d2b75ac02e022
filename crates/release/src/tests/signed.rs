//! Releases that are signed, and what gets no further without a signature that is trusted.

use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use tagship_domain::{Exit, Manifest, Redacted, Release, release::Attachment, schema};
use tagship_ports::{Problem, ReleaseSource as _};

use super::World;
use crate::{
    ReleaseError, ReleaseMaker, StoredReleases, check_signature, read_attachment, read_manifest,
    signing::{PublicKey, SignatureError, SigningKey},
};

fn key(number: u8) -> SigningKey {
    let key = p256::SecretKey::from_slice(&[number; 32]).unwrap();
    SigningKey::from_pem(&Redacted::new(key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string())).unwrap()
}

fn trusted(number: u8) -> [PublicKey; 1] {
    [key(number).public().unwrap()]
}

async fn signed(world: &World, bytes: &[u8], second: i64) -> (Release, Manifest) {
    let maker = ReleaseMaker { signing: Some(&key(7)), ..world.maker() };
    let release = maker.make(&world.draft(bytes, second)).await.unwrap().release;
    let manifest = read_manifest(&world.store, &release).await.unwrap();
    (release, manifest)
}

#[tokio::test]
async fn a_signed_release_names_its_signature_and_is_believed() {
    let world = World::new();
    let (release, manifest) = signed(&world, b"one", 10).await;
    let checked = check_signature(&world.store, &manifest, &trusted(7)).await.unwrap();
    assert_eq!((checked.subject(), checked.key()), ("churn@v0.1.0", trusted(7)[0].hint()));
    let bundle = read_attachment(&world.store, &manifest, Attachment::Signature).await.unwrap().unwrap();
    assert_eq!(manifest.attachments[&Attachment::Signature].size, bundle.len() as u64);
    let source = StoredReleases { store: &world.store, signed_by: Some(&trusted(7)) };
    source.fetch(&release, &world.scratch.path().join("out")).await.unwrap();
}

#[tokio::test]
async fn bytes_without_a_trusted_signature_are_not_handed_out() {
    let mut world = World::new();
    let unsigned = world.maker().make(&world.draft(b"one", 10)).await.unwrap().release;
    world.commit_again();
    let (signed, manifest) = signed(&world, b"two", 20).await;
    let to = world.scratch.path().join("out");
    for (release, key) in [(&unsigned, 7), (&signed, 8)] {
        let source = StoredReleases { store: &world.store, signed_by: Some(&trusted(key)) };
        let error = source.fetch(release, &to).await.unwrap_err();
        assert_eq!(error.problem, Problem::Invalid, "{error}");
        assert!(!to.exists(), "{release}");
    }
    let no_keys = check_signature(&world.store, &manifest, &[]).await.unwrap_err();
    assert!(
        matches!(no_keys, ReleaseError::Signature { source, .. } if matches!(*source, SignatureError::OtherKey { .. }))
    );
    let old = read_manifest(&world.store, &unsigned).await.unwrap();
    let error = check_signature(&world.store, &old, &trusted(7)).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Unsigned { .. }), "{error}");
    assert_eq!(error.exit(), Exit::Negative);
}

#[tokio::test]
async fn the_signature_of_one_version_is_none_of_another() {
    let mut world = World::new();
    let (_, first) = signed(&world, b"one", 10).await;
    world.commit_again();
    let (release, second) = signed(&world, b"two", 20).await;
    let moved = Manifest { attachments: first.attachments.clone(), ..second };
    let error = check_signature(&world.store, &moved, &trusted(7)).await.unwrap_err();
    assert!(
        matches!(&error, ReleaseError::Signature { source, .. } if matches!(**source, SignatureError::OtherSubject { .. }))
    );
    assert_eq!(error.exit(), Exit::Negative);
    // The old bytes with their signature under a new name.
    let renamed = Manifest { version: "v9.0.0".parse().unwrap(), ..first };
    let forged = world.store.hold(schema::to_json(&renamed).unwrap().as_bytes());
    let forged =
        Release { manifest: forged, version: renamed.version.clone(), digest: renamed.digest, ..release };
    let source = StoredReleases { store: &world.store, signed_by: Some(&trusted(7)) };
    let error = source.fetch(&forged, &world.scratch.path().join("out")).await.unwrap_err();
    assert!(error.to_string().contains("churn@v0.1.0"), "{error}");
}

#[tokio::test]
async fn a_lost_or_damaged_signature_is_not_taken_for_none() {
    let world = World::new();
    let (_, manifest) = signed(&world, b"one", 10).await;
    world.store.damage(&manifest.attachments[&Attachment::Signature].sha256, b"{}");
    let error = check_signature(&world.store, &manifest, &trusted(7)).await.unwrap_err();
    assert!(matches!(&error, ReleaseError::Port(error) if error.problem == Problem::Invalid), "{error}");
}
