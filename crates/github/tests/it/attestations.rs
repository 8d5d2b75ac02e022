//! Attestations that the host keeps.

use serde_json::{Value, json};
use tagship_ports::{Attestations as _, Problem, attestations::Kept};

use crate::host::{Host, digest_of};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

#[tokio::test]
async fn what_is_kept_about_the_build_of_bytes_is_answered_as_it_is() {
    let host = Host::new();
    let (ours, other) = (digest_of(b"ours"), digest_of(b"other"));
    host.fake.world(|world| {
        world.attest(&ours.to_string(), PROVENANCE);
        world.attest(&ours.to_string(), "https://in-toto.io/attestation/release/v0.2");
        world.attest(&other.to_string(), PROVENANCE);
    });
    let kept = host.client().of(&ours).await.unwrap();
    assert_eq!(kept.number, 1, "a statement of another kind tells nothing of the build");
    let bundles = kept.bundles.unwrap();
    let sent = host.fake.world(|world| world.attestations[&ours.to_string()][0]["bundle"].clone());
    assert_eq!(serde_json::from_str::<Value>(&bundles[0]).unwrap(), sent);
    assert!(!bundles[0].contains('\n'), "one line each");
    let nothing = host.client().of(&digest_of(b"unknown")).await.unwrap();
    assert_eq!(nothing, Kept { number: 0, bundles: Some(vec![]) });
}

#[tokio::test]
async fn what_lies_elsewhere_or_cannot_be_read_is_not_passed_over() {
    let host = Host::new();
    let digest = digest_of(b"ours");
    let change = |field: &str, value: Value| {
        host.fake.world(|world| {
            world.attestations.clear();
            world.attest(&digest.to_string(), PROVENANCE);
            *world.attestations.get_mut(&digest.to_string()).unwrap()[0].pointer_mut(field).unwrap() = value;
        });
    };
    change("/bundle", Value::Null);
    assert_eq!(host.client().of(&digest).await.unwrap(), Kept { number: 1, bundles: None });
    change("/bundle/dsseEnvelope/payload", json!("%"));
    let kept = host.client().of(&digest).await.unwrap();
    assert_eq!((kept.number, kept.bundles.map(|bundles| bundles.len())), (1, Some(1)));
}

#[tokio::test]
async fn a_token_that_may_not_read_them_is_told_the_permission() {
    let host = Host::new();
    host.fake.world(|world| world.lacks.insert("attestations=read".to_owned()));
    let error = host.client().of(&digest_of(b"ours")).await.unwrap_err();
    assert_eq!(error.problem, Problem::Denied);
    assert!(error.to_string().contains("permissions: attestations: read"), "{error}");
}
