//! What the store does with a registry that answers as it is told, and with one in memory.

use std::collections::BTreeMap;

use super::*;
use crate::canned::Server;

#[test]
fn a_repository_is_a_host_and_a_name() {
    let of = |text: &str| address(text, false).map(|(url, name)| format!("{url} {name}"));
    assert_eq!(of("ghcr.io/acme/churn").unwrap(), "https://ghcr.io/ acme/churn");
    assert_eq!(of("127.0.0.1:5000/churn").unwrap(), "http://127.0.0.1:5000/ churn");
    assert_eq!(of("localhost:5000/a/b").unwrap(), "http://localhost:5000/ a/b");
    for bad in ["churn", "ghcr.io/", "ghcr.io/Churn", "ghcr.io/a:v1", "ghcr.io/a//b", "u:p@ghcr.io/a", "?/a"]
    {
        assert_eq!(of(bad).unwrap_err().problem, Problem::Invalid, "{bad}");
    }
    assert_eq!(address("registry.local/a", true).unwrap().0.as_str(), "http://registry.local/");
}

#[test]
fn settings_that_would_leak_or_do_nothing_are_refused() {
    let opened = |settings: serde_json::Value, login: bool| {
        let variable = |_: &str| login.then(|| "secret".to_owned());
        let moved = silent();
        open(&Opening { settings: settings.as_object().unwrap(), variable: &variable, moved: &moved })
    };
    let plain = serde_json::json!({ "repository": "r.example/churn", "plain-http": true });
    let error = opened(plain.clone(), true).unwrap_err().to_string();
    assert!(error.contains("no password over an address without encryption"), "{error}");
    opened(plain, false).unwrap();
    let digest = digest_of(WEIGHTS);
    for (modelcar, base, wanted) in [
        (false, format!("r.example/busybox@{digest}"), "without `modelcar: true`"),
        (true, "r.example/busybox:latest".to_owned(), "names no digest"),
        (true, format!("busybox@{digest}"), "names no registry"),
    ] {
        let settings = serde_json::json!({ "repository": "r.example/churn", "modelcar": modelcar, "modelcar-base": base });
        let error = opened(settings, true).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    for (size, modelcar, wanted) in [
        ("1MB", false, "max-layer-size of 976.56 KiB is too small"),
        ("much", false, "\"much\" is not a size"),
        ("1GiB", true, "max-layer-size and `modelcar: true`"),
    ] {
        let settings = serde_json::json!({ "repository": "r.example/churn", "max-layer-size": size, "modelcar": modelcar });
        let error = opened(settings, true).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let settings = serde_json::json!({ "repository": "r.example/churn", "max-layer-size": "1GiB" });
    assert_eq!(opened(settings, true).unwrap().max_layer, Some(1 << 30));
}

const WEIGHTS: &[u8] = b"0123456789";

pub(super) fn store(url: &str, login: bool, moved: &Moved) -> OciStore {
    let repository = format!("{}/churn", url.trim_start_matches("http://"));
    let settings = serde_json::json!({ "repository": repository });
    let variable = |_: &str| login.then(|| "secret".to_owned());
    open(&Opening { settings: settings.as_object().unwrap(), variable: &variable, moved }).unwrap()
}

fn silent() -> Moved {
    Arc::new(|_| {})
}

#[tokio::test]
async fn a_login_never_goes_unencrypted_to_another_place() {
    let elsewhere = Server::with(vec![(200, r#"{"token":"t"}"#.to_owned())]).await;
    let challenge = format!("www-authenticate: Bearer realm=\"{}/token\"\r\n", elsewhere.url);
    let registry = Server::answering(vec![(401, &challenge, String::new())]).await;
    let error = store(&registry.url, true, &silent()).has(&digest_of(WEIGHTS)).await.unwrap_err();
    assert_eq!(error.problem, Problem::Denied, "{error}");
    assert!(error.to_string().contains("no safe address"), "{error}");
    assert_eq!(elsewhere.seen().len(), 0);
}

#[test]
fn plain_text_logins_are_for_this_machine() {
    let registry = |base: &str, login: bool| {
        let login = login
            .then(|| Login { user: "u".to_owned(), password: tagship_domain::Redacted::new("p".to_owned()) });
        Registry::new(Url::parse(base).unwrap(), "churn".to_owned(), login).unwrap()
    };
    for (base, realm, login, wanted) in [
        ("https://r.example/", "https://auth.example/token", true, true),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000/token", true, true),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5001/token", true, false),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5001/token", false, false),
        ("http://r.example/", "http://r.example/token", true, false),
        ("http://r.example/", "http://r.example/token", false, true),
        ("https://r.example/", "http://r.example/token", true, false),
        ("http://r.example/", "ftp://r.example/token", true, false),
    ] {
        let may = registry(base, login).may_log_in_at(&Url::parse(realm).unwrap());
        assert_eq!(may, wanted, "{base} {realm} {login}");
    }
}

#[tokio::test]
async fn a_storage_that_is_busy_is_asked_again_and_never_gets_credentials() {
    let storage = Server::with(vec![(503, String::new()), (200, "0123456789".to_owned())]).await;
    let to = format!("location: {}/signed\r\n", storage.url);
    let there = "x".repeat(WEIGHTS.len());
    let registry = Server::answering(vec![(200, "", there), (307, &to, String::new())]).await;
    let bytes = store(&registry.url, true, &silent()).get_bytes(&digest_of(WEIGHTS), 10).await.unwrap();
    assert_eq!(bytes, WEIGHTS);
    let asked = storage.seen();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|request| request.authorization.is_empty()));
    assert!(registry.seen().iter().all(|request| !request.authorization.is_empty()));
}

#[tokio::test]
async fn a_registry_that_knows_no_ranges_sends_the_whole_file() {
    let all = || (200, "", "0123456789".to_owned());
    let registry = Server::answering(vec![all(), all(), all()]).await;
    let told = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let count = told.clone();
    let moved: Moved = Arc::new(move |more| {
        count.fetch_add(more, std::sync::atomic::Ordering::SeqCst);
    });
    let (directory, digest) = (tempfile::tempdir().unwrap(), digest_of(WEIGHTS));
    let to = directory.path().join("weights");
    // What an earlier run left is neither gone on with nor counted twice.
    let mut partial = crate::partial::Partial::open(&to, &digest).unwrap();
    partial.write(b"01234x").unwrap();
    drop(partial);
    store(&registry.url, false, &moved).get(&digest, &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), WEIGHTS);
    let ranges: Vec<_> =
        registry.seen().iter().map(|request| request.headers.get("range").cloned()).collect();
    assert_eq!(ranges, [None, Some("bytes=6-9".to_owned()), None]);
    assert_eq!(told.load(std::sync::atomic::Ordering::SeqCst), WEIGHTS.len() as u64);
}

/// The line breaks off: fewer bytes come than were announced. Then all come; then too many.
#[tokio::test]
async fn a_whole_file_is_asked_for_again_and_never_beyond_its_size() {
    let all = || (200, "", "0123456789".to_owned());
    // Chunked, so that the length of the answer says nothing.
    let chunked = |body: &str| (200, "transfer-encoding: chunked\r\n", body.to_owned());
    for (answers, wanted) in [
        (vec![all(), all(), chunked("a\r\n01234"), chunked("a\r\n0123456789\r\n0\r\n\r\n")], None),
        (vec![all(), all(), chunked("b\r\n0123456789x\r\n0\r\n\r\n")], Some("sends more")),
    ] {
        let registry = Server::answering(answers).await;
        let (directory, digest) = (tempfile::tempdir().unwrap(), digest_of(WEIGHTS));
        let to = directory.path().join("weights");
        let mut partial = crate::partial::Partial::open(&to, &digest).unwrap();
        partial.write(b"01234x").unwrap();
        drop(partial);
        let fetched = store(&registry.url, false, &silent()).get(&digest, &to).await;
        match wanted {
            None => {
                fetched.unwrap();
                assert_eq!(std::fs::read(&to).unwrap(), WEIGHTS);
            }
            Some(wanted) => {
                let error = fetched.unwrap_err().to_string();
                assert!(error.contains(wanted), "{error}");
                assert!(!to.exists());
            }
        }
    }
}

#[test]
fn releases_of_different_names_have_different_tags() {
    let release = |model: &str, version: &str| Release {
        model: model.parse().unwrap(),
        version: version.parse().unwrap(),
        digest: digest_of(b"a"),
        manifest: digest_of(b"b"),
        commit: "0123456789012345678901234567890123456789".parse().unwrap(),
    };
    let long = "a".repeat(150);
    let names = [
        ("churn", "v1.4.0"),
        ("churn", "v1.4.0+b"),
        ("a/b", "v1.0.0"),
        ("a__b", "v1.0.0"),
        ("a:b", "v1.0.0"),
        ("a..b", "v1.0.0"),
        ("a", "v1.0.0-v2.0.0"),
        ("a-v1.0.0", "v2.0.0"),
        ("a", "v1.0.0"),
        ("a", "v1.0.0-modelcar"),
        (&"b".repeat(120), "v1.0.0"),
        (&long, "v1.0.0"),
        (&long, "v1.0.1"),
    ];
    let mut tags = BTreeMap::new();
    for (model, version) in names {
        let Ok(_) = model.parse::<tagship_domain::ModelName>() else { continue };
        let tag = tags::of_release(&release(model, version));
        let grammar = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        assert!(tag.len() <= 128 && tag.bytes().all(grammar), "{tag}");
        assert!(!tag.starts_with(['.', '-']), "{tag}");
        assert_eq!(tags.insert(tag, (model, version)), None);
        let modelcar = tags::of_modelcar(&release(model, version));
        assert!(modelcar.len() <= 128, "{modelcar}");
        assert_eq!(tags.insert(modelcar, (model, version)), None);
    }
    assert!(tags.len() >= 14);
    assert_eq!(tags::of_release(&release("churn", "v1.4.0+b")), "churn-v1.4.0_b");
}
