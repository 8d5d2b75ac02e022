//! Trees of five points of two coordinates in three nodes.

use super::super::neighbours::PARTS;
use crate::{
    build::unicode,
    pickle::sparse::tests::{ALL, Carried, array, kind, passed, refused, shape, values},
};

/// Begin and end of what a node covers, and whether it is a leaf.
type Node = [i64; 3];
const SOUND: [Node; 3] = [[0, 5, 0], [0, 2, 1], [2, 5, 1]];

fn little(numbers: &[i64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn node_type() -> Vec<u8> {
    let names: Vec<u8> = PARTS.iter().flat_map(|(name, ..)| unicode(name)).collect();
    let field = |(name, at, _): &(&str, i32, u32)| {
        [&unicode(name)[..], &kind("i8", "<"), &[b'K', u8::try_from(*at).unwrap(), 0x86]].concat()
    };
    let fields: Vec<u8> = PARTS.iter().flat_map(field).collect();
    let made = [b"cnumpy\ndtype\n", &unicode("V32")[..], b"\x89\x88\x87R(K\x03", &unicode("|"), b"N("];
    [&made.concat()[..], &names, b"t}(", &fields, b"uK\x20K\x01K\x10tb"].concat()
}

fn metric(class: &str, weights: &[u8], matrix: &[u8]) -> Vec<u8> {
    let made = b"csklearn.metrics._dist_metrics\nnewObj\ncsklearn.metrics._dist_metrics\n";
    let power = b"(G\x40\0\0\0\0\0\0\0";
    [&made[..], class.as_bytes(), b"\n\x85R", power, &values(weights), &values(matrix), b"tb"].concat()
}

/// Places of parts in a state.
const POINTS: usize = 0;
const ORDER: usize = 1;
const NODES: usize = 2;
const BOUNDS: usize = 3;
const LEAF_SIZE: usize = 4;
const COUNT: usize = 6;
const METRIC: usize = 11;
const WEIGHTS: usize = 12;

/// The parts of a state, of which some are changed.
#[derive(Clone)]
struct Parts(Vec<Vec<u8>>);

impl Parts {
    fn sound(how: Carried) -> Self {
        let mut parts = vec![
            array(&[0; 80], &kind("f8", "<"), &[5, 2], how),
            array(&little(&[4, 0, 3, 1, 2]), &kind("i8", "<"), &[5], how),
            array(&little(&nodes(&SOUND)), &node_type(), &[3], how),
            array(&[0; 96], &kind("f8", "<"), &[2, 3, 2], how),
            b"K\x02".to_vec(),
            b"K\x02".to_vec(),
            b"K\x03".to_vec(),
        ];
        parts.extend(vec![b"K\0".to_vec(); 4]);
        parts.push(metric("EuclideanDistance64", &[1], &[1, 1]));
        parts.push(b"N".to_vec());
        Self(parts)
    }

    fn with(&self, part: usize, value: Vec<u8>) -> Vec<u8> {
        let mut parts = self.clone();
        parts.0[part] = value;
        parts.tree("kd_tree\nKDTree")
    }

    fn tree(&self, class: &str) -> Vec<u8> {
        let (module, _) = class.split_once('\n').unwrap();
        let made = format!("csklearn.neighbors._{module}\nnewObj\ncsklearn.neighbors._{class}\n");
        [b"\x80\x04", made.as_bytes(), b"\x85R(", &self.0.concat(), b"tb."].concat()
    }
}

fn nodes(nodes: &[Node]) -> Vec<i64> {
    nodes.iter().flat_map(|[start, end, leaf]| [*start, *end, *leaf, 0]).collect()
}

#[test]
fn a_tree_of_neighbours_leads_to_its_points() {
    for how in ALL {
        let sound = Parts::sound(how);
        passed(&sound.tree("kd_tree\nKDTree"), &format!("{how:?}"));
        passed(&sound.tree("ball_tree\nBallTree"), &format!("{how:?}"));
        for hostile in [
            [[0, 6, 0], [0, 2, 1], [2, 5, 1]],
            [[0, 5, 0], [-1, 2, 1], [2, 5, 1]],
            [[0, 5, 0], [0, 2, 1], [5, 2, 1]],
            [[0, 5, 0], [0, 2, 0], [2, 5, 1]],
        ] {
            let nodes = array(&little(&nodes(&hostile)), &node_type(), &[3], how);
            refused(&sound.with(NODES, nodes), "PKL107", &format!("{how:?} {hostile:?}"));
        }
        for order in [[4, 0, 3, 1, 5], [4, 0, 3, 1, -1]] {
            let order = array(&little(&order), &kind("i8", "<"), &[5], how);
            refused(&sound.with(ORDER, order), "PKL107", &format!("{how:?}"));
        }
    }
}

#[test]
fn parts_of_a_tree_fit_each_other() {
    let sound = Parts::sound(Carried::Bytes);
    for (part, value) in [
        (POINTS, values(&[4, 2])),
        (POINTS, values(&[5, 3])),
        (POINTS, values(&[5, 2, 2])),
        (ORDER, array(&little(&[0, 1, 2, 3]), &kind("i8", "<"), &[4], Carried::Bytes)),
        (NODES, array(&[], &node_type(), &[0], Carried::Bytes)),
        (BOUNDS, values(&[1, 3, 2])),
        (BOUNDS, values(&[2, 2, 2])),
        (BOUNDS, values(&[2, 3, 1])),
        (LEAF_SIZE, b"K\0".to_vec()),
        (COUNT, b"K\x02".to_vec()),
        (WEIGHTS, values(&[4])),
        (WEIGHTS, values(&[5, 2])),
    ] {
        refused(&sound.with(part, value), "PKL107", &format!("part {part}"));
    }
    passed(&sound.with(WEIGHTS, values(&[5])), "weights");
    passed(&sound.with(POINTS, values(&[5, 1])), "one coordinate");
    let mut balls = sound.clone();
    balls.0[BOUNDS] = values(&[1, 3, 2]);
    passed(&balls.tree("ball_tree\nBallTree"), "the middle of each ball");
    balls.0[BOUNDS] = values(&[0, 3, 2]);
    refused(&balls.tree("ball_tree\nBallTree"), "PKL107", "no bounds");
    let mut without_weights = sound.clone();
    without_weights.0.pop();
    passed(&without_weights.tree("kd_tree\nKDTree"), "before there were weights");
}

#[test]
fn a_metric_measures_points_of_its_size() {
    let sound = Parts::sound(Carried::Bytes);
    for (class, weights, matrix) in [
        ("MinkowskiDistance64", &[0][..], &[1, 1][..]),
        ("MinkowskiDistance64", &[2], &[1, 1]),
        ("SEuclideanDistance", &[2], &[1, 1]),
        ("MahalanobisDistance64", &[1], &[2, 2]),
        ("HaversineDistance", &[1], &[1, 1]),
        ("ManhattanDistance64", &[1], &[1, 1]),
    ] {
        passed(&sound.with(METRIC, metric(class, weights, matrix)), class);
    }
    for (class, weights, matrix) in [
        ("MinkowskiDistance64", &[1][..], &[1, 1][..]),
        ("SEuclideanDistance64", &[1], &[1, 1]),
        ("MahalanobisDistance64", &[1], &[1, 2]),
        ("MahalanobisDistance64", &[1], &[2, 1]),
    ] {
        refused(&sound.with(METRIC, metric(class, weights, matrix)), "PKL107", class);
    }
    let mut flat = sound.clone();
    flat.0[POINTS] = values(&[5, 1]);
    flat.0[METRIC] = metric("HaversineDistance64", &[1], &[1, 1]);
    refused(&flat.tree("kd_tree\nKDTree"), "PKL107", "latitude alone");
}

#[test]
fn every_tree_of_neighbours_has_a_state() {
    let sound = Parts::sound(Carried::Bytes).tree("kd_tree\nKDTree");
    let made = b"csklearn.neighbors._kd_tree\nnewObj\ncsklearn.neighbors._kd_tree\nKDTree\n\x85R";
    refused(&[b"\x80\x04", &made[..], b"."].concat(), "PKL107", "none");
    let second = [b"\x80\x04", &made[..], b"0", &sound[2..]].concat();
    refused(&second, "PKL107", "one of two");
    let state = sound.windows(3).position(|three| three == b"R(c").unwrap() + 1;
    let again = [b"\x80\x04", &made[..], &sound[2..sound.len() - 1], &sound[state..sound.len() - 1], b"."];
    refused(&again.concat(), "PKL107", "twice the same of two");
}

#[test]
fn a_tree_of_neighbours_that_is_not_followed_is_no_pass() {
    let sound = Parts::sound(Carried::Bytes);
    let whole = metric("SEuclideanDistance64", &[2], &[1, 1]);
    let state = whole.windows(2).position(|two| two == b"(G").unwrap();
    let other = metric("SEuclideanDistance64", &[1], &[1, 1]);
    let late = sound.with(METRIC, [&whole[..], b"q\x05"].concat());
    let late = [&late[..late.len() - 1], b"h\x05", &other[state..], b"0."].concat();
    refused(&late, "PKL304", "a metric that changes");
    refused(&sound.with(METRIC, whole[..state].to_vec()), "PKL304", "a metric without a state");
    refused(&sound.with(METRIC, metric("MahalanobisDistance64", &[1], &[4])), "PKL107", "a flat matrix");
    refused(&sound.with(METRIC, metric("SEuclideanDistance64", &[2, 2], &[4])), "PKL304", "weights in rows");
    for part in [POINTS, ORDER, NODES, BOUNDS, LEAF_SIZE, COUNT] {
        refused(&sound.with(part, b"N".to_vec()), "PKL304", &format!("part {part}"));
    }
    refused(&sound.with(WEIGHTS, b"]".to_vec()), "PKL304", "weights in a list");
    let objects = [
        &b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R"[..],
        b"(K\x01",
        &shape(&[1]),
        &kind("O8", "|"),
        b"\x89]Natb",
    ]
    .concat();
    let kept = sound.with(POINTS, [&values(&[5, 2])[..], b"q\x05"].concat());
    let begin = objects.windows(3).position(|three| three == b"(K\x01").unwrap();
    let replaced = [&kept[..kept.len() - 1], b"h\x05", &objects[begin..], b"0."].concat();
    refused(&replaced, "PKL304", "points that give way to objects");
}
