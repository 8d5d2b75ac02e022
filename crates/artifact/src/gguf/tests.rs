//! Files built byte by byte, each with the one thing that is wrong.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

use proptest::prelude::*;

use crate::build::{judge, passes, rules, told};

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// One tensor for the table: name, axes, type, offset.
type Tensor<'t> = (&'t str, &'t [u64], u32, u64);

fn file(keys: &[(&str, u32, Vec<u8>)], tensors: &[Tensor<'_>], data: &[u8]) -> Vec<u8> {
    let mut out = b"GGUF\x03\0\0\0".to_vec();
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((keys.len() as u64).to_le_bytes());
    for (key, kind, value) in keys {
        text(&mut out, key);
        out.extend(kind.to_le_bytes());
        out.extend(value);
    }
    for (name, axes, kind, offset) in tensors {
        text(&mut out, name);
        out.extend((axes.len() as u32).to_le_bytes());
        axes.iter().for_each(|size| out.extend(size.to_le_bytes()));
        out.extend(kind.to_le_bytes());
        out.extend(offset.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(32), 0);
    out.extend(data);
    out
}

fn string(value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    text(&mut out, value);
    out
}

fn sound() -> Vec<u8> {
    let mut words = 8u32.to_le_bytes().to_vec();
    words.extend(2u64.to_le_bytes());
    words.extend(string("a"));
    words.extend(string("b"));
    file(
        &[
            ("general.architecture", 8, string("llama")),
            ("general.alignment", 4, 32u32.to_le_bytes().to_vec()),
            ("tokenizer.ggml.tokens", 9, words),
            ("tokenizer.chat_template", 8, string("{{ messages[0]['content'] }}")),
        ],
        &[("w", &[4, 2], 0, 0), ("q", &[32, 2], 2, 32)],
        &[0; 96],
    )
}

fn check(file: &[u8], rule: &str) {
    let report = judge("m.gguf", file);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

#[test]
fn a_sound_file_passes() {
    let report = judge("m.gguf", &sound());
    assert!(passes(&report), "{:?}", report.findings);
    let mut vocabulary = b"GGUF\x02\0\0\0".to_vec();
    vocabulary.extend([0; 16]);
    assert!(passes(&judge("vocabulary.gguf", &vocabulary)));
}

#[test]
fn every_kind_of_damage_has_a_rule() {
    let one = |axes: &[u64], kind, offset, data| file(&[], &[("w", axes, kind, offset)], &vec![0; data]);
    check(&sound()[..sound().len() - 33], "INT705");
    check(&one(&[4], 0, 0, 15), "INT705");
    check(&one(&[4], 0, 8, 32), "INT705");
    check(&one(&[4], 4, 0, 32), "INT704");
    check(&one(&[4], 77, 0, 32), "INT706");
    check(&one(&[33], 2, 0, 64), "INT704");
    check(&one(&[u64::MAX, u64::MAX], 0, 0, 64), "INT704");
    check(&one(&[1, 1, 1, 1, 1], 0, 0, 64), "INT704");
    check(&one(&[4], 0, 0, 64), "GGU102");
    check(&file(&[], &[("w", &[4], 0, 0), ("w", &[4], 0, 32)], &[0; 64]), "INT704");
    check(&file(&[], &[("w", &[16], 0, 0), ("v", &[4], 0, 32)], &[0; 64]), "INT705");
    check(&file(&[("a", 13, vec![0])], &[], &[]), "INT703");
    check(&file(&[("a", 7, vec![2])], &[], &[]), "INT703");
    check(&file(&[("a", 0, vec![2]), ("a", 0, vec![2])], &[], &[]), "INT703");
    check(&file(&[("general.alignment", 4, 3u32.to_le_bytes().to_vec())], &[], &[]), "INT702");
    check(b"GGUF\x09\0\0\0________________", "INT702");
    check(b"GGUF\x03\0\0\0__", "INT701");
    check(&file(&[], &[("w", &[4], 0, 0)], &f32::NAN.to_le_bytes().repeat(4)), "INT121");
}

#[test]
fn counts_are_checked_before_they_are_believed() {
    for at in [8, 16] {
        let mut bomb = sound();
        bomb[at..at + 8].copy_from_slice(&(1u64 << 60).to_le_bytes());
        check(&bomb, "GGU101");
        check(&bomb, "INT702");
    }
    let array = |kind: u32, count: u64| [&kind.to_le_bytes()[..], &count.to_le_bytes()].concat();
    check(&file(&[("a", 9, array(12, u64::MAX))], &[], &[]), "GGU101");
    let nested: Vec<u8> = (0..20).flat_map(|_| array(9, 1)).collect();
    check(&file(&[("a", 9, nested)], &[], &[0; 64]), "INT703");
}

#[test]
fn templates_and_code_keys_are_judged() {
    let hostile = |key| file(&[(key, 8, string("{{ ''.__class__ }}"))], &[], &[]);
    check(&hostile("tokenizer.chat_template"), "SEC201");
    check(&hostile("tokenizer.chat_template.tool_use"), "SEC201");
    check(&hostile("general.description"), "SEC201");
    check(&file(&[("llama.auto_map", 8, string("m.M"))], &[], &[]), "GGU104");
}

#[test]
fn a_model_tells_its_parameters_licence_and_architecture() {
    let keys = [("general.license", 8, string("mit")), ("general.architecture", 8, string("llama"))];
    let facts =
        judge("m.gguf", &file(&keys, &[("w", &[4, 2], 0, 0), ("q", &[32, 2], 2, 32)], &[0; 96])).facts;
    let facts = facts.unwrap();
    assert_eq!((facts.parameters, facts.tensors), (Some(72), Some(2)));
    assert_eq!(facts.dtypes, [("F32".to_owned(), 8), ("Q4_0".to_owned(), 64)].into());
    assert_eq!(facts.licences, ["mit"]);
    assert_eq!(told(&facts), ["GGUF: 3", "architecture: llama"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_hostile_file_passes(cut in 0usize..400, at in 0usize..400, byte in any::<u8>(), tail in 1usize..80) {
        let template = file(&[("tokenizer.chat_template", 8, string("{{ ''.__class__ }}"))], &[], &[]);
        let shorter = &template[..cut.min(template.len() - 1)];
        let report = judge("m.gguf", shorter);
        prop_assert!(!passes(&report), "{:?}", report.findings);
        let longer = [&template[..], &vec![b'x'; tail]].concat();
        prop_assert!(!passes(&judge("m.gguf", &longer)));
        // A flip may turn the template into a harmless one, never end the analysis early with a pass.
        let mut flipped = sound();
        let at = at % flipped.len();
        flipped[at] = byte;
        flipped.truncate(flipped.len() - 97);
        prop_assert!(!passes(&judge("m.gguf", &flipped)));
    }
}
