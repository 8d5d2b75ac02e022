//! Buffers built from front to back, each with the one thing that is wrong.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

use proptest::prelude::*;

use crate::build::{Message, Stored, judge, passes, rules, told, zip_of};

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
    /// Element type and bytes of the weights.
    kind: u8,
    data: Vec<u8>,
    sparsity: Option<Vec<Field>>,
    /// Settings of the operator: its own table, and those of an operator by name.
    options: Option<Vec<Field>>,
    settings: Option<Vec<u8>>,
    /// Empty graphs behind the one with the operator.
    others: usize,
}

impl Default for Lite {
    fn default() -> Self {
        Self {
            code: vec![Field::Byte(9)],
            shape: vec![2, 2],
            buffer: 1,
            input: 0,
            operator: 0,
            kind: 0,
            data: vec![0; 16],
            sparsity: None,
            options: None,
            settings: None,
            others: 0,
        }
    }
}

impl Lite {
    fn file(self) -> Vec<u8> {
        let tensor = |name, shape: Vec<i32>, buffer| {
            vec![Field::Integers(shape), Field::Byte(0), Field::Number(buffer), Field::Text(name)]
        };
        let mut weights = tensor("w", self.shape, self.buffer);
        weights[1] = Field::Byte(self.kind);
        weights.extend([Field::None, Field::None, self.sparsity.map_or(Field::None, Field::Table)]);
        let graph = vec![
            Field::Tables(vec![tensor("x", vec![1, 2], 0), weights, tensor("y", vec![1, 2], 0)]),
            Field::Integers(vec![0]),
            Field::Integers(vec![2]),
            Field::Tables(vec![vec![
                Field::Number(self.operator),
                Field::Integers(vec![self.input, 1, -1]),
                Field::Integers(vec![2]),
                Field::None,
                self.options.map_or(Field::None, Field::Table),
                self.settings.map_or(Field::None, Field::Bytes),
            ]]),
        ];
        let buffers = vec![vec![], vec![Field::Bytes(self.data)]];
        let graphs = std::iter::once(graph).chain((0..self.others).map(|_| vec![])).collect();
        let mut out = b"\0\0\0\0TFL3".to_vec();
        let fields = [
            Field::Number(3),
            Field::Tables(vec![self.code]),
            Field::Tables(graphs),
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
    for extra in [100, 5000] {
        let mut longer = Lite::default().file();
        longer.resize(longer.len() + extra, 0);
        check("m.tflite", &longer, "INT913");
    }
    for at in 8..Lite::default().file().len() - 4 {
        let mut spoilt = Lite::default().file();
        spoilt[at..at + 4].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
        assert!(judge("m.tflite", &spoilt).sha256.is_some());
    }
}

/// A model with a zip archive of one member behind it, as the writer of metadata appends it.
fn with_archive(name: &str, text: &[u8]) -> Vec<u8> {
    let mut file = Lite::default().file();
    let base = file.len() as u32;
    let mut archive = zip_of(vec![Stored::new(name, text)]);
    // Places count from the beginning of the file.
    for (mark, field) in [(b"PK\x01\x02", 42), (b"PK\x05\x06", 16)] {
        let at = archive.windows(4).position(|bytes| bytes == mark).unwrap() + field;
        let place = u32::from_le_bytes(archive[at..at + 4].try_into().unwrap());
        put(&mut archive, at, place + base);
    }
    file.extend(archive);
    file
}

#[test]
fn texts_may_lie_behind_a_model() {
    let sound = with_archive("labels.txt", b"cat\ndog\n");
    let report = judge("m.tflite", &sound);
    assert!(passes(&report), "{:?}", report.findings);
    check("m.tflite", &with_archive("model.pkl", b"cos\nsystem\n(S'id'\ntR."), "INT107");
    check("m.tflite", &with_archive("labels.py", b"import os\n"), "INT107");
    // What is no text, whatever it is called.
    check("m.tflite", &with_archive("labels.txt", b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R."), "PKL101");
    check("m.tflite", &with_archive("../labels.txt", b"cat\n"), "ARC101");
    let model = Lite::default().file();
    let apart = [&model[..], &[0; 64], &sound[model.len()..]].concat();
    assert!(!passes(&judge("m.tflite", &apart)));
    for at in model.len()..sound.len() - 22 {
        assert!(!passes(&judge("m.tflite", &[&sound[..at], &sound[at + 1..]].concat())), "without byte {at}");
    }
}

/// A `FlexBuffer` of two texts: an operator's name, and a node that runs one.
fn flex(name: &str, operator: &str) -> Vec<u8> {
    let node = Message::default().bytes(1, "n").bytes(2, operator);
    flex_of(name, &node.0)
}

fn flex_of(name: &str, node: &[u8]) -> Vec<u8> {
    let mut out = vec![name.len() as u8];
    out.extend(name.as_bytes());
    out.extend([0, node.len() as u8]);
    let second = out.len();
    out.extend(node);
    out.extend([0, 2]);
    let vector = out.len();
    out.extend([vector as u8 - 1, (vector + 1 - second) as u8, 5 << 2, 5 << 2]);
    out.extend([4, 10 << 2, 1]);
    out
}

fn by_name(name: &'static str, settings: Option<Vec<u8>>) -> Vec<u8> {
    Lite { code: vec![Field::Byte(32), Field::Text(name)], settings, ..Lite::default() }.file()
}

#[test]
fn an_operator_by_name_runs_what_its_settings_say() {
    check("m.tflite", &by_name("Mine", None), "TFS301");
    let sound = judge("m.tflite", &by_name("FlexErf", Some(flex("Erf", "Erf"))));
    assert_eq!(rules(&sound), ["TFS302"], "{:?}", sound.findings);
    check("m.tflite", &by_name("FlexReadFile", Some(flex("ReadFile", "ReadFile"))), "TFS101");
    check("m.tflite", &by_name("FlexAdd", Some(flex("Add", "ReadFile"))), "TFS101");
    check("m.tflite", &by_name("FlexAdd", Some(flex("ReadFile", "Add"))), "TFS101");
    check("m.tflite", &by_name("FlexAdd", Some(flex("Add", "Sub"))), "INT911");
    check("m.tflite", &by_name("FlexAddMine", Some(flex("AddMine", "AddMine"))), "TFS202");
    check("m.tflite", &by_name("FlexAdd", None), "INT911");
    check("m.tflite", &by_name("FlexSaveV2", Some(flex("SaveV2", "SaveV2"))), "TFS201");
    // An attribute of the node, behind its operator.
    let stream =
        Message::default().bytes(1, "output_stream").message(2, Message::default().bytes(2, "file:///x"));
    let node = Message::default().bytes(1, "n").bytes(2, "PrintV2").message(5, stream);
    check("m.tflite", &by_name("FlexPrintV2", Some(flex_of("PrintV2", &node.0))), "TFS102");
    let whole = flex("Add", "Add");
    for cut in 0..whole.len() {
        check("m.tflite", &by_name("FlexAdd", Some(whole[..cut].to_vec())), "INT911");
    }
}

#[test]
fn an_operator_code_is_the_larger_of_two() {
    let coded = |old: u8, new: i32| {
        let code = vec![Field::Byte(old), Field::Text("Mine"), Field::None, Field::Number(new as u32)];
        Lite { code, ..Lite::default() }.file()
    };
    check("m.tflite", &coded(32, -1), "TFS301");
    check("m.tflite", &coded(255, 32), "TFS301");
    check("m.tflite", &coded(127, 9999), "TFS304");
    check("m.tflite", &coded(249, -7), "INT911");
    assert!(passes(&judge("m.tflite", &coded(127, 150))));
}

#[test]
fn control_flow_goes_to_graphs_that_exist() {
    let loops = |condition: i32, body: i32| {
        let options = vec![Field::Number(condition as u32), Field::Number(body as u32)];
        Lite { code: vec![Field::Byte(119)], options: Some(options), others: 2, ..Lite::default() }.file()
    };
    let report = judge("m.tflite", &loops(1, 2));
    assert!(passes(&report), "{:?}", report.findings);
    check("m.tflite", &loops(1, 3), "INT911");
    // It would run itself for ever.
    check("m.tflite", &loops(1, 0), "INT911");
    check("m.tflite", &loops(-5, 0), "INT911");
}

#[test]
fn texts_lie_in_their_tensor() {
    let texts = |numbers: &[i32]| {
        let mut data: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        data.extend(b"catdog");
        Lite { kind: 5, shape: vec![2], data, ..Lite::default() }.file()
    };
    let report = judge("m.tflite", &texts(&[2, 16, 19, 22]));
    assert!(passes(&report), "{:?}", report.findings);
    for numbers in [
        &[2, 16, 19, 23][..],
        &[2, 16, 24, 22],
        &[2, -16, 19, 22],
        &[2, 0x7fff_fff0, -16, i32::MAX],
        &[1, 12, 18],
        &[i32::MAX, 16, 19, 22],
        &[-1, 16, 19, 22],
    ] {
        check("m.tflite", &texts(numbers), "INT911");
    }
}

#[test]
fn places_of_a_sparse_tensor_lie_inside_of_it() {
    let list = |numbers: Vec<i32>| Field::Table(vec![Field::Integers(numbers)]);
    let sparse = |order: Vec<i32>, dense: i32, segments: Vec<i32>, indices: Vec<i32>, values: usize| {
        let rows = vec![Field::Byte(0), Field::Number(dense as u32)];
        let columns = vec![
            Field::Byte(1),
            Field::Number(0),
            Field::Byte(1),
            list(segments),
            Field::Byte(1),
            list(indices),
        ];
        let sparsity = vec![Field::Integers(order), Field::None, Field::Tables(vec![rows, columns])];
        let data = vec![0; 4 * values];
        Lite { sparsity: Some(sparsity), data, ..Lite::default() }.file()
    };
    let report = judge("m.tflite", &sparse(vec![0, 1], 2, vec![0, 1, 2], vec![1, 0], 2));
    assert!(passes(&report), "{:?}", report.findings);
    for file in [
        sparse(vec![0, 1], 2, vec![0, 1, 2], vec![2, 0], 2),
        sparse(vec![0, 1], 2, vec![0, 1, 2], vec![-1, 0], 2),
        sparse(vec![0, 1], 2, vec![0, 1, 9], vec![1, 0], 2),
        sparse(vec![0, 1], 2, vec![0, 2], vec![1, 0], 2),
        sparse(vec![0, 1], 3, vec![0, 1, 2, 2], vec![1, 0], 2),
        sparse(vec![0, 0], 2, vec![0, 1, 2], vec![1, 0], 2),
        sparse(vec![0, 9], 2, vec![0, 1, 2], vec![1, 0], 2),
        sparse(vec![0, 1], 2, vec![0, 1, 2], vec![1, 0], 3),
    ] {
        check("m.tflite", &file, "INT911");
    }
}

fn catboost(sizes: Vec<i32>, starts: Vec<i32>, values: usize, parts: Vec<&'static str>) -> Vec<u8> {
    catboost_of(forest(vec![0; 3], sizes, starts, values), parts)
}

/// Trees over one feature with two borders.
fn forest(splits: Vec<i32>, sizes: Vec<i32>, starts: Vec<i32>, values: usize) -> Vec<Field> {
    let feature = vec![Field::Byte(0), Field::Number(0), Field::Number(0), Field::Integers(vec![0, 0])];
    vec![
        Field::Number(1),
        Field::Integers(splits),
        Field::Integers(sizes),
        Field::Integers(starts),
        Field::None,
        Field::Tables(vec![feature]),
        Field::None,
        Field::None,
        Field::Doubles(values),
    ]
}

fn catboost_of(trees: Vec<Field>, parts: Vec<&'static str>) -> Vec<u8> {
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

/// The model in the state of CatBoost's class.
fn in_a_pickle(model: &[u8]) -> Vec<u8> {
    let bytes = [b"B", &(model.len() as u32).to_le_bytes()[..], model].concat();
    let class = b"\x80\x04ccatboost.core\nCatBoostClassifier\n)\x81}";
    [&class[..], &crate::build::unicode("__model"), &bytes, b"sb."].concat()
}

#[test]
fn a_catboost_model_in_a_pickle_is_the_same_model() {
    let sound = catboost(vec![1, 2], vec![0, 1], 6, vec![]);
    let report = judge("m.pkl", &in_a_pickle(&sound));
    assert!(passes(&report), "{:?}", report.findings);
    check("m.pkl", &in_a_pickle(&catboost(vec![1, 2], vec![0, 1], 5, vec![])), "INT952");
    check("m.pkl", &in_a_pickle(&sound[..sound.len() - 1]), "INT912");
}

#[test]
fn splits_and_leaves_of_a_catboost_model_exist() {
    let splits = |splits: Vec<i32>| catboost_of(forest(splits, vec![1], vec![0], 2), Vec::new());
    assert!(passes(&judge("m.cbm", &splits(vec![1]))));
    for split in [2, -5, 2_000_000_000] {
        check("m.cbm", &splits(vec![split]), "INT952");
    }
    // A split and two leaves, which keep no condition.
    let stepped = |steps: [(i32, i32); 3], leaves: Vec<i32>, splits: Vec<i32>| {
        let mut trees = forest(splits, vec![3], vec![0], 2);
        let steps = steps.iter().map(|(left, right)| left | right << 16).collect();
        trees.extend([Field::None, Field::Integers(steps), Field::Integers(leaves)]);
        catboost_of(trees, Vec::new())
    };
    let leaf = (0, 0);
    let report = judge("m.cbm", &stepped([(1, 2), leaf, leaf], vec![-1, 0, 1], vec![1, -1, -1]));
    assert!(passes(&report), "{:?}", report.findings);
    for file in [
        stepped([(1, 3), leaf, leaf], vec![-1, 0, 1], vec![1, 0, 0]),
        stepped([(0xffff, 0xffff), leaf, leaf], vec![-1, 0, 1], vec![1, 0, 0]),
        stepped([(1, 2), leaf, leaf], vec![-1, 0, 2], vec![1, 0, 0]),
        stepped([(1, 2), leaf, leaf], vec![-1, 0, -1], vec![1, 0, 0]),
        stepped([(1, 0), leaf, leaf], vec![-1, 0, 1], vec![1, 0, 0]),
        stepped([(1, 2), leaf, leaf], vec![-1, 0], vec![1, 0, 0]),
        stepped([(1, 2), leaf, leaf], vec![-1, 0, 1], vec![2, 0, 0]),
    ] {
        check("m.cbm", &file, "INT952");
    }
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
