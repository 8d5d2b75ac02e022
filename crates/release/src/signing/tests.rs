//! Signatures of the reference implementation are believed, our own too, and everything else is not.

use std::{collections::BTreeMap, io::Read};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use proptest::prelude::*;
use serde_json::{Value, json};
use tagship_domain::{Digest, FileEntry, Redacted};

use super::{bundle::seal, *};
use crate::fetch::digest_of;

const P256: &str = include_str!("vectors/p256.pub.pem");
const P384: &str = include_str!("vectors/p384.pub.pem");
const FILES: &str = include_str!("vectors/files-sha256-p256.sig.json");
const SHARDS: &str = include_str!("vectors/shards1000-sha256-p256.sig.json");

/// What the reference implementation leaves out by default.
const GIT_PATHS: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// Bytes by path.
type Contents = BTreeMap<String, Vec<u8>>;

/// What is wrong, and the change that makes it so.
type Wrong<'a> = (&'a str, &'a dyn Fn(&mut Value));

/// Files in memory.
#[derive(Clone)]
struct Memory(Contents);

impl FileTree for Memory {
    fn paths(&self) -> Result<Vec<String>, SignatureError> {
        Ok(self.0.keys().cloned().collect())
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, SignatureError> {
        Ok(Box::new(self.0[path].as_slice()))
    }
}

/// The directory that the reference implementation signed.
fn model() -> Memory {
    let files: [(&str, &[u8]); 13] = [
        (".gitattributes", b"# test vector: ignored at the root\n"),
        (".github/note.txt", b"ignored\n"),
        ("B.txt", b"B\n"),
        ("a/.gitattributes", b"# nested: NOT ignored\n"),
        ("a/.hidden", b"h\n"),
        ("a/x.txt", b"ax\n"),
        ("a/z/deep.bin", include_bytes!("vectors/deep.bin")),
        ("a b/\u{e9}t\u{e9}.txt", "\u{e9}t\u{e9}\n".as_bytes()),
        ("a-b/x.txt", b"a-bx\n"),
        ("a.txt", b"a\n"),
        ("config.json", b"{\"opset\": 17}\n"),
        ("empty.bin", b""),
        ("model.onnx", include_bytes!("vectors/model.bin")),
    ];
    Memory(files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect())
}

fn public(pem: &str) -> PublicKey {
    PublicKey::from_pem(pem).unwrap()
}

/// A key for tests, from a number.
fn key(number: u8) -> SigningKey {
    let key = p256::SecretKey::from_slice(&[number; 32]).unwrap();
    SigningKey::from_pem(&Redacted::new(key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string())).unwrap()
}

fn check(bundle: &str, key: &PublicKey, files: &Memory) -> Result<(), SignatureError> {
    verify_bundle(bundle.as_bytes(), std::slice::from_ref(key))?.check_files(files).map(|_unnamed| ())
}

#[test]
fn empty_files_that_a_signature_in_pieces_does_not_name_are_told() {
    let unnamed = |bundle: &str, extra: &str| {
        let mut files = model();
        files.0.extend([(extra.to_owned(), vec![])]);
        let (bundle, ours) = restated(bundle, |_| {});
        verify_bundle(bundle.as_bytes(), &[ours]).unwrap().check_files(&files)
    };
    assert_eq!(unnamed(SHARDS, "a/__init__.py").unwrap(), ["a/__init__.py", "empty.bin"]);
    assert_eq!(unnamed(FILES, "empty.bin").unwrap(), [""; 0], "a signature of whole files names them");
    assert!(matches!(unnamed(FILES, "a/__init__.py"), Err(SignatureError::Differs { .. })));
}

/// A change of a JSON text.
fn changed(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut json: Value = serde_json::from_str(text).unwrap();
    change(&mut json);
    json.to_string()
}

/// The statement of a bundle, changed and signed again by our own key, so that nothing but its content is wrong.
fn restated(bundle: &str, change: impl FnOnce(&mut Value)) -> (String, PublicKey) {
    let bundle: Value = serde_json::from_str(bundle).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement = changed(std::str::from_utf8(&payload).unwrap(), change);
    (seal(&statement, &key(7)).unwrap(), key(7).public().unwrap())
}

#[test]
fn signatures_of_the_reference_implementation_are_believed() {
    let blake2 = include_str!("vectors/files-blake2-p256.sig.json");
    let blake3 = include_str!("vectors/files-blake3-p256.sig.json");
    let p384 = include_str!("vectors/files-sha256-p384.sig.json");
    for (what, bundle, pem, resources) in [
        ("the default", FILES, P256, 11),
        ("another curve", p384, P384, 11),
        ("blake2b", blake2, P256, 11),
        ("blake3", blake3, P256, 11),
        ("pieces", SHARDS, P256, 11),
    ] {
        let verified = verify_bundle(bundle.as_bytes(), &[public(P384), public(P256)])
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((verified.key(), verified.subject()), (public(pem).hint(), "model"), "{what}");
        assert_eq!(verified.resources(), resources, "{what}");
        verified.check_files(&model()).unwrap_or_else(|error| panic!("{what}: {error}"));

        let differs = |change: &dyn Fn(&mut Contents), wanted: [&[&str]; 3]| {
            let mut files = model();
            change(&mut files.0);
            let error = verified.check_files(&files).unwrap_err();
            let SignatureError::Differs { changed, missing, extra } = error else {
                panic!("{what}: {error}")
            };
            // The names of pieces begin with the name of the file.
            let names = |names: Vec<String>| -> Vec<String> {
                let file = |name: String| name.split(':').next().unwrap().to_owned();
                let mut names: Vec<String> = names.into_iter().map(file).collect();
                names.dedup();
                names
            };
            assert_eq!([names(changed), names(missing), names(extra)], wanted, "{what}");
        };
        differs(&|files| files.get_mut("a.txt").unwrap()[0] ^= 1, [&["a.txt"], &[], &[]]);
        differs(&|files| drop(files.remove("a/x.txt")), [&[], &["a/x.txt"], &[]]);
        differs(&|files| drop(files.insert("new".to_owned(), vec![1])), [&[], &[], &["new"]]);
        // The digests in their order stay the same, and with them the root digest.
        differs(
            &|files| {
                let bytes = files.remove("a.txt").unwrap();
                files.insert("a.txx".to_owned(), bytes);
            },
            [&[], &["a.txt"], &["a.txx"]],
        );
        let mut ignored = model();
        ignored.0.insert(".github/note.txt".to_owned(), b"other".to_vec());
        verified.check_files(&ignored).unwrap();
    }
}

#[test]
fn a_piece_of_a_file_that_moved_its_border_is_noticed() {
    let mut files = model();
    files.0.get_mut("model.onnx").unwrap().push(0);
    let error = check(SHARDS, &public(P256), &files).unwrap_err();
    assert!(error.to_string().contains("model.onnx:3000:3001"), "{error}");
    let mut colon = model();
    colon.0.insert("a:0:1".to_owned(), vec![1]);
    assert!(matches!(check(SHARDS, &public(P256), &colon), Err(SignatureError::Files { .. })));
}

#[test]
fn what_is_no_signature_of_a_trusted_key_is_refused() {
    let trusted = public(P256);
    let forged =
        |bundle: &str| matches!(check(bundle, &trusted, &model()), Err(SignatureError::Forged { .. }));
    let other = check(FILES, &public(P384), &model()).unwrap_err();
    assert!(matches!(&other, SignatureError::OtherKey { hint, .. } if hint == trusted.hint()), "{other}");
    assert!(matches!(
        verify_bundle(FILES.as_bytes(), &[]),
        Err(SignatureError::OtherKey { trusted, .. }) if trusted.is_empty()
    ));
    // Another key under the hint of the trusted one.
    let ours = sign_files(&model(), "model", &[], &key(7)).unwrap();
    assert!(forged(&changed(&ours, |bundle| {
        bundle["verificationMaterial"]["publicKey"]["hint"] = json!(trusted.hint());
    })));
    assert!(forged(&changed(FILES, |bundle| {
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        let mut bytes = STANDARD.decode(payload).unwrap();
        bytes[100] ^= 1;
        bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(bytes));
    })));
    assert!(forged(&changed(FILES, |bundle| {
        let mut bytes =
            STANDARD.decode(bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap()).unwrap();
        bytes.push(0);
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(STANDARD.encode(bytes));
    })));
}

