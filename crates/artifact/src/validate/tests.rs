//! Whole artifacts, on disk and in memory.

use std::fs;

use proptest::prelude::*;
use tagship_domain::validation::{Status, ValidationReport, Verdict};

use super::*;
use crate::{
    build::{graph, judge, judge_files, model, passes, rules, safetensors},
    digest_path,
    format::Format,
};

fn sound_model() -> Vec<u8> {
    model(graph(|graph| graph), |model| model)
}

fn validate(path: &Path, policy: &ValidationPolicy) -> ArtifactReport {
    validate_path(path, policy, &mut |_| ())
}

#[test]
fn the_digest_of_a_report_is_the_digest_of_the_artifact() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("model.onnx"), sound_model()).unwrap();
    fs::write(dir.path().join("golden.json"), b"{\"cases\": []}").unwrap();
    let mut read = 0;
    let report = validate_path(dir.path(), &ValidationPolicy::default(), &mut |bytes| read += bytes);
    assert!(passes(&report), "{:?}", report.findings);
    assert_eq!(report.format, "directory");
    assert_eq!((report.size, read), (read, report.size), "every byte is read once");
    assert!(report.signature.is_some());
    assert_eq!(report.sha256, Some(digest_path(dir.path()).unwrap().0));
    let file = dir.path().join("model.onnx");
    let report = validate(&file, &ValidationPolicy::default());
    assert_eq!((report.format.as_str(), report.sha256), ("onnx", Some(digest_path(&file).unwrap().0)));
}

#[test]
fn what_cannot_be_read_is_an_error_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let report = validate(&dir.path().join("gone.onnx"), &ValidationPolicy::default());
    assert_eq!((report.status, report.sha256.as_ref()), (Status::Error, None));
    assert_eq!(rules(&report), ["INT001"]);
    assert!(report.findings[0].message.contains("gone.onnx") && report.findings[0].message.contains("fetch"));
    assert!(!ValidationReport::of(vec![report]).passed());
}

#[cfg(unix)]
#[test]
fn a_link_in_an_artifact_is_refused_and_the_rest_still_judged() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("model.pkl"), b"cos\nsystem\n(S'x'\ntR.").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("vocabulary.txt")).unwrap();
    let report = validate(dir.path(), &ValidationPolicy::default());
    assert_eq!(report.verdict, Verdict::Reject);
    assert_eq!(rules(&report), ["PKL101", "INT004"]);
    assert_eq!(report.sha256, None, "a listing without the link would be another artifact's");
}

#[test]
fn the_policy_decides_on_formats_and_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.pkl");
    fs::write(&path, b"\x80\x04N.").unwrap();
    assert!(passes(&validate(&path, &ValidationPolicy::default())));
    let strict = ValidationPolicy {
        formats: Some(vec![Format::Onnx, Format::Safetensors]),
        max_size: Some(3),
        ..ValidationPolicy::default()
    };
    let report = validate(&path, &strict);
    assert_eq!((report.verdict, rules(&report)), (Verdict::Reject, vec!["POL001", "POL002"]));
    fs::write(&path, b"\x01\x02\x03\xff").unwrap();
    assert_eq!(validate(&path, &ValidationPolicy::default()).status, Status::Incomplete);
    assert_eq!(validate(&path, &strict).verdict, Verdict::Reject);
}

