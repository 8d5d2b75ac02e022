//! What is remembered, what is not, and what a damaged memory leads to.

use std::{collections::HashMap, fs, sync::Mutex};

use tagship_domain::{
    addition::{Addition, GlobalUse},
    validation::Verdict,
};

use super::*;
use crate::{
    build::safetensors,
    policy::ValidationPolicy,
    rules,
    validate::{Validated, validate_path_remembering},
};

/// A memory that lasts as long as a test.
#[derive(Default)]
struct Held(Mutex<HashMap<String, Vec<u8>>>);

impl Memory for Held {
    fn recall(&self, key: &Digest) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(key.hex()).cloned()
    }
    fn keep(&self, key: &Digest, bytes: &[u8]) {
        self.0.lock().unwrap().insert(key.hex().to_owned(), bytes.to_vec());
    }
}

impl Held {
    fn entries(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Files on disk with a memory beside them.
struct Case {
    directory: tempfile::TempDir,
    memory: Held,
    policy: ValidationPolicy,
}

impl Case {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(name), bytes).unwrap();
        Self { directory, memory: Held::default(), policy: ValidationPolicy::default() }
    }

    fn judge(&self) -> Validated {
        validate_path_remembering(self.directory.path(), &self.policy, &self.memory, &mut |_| ())
    }
}

/// A pickle that calls a function of the system, after `length` bytes of text.
fn hostile(length: usize) -> Vec<u8> {
    let mut bytes = b"\x80\x02X".to_vec();
    bytes.extend(u32::try_from(length).unwrap().to_le_bytes());
    bytes.extend(vec![b'a'; length]);
    bytes.extend(b"0cos\nsystem\nX\x02\0\0\0id\x85R.");
    bytes
}

