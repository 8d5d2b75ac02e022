//! Buffers built from front to back, each with the one thing that is wrong.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

use proptest::prelude::*;

use crate::build::{judge, passes, rules, told};

/// What a field of a table holds.
enum Field {
    None,
    Number(u32),
    Byte(u8),
    Text(&'static str),
    Integers(Vec<i32>),
    Bytes(Vec<u8>),
    Doubles(usize),
    Table(Vec<Self>),
    Tables(Vec<Vec<Self>>),
    Texts(Vec<&'static str>),
}

fn put(out: &mut [u8], at: usize, value: u32) {
    out[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Writes a table and all that it leads to; where it stands.
fn table(out: &mut Vec<u8>, fields: &[Field]) -> usize {
    let layout = out.len();
    out.extend((4 + 2 * fields.len() as u16).to_le_bytes());
    out.extend((4 + 4 * fields.len() as u16).to_le_bytes());
    for (id, field) in fields.iter().enumerate() {
        let place = if matches!(field, Field::None) { 0 } else { 4 + 4 * id as u16 };
        out.extend(place.to_le_bytes());
    }
    let at = out.len();
    out.extend(((at - layout) as u32).to_le_bytes());
    out.resize(out.len() + 4 * fields.len(), 0);
    for (id, field) in fields.iter().enumerate() {
        let slot = at + 4 + 4 * id;
        match field {
            Field::None => {}
            Field::Number(number) => put(out, slot, *number),
            Field::Byte(byte) => out[slot] = *byte,
            Field::Table(fields) => {
                let child = table(out, fields);
                put(out, slot, (child - slot) as u32);
            }
            other => {
                let vector = out.len();
                put(out, slot, (vector - slot) as u32);
                elements(out, other);
            }
        }
    }
    at
}

fn elements(out: &mut Vec<u8>, field: &Field) {
    let mut counted = |count: usize, bytes: &[u8]| {
        out.extend((count as u32).to_le_bytes());
        out.extend(bytes);
    };
    match field {
        Field::Text(text) => counted(text.len(), text.as_bytes()),
        Field::Bytes(bytes) => counted(bytes.len(), bytes),
        Field::Doubles(count) => counted(*count, &vec![0; 8 * count]),
        Field::Integers(numbers) => {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            counted(numbers.len(), &bytes);
        }
        Field::Tables(tables) => {
            counted(tables.len(), &vec![0; 4 * tables.len()]);
            let first = out.len() - 4 * tables.len();
            for (index, fields) in tables.iter().enumerate() {
                let child = table(out, fields);
                put(out, first + 4 * index, (child - first - 4 * index) as u32);
            }
        }
        Field::Texts(texts) => {
            counted(texts.len(), &vec![0; 4 * texts.len()]);
            let first = out.len() - 4 * texts.len();
            for (index, text) in texts.iter().enumerate() {
                let child = out.len();
                put(out, first + 4 * index, (child - first - 4 * index) as u32);
                elements(out, &Field::Text(text));
            }
        }
        _ => {}
    }
}

/// A model with one fully connected operator. Each part can be spoilt.
struct Lite {
    code: Vec<Field>,
    shape: Vec<i32>,
    buffer: u32,
    input: i32,
    operator: u32,
}

impl Default for Lite {
    fn default() -> Self {
        Self { code: vec![Field::Byte(9)], shape: vec![2, 2], buffer: 1, input: 0, operator: 0 }
    }
}

impl Lite {
    fn file(self) -> Vec<u8> {
        let tensor = |name, shape: Vec<i32>, buffer| {
            vec![Field::Integers(shape), Field::Byte(0), Field::Number(buffer), Field::Text(name)]
        };
        let graph = vec![
            Field::Tables(vec![
                tensor("x", vec![1, 2], 0),
                tensor("w", self.shape, self.buffer),
                tensor("y", vec![1, 2], 0),
            ]),
            Field::Integers(vec![0]),
            Field::Integers(vec![2]),
            Field::Tables(vec![vec![
                Field::Number(self.operator),
                Field::Integers(vec![self.input, 1, -1]),
                Field::Integers(vec![2]),
            ]]),
        ];
        let buffers = vec![vec![], vec![Field::Bytes(vec![0; 16])]];
        let mut out = b"\0\0\0\0TFL3".to_vec();
        let fields = [
            Field::Number(3),
            Field::Tables(vec![self.code]),
            Field::Tables(vec![graph]),
            Field::None,
            Field::Tables(buffers),
        ];
        let root = table(&mut out, &fields);
        put(&mut out, 0, root as u32);
        out
    }
}

fn check(name: &'static str, file: &[u8], rule: &str) {
    let report = judge(name, file);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

#[test]
fn a_lite_model_must_lead_somewhere() {
    let report = judge("m.tflite", &Lite::default().file());
    assert!(passes(&report), "{:?}", report.findings);
    let facts = report.facts.unwrap();
    assert_eq!((facts.parameters, facts.tensors), (Some(4), Some(1)));
    assert_eq!(told(&facts), ["TensorFlow Lite schema: 3"]);
    let signature = report.signature.unwrap();
    assert_eq!((signature.inputs[0].to_string(), signature.outputs.len()), ("x: FP32[1, 2]".to_owned(), 1));
    for lite in [
        Lite { shape: vec![2, 3], ..Lite::default() },
        Lite { shape: vec![-2, 2], ..Lite::default() },
        Lite { buffer: 7, ..Lite::default() },
        Lite { input: 9, ..Lite::default() },
        Lite { operator: 4, ..Lite::default() },
    ] {
        check("m.tflite", &lite.file(), "INT911");
    }
    let named = |name| Lite { code: vec![Field::Byte(32), Field::Text(name)], ..Lite::default() }.file();
    check("m.tflite", &named("Mine"), "TFS301");
    check("m.tflite", &named("FlexErf"), "TFS302");
    check("m.tflite", &named("FlexReadFile"), "TFS101");
    let mut longer = Lite::default().file();
    longer.resize(longer.len() + 5000, 0);
    check("m.tflite", &longer, "INT913");
    for at in 8..Lite::default().file().len() - 4 {
        let mut spoilt = Lite::default().file();
        spoilt[at..at + 4].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
        assert!(judge("m.tflite", &spoilt).sha256.is_some());
    }
}

fn catboost(sizes: Vec<i32>, starts: Vec<i32>, values: usize, parts: Vec<&'static str>) -> Vec<u8> {
    let trees = vec![
        Field::Number(1),
        Field::Integers(vec![0; 3]),
        Field::Integers(sizes),
        Field::Integers(starts),
        Field::None,
        Field::None,
        Field::None,
        Field::None,
        Field::Doubles(values),
    ];
    let mut out = vec![0; 4];
    let release =
        vec![Field::Text("catboost_version_info"), Field::Text("Git info:\n Branch: tags/v1.2.10\n")];
    let pairs = Field::Tables(vec![vec![Field::Text("params"), Field::Text("{}")], release]);
    let fields = [Field::Text("FlabuffersModel_v1"), Field::Table(trees), pairs, Field::Texts(parts)];
    let root = table(&mut out, &fields);
    put(&mut out, 0, root as u32);
    [b"CBM1", &(out.len() as u32).to_le_bytes()[..], &out].concat()
}

#[test]
fn a_catboost_model_must_agree_with_its_counts() {
    let sound = catboost(vec![1, 2], vec![0, 1], 6, Vec::new());
    let report = judge("m.cbm", &sound);
    assert!(passes(&report), "{:?}", report.findings);
    assert_eq!(told(&report.facts.unwrap()), ["catboost: 1.2.10"]);
    check("m.cbm", &catboost(vec![1, 3], vec![0, 1], 6, Vec::new()), "INT952");
    check("m.cbm", &catboost(vec![1, 2], vec![0, 2], 6, Vec::new()), "INT952");
    check("m.cbm", &catboost(vec![1, 2], vec![0, 1], 7, Vec::new()), "INT952");
    check("m.cbm", &catboost(vec![1, -2], vec![0, 1], 6, Vec::new()), "INT952");
    check("m.cbm", &[&sound[..], b"x"].concat(), "INT913");
    check("m.cbm", &sound[..sound.len() - 1], "INT912");
    let parts = catboost(vec![1, 2], vec![0, 1], 6, vec!["static_provider_v1"]);
    let counted = [&parts[..], &[1, 0, 0, 0, 4, 0, 0, 0, 9, 9, 9, 9]].concat();
    assert!(passes(&judge("m.cbm", &counted)), "{:?}", judge("m.cbm", &counted).findings);
    check("m.cbm", &counted[..counted.len() - 1], "INT912");
    check("m.cbm", &[&counted[..], b"x"].concat(), "INT913");
    check("m.cbm", &catboost(vec![1, 2], vec![0, 1], 6, vec!["other"]), "TFS303");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_hostile_model_passes(cut in 0usize..600) {
        let code = vec![Field::Byte(32), Field::Text("FlexReadFile")];
        let hostile = Lite { code, ..Lite::default() }.file();
        prop_assert!(!passes(&judge("m.tflite", &hostile[..cut.min(hostile.len())])));
        let sound = catboost(vec![1, 2], vec![0, 1], 6, Vec::new());
        prop_assert!(!passes(&judge("m.cbm", &sound[..cut.min(sound.len() - 1)])));
    }
}
