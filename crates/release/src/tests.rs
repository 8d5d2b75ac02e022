//! Releases against ports in memory: what is made, what is refused, what is left when something fails.

mod attested;
mod chain;
mod documents;
mod fetch;
mod lease;
mod make;
mod places;
mod races;
mod signed;
mod stages;
mod sweep;

use std::{fs, path::PathBuf};

use tagship_domain::{
    CommitId, Digest, FileEntry, ModelName, Provenance, Signature, TensorSpec, Timestamp,
    gate::{CheckKind, GateCheck, GateReport, MetricDiff, Outcome},
    validation::{ArtifactReport, Status, ValidationReport, Verdict},
};
use tagship_ports::fake::{FakeArtifactStore, FakeClock, FakeForge, FakeRepo, FakeStateStore};
use tagship_registry::{Options, Registry};

use crate::{Draft, Readme, ReleaseMaker, SourceFile, fetch::digest_of, read_registry};

/// A repository with one commit, an empty store, and a directory for files.
struct World {
    repo: FakeRepo,
    store: FakeArtifactStore,
    journals: FakeStateStore,
    forge: FakeForge,
    clock: FakeClock,
    scratch: tempfile::TempDir,
    commit: CommitId,
}

impl World {
    fn new() -> Self {
        let repo = FakeRepo::new("main");
        let commit = repo.add_commit(&[], at(0)).unwrap();
        Self {
            repo,
            store: FakeArtifactStore::new(digest_of),
            journals: FakeStateStore::default(),
            forge: FakeForge::default(),
            clock: FakeClock::at(at(0)),
            scratch: tempfile::tempdir().unwrap(),
            commit,
        }
    }

    fn maker(&self) -> ReleaseMaker<'_> {
        ReleaseMaker {
            repo: &self.repo,
            store: &self.store,
            journals: &self.journals,
            forge: &self.forge,
            clock: &self.clock,
            signing: None,
        }
    }

    /// One more commit on the branch, which the next draft is built from.
    fn commit_again(&mut self) -> &CommitId {
        self.commit = self.repo.add_commit(&[], at(0)).unwrap();
        &self.commit
    }

    /// Bytes on disk.
    fn file(&self, bytes: &[u8]) -> SourceFile {
        let sha256 = digest_of(bytes);
        let path: PathBuf = self.scratch.path().join(sha256.short());
        fs::write(&path, bytes).unwrap();
        let entry = FileEntry { path: "model.onnx".to_owned(), size: bytes.len() as u64, sha256 };
        SourceFile { path, entry }
    }

    /// One file that passed validation and the gate.
    fn draft(&self, bytes: &[u8], second: i64) -> Draft {
        let file = self.file(bytes);
        let digest = file.entry.sha256.clone();
        Draft {
            model: churn(),
            artifact: Some("models/churn/model.onnx".to_owned()),
            origin: None,
            validation: validation(&digest, Verdict::Pass),
            gate: gate(&digest, Outcome::Successful),
            files: vec![file],
            single_file: true,
            readme: Readme::default(),
            evidence: vec![],
            number: None,
            commit: self.commit.clone(),
            by: Provenance { actor: "ada".to_owned(), run: Some("https://example.com/runs/7".to_owned()) },
            now: at(second),
            options: Options::default(),
        }
    }

    async fn registry(&self) -> Registry {
        read_registry(&self.repo, Options::default()).await.unwrap()
    }

    /// Names of all tags, sorted.
    async fn tags(&self) -> Vec<String> {
        use tagship_ports::Repo;
        self.repo.tags().await.unwrap().into_iter().map(|tag| tag.name).collect()
    }
}

fn churn() -> ModelName {
    "churn".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000 + second).unwrap()
}

fn validation(digest: &Digest, verdict: Verdict) -> ValidationReport {
    let artifact = ArtifactReport {
        path: "models/churn/model.onnx".to_owned(),
        format: "onnx".to_owned(),
        size: 3,
        sha256: Some(digest.clone()),
        status: Status::Complete,
        verdict,
        signature: Some(signature(4)),
        facts: None,
        findings: vec![],
        golden: None,
    };
    ValidationReport::of(vec![artifact])
}

fn gate(digest: &Digest, outcome: Outcome) -> GateReport {
    let check = GateCheck {
        name: "accuracy".to_owned(),
        kind: CheckKind::Rule,
        outcome,
        message: "0.93 is at least 0.9".to_owned(),
        expression: None,
        saw: vec![],
    };
    GateReport {
        model: Some(churn()),
        digest: Some(digest.clone()),
        stable: None,
        outcome,
        checks: vec![check],
        metrics: vec![MetricDiff { name: "accuracy".to_owned(), candidate: Some(0.93), stable: None }],
    }
}

fn signature(columns: i64) -> Signature {
    let tensor = |name: &str, shape: &[i64]| TensorSpec {
        name: name.to_owned(),
        datatype: "FP32".to_owned(),
        shape: shape.to_vec(),
    };
    Signature { inputs: vec![tensor("x", &[-1, columns])], outputs: vec![tensor("y", &[-1])] }
}
