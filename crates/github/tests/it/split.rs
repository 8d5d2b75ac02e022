//! Files that are larger than the host takes: stored in parts, gone on with, joined, and found damaged.

use std::path::Path;

use serde_json::{Value, json};
use tagship_github::{GitHub, Settings};
use tagship_ports::{ArtifactStore as _, Forge as _, PortError, Problem};
use tagship_testkit::github::Fault;

use crate::host::{Host, digest_of, make, put, stored_note};

const PART: u64 = 1000;

fn splitting(host: &Host) -> GitHub {
    host.client_with(Settings { part_size: PART, ..host.settings() })
}

/// Two parts and a half.
fn large() -> Vec<u8> {
    (0..2500_u32).map(|number| u8::try_from(number * 7 % 251).unwrap()).collect()
}

fn base() -> String {
    format!("model-{}.onnx", digest_of(&large()).hex())
}

fn part(number: usize) -> String {
    format!("{}.part-{number:04}-of-0003", base())
}

/// Names of the files of every release, the oldest first, and their bytes.
fn files(host: &Host) -> Vec<(String, Vec<u8>)> {
    host.fake.world(|world| {
        let assets =
            world.releases.iter().flat_map(|release| release["assets"].as_array().into_iter().flatten());
        let of = |asset: &Value| {
            let bytes = world.asset_bytes.get(&asset["id"].as_u64().unwrap()).cloned();
            (asset["name"].as_str().unwrap().to_owned(), bytes.unwrap_or_default())
        };
        assets.map(of).collect()
    })
}

fn stored() -> Vec<String> {
    vec![part(1), part(2), part(3), format!("{}.parts.json", base())]
}

fn names(host: &Host) -> Vec<String> {
    files(host).into_iter().map(|(name, _)| name).collect()
}

fn uploads(host: &Host) -> Vec<String> {
    let sent = host.fake.requests();
    sent.into_iter().filter(|request| request.starts_with("POST") && request.contains("/assets")).collect()
}

async fn fetched(client: &GitHub) -> Result<Vec<u8>, PortError> {
    let scratch = tempfile::tempdir().unwrap();
    let to = scratch.path().join("model.onnx");
    let got = client.get(&digest_of(&large()), &to).await;
    let there = std::fs::read(&to);
    assert_eq!(there.is_ok(), got.is_ok(), "it appears whole or not at all");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), usize::from(got.is_ok()));
    got.map(|()| there.unwrap())
}

fn damage(host: &Host, name: &str, tells: bool) {
    host.fake.world(|world| {
        for release in &mut world.releases {
            for asset in release["assets"].as_array_mut().unwrap() {
                if asset["name"] == name {
                    let bytes = world.asset_bytes.get_mut(&asset["id"].as_u64().unwrap()).unwrap();
                    bytes[0] ^= 1;
                    if tells {
                        asset["digest"] = json!(digest_of(bytes).to_string());
                    }
                }
            }
        }
    });
}

#[tokio::test]
async fn a_large_file_is_stored_in_parts_that_cat_joins() {
    for tells_digests in [true, false] {
        let host = Host::new();
        host.fake.world(|world| world.tells_digests = tells_digests);
        put(&splitting(&host), "model.onnx", &large()).await.unwrap();
        assert_eq!(names(&host), stored());
        let joined: Vec<u8> = files(&host)
            .into_iter()
            .filter(|(name, _)| name.contains(".part-"))
            .flat_map(|(_, bytes)| bytes)
            .collect();
        assert_eq!(joined, large());
        let list: Value = serde_json::from_slice(&files(&host)[3].1).unwrap();
        let of = |number: usize, range: std::ops::Range<usize>| json!({ "name": part(number), "size": range.len(), "sha256": digest_of(&large()[range]) });
        let parts = [of(1, 0..1000), of(2, 1000..2000), of(3, 2000..2500)];
        let whole = digest_of(&large());
        assert_eq!(
            list,
            json!({ "schema": "tagship/parts/v1", "sha256": whole, "size": 2500, "parts": parts })
        );
        // A later job, which does not know what was stored.
        let later = host.client();
        assert!(later.has(&whole).await.unwrap());
        assert_eq!(fetched(&later).await.unwrap(), large());
        assert_eq!(later.get_bytes(&whole, 2500).await.unwrap(), large());
        assert_eq!(later.get_bytes(&whole, 2499).await.unwrap_err().problem, Problem::Invalid);
        // Again, by whoever: nothing is sent.
        host.fake.forget_requests();
        put(&splitting(&host), "model.onnx", &large()).await.unwrap();
        assert_eq!((uploads(&host), names(&host)), (vec![], stored()));
    }
}

