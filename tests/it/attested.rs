//! What GitHub attests about a release: verified when it is there, and never taken for good unseen.
#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};
use tagship_testkit::{Output, github::Fault};
use tempfile::TempDir;

use crate::{hosted::Hosted, workbench::Workbench};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// A repository on a host with one release, and a `gh` of its own.
struct Bench {
    hosted: Hosted,
    gh: TempDir,
    digest: String,
}

impl Bench {
    fn of(bench: Workbench) -> Self {
        let hosted = Hosted::of(bench);
        hosted.push().done.assert_code(0);
        let gh = tempfile::tempdir().unwrap();
        let program = gh.path().join("gh");
        fs::write(&program, include_str!("attested/gh.sh")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut bench = Self { hosted, gh, digest: String::new() };
        let chain = chain(&bench.run("verify", 0));
        chain["release"]["digest"].as_str().unwrap().clone_into(&mut bench.digest);
        bench.certify(|_| ());
        bench
    }

    /// The certificate of the attestations: the run of the checked-out commit, changed.
    fn certify(&self, change: impl FnOnce(&mut Value)) {
        let server = self.hosted.github.server_url();
        let mut certificate = json!({
            "subjectAlternativeName": format!("{server}/acme/shop/.github/workflows/release.yml@refs/heads/main"),
            "sourceRepositoryURI": format!("{server}/acme/shop"),
            "sourceRepositoryDigest": self.hosted.head(),
            "sourceRepositoryRef": "refs/heads/main",
            "runInvocationURI": format!("{server}/acme/shop/actions/runs/1/attempts/1"),
        });
        change(&mut certificate);
        fs::write(self.gh.path().join("certificates"), json!([certificate]).to_string()).unwrap();
    }

    fn attest(&self, predicate_type: &str) {
        self.hosted.github.world(|world| world.attest(&self.digest, predicate_type));
    }

    fn run(&self, verb: &str, code: i32) -> Output {
        let words: Vec<&str> = verb.split(' ').chain(["churn@v0.1.0", "--format", "json"]).collect();
        self.step(&words, code)
    }

    fn step(&self, words: &[&str], code: i32) -> Output {
        let mut path = self.gh.path().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let payload = json!({ "ref": "refs/heads/main", "after": self.hosted.head() });
        let step = self.hosted.step_with(words, "push", &payload, |cli| cli.env("PATH", path));
        step.done.assert_code(code);
        step.done
    }

    /// What `tagship verify` says of the attestations, and the attestations.
    fn verified(&self, code: i32) -> (String, String, Value) {
        let chain = chain(&self.run("verify", code));
        let checks = chain["checks"].as_array().unwrap();
        let told: Vec<&Value> = checks.iter().filter(|check| check["link"] == "attestation").collect();
        assert_eq!(told.len(), 1, "{checks:?}");
        let text = |key: &str| told[0][key].as_str().unwrap().to_owned();
        (text("outcome"), text("sentence"), chain["attested"].clone())
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.gh.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_file_is_verified_where_github_attests_it() {
    let bench = Bench::of(Workbench::with_server());
    let (outcome, sentence, attested) = bench.verified(0);
    assert_eq!((outcome.as_str(), attested), ("not-applicable", Value::Null), "{sentence}");
    bench.attest("https://in-toto.io/attestation/release/v0.2");
    assert_eq!(bench.verified(0).0, "not-applicable", "that tells nothing of the build");
    assert_eq!(bench.calls(), [""; 0], "there is nothing to verify");

    bench.attest(PROVENANCE);
    let (outcome, sentence, attested) = bench.verified(0);
    assert_eq!(outcome, "holds", "{sentence}");
    assert!(sentence.starts_with("acme/shop/.github/workflows/release.yml@refs/heads/main"), "{sentence}");
    assert_eq!(attested["verified"][0]["commit"], bench.hosted.head());
    assert_eq!(attested["kept"], 1);
    assert!(bench.calls().iter().any(|call| call.contains("--repo acme/shop")), "{:?}", bench.calls());
    let text = bench.step(&["verify", "churn@v0.1.0"], 0).stdout;
    assert!(text.contains("attestation") && text.contains("for refs/heads/main"), "{text}");

    // Explaining tells that there are some, and judges none.
    let before = bench.calls().len();
    let explained = bench.step(&["registry", "explain", "churn@v0.1.0"], 0).stdout;
    assert!(explained.contains("1 attestation, none of which is verified here"), "{explained}");
    assert_eq!(bench.calls().len(), before);
}

#[test]
fn a_directory_is_verified_by_its_list_of_files() {
    let bench = Workbench::with_server();
    let config = fs::read_to_string(bench.clone.path().join("tagship.yml")).unwrap();
    let config = config.replace("artifact: models/churn/model.onnx", "artifact: models/churn/bundle");
    bench.clone.write("tagship.yml", config);
    let model = fs::read(bench.clone.path().join("models/churn/model.onnx")).unwrap();
    bench.clone.write("models/churn/bundle/model.onnx", model);
    bench.clone.write("models/churn/bundle/README.md", "Written by hand.\n");
    bench.push("Release a directory");
    let bench = Bench::of(bench);
    bench.attest(PROVENANCE);
    let (outcome, sentence, attested) = bench.verified(0);
    assert_eq!((outcome.as_str(), &attested["kept"]), ("holds", &json!(1)), "{sentence}");
}

#[test]
fn what_does_not_hold_is_broken_and_what_cannot_be_judged_unknown() {
    let bench = Bench::of(Workbench::with_server());
    bench.attest(PROVENANCE);
    // Of another commit, or another repository: whoever could attest there could attest anything.
    bench.certify(|certificate| certificate["sourceRepositoryDigest"] = json!("d".repeat(40)));
    let (outcome, sentence, _) = bench.verified(1);
    assert_eq!(outcome, "broken");
    assert!(sentence.contains("for commit ddddddd, and the manifest says"), "{sentence}");
    bench.certify(|certificate| {
        certificate["sourceRepositoryURI"] = json!("https://github.com/mallory/shop\n::error::x");
    });
    let (outcome, sentence, attested) = bench.verified(1);
    assert_eq!((outcome.as_str(), &attested["verified"]), ("broken", &Value::Null));
    assert!(sentence.contains("mallory/shop ::error::x, not of acme/shop"), "{sentence}");
    bench.certify(|_| ());
    assert_eq!(bench.verified(0).0, "holds");

    let unknown = |words: &str| {
        let (outcome, sentence, attested) = bench.verified(3);
        assert_eq!((outcome.as_str(), &attested["verified"]), ("unknown", &Value::Null), "{sentence}");
        assert!(sentence.contains(words), "{words}: {sentence}");
    };
    fs::write(bench.gh.path().join("offline"), "").unwrap();
    unknown("no such host");
    fs::remove_file(bench.gh.path().join("offline")).unwrap();
    fs::write(bench.gh.path().join("certificates"), "<html>").unwrap();
    unknown("no list of certificates");
    bench.certify(|_| ());
    replace(bench.gh.path(), "echo 'unknown command \"attestation\" for \"gh\"' >&2; exit 1");
    unknown("too old");
    replace(
        bench.gh.path(),
        "echo 'Error: verifying with issuer \"sigstore.dev\"' >&2; [ \"$2\" = trusted-root ] && echo '{}'",
    );
    assert_eq!(bench.verified(1).0, "broken", "`gh` says no");

    bench.hosted.github.fail_always("GET", "/attestations/", Fault::Forbidden("attestations=read"));
    let (outcome, sentence, _) = bench.verified(3);
    assert_eq!(outcome, "unknown");
    assert!(sentence.contains("permissions: attestations: read"), "{sentence}");
    let explained = bench.step(&["registry", "explain", "churn@v0.1.0"], 0).stdout;
    assert!(explained.contains("attestations: read"), "{explained}");
}

#[test]
fn bytes_that_github_attests_otherwise_are_broken() {
    let bench = Bench::of(Workbench::with_server());
    // The host hands out the attestation of other bytes under this digest.
    bench.attest(PROVENANCE);
    bench.hosted.github.world(|world| {
        world.attest(&format!("sha256:{}", "0".repeat(64)), PROVENANCE);
        let other = world.attestations[&format!("sha256:{}", "0".repeat(64))].clone();
        world.attestations.insert(bench.digest.clone(), other);
    });
    let (outcome, sentence, _) = bench.verified(1);
    assert_eq!(outcome, "broken");
    assert!(sentence.contains("it is not genuine: Error: verifying with issuer"), "{sentence}");
}

fn chain(done: &Output) -> Value {
    serde_json::from_str(&done.stdout).unwrap()
}

fn replace(directory: &Path, script: &str) {
    fs::write(directory.join("gh"), format!("#!/bin/sh\n{script}\n")).unwrap();
}