#[test]
fn a_bundle_without_a_hint_is_held_against_every_key() {
    let unnamed = changed(FILES, |bundle| bundle["verificationMaterial"]["publicKey"]["hint"] = json!(""));
    let verified = verify_bundle(unnamed.as_bytes(), &[public(P384), public(P256)]).unwrap();
    assert!(!verified.names_its_key());
    assert_eq!(verified.key(), public(P256).hint());
}

#[test]
fn bundles_of_another_form_are_refused() {
    let refused: [Wrong<'_>; 8] = [
        ("media type", &|b| b["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2")),
        ("payload type", &|b| b["dsseEnvelope"]["payloadType"] = json!("text/plain")),
        ("no signature", &|b| b["dsseEnvelope"]["signatures"] = json!([])),
        ("two signatures", &|b| {
            let one = b["dsseEnvelope"]["signatures"][0].clone();
            b["dsseEnvelope"]["signatures"] = json!([one, one]);
        }),
        ("no base64", &|b| b["dsseEnvelope"]["payload"] = json!("?")),
        ("no key", &|b| b["verificationMaterial"] = json!({})),
        ("a key and a certificate", &|b| b["verificationMaterial"]["certificate"] = json!({})),
        ("no envelope", &|b| b["dsseEnvelope"] = json!(null)),
    ];
    for (what, change) in refused {
        let error = check(&changed(FILES, change), &public(P256), &model()).unwrap_err();
        assert!(matches!(error, SignatureError::Malformed { .. }), "{what}: {error}");
    }
    let keyless = changed(FILES, |bundle| {
        bundle["verificationMaterial"] = json!({ "certificate": { "rawBytes": "" }, "tlogEntries": [] });
    });
    let error = check(&keyless, &public(P256), &model()).unwrap_err();
    assert!(matches!(error, SignatureError::Unsupported { .. }), "{error}");
}

