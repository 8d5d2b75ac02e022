//! Models whose sizes come of constants in roundabout ways, and sound ones that look alike.

use std::collections::HashMap;

use super::{MAX_REMEMBERED, Node, Parts, Sizes};
use crate::build::{Message, graph, judge, model, node, passes, rules};

/// A model of these nodes and constants, beside a sound one's.
fn with(nodes: &[Message], constants: &[Message]) -> Vec<u8> {
    let graph = graph(|g| {
        let g = nodes.iter().cloned().fold(g, |g, node| g.message(1, node));
        constants.iter().cloned().fold(g, |g, tensor| g.message(5, tensor))
    });
    model(graph, |model| model)
}

/// Whole numbers.
fn whole(name: &str, numbers: &[i64]) -> Message {
    let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    Message::default().number(1, numbers.len() as u64).number(2, 7).bytes(8, name).bytes(9, raw)
}

/// A number of FP32.
fn float(name: &str, number: f32) -> Message {
    Message::default().number(2, 1).bytes(8, name).bytes(9, number.to_le_bytes())
}

fn sound(nodes: &[Message], constants: &[Message]) {
    let report = judge("m.onnx", &with(nodes, constants));
    assert!(passes(&report), "{:?}", report.findings);
}

fn check(rule: &str, nodes: &[Message], constants: &[Message]) {
    let report = judge("m.onnx", &with(nodes, constants));
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

#[test]
fn what_a_tensor_is_filled_with_is_no_size() {
    let shape = || node("Shape", &["x"], &["s"]);
    let masked = || node("Where", &["t", "m", "x"], &["a"]);
    let compared = || node("Equal", &["x", "x"], &["t"]);
    for least in [f32::MIN, f32::NEG_INFINITY, 1e10] {
        let least = || float("m", least);
        sound(&[shape(), node("Expand", &["m", "s"], &["z"])], &[least()]);
        sound(&[shape(), compared(), masked(), node("Expand", &["a", "s"], &["z"])], &[least()]);
        sound(&[shape(), compared(), masked(), node("Tile", &["a", "s"], &["z"])], &[least()]);
        sound(
            &[shape(), node("Concat", &["s", "s"], &["p"]), node("Pad", &["x", "p", "m"], &["z"])],
            &[least()],
        );
        sound(
            &[compared(), masked(), node("Pad", &["a", "p", "m"], &["z"])],
            &[least(), whole("p", &[0, 1, 0, 1])],
        );
        sound(&[shape(), compared(), masked(), node("Resize", &["a", "", "", "s"], &["z"])], &[least()]);
        sound(&[node("Size", &["x"], &["n"]), node("OneHot", &["x", "n", "m"], &["z"])], &[least()]);
    }
    let picked = node("Gather", &["b", "i"], &["s"]);
    let numbers = [whole("b", &[1 << 40, 1]), whole("i", &[0])];
    for maker in [
        node("Expand", &["x", "s"], &["z"]),
        node("Tile", &["x", "s"], &["z"]),
        node("Pad", &["x", "s"], &["z"]),
        node("OneHot", &["x", "s", "x"], &["z"]),
        node("Upsample", &["x", "s"], &["z"]),
        node("Resize", &["x", "", "s"], &["z"]),
        node("Resize", &["x", "", "", "s"], &["z"]),
        node("Range", &["x", "s", "x"], &["z"]),
        node("HannWindow", &["s"], &["z"]),
    ] {
        check("ONX207", &[picked.clone(), maker], &numbers);
    }
}

#[test]
fn every_output_and_every_input_carries_a_constant_on() {
    let fill = || node("ConstantOfShape", &["s"], &["z"]);
    let large = whole("b", &[1, 1 << 40]);
    check("ONX207", &[node("Split", &["b"], &["p", "s"]), fill()], std::slice::from_ref(&large));
    check("ONX207", &[node("TopK", &["b", "k"], &["s", "i"]), fill()], &[large, whole("k", &[1])]);
    let inputs: Vec<&str> = std::iter::repeat_n("a", 16).chain(["b"]).collect();
    check("ONX207", &[node("Max", &inputs, &["s"]), fill()], &[whole("a", &[1]), whole("b", &[1 << 40])]);
    sound(&[node("Split", &["b"], &["p", "s"]), fill()], &[whole("b", &[1, 1 << 10])]);
}

#[test]
fn constants_that_are_not_worked_out_are_no_pass_as_sizes() {
    let fill = || node("ConstantOfShape", &["s"], &["z"]);
    let grown =
        |operator: &str| check("ONX207", &[node(operator, &["f"], &["s"]), fill()], &[float("f", 30.0)]);
    ["Exp", "Reciprocal", "ReduceProd", "Softplus", "LeakyRelu"].into_iter().for_each(grown);
    check("ONX207", &[node("MatMul", &["f", "f"], &["s"]), fill()], &[float("f", 1e6)]);
    let many: Vec<i64> = (0..17).map(|_| 1 << 40).collect();
    check("ONX207", &[node("Gather", &["b", "i"], &["s"]), fill()], &[whole("b", &many), whole("i", &[0])]);
    check("ONX207", &[node("RandomUniform", &[], &["s"]), fill()], &[]);
    let value = Message::default().bytes(1, "value").message(5, whole("v", &[1 << 40]));
    let filled = node("ConstantOfShape", &["n"], &["s"]).message(5, value);
    check("ONX207", &[filled, fill()], &[whole("n", &[1])]);
    let eighth = |bytes: &[u8]| Message::default().number(1, 1).number(2, 17).bytes(8, "s").bytes(9, bytes);
    check("ONX207", &[fill()], &[eighth(&[0x38])]);
    // They are no size in what inputs have a part in, and small ones are small.
    let weight = || whole("u", &many);
    sound(&[node("Mul", &["x", "u"], &["p"]), node("Exp", &["p"], &["s"]), fill()], &[weight()]);
    let half =
        |bits: u16| Message::default().number(1, 1).number(2, 10).bytes(8, "h").bytes(9, bits.to_le_bytes());
    sound(&[node("Cast", &["h"], &["s"]), fill()], &[half(0x4400)]);
    let none = || Message::default().number(1, 0).number(2, 10).bytes(8, "e").bytes(9, []);
    sound(&[node("Shape", &["x"], &["s"]), node("Resize", &["x", "e", "e", "s"], &["z"])], &[none()]);
    let empty =
        node("Constant", &[], &["e"]).message(5, Message::default().bytes(1, "value").message(5, none()));
    sound(&[empty, node("Shape", &["x"], &["s"]), node("Resize", &["x", "e", "e", "s"], &["z"])], &[]);
    check(
        "ONX207",
        &[node("Gather", &["b", "i"], &["s"]), node("Resize", &["x", "e", "e", "s"], &["z"])],
        &[none(), whole("b", &[1 << 40, 1]), whole("i", &[0])],
    );
}

#[test]
fn constants_go_into_graphs_and_come_out_of_them() {
    let fill = || node("ConstantOfShape", &["s"], &["z"]);
    let attribute = |name: &str, graph: Message| Message::default().bytes(1, name).message(6, graph);
    let output = |name: &str| Message::default().bytes(1, name);
    let branch = |size: i64| Message::default().message(5, whole("r", &[size])).message(12, output("r"));
    let choice = |one: i64, other: i64| {
        node("If", &["x"], &["s"])
            .message(5, attribute("then_branch", branch(one)))
            .message(5, attribute("else_branch", branch(other)))
    };
    check("ONX207", &[choice(1 << 40, 4), fill()], &[]);
    check("ONX207", &[choice(4, 1 << 40), fill()], &[]);
    let round = |size: &str| {
        let body = Message::default()
            .message(11, output("i"))
            .message(11, output("c"))
            .message(11, output("n"))
            .message(1, node("Identity", &["c"], &["d"]))
            .message(1, node("ConstantOfShape", &["n"], &["f"]))
            .message(12, output("d"))
            .message(12, output("n"));
        node("Loop", &["k", "", size], &["s"]).message(5, attribute("body", body))
    };
    let numbers = || [whole("k", &[i64::MAX]), whole("p", &[1 << 40]), whole("q", &[4])];
    let loops = |size: &str| rules(&judge("m.onnx", &with(&[round(size)], &numbers()))).contains(&"ONX207");
    assert!(loops("p"));
    assert!(!loops("q"));
    let chosen = judge("m.onnx", &with(&[choice(4, 8), fill()], &[]));
    assert!(!rules(&chosen).iter().any(|rule| rule.starts_with("ONX")), "{:?}", chosen.findings);
}

#[test]
fn a_size_multiplies_what_is_there() {
    let fill = |from: &str, to: &str| node("ConstantOfShape", &[from], &[to]);
    let sides = || [whole("a", &[1 << 16, 1]), whole("b", &[1, 1 << 16])];
    let both = |last: Message| check("ONX205", &[fill("a", "p"), fill("b", "q"), last], &sides());
    both(node("Expand", &["p", "b"], &["z"]));
    both(node("Gemm", &["p", "q"], &["z"]));
    let flag = |name: &str| Message::default().bytes(1, name).number(3, 1);
    both(node("Gemm", &["q", "p"], &["z"]).message(5, flag("transA")).message(5, flag("transB")));
    let padded = [whole("a", &[1 << 16, 1]), whole("o", &[0, 1 << 16, 0, 0])];
    check("ONX205", &[fill("a", "p"), node("Pad", &["p", "o"], &["z"])], &padded);
    let deep = [whole("a", &[1 << 16, 1]), whole("d", &[1 << 16])];
    check("ONX205", &[fill("a", "p"), node("OneHot", &["p", "d", "x"], &["z"])], &deep);
    let scaled = [whole("a", &[1 << 16]), float("f", 65_536.0)];
    check("ONX205", &[fill("a", "p"), node("Resize", &["p", "", "f"], &["z"])], &scaled);
    sound(&[fill("a", "p"), fill("b", "q"), node("Gemm", &["q", "p"], &["z"])], &sides());
}

#[test]
fn a_size_may_come_of_a_tensor_that_was_made() {
    let fill = |from: &str, to: &str| node("ConstantOfShape", &[from], &[to]);
    let side = || whole("a", &[1 << 18]);
    let sizes = || node("Concat", &["n", "n"], &["s"]);
    let one = || whole("r", &[1]);
    check(
        "ONX205",
        &[
            fill("a", "p"),
            node("Size", &["p"], &["m"]),
            node("Reshape", &["m", "r"], &["n"]),
            sizes(),
            fill("s", "z"),
        ],
        &[side(), one()],
    );
    sound(&[fill("a", "p"), node("Size", &["p"], &["m"]), fill("m", "z")], &[side()]);
    // A row and a column, turned or laid out anew.
    let flat = || [whole("a", &[1, 1 << 16]), whole("r", &[-1, 1])];
    for turned in [node("Transpose", &["p"], &["q"]), node("Reshape", &["p", "r"], &["q"])] {
        check("ONX205", &[fill("a", "p"), turned, node("MatMul", &["q", "p"], &["z"])], &flat());
    }
    let order = |axes: &[u64]| {
        let attribute =
            axes.iter().fold(Message::default().bytes(1, "perm"), |perm, axis| perm.number(8, *axis));
        node("Transpose", &["p"], &["q"]).message(5, attribute)
    };
    let product = || node("MatMul", &["q", "p"], &["z"]);
    check("ONX205", &[fill("a", "p"), order(&[1, 0]), product()], &flat());
    sound(&[fill("a", "p"), order(&[0, 1]), product()], &flat());
}

#[test]
fn numbers_that_wrap_or_are_not_kept_exactly_are_no_small_sizes() {
    let fill = || node("ConstantOfShape", &["s"], &["z"]);
    let cast =
        |to: u64| node("Cast", &["n"], &["s"]).message(5, Message::default().bytes(1, "to").number(3, to));
    let below = || [whole("n", &[-1])];
    check("ONX205", &[cast(12), fill()], &below());
    check("ONX205", &[cast(13), fill()], &below());
    sound(&[cast(2), fill()], &below());
    sound(&[cast(7), fill()], &[whole("n", &[4])]);
    let picked = node("Gather", &["b", "i"], &["n"]);
    check("ONX207", &[picked, cast(12), fill()], &[whole("b", &[-1, 4]), whole("i", &[0])]);
    let far = [whole("a", &[(1 << 60) + 500]), whole("b", &[1 << 60])];
    check("ONX207", &[node("Sub", &["a", "b"], &["s"]), fill()], &far);
}

#[test]
fn what_is_not_remembered_is_no_pass() {
    let (attributes, parts) = (HashMap::new(), Parts::default());
    let node = |operator: &'static str| Node {
        domain: "",
        operator,
        inputs: &[0],
        outputs: &[1],
        parts: &parts,
        attributes: &attributes,
        at: 0,
    };
    let filled = || {
        let mut sizes = Sizes::default();
        (0..MAX_REMEMBERED).for_each(|_| sizes.watch(0, &node("Relu")));
        sizes
    };
    assert!(filled().bombs().is_some_and(|bombs| bombs.is_empty()));
    for operator in ["ConstantOfShape", "RandomNormal", "Concat"] {
        let mut sizes = filled();
        sizes.watch(0, &node(operator));
        assert!(sizes.bombs().is_none(), "{operator}");
    }
}
