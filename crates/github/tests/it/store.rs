//! Bytes of releases as files of releases: what becomes of drafts, who may see what, and damage.

use serde_json::{Value, json};
use tagship_ports::{ArtifactStore as _, Forge as _, PortError, Problem};
use tagship_testkit::github::Fault;

use crate::host::{Host, digest_of, make, put, stored_note};

fn says<T: std::fmt::Debug>(answer: Result<T, PortError>, problem: Problem, words: &str) {
    let error = answer.expect_err(words);
    assert_eq!(error.problem, problem, "{error}");
    assert!(error.to_string().contains(words), "{error}\nlacks {words:?}");
}

/// Tag, whether it is a draft, and names of files, of every release.
fn releases(host: &Host) -> Value {
    host.fake.world(|world| {
        let names = |release: &Value| -> Vec<Value> {
            release["assets"].as_array().into_iter().flatten().map(|asset| asset["name"].clone()).collect()
        };
        world
            .releases
            .iter()
            .map(|release| json!([release["tag_name"], release["draft"], names(release)]))
            .collect()
    })
}

fn made() -> Value {
    let short = |bytes: &[u8]| digest_of(bytes).short().to_owned();
    json!([[
        "churn@v1.0.0",
        false,
        [
            format!("model-{}.onnx", short(b"weights")),
            format!("golden-{}.json", short(b"golden")),
            format!("predictions-{}.csv", short(b"predictions")),
            "tagship.manifest.json",
        ]
    ]])
}

#[tokio::test]
async fn a_later_job_reads_what_an_earlier_one_released() {
    for tells_digests in [true, false] {
        let host = Host::new();
        host.fake.world(|world| {
            world.tells_digests = tells_digests;
            world.immutable_releases = true;
        });
        let note = stored_note(b"weights");
        make(&host.client(), &note).await.unwrap();
        assert_eq!(releases(&host), made());
        host.fake.world(|world| world.lacks.insert("contents=write".to_owned()));
        let later = host.client();
        let scratch = tempfile::tempdir().unwrap();
        let to = scratch.path().join("a/model.onnx");
        later.get(&digest_of(b"weights"), &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), b"weights");
        let manifest = later.get_bytes(&digest_of(note.manifest.as_bytes()), 1000).await.unwrap();
        assert_eq!(manifest, note.manifest.as_bytes());
    }
}

#[tokio::test]
async fn the_token_goes_to_the_api_only() {
    let host = Host::new();
    put(&host.client(), "model.onnx", b"weights").await.unwrap();
    host.client().get_bytes(&digest_of(b"weights"), 10).await.unwrap();
    let received = host.fake.received();
    let stored = received.iter().filter(|request| request.target.starts_with("/storage/"));
    let with_token = |request: &tagship_testkit::github::Received| {
        request.headers.iter().any(|(name, value)| name == "authorization" || value.contains("ghs_"))
    };
    assert_eq!(stored.map(with_token).collect::<Vec<_>>(), [false]);
}

