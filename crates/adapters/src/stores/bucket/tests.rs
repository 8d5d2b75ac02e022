//! What a bucket's store does over a service in memory.

use object_store::memory::InMemory;
use tagship_ports::{Inventory as _, conformance};

use super::*;
use crate::{canned::Server, stores::Opening};

/// Parts and ranges of a few bytes, so that small files are large ones.
fn store(service: &Arc<InMemory>) -> BucketStore {
    let store = BucketStore::new(service.clone(), "memory", "models", Some("churn"), Arc::new(|_| {}));
    BucketStore { sizes: Sizes { part: 4, range: 3 }, ..store }
}

const WEIGHTS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

async fn objects(service: &Arc<InMemory>) -> Vec<String> {
    let listed = service.list_with_delimiter(Some(&"churn/blobs/sha256".into())).await.unwrap();
    listed.objects.into_iter().map(|object| object.location.to_string()).collect()
}

#[tokio::test]
async fn behaves_like_every_store() {
    let scratch = tempfile::tempdir().unwrap();
    conformance::artifact_store(&store(&Arc::new(InMemory::new())), scratch.path()).await;
}

#[tokio::test]
async fn a_file_has_the_address_under_which_other_clients_find_it() {
    let service = Arc::new(InMemory::new());
    let digest = digest_of(WEIGHTS);
    let of = |scheme: &str, prefix: Option<&str>| {
        let store = BucketStore::new(service.clone(), scheme, "models", prefix, Arc::new(|_| {}));
        store.address(&digest)
    };
    assert_eq!(of("s3", Some("churn")).unwrap(), format!("s3://models/churn/blobs/sha256/{}", digest.hex()));
    assert_eq!(of("gs", None).unwrap(), format!("gs://models/blobs/sha256/{}", digest.hex()));
    assert_eq!(of("azure", None), None);
    let path = store(&service).blob(&digest).to_string();
    assert!(of("s3", Some("churn")).unwrap().ends_with(&path), "where it is written");
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_comes_back_in_ranges() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let (file, to) = (directory.path().join("a"), directory.path().join("b"));
    std::fs::write(&file, WEIGHTS).unwrap();
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    store.put(&digest, &file).await.unwrap();
    store.get(&digest, &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), WEIGHTS);
    assert_eq!(objects(&service).await, [format!("churn/blobs/sha256/{}", digest.hex())]);
    let records = service.list_with_delimiter(Some(&"churn/uploads/sha256".into())).await.unwrap();
    assert_eq!(records.objects.len(), 0, "the record goes when the file is there");
}

#[tokio::test]
async fn a_file_that_changed_never_shows() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let file = directory.path().join("a");
    std::fs::write(&file, WEIGHTS).unwrap();
    let error = store(&service).put(&digest_of(b"other"), &file).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.to_string().contains("changed since it was judged"), "{error}");
    assert!(objects(&service).await.is_empty());
}

#[tokio::test]
async fn an_upload_that_was_killed_goes_on_with_what_is_there() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let file = directory.path().join("a");
    std::fs::write(&file, WEIGHTS).unwrap();
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    let path = store.blob(&digest);
    let upload = service.create_multipart(&path).await.unwrap();
    let mut record = parts::Record { upload: upload.clone(), size: 36, part: 4, parts: vec![None; 9] };
    for index in [0, 1, 4] {
        let bytes = WEIGHTS[index * 4..index * 4 + 4].to_vec();
        let part = service.put_part(&path, &upload, index, bytes.into()).await.unwrap();
        let sha256 = digest_of(&WEIGHTS[index * 4..index * 4 + 4]);
        record.parts[index] = Some(parts::Sent { id: part.content_id, sha256 });
    }
    store.record(&digest, &record).await.unwrap();
    assert!(!store.has(&digest).await.unwrap(), "an upload that has not ended does not show");
    store.put(&digest, &file).await.unwrap();
    assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), WEIGHTS);
    service.put_part(&path, &upload, 0, vec![].into()).await.expect_err("it was this very upload that ended");
}

