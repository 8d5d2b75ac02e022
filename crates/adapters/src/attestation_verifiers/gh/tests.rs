//! What a `gh` that does this or that leads to. What the real one says is in the comments of the cases.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};
use tagship_domain::{Duration, Redacted};
use tagship_ports::{
    AttestationVerifier as _, PortError, Problem,
    attestations::{AttestedBytes, Judged, Kept},
};

use super::{Gh, GhSettings, answer};

const COMMIT: &str = "0f1c3eb0f1c3eb0f1c3eb0f1c3eb0f1c3eb0f1c3";
const ROOTS: &str = "trusted-root) echo '{\"roots\": 1}' ;;";

fn settings(path: &str) -> GhSettings {
    GhSettings {
        server_url: "https://github.com".to_owned(),
        repository: "acme/models.v2".to_owned(),
        token: Redacted::new("ghs_secret".to_owned()),
        environment: BTreeMap::from([("PATH".to_owned(), path.to_owned())]),
    }
}

/// A program `gh` in a directory, whose second argument is looked at by the arms of a `case`.
fn gh_that(directory: &Path, arms: &str) -> Gh {
    let script = format!("#!/bin/sh\ncase \"$2\" in\n{arms}\nesac\n");
    fs::write(directory.join("gh"), script).unwrap();
    fs::set_permissions(directory.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
    Gh::new(settings(&format!("{}:/usr/bin:/bin", directory.display())))
}

fn kept() -> Kept {
    Kept { number: 2, bundles: Some(vec![r#"{"one":1}"#.to_owned(), r#"{"two":2}"#.to_owned()]) }
}

async fn judged(gh: &Gh) -> Result<Judged, PortError> {
    gh.verify(AttestedBytes::Text("the listing\n"), &kept()).await
}

fn certificate() -> Value {
    json!({
        "certificateIssuer": "CN=sigstore-intermediate,O=sigstore.dev",
        "subjectAlternativeName": "https://github.com/acme/models.v2/.github/workflows/release.yml@refs/heads/main",
        "issuer": "https://token.actions.githubusercontent.com",
        "sourceRepositoryURI": "https://github.com/acme/models.v2",
        "sourceRepositoryDigest": COMMIT,
        "sourceRepositoryRef": "refs/heads/main",
        "runInvocationURI": "https://github.com/acme/models.v2/actions/runs/7/attempts/1",
    })
}

#[tokio::test]
async fn what_was_verified_is_told_by_its_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().display();
    fs::write(directory.path().join("answer"), json!([certificate()]).to_string()).unwrap();
    let arms = format!(
        "{ROOTS}\nverify) echo \"$@\" > {here}/arguments; env > {here}/environment; cp \"$3\" {here}/subject\n\
         cp \"${{11}}\" {here}/bundles; cp \"${{13}}\" {here}/roots; cat {here}/answer ;;"
    );
    let Judged::Genuine(links) = judged(&gh_that(directory.path(), &arms)).await.unwrap() else {
        panic!("it was verified")
    };
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].workflow, "acme/models.v2/.github/workflows/release.yml@refs/heads/main");
    assert_eq!((links[0].commit.as_str(), links[0].reference.as_str()), (COMMIT, "refs/heads/main"));
    assert_eq!(links[0].run.as_deref(), Some("https://github.com/acme/models.v2/actions/runs/7/attempts/1"));

    let left = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(left("subject"), "the listing\n", "`gh` takes the digest of these very bytes");
    assert_eq!(left("bundles"), "{\"one\":1}\n{\"two\":2}\n");
    assert_eq!(left("roots"), "{\"roots\": 1}\n");
    let arguments = left("arguments");
    for demanded in [
        "--repo acme/models.v2 --hostname github.com",
        r"--cert-identity-regex (?i)^https://github\.com/acme/ ",
        "--format json --jq",
    ] {
        assert!(arguments.contains(demanded), "{demanded}: {arguments}");
    }
    assert!(!left("environment").contains("ghs_secret"), "there is nothing that it needs the token for");
}

#[tokio::test]
async fn a_no_is_a_no_and_everything_else_is_unknown() {
    let directory = tempfile::tempdir().unwrap();
    let refused =
        format!("{ROOTS}\nverify) echo 'Error: verifying with issuer \"sigstore.dev\"' >&2; exit 1 ;;");
    let Judged::Refused(why) = judged(&gh_that(directory.path(), &refused)).await.unwrap() else {
        panic!("it was refused")
    };
    assert!(why.contains("sigstore.dev"), "{why}");
    let signed = |answer: &str| format!("{ROOTS}\nverify) echo '{answer}' ;;");
    for (arms, problem, words) in [
        // 2.23: no such command. 2.50: no such option.
        (
            "*) echo 'unknown command \"attestation\" for \"gh\"' >&2; exit 1 ;;".to_owned(),
            Problem::Unsupported,
            "too old",
        ),
        (
            format!("{ROOTS}\nverify) echo 'unknown flag: --hostname' >&2; exit 1 ;;"),
            Problem::Unsupported,
            "too old",
        ),
        // Without a network.
        (
            "*) echo 'Failed to verify the TUF repository: no such host' >&2; exit 1 ;;".to_owned(),
            Problem::Unreachable,
            "no such host",
        ),
        ("trusted-root) ;;".to_owned(), Problem::Unreachable, "roots of trust"),
        // It wants somebody to log in.
        (format!("{ROOTS}\nverify) exit 4 ;;"), Problem::Unsupported, "ended with 4"),
        (format!("{ROOTS}\nverify) kill -9 $$ ;;"), Problem::Unreachable, "ended from outside"),
        (format!("{ROOTS}\nverify) head -c 2000000 /dev/zero ;;"), Problem::Invalid, "more than an answer"),
        (signed(""), Problem::Invalid, "no list of certificates"),
        (signed("[]"), Problem::Invalid, "names nothing"),
        (signed("[null]"), Problem::Invalid, "no list of certificates"),
        (signed("<html>"), Problem::Invalid, "no list of certificates"),
    ] {
        let error = judged(&gh_that(directory.path(), &arms)).await.unwrap_err();
        assert_eq!(error.problem, problem, "{arms}: {error}");
        assert!(error.message.contains(words) && error.hint.is_some(), "{arms}: {error}");
    }
}

#[tokio::test]
async fn one_that_is_missing_or_hangs_is_told_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = Gh::new(settings(&directory.path().display().to_string()));
    let error = judged(&nowhere).await.unwrap_err();
    assert!(error.to_string().contains("`gh` cannot be run"), "{error}");
    assert!(error.to_string().contains("https://cli.github.com"), "{error}");
    let mut hangs = gh_that(directory.path(), &format!("{ROOTS}\nverify) sleep 60 ;;"));
    hangs.timeout = Duration::from_millis(700);
    let error = judged(&hangs).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.message.contains("no answer in time"), "{error}");
}