#[tokio::test]
async fn what_was_stored_whole_stays_whole() {
    let host = Host::new();
    put(&host.client(), "model.onnx", &large()).await.unwrap();
    put(&splitting(&host), "model.onnx", &large()).await.unwrap();
    assert_eq!(names(&host).len(), 1);
    assert_eq!(fetched(&splitting(&host)).await.unwrap(), large());
    let host = Host::new();
    put(&splitting(&host), "model.onnx", &large()[..1000]).await.unwrap();
    assert_eq!(names(&host).len(), 1, "as large as a part is no larger");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_that_dies_at_any_request_is_continued() {
    for tells_digests in [true, false] {
        let fresh = || {
            let host = Host::new();
            host.fake.world(|world| world.tells_digests = tells_digests);
            host
        };
        let host = fresh();
        put(&splitting(&host), "model.onnx", &large()).await.unwrap();
        let requests = host.fake.requests();
        let mut left = vec![];
        for (number, request) in requests.iter().enumerate() {
            let host = fresh();
            // A refusal is not asked again: the run ends there, with what the requests before it did.
            host.fake.fail_at(number, Fault::Status(400));
            let died = put(&splitting(&host), "model.onnx", &large()).await;
            let (before, there) = (uploads(&host).len(), names(&host).len());
            let what = format!("{request}: {died:?}, {there} files");
            // A storage is asked again with a new link, whatever it says.
            assert!(died.is_err() || request.contains("/storage/"), "{what}");
            if there < 4 {
                assert!(!host.client().has(&digest_of(&large())).await.unwrap(), "{what}");
                assert_eq!(fetched(&host.client()).await.unwrap_err().problem, Problem::NotFound, "{what}");
            }
            put(&splitting(&host), "model.onnx", &large()).await.unwrap();
            assert_eq!(names(&host), stored(), "{what}");
            assert_eq!(fetched(&host.client()).await.unwrap(), large(), "{what}");
            assert_eq!(uploads(&host).len() - before, 4 - there, "{what}: what is there is not sent again");
            left.push(there);
        }
        assert!((0..4).all(|files| left.contains(&files)), "it died with every number of files: {left:?}");
    }
}

#[tokio::test]
async fn a_broken_line_costs_one_part_and_no_more() {
    let host = Host::new();
    put(&splitting(&host), "model.onnx", &large()).await.unwrap();
    host.fake.forget_requests();
    host.fake.fail_at(6, Fault::HalfAnswer);
    assert_eq!(fetched(&host.client()).await.unwrap(), large());
    let read = host.fake.requests().into_iter().filter(|request| request.contains("/storage/")).count();
    assert!(read <= 5, "list, three parts, and one of them again: {read}");
}

#[tokio::test]
async fn a_damaged_part_is_found_and_sent_again() {
    for (tells_digests, tells_truth) in [(true, true), (true, false), (false, false)] {
        let host = Host::new();
        host.fake.world(|world| world.tells_digests = tells_digests);
        put(&splitting(&host), "model.onnx", &large()).await.unwrap();
        damage(&host, &part(2), tells_truth);
        let what = format!("{tells_digests} {tells_truth}");
        assert!(!host.client().has(&digest_of(&large())).await.unwrap(), "{what}");
        let wanted = if tells_truth { Problem::NotFound } else { Problem::Invalid };
        assert_eq!(fetched(&host.client()).await.unwrap_err().problem, wanted, "{what}");
        if tells_digests && !tells_truth {
            // The host's word counts when something is stored: it made the digest of what arrived.
            continue;
        }
        put(&splitting(&host), "model.onnx", &large()).await.unwrap();
        assert_eq!(fetched(&host.client()).await.unwrap(), large(), "{what}");
    }
}

#[tokio::test]
async fn a_planted_list_is_not_believed() {
    let host = Host::new();
    let whole = digest_of(&large());
    put(&host.client(), "first.onnx", b"weights").await.unwrap();
    // Somebody names other bytes, which are there, as the parts of these.
    let other = digest_of(b"weights");
    let name = names(&host)[0].clone();
    let list = json!({
        "schema": "tagship/parts/v1", "sha256": whole, "size": 7,
        "parts": [{ "name": name, "size": 7, "sha256": other }],
    });
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("list");
    std::fs::write(&file, list.to_string()).unwrap();
    attach(&host, &format!("{}.parts.json", base()), &file).await;
    assert!(!host.client().has(&whole).await.unwrap());
    assert_eq!(fetched(&host.client()).await.unwrap_err().problem, Problem::Invalid);
    put(&splitting(&host), "model.onnx", &large()).await.unwrap();
    assert_eq!(fetched(&host.client()).await.unwrap(), large());
}

/// Hangs a file on the draft that waits.
async fn attach(host: &Host, name: &str, file: &Path) {
    let tag = host.fake.world(|world| world.releases[0]["tag_name"].as_str().unwrap().to_owned());
    let digest = digest_of(&std::fs::read(file).unwrap());
    host.client().attach_file(&tag, name, file, &digest).await.unwrap();
}

#[tokio::test]
async fn parts_are_published_with_their_release() {
    let host = Host::new();
    let note = stored_note(&large());
    let client = splitting(&host);
    put(&client, "model.onnx", &large()).await.unwrap();
    client.put_bytes(&digest_of(note.manifest.as_bytes()), note.manifest.as_bytes()).await.unwrap();
    client.release(&note).await.unwrap();
    let mut expected = stored();
    expected.push("tagship.manifest.json".to_owned());
    assert_eq!(names(&host), expected);
    assert_eq!(host.fake.world(|world| world.releases[0]["draft"].clone()), json!(false));
    // The bytes of a release of before, without parts, beside it.
    let host = Host::new();
    make(&host.client(), &stored_note(b"weights")).await.unwrap();
    put(&splitting(&host), "model.onnx", &large()).await.unwrap();
    assert_eq!(splitting(&host).get_bytes(&digest_of(b"weights"), 10).await.unwrap(), b"weights");
}

#[tokio::test]
async fn two_runs_that_store_the_same_do_not_disturb_each_other() {
    let host = Host::new();
    let (one, other) = (splitting(&host), splitting(&host));
    let bytes = large();
    let (first, second) = tokio::join!(put(&one, "model.onnx", &bytes), put(&other, "model.onnx", &bytes));
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert_eq!(fetched(&host.client()).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_draft_without_room_for_all_parts_takes_none_of_them() {
    let host = Host::new();
    let client = splitting(&host);
    put(&client, "model.onnx", &large()).await.unwrap();
    let other: Vec<u8> = large().into_iter().rev().collect();
    host.fake.world(|world| {
        let assets = world.releases[0]["assets"].as_array_mut().unwrap();
        let one = assets[0].clone();
        for number in 0..994 {
            let mut more = one.clone();
            more["id"] = json!(1_000_000 + number);
            more["name"] = json!(format!("file-{number}"));
            assets.push(more);
        }
    });
    // A client that finds this draft by what it holds goes on with it.
    let next = splitting(&host);
    put(&next, "model.onnx", &large()).await.unwrap();
    let before = uploads(&host).len();
    let error = put(&next, "other.onnx", &other).await.unwrap_err();
    assert_eq!((error.problem, uploads(&host).len()), (Problem::Unsupported, before), "{error}");
    assert!(error.to_string().contains("4 files come to 998"), "{error}");
}

#[tokio::test]
async fn a_list_that_is_wrong_does_not_hide_a_good_copy() {
    let host = Host::new();
    put(&splitting(&host), "model.onnx", &large()).await.unwrap();
    // A reader that knows this draft only. Its list is damaged; then a whole copy appears elsewhere.
    let reader = splitting(&host);
    assert_eq!(fetched(&reader).await.unwrap(), large());
    damage(&host, &part(1), false);
    host.fake.world(|world| {
        let mut copy = world.releases[0].clone();
        copy["id"] = world.next_id().into();
        copy["tag_name"] = "tagship-incoming-other".into();
        for asset in copy["assets"].as_array_mut().unwrap() {
            let id = world.next_id();
            let old = asset["id"].as_u64().unwrap();
            let mut bytes = world.asset_bytes[&old].clone();
            if asset["name"] == part(1) {
                bytes[0] ^= 1;
            }
            world.asset_bytes.insert(id, bytes);
            asset["id"] = id.into();
        }
        world.releases.push(copy);
    });
    assert_eq!(fetched(&reader).await.unwrap(), large());
}