#[tokio::test]
async fn a_storage_that_fails_is_named_without_its_link() {
    let host = Host::new();
    put(&host.client(), "model.onnx", b"weights").await.unwrap();
    for fault in [Fault::Status(503), Fault::CutBefore, Fault::HalfAnswer] {
        host.fake.fail_always("GET", "/storage/", fault);
        let error = host.client().get_bytes(&digest_of(b"weights"), 10).await.unwrap_err();
        assert_eq!(error.problem, Problem::Unreachable, "{error}");
        assert!(error.to_string().contains("the storage at localhost"), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
        host.fake.recover();
    }
}

#[tokio::test]
async fn a_run_that_died_is_continued_wherever_it_ended() {
    let note = stored_note(b"weights");
    let manifest = digest_of(note.manifest.as_bytes());
    // Between two files, and between the tag and the release.
    let host = Host::new();
    put(&host.client(), "model.onnx", b"weights").await.unwrap();
    make(&host.client(), &note).await.unwrap();
    assert_eq!(releases(&host), made());

    let host = Host::new();
    let died = host.client();
    put(&died, "model.onnx", b"weights").await.unwrap();
    put(&died, "golden.json", b"golden").await.unwrap();
    put(&died, "predictions.csv", b"predictions").await.unwrap();
    died.put_bytes(&manifest, note.manifest.as_bytes()).await.unwrap();
    host.client().release(&note).await.unwrap();
    assert_eq!(releases(&host), made(), "known by its manifest");
}

#[tokio::test]
async fn a_manifest_that_lost_the_race_for_its_version_is_not_shown() {
    let host = Host::new();
    let client = host.client();
    put(&client, "model.onnx", b"weights").await.unwrap();
    put(&client, "golden.json", b"golden").await.unwrap();
    put(&client, "predictions.csv", b"predictions").await.unwrap();
    let note = stored_note(b"weights");
    // A card for a version that it did not become.
    let card = digest_of(b"card");
    client.put_bytes(&card, b"card").await.unwrap();
    let attached =
        format!(",\"version\":\"v0.9.0\",\"attachments\":{{\"model-card\":{{\"sha256\":\"{card}\"}}}}}}");
    let lost = note.manifest.replace('}', &attached);
    for manifest in [&lost, &note.manifest] {
        client.put_bytes(&digest_of(manifest.as_bytes()), manifest.as_bytes()).await.unwrap();
    }
    client.release(&note).await.unwrap();
    assert_eq!(releases(&host), made());
}

#[tokio::test]
async fn runs_that_raced_leave_one_release() {
    for sees_the_draft in [true, false] {
        let host = Host::new();
        let (one, other) = (host.client(), host.client());
        let note = stored_note(b"weights");
        let lost = note.manifest.replace('}', ",\"run\":\"2\"}");
        let lost_digest = digest_of(lost.as_bytes());
        put(&one, "model.onnx", b"weights").await.unwrap();
        let hidden = if sees_the_draft {
            host.fake.fail_next("GET", "/releases", Fault::Stale);
            vec![]
        } else {
            host.fake.world(|world| std::mem::take(&mut world.releases))
        };
        put(&other, "model.onnx", b"weights").await.unwrap();
        other.put_bytes(&lost_digest, lost.as_bytes()).await.unwrap();
        host.fake.world(|world| world.releases.extend(hidden));
        make(&one, &note).await.unwrap();
        other.release(&note).await.unwrap();
        let mut expected = made();
        if sees_the_draft {
            // Nobody can know that no tag names it.
            let names = expected[0][2].as_array_mut().unwrap();
            names.insert(3, json!(format!("tagship.manifest-{}.json", lost_digest.short())));
            let order = names.clone();
            let there = releases(&host);
            assert_eq!(there.as_array().unwrap().len(), 1);
            for name in order {
                assert!(there[0][2].as_array().unwrap().contains(&name), "{name} in {there}");
            }
        } else {
            assert_eq!(releases(&host), expected);
        }
        let manifest = digest_of(note.manifest.as_bytes());
        assert_eq!(host.client().get_bytes(&manifest, 1000).await.unwrap(), note.manifest.as_bytes());
    }
}

#[tokio::test]
async fn a_draft_that_was_removed_or_published_meanwhile_is_replaced() {
    for immutable in [false, true] {
        let host = Host::new();
        let client = host.client();
        put(&client, "model.onnx", b"weights").await.unwrap();
        host.fake.world(|world| {
            if immutable {
                for (field, value) in [("draft", false), ("immutable", true)] {
                    world.releases[0][field] = value.into();
                }
            } else {
                world.releases.clear();
            }
        });
        put(&client, "golden.json", b"golden").await.unwrap();
        assert_eq!(host.client().get_bytes(&digest_of(b"golden"), 10).await.unwrap(), b"golden");
    }
}

#[tokio::test]
async fn damage_is_noticed_and_leaves_nothing_behind() {
    let host = Host::new();
    make(&host.client(), &stored_note(b"weights")).await.unwrap();
    for bytes in [b"weightz".to_vec(), b"w".to_vec(), b"weights and more".to_vec()] {
        host.fake.world(|world| {
            let id = world.releases[0]["assets"][0]["id"].as_u64().unwrap();
            world.asset_bytes.insert(id, bytes);
        });
        let scratch = tempfile::tempdir().unwrap();
        let answer = host.client().get(&digest_of(b"weights"), &scratch.path().join("m")).await;
        says(answer, Problem::Invalid, "it is damaged");
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn refusals_say_what_to_change() {
    let host = Host::new();
    says(host.client().get_bytes(&digest_of(b"x"), 9).await, Problem::NotFound, "/acme/shop/releases");
    host.fake.world(|world| world.lacks.insert("contents=write".to_owned()));
    says(put(&host.client(), "m", b"x").await, Problem::Denied, "add `permissions: contents: write`");
    host.fake.world(|world| world.lacks.insert("contents=read".to_owned()));
    says(host.client().get_bytes(&digest_of(b"x"), 9).await, Problem::Denied, "permissions: contents: read`");
    let host = Host::new();
    host.fake.world(|world| world.archived = true);
    says(put(&host.client(), "m", b"x").await, Problem::Denied, "the repository is archived");
    let host = Host::new();
    let note = stored_note(b"weights");
    host.fake.world(|world| world.tag_rule = true);
    says(make(&host.client(), &note).await, Problem::Denied, "rulesets");
    let kept = host.client().get_bytes(&digest_of(b"weights"), 10).await;
    assert_eq!(kept.unwrap(), b"weights", "the only copy of the bytes is kept");
}

#[tokio::test]
async fn what_no_release_can_hold_is_refused_before_anything_is_sent() {
    let host = Host::new();
    let client = host.client();
    let scratch = tempfile::tempdir().unwrap();
    let to = scratch.path().join("empty");
    put(&client, "empty", b"").await.unwrap();
    client.get(&digest_of(b""), &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), b"");
    assert_eq!(host.fake.requests().len(), 0, "an empty file needs no host");
    put(&client, "first", b"first").await.unwrap();
    host.fake.world(|world| {
        let asset = world.releases[0]["assets"][0].clone();
        let more = (1..999).map(|number| {
            let mut asset = asset.clone();
            (asset["id"], asset["name"]) = (json!(1_000_000 + number), json!(format!("file {number}")));
            asset["digest"] = json!(digest_of(format!("bytes {number}").as_bytes()).to_string());
            asset
        });
        let assets: Vec<Value> = std::iter::once(asset.clone()).chain(more).collect();
        world.releases[0]["assets"] = json!(assets);
    });
    let fresh = host.client();
    put(&fresh, "first", b"first").await.unwrap();
    says(put(&fresh, "last", b"last").await, Problem::Unsupported, "at most 1000 files");
    let note = stored_note(b"first");
    fresh.put_bytes(&digest_of(note.manifest.as_bytes()), note.manifest.as_bytes()).await.unwrap();
}