#[tokio::test]
async fn an_upload_that_nobody_ended_is_listed_and_ended() {
    let service = Arc::new(InMemory::new());
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    assert_eq!(store.unfinished().await.unwrap(), []);
    let path = store.blob(&digest);
    let upload = service.create_multipart(&path).await.unwrap();
    let mut record = parts::Record { upload: upload.clone(), size: 36, part: 4, parts: vec![None; 9] };
    let part = service.put_part(&path, &upload, 2, WEIGHTS[8..12].to_vec().into()).await.unwrap();
    record.parts[2] = Some(parts::Sent { id: part.content_id, sha256: digest_of(&WEIGHTS[8..12]) });
    store.record(&digest, &record).await.unwrap();
    let [begun] = store.unfinished().await.unwrap().try_into().unwrap();
    assert_eq!((&begun.stored.digest, begun.stored.size), (&digest, 4));
    for _ in 0..2 {
        store.give_up(&digest).await.unwrap();
    }
    assert_eq!(store.unfinished().await.unwrap(), []);
    service.put_part(&path, &upload, 3, vec![].into()).await.expect_err("the service has dropped it");
}

#[tokio::test]
async fn parts_of_a_file_that_changed_are_sent_again() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let file = directory.path().join("a");
    std::fs::write(&file, WEIGHTS).unwrap();
    // Proven by the service: nobody reads what was put together.
    let (store, digest) = (BucketStore { proof: Proof::ByService, ..store(&service) }, digest_of(WEIGHTS));
    let path = store.blob(&digest);
    let upload = service.create_multipart(&path).await.unwrap();
    let mut record = parts::Record { upload: upload.clone(), size: 36, part: 4, parts: vec![None; 9] };
    let part = service.put_part(&path, &upload, 2, b"XXXX".to_vec().into()).await.unwrap();
    record.parts[2] = Some(parts::Sent { id: part.content_id, sha256: digest_of(b"XXXX") });
    store.record(&digest, &record).await.unwrap();
    store.put(&digest, &file).await.unwrap();
    assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), WEIGHTS);
}

#[tokio::test]
async fn damage_is_healed_where_the_service_proves_what_is_written() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let store = BucketStore { proof: Proof::ByService, ..store(&service) };
    for bytes in [WEIGHTS, b"abc"] {
        let (file, digest) = (directory.path().join("a"), digest_of(bytes));
        std::fs::write(&file, bytes).unwrap();
        let mut flipped = bytes.to_vec();
        flipped[1] ^= 1;
        service.put(&store.blob(&digest), flipped.into()).await.unwrap();
        store.put(&digest, &file).await.unwrap();
        assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn no_redirect_is_followed_with_credentials() {
    let other = Server::with(vec![(200, String::new())]).await;
    let first = Server::redirecting(&format!("{}/models/x", other.url)).await;
    let settings = serde_json::json!({ "bucket": "models", "endpoint": first.url });
    let (settings, moved): (_, Moved) = (settings.as_object().unwrap().clone(), Arc::new(|_| {}));
    let variable = |_: &str| Some("x".to_owned());
    let store = s3(&Opening { settings: &settings, variable: &variable, moved: &moved }).unwrap();
    let error = store.get_bytes(&digest_of(WEIGHTS), 100).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable, "{error}");
    assert_eq!((first.seen().len(), other.seen().len()), (1, 0));
}

#[tokio::test]
async fn an_upload_that_the_service_dropped_begins_anew() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let file = directory.path().join("a");
    std::fs::write(&file, WEIGHTS).unwrap();
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    let parts = vec![None; 9];
    let record = parts::Record { upload: "999".to_owned(), size: 36, part: 4, parts };
    store.record(&digest, &record).await.unwrap();
    store.put(&digest, &file).await.unwrap();
    assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), WEIGHTS);
}

#[tokio::test]
async fn damage_is_never_handed_out_and_healed_by_the_next_put() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let (file, to) = (directory.path().join("a"), directory.path().join("b"));
    std::fs::write(&file, WEIGHTS).unwrap();
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    store.put(&digest, &file).await.unwrap();
    let mut flipped = WEIGHTS.to_vec();
    flipped[20] ^= 1;
    service.put(&store.blob(&digest), flipped.into()).await.unwrap();
    assert_eq!(store.get(&digest, &to).await.unwrap_err().problem, Problem::Invalid);
    assert_eq!(store.get_bytes(&digest, 100).await.unwrap_err().problem, Problem::Invalid);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing of it is left here");
    store.put(&digest, &file).await.unwrap();
    store.get(&digest, &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), WEIGHTS);
}

