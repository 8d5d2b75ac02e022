//! Time per row of a forest of 100 trees of depth 10, as a random forest of two classes is exported.
//!
//! `cargo bench -p tagship-serve` prints microseconds per row for one row at a time and for a batch. The model is
//! written here byte by byte, so that the bench needs neither a file nor an ONNX library.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::expect_used, reason = "a bench that cannot run has no answer to give")]

use std::time::Instant;

use tagship_serve::engine::{LoadOptions, Model, Tensor, TensorData};

const TREES: i64 = 100;
const DEPTH: u32 = 10;
const FEATURES: usize = 20;
const BATCH: usize = 32;

fn main() {
    let begin = Instant::now();
    let model = Model::from_bytes(&forest(), &LoadOptions::default()).expect("load the forest");
    println!("load: {:.1} ms", begin.elapsed().as_secs_f64() * 1e3);
    for rows in [1, BATCH] {
        println!("{rows} rows per request: {:.2} us per row", median_per_row(&model, rows));
    }
}

/// Median over many requests of other rows each, in microseconds per row.
fn median_per_row(model: &Model, rows: usize) -> f64 {
    let mut random = Random(7);
    let mut times: Vec<f64> = (0..2_000)
        .map(|_| {
            let values = (0..rows * FEATURES).map(|_| random.unit()).collect();
            let input = Tensor::new("x", vec![rows, FEATURES], TensorData::Fp32(values)).expect("shape fits");
            let begin = Instant::now();
            model.run(std::slice::from_ref(&input)).expect("run the forest");
            begin.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    #[allow(clippy::cast_precision_loss, reason = "a handful of rows")]
    let rows = rows as f64;
    times[times.len() / 2] / rows
}

/// A linear congruential generator (Knuth's MMIX constants): the same forest and rows on every machine.
struct Random(u64);

impl Random {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "24 bits fit a single")]
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// Complete trees over random features and thresholds; every leaf votes for class 1 with a random weight.
fn forest() -> Vec<u8> {
    let (inner, all) = ((1_i64 << DEPTH) - 1, (1_i64 << (DEPTH + 1)) - 1);
    let mut random = Random(1);
    let mut node = Node::default();
    for tree in 0..TREES {
        for id in 0..all {
            let branches = id < inner;
            node.trees.push(tree);
            node.ids.push(id);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "a feature number"
            )]
            node.features.push(if branches { (random.unit() * FEATURES as f32) as i64 } else { 0 });
            node.values.push(if branches { random.unit() } else { 0.0 });
            node.modes.push(if branches { "BRANCH_LEQ" } else { "LEAF" });
            node.yes.push(if branches { 2 * id + 1 } else { 0 });
            node.no.push(if branches { 2 * id + 2 } else { 0 });
            if !branches {
                node.leaf_trees.push(tree);
                node.leaf_ids.push(id);
                node.weights.push(random.unit() / 100.0);
            }
        }
    }
    node.model()
}

#[derive(Default)]
struct Node {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    values: Vec<f32>,
    modes: Vec<&'static str>,
    yes: Vec<i64>,
    no: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_ids: Vec<i64>,
    weights: Vec<f32>,
}

impl Node {
    /// The model file. Field numbers are those of `onnx.proto`.
    fn model(&self) -> Vec<u8> {
        let mut node =
            [text(1, "x"), text(2, "label"), text(2, "scores"), text(4, "TreeEnsembleClassifier")].concat();
        node.extend(text(7, "ai.onnx.ml"));
        let classes = vec![0; self.weights.len()];
        for (name, values) in [
            ("nodes_treeids", &self.trees),
            ("nodes_nodeids", &self.ids),
            ("nodes_featureids", &self.features),
            ("nodes_truenodeids", &self.yes),
            ("nodes_falsenodeids", &self.no),
            ("class_treeids", &self.leaf_trees),
            ("class_nodeids", &self.leaf_ids),
            ("class_ids", &classes),
            ("classlabels_int64s", &vec![0, 1]),
        ] {
            let packed: Vec<u8> = values.iter().flat_map(|&value| varint(value.cast_unsigned())).collect();
            node.extend(attribute(name, 7, &field(8, &packed)));
        }
        for (name, values) in [("nodes_values", &self.values), ("class_weights", &self.weights)] {
            let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            node.extend(attribute(name, 6, &field(7, &packed)));
        }
        let modes: Vec<u8> = self.modes.iter().flat_map(|mode| text(9, mode)).collect();
        node.extend(attribute("nodes_modes", 8, &modes));

        let columns = [number(1, FEATURES as u64)].concat();
        let shape = [field(1, &[]), field(1, &columns)].concat();
        let tensor = [number(1, 1), field(2, &shape)].concat();
        let input = [text(1, "x"), field(2, &field(1, &tensor))].concat();
        let outputs = ["label", "scores"].map(|name| field(12, &text(1, name))).concat();
        let graph = [field(1, &node), text(2, "forest"), field(11, &input), outputs].concat();
        let opset = |domain, version| field(8, &[text(1, domain), number(2, version)].concat());
        [number(1, 8), field(7, &graph), opset("", 17), opset("ai.onnx.ml", 1)].concat()
    }
}

fn attribute(name: &str, kind: u64, values: &[u8]) -> Vec<u8> {
    field(5, &[text(1, name).as_slice(), values, &number(20, kind)].concat())
}

fn text(tag: u64, text: &str) -> Vec<u8> {
    field(tag, text.as_bytes())
}

/// A length-delimited field of the protocol buffer encoding.
fn field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(tag << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn number(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push((value & 0x7f) as u8);
    bytes
}