#[tokio::test]
async fn what_the_host_does_not_hand_out_gh_fetches_with_the_token() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().display();
    fs::write(directory.path().join("answer"), json!([certificate()]).to_string()).unwrap();
    let verify = format!("verify) cp \"${{11}}\" {here}/bundles; cat {here}/answer ;;");
    let fetches = format!("{ROOTS}\ndownload) echo \"$GH_TOKEN\" > sha256:0.jsonl ;;\n{verify}");
    let elsewhere = Kept { number: 1, bundles: None };
    let gh = gh_that(directory.path(), &fetches);
    let judged = gh.verify(AttestedBytes::Text("x"), &elsewhere).await.unwrap();
    assert!(matches!(judged, Judged::Genuine(_)), "{judged:?}");
    assert_eq!(fs::read_to_string(directory.path().join("bundles")).unwrap(), "ghs_secret\n");
    let refused = format!("{ROOTS}\ndownload) echo 'HTTP 403' >&2; exit 1 ;;\n{verify}");
    let gh = gh_that(directory.path(), &refused);
    let error = gh.verify(AttestedBytes::Text("x"), &elsewhere).await.unwrap_err();
    assert!(
        error.to_string().contains("HTTP 403") && error.to_string().contains("attestations: read"),
        "{error}"
    );
}

