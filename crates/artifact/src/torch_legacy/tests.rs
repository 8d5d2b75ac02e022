//! Legacy files, sound, damaged and hostile.

use super::*;
use crate::build::{judge, passes, rules, state_dict, tensor, unicode};

const SYSTEM: &[u8] = b"\x80\x02}.";

fn file(object: &[u8], keys: &[&str], storages: &[u8]) -> Vec<u8> {
    let keys: Vec<u8> = keys.iter().flat_map(|key| unicode(key)).collect();
    [MAGIC, PROTOCOL, SYSTEM, object, b"\x80\x02](", &keys, b"e.", storages].concat()
}

fn storage(count: u64) -> Vec<u8> {
    [&count.to_le_bytes()[..], &[0x3f; 16]].concat()
}

fn check(bytes: &[u8], rule: &str) {
    let report = judge("m.pt", bytes);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

#[test]
fn every_byte_of_a_legacy_file_is_explained() {
    let object = state_dict(&tensor("7", 4, 4));
    let good = file(&object, &["7"], &storage(4));
    let report = judge("m.pt", &good);
    assert!(passes(&report), "{:?}", report.findings);
    assert_eq!(report.format, "directory");
    check(&good[..good.len() - 1], "INT522");
    check(&[&good[..], b"x"].concat(), "TOR103");
    check(&file(&object, &["7"], &storage(3)), "INT522");
    check(&file(&object, &[], &[]), "INT521");
    check(&file(&object, &["7", "8"], &storage(4)), "TOR103");
    let mut damaged = good.clone();
    damaged[6] ^= 1;
    check(&damaged, "INT523");
}

#[test]
fn frames_end_with_the_list_of_storages() {
    let object = state_dict(&tensor("7", 4, 4));
    let framed = |length: u8| {
        let keys =
            [b"\x80\x04\x95", &[length, 0, 0, 0, 0, 0, 0, 0][..], b"](", &unicode("7"), b"e."].concat();
        [MAGIC, PROTOCOL, SYSTEM, &object, &keys, &storage(4)].concat()
    };
    let report = judge("m.pt", &framed(10));
    assert!(passes(&report), "{:?}", report.findings);
    for length in [0, 9, 11, 255] {
        check(&framed(length), "INT523");
    }
}

#[test]
fn nothing_but_the_object_names_a_global() {
    let hostile = b"\x80\x02cos\nsystem\nX\x01\0\0\0x\x85R.";
    let object = state_dict(&tensor("7", 4, 4));
    check(&file(hostile, &[], &[]), "PKL101");
    check(&[MAGIC, PROTOCOL, hostile, &object].concat(), "PKL101");
    check(&[MAGIC, b"\x80\x02ccollections\nOrderedDict\n)R.", SYSTEM, &object].concat(), "TOR103");
    check(&[MAGIC, PROTOCOL, SYSTEM, &object, hostile].concat(), "INT523");
    let mut runs = b"cos\nsystem\n)R.".to_vec();
    runs.resize(16, 0);
    check(&file(&object, &["7"], &[&4u64.to_le_bytes()[..], &runs].concat()), "TOR104");
    let whole = file(hostile, &["7"], &storage(4));
    for length in 0..whole.len() {
        assert!(!passes(&judge("m.pt", &whole[..length])), "cut at {length}");
    }
}