#[test]
fn statements_of_another_form_are_refused_although_the_signature_holds() {
    let (same, ours) = restated(FILES, |_| {});
    check(&same, &ours, &model()).unwrap();
    let resources = |s: &mut Value| s["predicate"]["resources"].as_array_mut().unwrap().clone();
    let refused: [Wrong<'_>; 13] = [
        ("statement type", &|s| s["_type"] = json!("https://in-toto.io/Statement/v0.1")),
        ("legacy predicate", &|s| s["predicateType"] = json!("https://model_signing/Digests/v0.1")),
        ("two subjects", &|s| {
            let one = s["subject"][0].clone();
            s["subject"] = json!([one, one]);
        }),
        ("root digest", &|s| s["subject"][0]["digest"]["sha256"] = json!("0".repeat(64))),
        ("order", &|s| s["predicate"]["resources"].as_array_mut().unwrap().reverse()),
        ("twice", &|s| {
            let mut list = resources(s);
            list.insert(0, list[0].clone());
            s["predicate"]["resources"] = json!(list);
        }),
        ("nothing", &|s| s["predicate"]["resources"] = json!([])),
        ("absolute", &|s| s["predicate"]["resources"][0]["name"] = json!("/B.txt")),
        ("outside", &|s| s["predicate"]["resources"][0]["name"] = json!("../B.txt")),
        ("another algorithm", &|s| s["predicate"]["resources"][0]["algorithm"] = json!("sha512")),
        ("short digest", &|s| s["predicate"]["resources"][0]["digest"] = json!("00")),
        ("unknown method", &|s| s["predicate"]["serialization"]["method"] = json!("tree")),
        ("unknown hash", &|s| s["predicate"]["serialization"]["hash_type"] = json!("md5")),
    ];
    for (what, change) in refused {
        let (bundle, ours) = restated(FILES, change);
        let error = check(&bundle, &ours, &model()).unwrap_err();
        assert!(matches!(error, SignatureError::Malformed { .. }), "{what}: {error}");
    }
    for size in [json!(0), json!(999.5), json!(-1), json!(1e300), json!(null)] {
        let (bundle, ours) =
            restated(SHARDS, |s| s["predicate"]["serialization"]["shard_size"] = size.clone());
        let error = check(&bundle, &ours, &model()).unwrap_err();
        assert!(matches!(error, SignatureError::Malformed { .. }), "{size}: {error}");
    }
    let (links, ours) = restated(FILES, |s| s["predicate"]["serialization"]["allow_symlinks"] = json!(true));
    assert!(matches!(check(&links, &ours, &model()), Err(SignatureError::Unsupported { .. })));
}

#[test]
fn what_we_sign_we_believe_and_it_is_the_same_every_time() {
    let ignored = GIT_PATHS.map(str::to_owned);
    let bundle = sign_files(&model(), "model", &ignored, &key(7)).unwrap();
    assert_eq!(bundle, sign_files(&model(), "model", &ignored, &key(7)).unwrap());
    assert_ne!(bundle, sign_files(&model(), "model", &ignored, &key(8)).unwrap());
    check(&bundle, &key(7).public().unwrap(), &model()).unwrap();
    // The same statement as the reference implementation's, but for its spaces and the order of what is ignored.
    let root = |bundle: &str| {
        let bundle: Value = serde_json::from_str(bundle).unwrap();
        let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        let statement: Value = serde_json::from_slice(&payload).unwrap();
        (statement["subject"].clone(), statement["predicate"]["resources"].clone())
    };
    assert_eq!(root(&bundle), root(FILES));
    assert!(sign_files(&Memory(BTreeMap::new()), "model", &[], &key(7)).is_err());
}

