//! A host with what the tests write about, and clients of it.

use std::sync::Arc;

use tagship_domain::{
    CommitId, Digest, Duration, Release, Timestamp,
    rollout::{DeploymentState, RolloutId},
};
use tagship_github::{GitHub, Settings};
use tagship_ports::{
    ArtifactStore as _, Forge as _, PortError,
    fake::FakeClock,
    forge::{Comment, DeploymentStatus, ReleaseNote},
    state_store::NewEntry,
};
use tagship_testkit::github::FakeGitHub;

/// The commit that everything is about.
pub(crate) const COMMIT: &str = "cccccccccccccccccccccccccccccccccccccccc";

/// A host, and the time that its clients see.
pub(crate) struct Host {
    pub(crate) fake: FakeGitHub,
    pub(crate) clock: Arc<FakeClock>,
}

impl Host {
    /// With pull requests 7 and 8, a commit, and the tag `churn@v1.0.0`.
    pub(crate) fn new() -> Self {
        let fake = FakeGitHub::start();
        fake.world(|world| {
            world.add_commit_as(COMMIT);
            world.add_pull(7, &"a".repeat(40), false);
            world.add_pull(8, &"b".repeat(40), true);
            world.refs.insert("refs/tags/churn@v1.0.0".to_owned(), COMMIT.to_owned());
        });
        Self { fake, clock: Arc::new(FakeClock::at(at(0))) }
    }

    pub(crate) fn settings(&self) -> Settings {
        let fake = &self.fake;
        Settings {
            run_url: Some("https://example.org/acme/shop/actions/runs/1".to_owned()),
            patience: Duration::from_secs(600),
            ..Settings::new(
                fake.api_url(),
                fake.server_url(),
                fake.graphql_url(),
                fake.repository(),
                fake.token(),
            )
        }
    }

    pub(crate) fn client(&self) -> GitHub {
        self.client_with(self.settings())
    }

    pub(crate) fn client_with(&self, settings: Settings) -> GitHub {
        GitHub::new(settings, self.clock.clone()).expect("the settings are right")
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000 + second).unwrap()
}

pub(crate) fn commit() -> CommitId {
    COMMIT.parse().unwrap()
}

pub(crate) fn comment(second: i64, body: &str) -> Comment {
    Comment {
        pull_request: 7,
        topic: "status".to_owned(),
        about: None,
        written: at(second),
        body: body.to_owned(),
        only_refreshes: false,
    }
}

pub(crate) fn release(version: &str) -> Release {
    Release {
        model: "churn".parse().unwrap(),
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([1; 32]),
        manifest: Digest::from_bytes([2; 32]),
        commit: commit(),
    }
}

pub(crate) fn deployment(version: &str, state: DeploymentState, second: i64) -> DeploymentStatus {
    DeploymentStatus {
        environment: "production".parse().unwrap(),
        release: release(version),
        rollout: RolloutId(format!("production-{version}-1")),
        state,
        description: format!("{version}: {state:?}"),
        at: at(second),
        url: Some(format!("https://shop.example.org/{version}")),
    }
}

pub(crate) fn note() -> ReleaseNote {
    ReleaseNote {
        tag: "churn@v1.0.0".to_owned(),
        model: "churn".parse().unwrap(),
        release: release("v1.0.0"),
        body: "First.".to_owned(),
        manifest: "{\"schema\":\"tagship/manifest/v1\"}\n".to_owned(),
    }
}

/// Bytes that a release consists of, and a note whose manifest is about them.
pub(crate) fn stored_note(bytes: &[u8]) -> ReleaseNote {
    let mut note = note();
    note.release.digest = digest_of(bytes);
    note.manifest = format!(
        "{{\"schema\":\"tagship/manifest/v1\",\"model\":\"churn\",\"digest\":\"{}\"}}\n",
        note.release.digest
    );
    note
}

pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest::from_bytes(sha2::Sha256::digest(bytes).into())
}

/// Stores a file of these bytes under this name.
pub(crate) async fn put(client: &GitHub, name: &str, bytes: &[u8]) -> Result<(), PortError> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    client.put(&digest_of(bytes), &file).await
}

/// Stores all that belongs to a release and shows it, as making one does.
pub(crate) async fn make(client: &GitHub, note: &ReleaseNote) -> Result<(), PortError> {
    put(client, "model.onnx", b"weights").await?;
    put(client, "golden.json", b"golden").await?;
    put(client, "predictions.csv", b"predictions").await?;
    client.put_bytes(&digest_of(note.manifest.as_bytes()), note.manifest.as_bytes()).await?;
    client.release(note).await
}

pub(crate) fn entry(message: &str, second: i64) -> NewEntry {
    let files = [("rollout.json".to_owned(), format!("{{\"said\":{message:?}}}").into_bytes())];
    NewEntry { message: message.to_owned(), files: files.into(), at: at(second) }
}