#[tokio::test]
async fn a_download_goes_on_where_an_earlier_one_ended() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    store.put_bytes(&digest, WEIGHTS).await.unwrap();
    let to = directory.path().join("b");
    for begin in [&WEIGHTS[..20], b"not what it should be", &[0; 99]] {
        let mut partial = crate::partial::Partial::open(&to, &digest).unwrap();
        partial.write(begin).unwrap();
        drop(partial);
        store.get(&digest, &to).await.unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), WEIGHTS);
        std::fs::remove_file(&to).unwrap();
    }
}

#[tokio::test]
async fn many_at_once_store_one_object() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let file = directory.path().join("a");
    std::fs::write(&file, WEIGHTS).unwrap();
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    let mut tasks = tokio::task::JoinSet::new();
    for turn in 0..20 {
        let (store, digest, file) = (store.clone(), digest.clone(), file.clone());
        tasks.spawn(async move {
            if turn % 2 == 0 {
                store.put(&digest, &file).await
            } else {
                store.put_bytes(&digest, WEIGHTS).await
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(objects(&service).await.len(), 1);
    assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), WEIGHTS);
}

#[tokio::test]
async fn what_is_there_is_listed_by_digest_and_can_be_removed() {
    let service = Arc::new(InMemory::new());
    let (store, digest) = (store(&service), digest_of(WEIGHTS));
    store.put_bytes(&digest, WEIGHTS).await.unwrap();
    service.put(&"churn/blobs/sha256/notes.txt".into(), b"x".to_vec().into()).await.unwrap();
    let [stored] = store.list().await.unwrap().try_into().unwrap();
    assert_eq!((&stored.digest, stored.size), (&digest, 36));
    for _ in 0..2 {
        store.remove(&digest).await.unwrap();
    }
    assert_eq!(store.list().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_stored_again_counts_as_written_anew() {
    let (service, directory) = (Arc::new(InMemory::new()), tempfile::tempdir().unwrap());
    let store = store(&service);
    let renewals = async || {
        let listed = service.list_with_delimiter(Some(&"churn/renewals/sha256".into())).await.unwrap();
        listed.objects
    };
    for bytes in [WEIGHTS, b"abc"] {
        let (file, digest) = (directory.path().join("a"), digest_of(bytes));
        std::fs::write(&file, bytes).unwrap();
        store.put(&digest, &file).await.unwrap();
        assert_eq!(renewals().await, []);
        store.put(&digest, &file).await.unwrap();
        let [renewal] = renewals().await.try_into().unwrap();
        assert_eq!(renewal.location.filename(), Some(digest.hex()));
        let [stored] = store.list().await.unwrap().try_into().unwrap();
        assert_eq!(stored.written.as_seconds(), renewal.last_modified.timestamp());
        store.remove(&digest).await.unwrap();
        assert_eq!(renewals().await, []);
    }
}

#[test]
fn settings_say_what_is_missing_and_nothing_goes_out_unencrypted() {
    let open = |json: serde_json::Value, set: bool| {
        let moved: Moved = Arc::new(|_| {});
        let settings = json.as_object().unwrap().clone();
        let variable = |_: &str| set.then(|| "x".to_owned());
        let opening = Opening { settings: &settings, variable: &variable, moved: &moved };
        s3(&opening).map(|store| store.location())
    };
    let of =
        |endpoint: &str| serde_json::json!({ "bucket": "models", "prefix": "churn", "endpoint": endpoint });
    assert_eq!(open(of("http://127.0.0.1:5000"), true).unwrap(), "s3://models/churn");
    assert_eq!(open(of("http://[::1]:5000"), true).unwrap(), "s3://models/churn");
    let plain = open(of("http://minio.example.org"), true).unwrap_err();
    assert!(plain.to_string().contains("plain-http"), "{plain}");
    for bad in ["minio", "ftp://x", "https://user:pass@x"] {
        assert_eq!(open(of(bad), true).unwrap_err().problem, Problem::Invalid, "{bad}");
    }
    let error = open(of("https://minio.example.org"), false).unwrap_err();
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
    let error = open(serde_json::json!({ "bucket": "models" }), true).unwrap_err();
    assert!(error.to_string().contains("region"), "{error}");
    let error = open(serde_json::json!({ "region": "eu-central-1" }), true).unwrap_err();
    assert!(error.to_string().contains("bucket"), "{error}");
}
