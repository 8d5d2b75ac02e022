//! Drafts that are ours and drafts that are not: what people write is neither filled, published nor removed.

use serde_json::{Value, json};
use tagship_domain::Timestamp;
use tagship_github::Settings;
use tagship_ports::{ArtifactStore as _, Forge as _, Inventory as _};

use crate::host::{Host, digest_of, make, note, put, stored_note};

/// A draft that a person began, without files.
fn draft_of_a_person(host: &Host, tag: &str) -> u64 {
    host.fake.world(|world| {
        let id = world.next_id();
        world.releases.push(json!({
            "id": id, "tag_name": tag, "name": "Soon", "body": "Words of a person.", "draft": true, "immutable": false,
            "assets": [],
        }));
        id
    })
}

fn find(host: &Host, id: u64) -> Option<Value> {
    host.fake.world(|world| world.releases.iter().find(|release| release["id"] == id).cloned())
}

#[tokio::test]
async fn a_draft_of_a_person_is_left_alone() {
    let host = Host::new();
    let note = stored_note(b"weights");
    let incoming = format!("tagship-incoming-{}", digest_of(b"weights").short());
    let ids = ["churn@v1.0.0", &incoming].map(|tag| draft_of_a_person(&host, tag));
    let before = ids.map(|id| find(&host, id));
    make(&host.client(), &note).await.unwrap();
    // Once more, with a published release beside it.
    host.client().release(&note).await.unwrap();
    assert_eq!(ids.map(|id| find(&host, id)), before);
    let published = host.fake.world(|world| {
        world.releases.iter().filter(|release| release["draft"] == false).cloned().collect::<Vec<_>>()
    });
    assert_eq!(published.len(), 1, "{published:#?}");
}

#[tokio::test]
async fn bytes_in_a_draft_of_somebody_else_are_stored_in_ours_too() {
    let host = Host::new();
    put(&host.client(), "model.onnx", b"weights").await.unwrap();
    host.fake.world(|world| world.releases[0]["body"] = json!("Mine."));
    make(&host.client(), &stored_note(b"weights")).await.unwrap();
    let published = host.fake.world(|world| {
        world.releases.iter().find(|release| release["draft"] == false).cloned().expect("a release")
    });
    let digests: Vec<&str> =
        published["assets"].as_array().unwrap().iter().filter_map(|asset| asset["digest"].as_str()).collect();
    assert!(digests.contains(&digest_of(b"weights").to_string().as_str()), "{published:#}");
}

#[tokio::test]
async fn words_of_a_person_on_a_release_are_kept() {
    let host = Host::new();
    let id = draft_of_a_person(&host, "churn@v1.0.0");
    host.fake.world(|world| world.releases[0]["draft"] = json!(false));
    host.client().release(&note()).await.unwrap();
    let release = find(&host, id).unwrap();
    assert_eq!(release["body"], "Words of a person.");
    assert_eq!(release["assets"][0]["name"], "tagship.manifest.json");
}

#[tokio::test]
async fn a_draft_is_found_on_every_page() {
    let host = Host::new();
    put(&host.client(), "model.onnx", b"weights").await.unwrap();
    host.fake.world(|world| {
        let mut other = world.releases[0].clone();
        (other["draft"], other["body"], other["assets"]) = (json!(false), json!(""), json!([]));
        for number in 0..250 {
            (other["id"], other["tag_name"]) = (json!(1_000_000 + number), json!(format!("other-{number}")));
            world.releases.push(other.clone());
        }
    });
    make(&host.client(), &stored_note(b"weights")).await.unwrap();
    host.fake.world(|world| {
        assert_eq!(world.releases.len(), 251);
        assert_eq!(
            (&world.releases[0]["draft"], &world.releases[0]["tag_name"]),
            (&json!(false), &json!("churn@v1.0.0"))
        );
    });
}