#[test]
fn what_is_no_model_says_what_it_is() {
    for (name, bytes, rule) in [
        ("m.onnx", &b""[..], "INT101"),
        ("m.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "INT102"),
        ("m.safetensors", b"<!DOCTYPE html><title>Sign in</title>", "INT103"),
        ("m.onnx", b"\x80\x04N.", "INT104"),
        ("m.bin", b"\x01\x02\x03\xff", "INT105"),
        ("m.pt", b"PK\x03\x04", "INT501"),
        ("config.json", b"{}", "INT108"),
    ] {
        let report = judge(name, bytes);
        assert!(!passes(&report), "{name}");
        assert!(rules(&report).contains(&rule), "{name}: {:?}", report.findings);
    }
}

#[test]
fn only_inert_files_may_lie_beside_a_model() {
    let beside = |name: &'static str, text: &str| {
        judge_files(vec![("model.onnx", sound_model()), (name, text.as_bytes().to_vec())])
    };
    assert!(passes(&beside("README.md", "# Churn")));
    assert!(passes(&beside("labels.txt", "cat\ndog\n")));
    assert!(passes(&beside("config.json", r#"{"hidden_size": 8}"#)));
    for (name, text, rule) in [
        ("config.json", r#"{"auto_map": {"AutoModel": "m.M"}}"#, "INT109"),
        ("config.json", r#"{"hidden_size": "#, "INT110"),
        ("modeling.py", "print(1)", "INT106"),
        ("run.sh", "#!/bin/sh\n", "INT106"),
    ] {
        let report = beside(name, text);
        assert!(!passes(&report) && rules(&report).contains(&rule), "{name}: {:?}", report.findings);
    }
}

#[test]
fn a_file_in_two_formats_counts_as_both() {
    let report = judge("m.pt", b"cos\nsystem\n(S'x'\ntR.PK\x03\x04");
    assert_eq!(report.verdict, Verdict::Reject);
    // The length of a safetensors header whose bytes make an unpickler skip to a payload in the header.
    let header = format!("{:1112}", "{cos\nsystem\n(S'x'\ntR.");
    let file = safetensors(&header, 0);
    assert_eq!(file[..5], [b'X', 4, 0, 0, 0], "a text of four bytes");
    let report = judge("m.safetensors", &file);
    assert!(rules(&report).contains(&"INT107"), "{:?}", report.findings);
}

#[test]
fn an_archive_behind_the_head_of_another_format_is_found() {
    let mut block = crate::build::tar(&[("model.pkl", b"N.")]);
    let head = b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    block[..head.len()].copy_from_slice(head);
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    for name in ["m.npy", "m.nemo", "m.tar"] {
        let report = judge(name, &block);
        assert!(rules(&report).contains(&"INT107") && !passes(&report), "{name}: {:?}", report.findings);
    }
}

#[test]
fn a_blob_of_an_image_has_the_digest_of_its_name() {
    // sha256 of the pickle below.
    let name = "blobs/sha256/9c298d589a2158eb513cb52191144518a2acab2cb0c04f1df14fca0f712fa4a1";
    let layout = |blob: &[u8]| {
        judge_files(vec![
            (name, blob.to_vec()),
            ("index.json", b"{\"schemaVersion\": 2}".to_vec()),
            ("oci-layout", b"{\"imageLayoutVersion\": \"1.0.0\"}".to_vec()),
        ])
    };
    assert!(passes(&layout(b"\x80\x04N.")), "{:?}", layout(b"\x80\x04N.").findings);
    assert_eq!(rules(&layout(b"\x80\x04K\x01.")), ["INT511"]);
}

#[test]
fn findings_name_the_file_that_they_are_about() {
    let report = judge_files(vec![("model.onnx", sound_model()), ("old/m.pkl", b"cos\nsystem\n.".to_vec())]);
    assert_eq!(report.findings[0].member.as_deref(), Some("old/m.pkl"));
    assert_eq!(report.findings[0].target.as_deref(), Some("os.system"));
    assert_eq!(report.verdict, Verdict::Reject);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn damaged_models_are_judged(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let header = r#"{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
        for (name, mut file) in [("m.onnx", sound_model()), ("m.safetensors", safetensors(header, 16))] {
            let at = at % file.len();
            file[at] = byte;
            file.truncate(file.len() - cut % file.len());
            let report = judge(name, &file);
            prop_assert!(report.sha256.is_some());
        }
    }

    #[test]
    fn arbitrary_bytes_behind_a_head_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for head in [&b"\x01"[..], b"\x08\x09\x42\x04\x0a\x00\x10\x11\x3a", b"\x40\0\0\0\0\0\0\0{", b"outs:\n"] {
            let report = judge("m.bin", &[head, &bytes].concat());
            prop_assert!(!passes(&report));
        }
    }
}