#[test]
fn what_was_judged_is_hashed_only_and_reported_alike() {
    let tensors = safetensors(r#"{"w":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}}"#, 100_000);
    for (name, bytes, verdict) in
        [("model.safetensors", tensors, Verdict::Pass), ("model.pkl", hostile(100_000), Verdict::Reject)]
    {
        let case = Case::new(name, &bytes);
        let first = case.judge();
        assert_eq!((first.remembered, first.report.verdict), (0, verdict), "{:?}", first.report.findings);
        let mut read = 0;
        let path = case.directory.path();
        let again = validate_path_remembering(path, &case.policy, &case.memory, &mut |more| read += more);
        assert_eq!((again.remembered, read), (1, bytes.len() as u64), "{name}");
        assert_eq!(again.report, first.report);
    }
}

#[test]
fn another_byte_anywhere_is_judged_anew() {
    let mut bytes = hostile(10_000_000);
    let case = Case::new("model.pkl", &bytes);
    let first = case.judge();
    // Between two samples.
    bytes[100_000] = b'b';
    fs::write(case.directory.path().join("model.pkl"), &bytes).unwrap();
    let second = case.judge();
    assert_eq!((second.remembered, case.memory.entries()), (0, 1), "the entry is replaced");
    assert_ne!(second.report.sha256, first.report.sha256);
    assert_eq!(case.judge().remembered, 1);
}

#[test]
fn another_name_is_judged_anew() {
    let case = Case::new("model.pkl", &hostile(100_000));
    case.judge();
    let at = |name: &str| case.directory.path().join(name);
    fs::rename(at("model.pkl"), at("model.onnx")).unwrap();
    let renamed = case.judge();
    assert_eq!(renamed.remembered, 0);
    assert!(renamed.report.findings.iter().any(|finding| finding.rule == rules::MISNAMED.id));
}

#[test]
fn a_policy_counts_for_what_is_remembered_too() {
    let mut case = Case::new("model.pkl", &hostile(100_000));
    let first = case.judge().report;
    case.policy.max_size = Some(10);
    case.policy.formats = Some(vec![Format::Onnx]);
    let again = case.judge();
    let has = |rule: &rules::Rule| again.report.findings.iter().any(|finding| finding.rule == rule.id);
    assert!(again.remembered == 1 && has(&rules::SIZE_REFUSED) && has(&rules::FORMAT_REFUSED));
    case.policy = ValidationPolicy::default();
    assert_eq!(case.judge().report, first, "nothing of a policy is remembered");
}

#[test]
fn a_damaged_or_foreign_entry_is_not_believed_and_replaced() {
    let case = Case::new("model.pkl", &hostile(100_000));
    let first = case.judge();
    let key = case.memory.0.lock().unwrap().keys().next().unwrap().clone();
    let entry = case.memory.0.lock().unwrap()[&key].clone();
    let mut damaged: Vec<Vec<u8>> = (0..entry.len()).step_by(7).map(|cut| entry[..cut].to_vec()).collect();
    damaged.extend((0..entry.len()).step_by(5).map(|at| {
        let mut bytes = entry.clone();
        bytes[at] ^= 1;
        bytes
    }));
    let other = Digest::from_bytes([7; 32]);
    let body = &entry[CHECKSUM..];
    damaged.push([checksum(&other, body).hex().as_bytes(), body].concat());
    for bytes in damaged {
        case.memory.0.lock().unwrap().insert(key.clone(), bytes);
        let again = case.judge();
        assert_eq!((again.remembered, &again.report), (0, &first.report));
        assert_eq!(case.memory.0.lock().unwrap()[&key], entry);
    }
}

#[test]
fn what_was_not_judged_to_its_end_or_looked_elsewhere_is_not_remembered() {
    let unknown = vec![0xd5; 100_000];
    let mut cut = hostile(100_000);
    cut.truncate(90_000);
    let small = hostile(10);
    for (name, bytes) in [("model.bin", unknown), ("model.pkl", cut), ("model.pkl", small)] {
        let case = Case::new(name, &bytes);
        case.judge();
        assert_eq!((case.memory.entries(), case.judge().remembered), (0, 0), "{name}");
    }
    let tree = Watched {
        tree: &crate::disk::DiskTree::around(std::path::Path::new("x")),
        looks: AtomicUsize::new(0),
    };
    let _ = (tree.facts("beside"), tree.open("beside"), tree.files());
    assert_eq!(tree.looks.into_inner(), 3, "whatever is looked at counts");
}

#[test]
fn a_finding_of_another_severity_is_not_believed() {
    let case = Case::new("model.pkl", &hostile(100_000));
    let mut findings = case.judge().report.findings;
    findings[0].severity = tagship_domain::validation::Severity::Info;
    assert!(Findings::remembered(findings, 0).is_none());
}

#[test]
fn what_the_policy_lets_through_is_part_of_the_key() {
    let mut padded = b"\x80\x02X\x00\x00\x02\x00".to_vec();
    padded.extend(vec![b'a'; 2 << 16]);
    padded.extend(b"0cchurn.features\nEncoder\n)\x81.");
    let mut case = Case::new("m.pkl", &padded);
    assert_eq!(case.judge().report.verdict, Verdict::Reject);
    case.policy.additions = vec![Addition {
        global: "churn.features.Encoder".parse().unwrap(),
        call: GlobalUse::Newobj,
        reason: "ours".to_owned(),
        until: Some("2027-03-30".parse().unwrap()),
    }];
    case.policy.now = "2027-03-30T12:00:00Z".parse().unwrap();
    let added = case.judge();
    assert_eq!((added.report.verdict, added.remembered), (Verdict::Pass, 0));
    let again = case.judge();
    assert_eq!((&again.report, again.remembered), (&added.report, 1));
    case.policy.now = "2027-03-31T12:00:00Z".parse().unwrap();
    let ended = case.judge();
    assert_eq!((ended.report.verdict, ended.remembered), (Verdict::Reject, 0));
    let hit = case.judge().remembered;
    case.policy.bundles.pop_first();
    assert_eq!((hit, case.judge().remembered), (1, 0), "its bundles too");
}