#[test]
fn keys_of_all_curves_and_containers_are_read() {
    let p521 = p521::SecretKey::from_slice(&[&[0; 2][..], &[7; 64]].concat()).unwrap();
    let p384 = p384::SecretKey::from_slice(&[7; 48]).unwrap();
    let p256 = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let pkcs8 = [
        p256.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
        p384.to_pkcs8_pem(LineEnding::CRLF).unwrap().to_string(),
        p521.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
    ];
    let sec1 = [
        format!("{parameters}{}", *p256.to_sec1_pem(LineEnding::LF).unwrap()),
        p384.to_sec1_pem(LineEnding::LF).unwrap().to_string(),
        p521.to_sec1_pem(LineEnding::LF).unwrap().to_string(),
    ];
    for (pkcs8, sec1) in pkcs8.into_iter().zip(sec1) {
        let read = |text: String| SigningKey::from_pem(&Redacted::new(text)).unwrap();
        let (key, same) = (read(pkcs8), read(sec1));
        let public = key.public().unwrap();
        assert_eq!(same.public().unwrap(), public);
        assert_eq!(PublicKey::from_pem(&public.to_pem().unwrap().replace('\n', "\r\n")).unwrap(), public);
        let bundle = sign_files(&model(), "model", &[], &key).unwrap();
        check(&bundle, &public, &model()).unwrap();
    }
    // The hint is the digest of the text that OpenSSL writes too.
    assert_eq!(public(P256).hint(), digest_of(P256.as_bytes()).hex());
}

#[test]
fn what_is_no_key_is_refused_without_being_shown() {
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let ed25519 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
    for text in ["", "c2VjcmV0", P256, encrypted, ed25519] {
        let error = SigningKey::from_pem(&Redacted::new(text.to_owned())).unwrap_err().to_string();
        assert!(!error.contains("c2VjcmV0") && !error.contains("MC4C"), "{error}");
    }
    assert!(!format!("{:?}", key(7)).contains('7'));
    for text in ["", ed25519, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        assert!(PublicKey::from_pem(text).is_err(), "{text}");
    }
}

#[test]
fn the_signature_of_a_release_stands_for_its_name_and_all_its_files() {
    let entry = |path: &str, byte: u8| FileEntry {
        path: path.to_owned(),
        size: 1,
        sha256: Digest::from_bytes([byte; 32]),
    };
    let files = vec![entry("a.txt", 1), entry("a/x.txt", 2), entry(".gitattributes", 3)];
    let ours = key(7).public().unwrap();
    let bundle = sign_release("churn@v1.4.0", &files, false, &key(7)).unwrap();
    let verified = verify_bundle(bundle.as_bytes(), std::slice::from_ref(&ours)).unwrap();
    verified.check_release("churn@v1.4.0", &files, false).unwrap();
    assert!(matches!(
        verified.check_release("churn@v1.5.0", &files, false),
        Err(SignatureError::OtherSubject { .. })
    ));
    for other in [&files[..2], &[files.clone(), vec![entry("new", 4)]].concat()[..]] {
        assert!(matches!(
            verified.check_release("churn@v1.4.0", other, false),
            Err(SignatureError::Differs { .. })
        ));
    }
    // What a signature leaves out is no part of what it vouches for.
    let leaves_out = sign_files(&model(), "churn@v1.4.0", &GIT_PATHS.map(str::to_owned), &key(7)).unwrap();
    let all: Vec<FileEntry> = model()
        .0
        .iter()
        .map(|(path, bytes)| FileEntry { path: path.clone(), size: 1, sha256: digest_of(bytes) })
        .collect();
    let leaves_out = verify_bundle(leaves_out.as_bytes(), std::slice::from_ref(&ours)).unwrap();
    assert!(matches!(
        leaves_out.check_release("churn@v1.4.0", &all, false),
        Err(SignatureError::Differs { extra, .. }) if extra == [".gitattributes", ".github/note.txt"]
    ));
    let one = [entry("model.onnx", 1)];
    let bundle = sign_release("churn@v1.4.0", &one, true, &key(7)).unwrap();
    verify_bundle(bundle.as_bytes(), &[ours]).unwrap().check_release("churn@v1.4.0", &one, true).unwrap();
}

proptest! {
    // Curve arithmetic is slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verify_bundle(&bytes, &[public(P256)]).is_err());
    }

    #[test]
    fn any_names_are_signed_in_an_order_that_is_believed(
        names in proptest::collection::btree_set("[a-c -.]{1,3}(/[a-c -.]{1,3}){0,2}", 1..12)
    ) {
        let is_name = |name: &&String| name.split('/').all(|part| part != "." && part != "..");
        let files = names.iter().filter(is_name).map(|name| (name.clone(), name.clone().into_bytes()));
        let files = Memory(files.collect());
        prop_assume!(!files.0.is_empty());
        let bundle = sign_files(&files, "model", &[], &key(7)).unwrap();
        check(&bundle, &key(7).public().unwrap(), &files).unwrap();
    }
}