#[tokio::test]
async fn files_of_one_name_are_kept_apart_by_their_digests() {
    let host = Host::new();
    let client = host.client();
    put(&client, "config.json", b"encoder").await.unwrap();
    put(&client, "config.json", b"decoder").await.unwrap();
    let short = |bytes: &[u8]| digest_of(bytes).short().to_owned();
    let names = || -> Vec<String> {
        host.fake.world(|world| {
            let assets = world.releases[0]["assets"].as_array().unwrap().clone();
            assets.iter().map(|asset| asset["name"].as_str().unwrap().to_owned()).collect()
        })
    };
    let plain = |bytes: &[u8]| format!("config-{}.json", short(bytes));
    assert_eq!(names(), [plain(b"encoder"), plain(b"decoder")]);
    // Bytes whose digest begins as another one's.
    host.fake.world(|world| world.releases[0]["assets"][0]["name"] = json!(plain(b"third")));
    put(&client, "config.json", b"third").await.unwrap();
    let third = digest_of(b"third").to_string().replace("sha256:", "");
    assert_eq!(names(), [plain(b"third"), plain(b"decoder"), format!("config-{third}.json")]);
    for bytes in [b"encoder".as_slice(), b"decoder", b"third"] {
        assert_eq!(host.client().get_bytes(&digest_of(bytes), 100).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_draft_that_was_given_up_is_told_with_what_it_holds_and_removed() {
    let host = Host::new();
    assert_eq!(host.client().unfinished().await.unwrap(), []);
    let person = draft_of_a_person(&host, "soon");
    let died = host.client();
    put(&died, "model.onnx", b"weights").await.unwrap();
    put(&died, "golden.json", b"golden").await.unwrap();
    let first = digest_of(b"weights");
    let [begun] = host.client().unfinished().await.unwrap().try_into().unwrap();
    assert_eq!((&begun.stored.digest, begun.stored.size), (&first, 13));
    assert_eq!(begun.holds, [first.clone(), digest_of(b"golden")].into());
    let newest = host.fake.world(|world| {
        let assets = &mut world.releases.last_mut().unwrap()["assets"];
        assets[1]["created_at"] = json!("2099-01-01T00:00:00Z");
        assets[1]["created_at"].as_str().unwrap().parse::<Timestamp>().unwrap()
    });
    let [again] = host.client().unfinished().await.unwrap().try_into().unwrap();
    assert_eq!(again.stored.written, newest, "a draft is as young as its youngest file");

    assert!(!host.client().give_up(&digest_of(b"other")).await.unwrap());
    assert!(host.client().give_up(&first).await.unwrap());
    assert!(!host.client().give_up(&first).await.unwrap(), "it is gone");
    let left = host.fake.world(|world| world.releases.clone());
    assert_eq!((left.len(), &left[0]["id"]), (1, &json!(person)), "{left:#?}");
}

#[tokio::test]
async fn a_draft_that_became_a_release_is_not_given_up() {
    let host = Host::new();
    let note = stored_note(b"weights");
    put(&host.client(), "model.onnx", b"weights").await.unwrap();
    let [begun] = host.client().unfinished().await.unwrap().try_into().unwrap();
    make(&host.client(), &note).await.unwrap();
    assert!(!host.client().give_up(&begun.stored.digest).await.unwrap());
    assert_eq!(host.client().unfinished().await.unwrap(), []);
    assert_eq!(host.client().get_bytes(&digest_of(b"weights"), 100).await.unwrap(), b"weights");
}

#[tokio::test]
async fn a_draft_of_which_too_little_is_known_is_none_that_was_given_up() {
    let host = Host::new();
    put(&host.client(), "model.onnx", b"weights").await.unwrap();
    let whole = host.fake.world(|world| world.releases[0].clone());
    for path in ["/assets/0/digest", "/assets/0/created_at", "/created_at"] {
        host.fake.world(|world| {
            world.releases[0] = whole.clone();
            *world.releases[0].pointer_mut(path).unwrap() = json!(null);
        });
        assert_eq!(host.client().unfinished().await.unwrap(), [], "{path}");
    }
}

#[tokio::test]
async fn parts_in_a_draft_tell_the_whole_file() {
    let host = Host::new();
    let in_parts = || host.client_with(Settings { part_size: 4, ..host.settings() });
    put(&in_parts(), "golden.json", b"gold").await.unwrap();
    put(&in_parts(), "model.onnx", b"weights").await.unwrap();
    let begun = host.client().unfinished().await.unwrap();
    assert!(begun.iter().any(|begun| begun.holds.contains(&digest_of(b"weights"))), "{begun:#?}");
    assert!(begun.iter().any(|begun| begun.holds.contains(&digest_of(b"weig"))), "{begun:#?}");
}
