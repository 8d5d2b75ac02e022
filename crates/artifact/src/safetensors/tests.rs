//! Damaged and hostile headers, each with the one thing that is wrong.

use crate::build::{judge, judge_files, passes, rules, safetensors};

fn check(header: &str, data: usize, rule: &str) {
    let report = judge("m.safetensors", &safetensors(header, data));
    assert!(!passes(&report), "{header}");
    assert!(rules(&report).contains(&rule), "{header}: {:?}", report.findings);
}

#[test]
fn a_sound_file_passes() {
    let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},
        "b":{"dtype":"I8","shape":[],"data_offsets":[16,17]},"c":{"dtype":"F4","shape":[0,3],"data_offsets":[17,17]}}  "#;
    let report = judge("m.safetensors", &safetensors(header, 17));
    assert!(passes(&report), "{:?}", report.findings);
    assert!(report.sha256.is_some());
}

#[test]
fn every_kind_of_damage_has_a_rule() {
    let one = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    check(&one("F33", "[4]", "[0,16]"), 16, "INT303");
    check(&one("F32", "[5]", "[0,16]"), 16, "INT304");
    check(&one("F32", "[-1]", "[0,16]"), 16, "INT302");
    check(&one("F32", "[18446744073709551615,18446744073709551615,9]", "[0,16]"), 16, "INT304");
    check(&one("F32", "[4]", "[0,16]"), 15, "INT306");
    check(&one("F32", "[4]", "[0,16]"), 24, "STF101");
    check(&one("F32", "[4]", "[8,24]"), 24, "STF102");
    check(&one("F32", "[4]", "[16,0]"), 16, "INT304");
    check(&one("F32", &format!("[{}4]", "1,".repeat(100)), "[0,16]"), 16, "INT302");
    check("{\"a\":", 0, "INT302");
    check("{} x", 0, "INT302");
    check(&format!("{}{}", r#"{"a":"#, "[".repeat(5000)), 0, "INT302");
    check(r#"{"__metadata__":{"a":1}}"#, 0, "INT302");
    check(r#"{"__metadata__":{"a":"import os; os.system('x')"}}"#, 0, "STF103");
    let entry = r#"{"dtype":"U8","shape":[2],"data_offsets":[0,2]}"#;
    check(&format!(r#"{{"a":{entry},"a":{entry}}}"#), 2, "INT307");
    check(&format!(r#"{{"a":{entry},"b":{entry}}}"#), 2, "INT305");
}

#[test]
fn weights_are_sampled() {
    let header = r#"{"m":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F16","shape":[2],"data_offsets":[4,8]}}"#;
    let with = |mask: f32, weight: [u8; 2]| {
        let mut file = safetensors(header, 8);
        let data = file.len() - 8;
        file[data..data + 4].copy_from_slice(&mask.to_le_bytes());
        file[data + 6..].copy_from_slice(&weight);
        judge("m.safetensors", &file)
    };
    assert!(passes(&with(f32::NEG_INFINITY, [0, 0])), "a mask");
    for report in [with(f32::NAN, [0, 0]), with(0.0, [0, 0x7e])] {
        assert_eq!(rules(&report), ["INT121"]);
    }
}

#[test]
fn a_header_length_is_checked_before_it_is_believed() {
    for length in [3u64, 101 << 20, 1 << 63, u64::MAX] {
        let mut file = length.to_le_bytes().to_vec();
        file.extend_from_slice(b"{}");
        let report = judge("m.safetensors", &file);
        assert!(rules(&report).contains(&"INT301"), "{length}: {:?}", report.findings);
    }
}

#[test]
fn an_index_must_agree_with_its_shards() {
    let shard = |name: &str| {
        safetensors(&format!(r#"{{"{name}":{{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}}"#), 1)
    };
    let index =
        |map: &str| format!(r#"{{"metadata":{{"total_size":2}},"weight_map":{{{map}}}}}"#).into_bytes();
    let judge = |map: &str| {
        judge_files(vec![
            ("1.safetensors", shard("a")),
            ("2.safetensors", shard("b")),
            ("m.safetensors.index.json", index(map)),
        ])
    };
    let report = judge(r#""a":"1.safetensors","b":"2.safetensors""#);
    assert!(passes(&report), "{:?}", report.findings);
    for (map, rule) in [
        (r#""a":"1.safetensors","b":"3.safetensors""#, "INT308"),
        (r#""a":"1.safetensors","b":"../2.safetensors""#, "INT308"),
        (r#""a":"1.safetensors","b":"1.safetensors""#, "INT309"),
        (r#""a":"2.safetensors","b":"1.safetensors""#, "INT309"),
    ] {
        let report = judge(map);
        assert!(rules(&report).contains(&rule), "{map}: {:?}", report.findings);
    }
    let many: Vec<String> = (0..10_100).map(|n| format!(r#""t{n}":"{n}.bin""#)).collect();
    let report = judge(&many.join(","));
    assert!(report.findings.iter().any(|finding| finding.message.contains("more than 10000 shards")));
}