#[test]
fn an_attestation_of_another_repository_or_owner_is_refused_whatever_gh_says() {
    let read = |change: &dyn Fn(&mut Value)| {
        let mut certificate = certificate();
        change(&mut certificate);
        answer::read(json!([certificate]).to_string().as_bytes(), &settings("")).unwrap()
    };
    let refused = |field: &str, value: &str, words: &str| {
        let judged = read(&|certificate| certificate[field] = json!(value));
        let Judged::Refused(why) = judged else { panic!("{field} {value}: {judged:?}") };
        assert!(why.contains(words), "{why}");
    };
    refused("sourceRepositoryURI", "https://github.com/mallory/models.v2", "mallory/models.v2");
    refused("sourceRepositoryURI", "https://github.com/acme/models.v2.evil", "not of acme/models.v2");
    refused("sourceRepositoryURI", "https://evil.example/acme/models.v2", "evil.example");
    refused(
        "subjectAlternativeName",
        "https://github.com/mallory/x/.github/workflows/a.yml@refs/heads/main",
        "mallory",
    );
    refused(
        "subjectAlternativeName",
        "https://github.com/acmeevil/x/.github/workflows/a.yml@refs/heads/main",
        "acmeevil",
    );
    refused("sourceRepositoryDigest", "main", "its commit");
    // A workflow that the owner shares signs in its own name; names are of any case.
    let shared = "https://github.com/Acme/Shared/.github/workflows/build.yml@refs/tags/v1";
    let judged = read(&|certificate| certificate["subjectAlternativeName"] = json!(shared));
    let Judged::Genuine(links) = judged else { panic!("{judged:?}") };
    assert_eq!(links[0].workflow, "Acme/Shared/.github/workflows/build.yml@refs/tags/v1");
    // What a branch is called cannot start a line of its own.
    let judged =
        read(&|certificate| certificate["sourceRepositoryRef"] = json!("refs/heads/a\n::error::b\u{1b}[31m"));
    let Judged::Genuine(links) = judged else { panic!("{judged:?}") };
    assert_eq!(links[0].reference, "refs/heads/a ::error::b [31m");
}

/// Against the real client, with what `tests/e2e/attestations.py` has made: `cargo xtask e2e attestations`.
#[tokio::test]
#[ignore = "needs GitHub's client and attestations: cargo xtask e2e attestations"]
async fn the_real_gh_judges_what_was_made_here() {
    let made = std::path::PathBuf::from(std::env::var_os("TAGSHIP_TEST_ATTESTATIONS").unwrap());
    let mut settings = settings(&format!("{}:/usr/bin:/bin", made.join("bin").display()));
    settings.environment.insert("HOME".to_owned(), made.display().to_string());
    let gh = Gh::new(settings);
    let (mut genuine, mut refused) = (0, 0);
    for file in fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let bundles: Vec<String> = fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
        let kept = Kept { number: bundles.len(), bundles: Some(bundles) };
        let judged = gh.verify(AttestedBytes::Text("the listing\n"), &kept).await;
        match judged.unwrap_or_else(|error| panic!("{name}: {error}")) {
            Judged::Genuine(links) => {
                assert!(name.starts_with("good-"), "{name}: {links:?}");
                assert_eq!((links.len(), links[0].commit.as_str()), (1, COMMIT), "{name}");
                assert_eq!(links[0].reference, "refs/heads/main");
                genuine += 1;
            }
            Judged::Refused(why) => {
                assert!(name.starts_with("bad-") && why.starts_with("Error: "), "{name}: {why}");
                refused += 1;
            }
        }
    }
    assert_eq!((genuine, refused), (3, 10));
}
