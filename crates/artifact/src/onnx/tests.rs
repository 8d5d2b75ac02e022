//! Models with one thing wrong each, and the interface of a sound one.

use crate::build::{
    Message, floats, graph, integers, judge, judge_files, model, node, opset, passes, rules, value,
};

fn check(bytes: &[u8], rule: &str) {
    let report = judge("m.onnx", bytes);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

fn with_graph(add: impl FnOnce(Message) -> Message) -> Vec<u8> {
    model(graph(add), |model| model)
}

fn attribute(name: &str, field: u32, value: Message) -> Message {
    Message::default().bytes(1, name).message(field, value)
}

fn external(location: &str) -> Message {
    let entry = |key: &str, text: &str| Message::default().bytes(1, key).bytes(2, text);
    Message::default()
        .number(1, 4)
        .number(2, 1)
        .bytes(8, "e")
        .message(13, entry("location", location))
        .message(13, entry("length", "16"))
        .number(14, 1)
}

#[test]
fn a_sound_model_passes_and_tells_its_interface() {
    // A stored value that is also declared as an input need not be given.
    let report = judge("m.onnx", &with_graph(|graph| graph.message(11, value("w", 2))));
    assert!(passes(&report), "{:?}", report.findings);
    let signature = report.signature.unwrap();
    assert_eq!(signature.inputs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["x: FP32[?, 4]"]);
    assert_eq!(signature.outputs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["y: FP32[?, 2]"]);
}

#[test]
fn the_edges_of_a_graph_are_checked() {
    check(&with_graph(|g| g.message(1, node("Relu", &["nothing"], &["z"]))), "INT405");
    check(&with_graph(|g| g.message(12, value("nothing", 1))), "INT405");
    check(&with_graph(|g| g.message(1, node("Relu", &["x"], &["y"]))), "INT406");
    check(
        &with_graph(|g| g.message(1, node("Relu", &["b"], &["a"])).message(1, node("Relu", &["a"], &["b"]))),
        "INT407",
    );
    check(&with_graph(|g| g.message(1, node("Relu", &["x"], &["x"]))), "INT406");
    let axis = || attribute("axis", 9, Message::default());
    let relu = || node("Relu", &["x"], &["z"]).message(5, Message::default().bytes(1, "a").number(3, 1));
    assert!(passes(&judge("m.onnx", &with_graph(|g| g.message(1, relu())))));
    check(&with_graph(|g| g.message(1, relu().message(5, axis()).message(5, axis()))), "INT406");
    check(&with_graph(|g| g.message(1, relu().message(5, Message::default().number(3, 1)))), "INT402");
}

#[test]
fn a_subgraph_sees_the_values_around_it() {
    let branch = |input: &str| {
        Message::default().message(1, node("Relu", &[input], &["r"])).message(12, value("r", 2))
    };
    let with_if = |input: &str| {
        let node = node("If", &["x"], &["z"])
            .message(5, attribute("then_branch", 6, branch(input)))
            .message(5, attribute("else_branch", 6, branch("y")));
        with_graph(|g| g.message(1, node))
    };
    let report = judge("m.onnx", &with_if("y"));
    assert!(passes(&report), "{:?}", report.findings);
    check(&with_if("nothing"), "INT405");
    check(&with_if("z"), "INT407");
}

#[test]
fn versions_and_operator_sets_are_checked() {
    let plain = graph(|graph| graph);
    let versions = |ir: u64, opsets: &[(&str, u64)]| {
        let model = Message::default().number(1, ir).message(7, plain.clone());
        opsets.iter().fold(model, |model, (domain, version)| model.message(8, opset(domain, *version))).0
    };
    assert!(
        passes(&judge("m.onnx", &versions(8, &[("ai.onnx", 13), ("", 13)]))),
        "both names of the default domain"
    );
    check(&versions(99, &[("", 17)]), "INT403");
    check(&versions(0, &[("", 17)]), "INT402");
    check(&versions(8, &[("", 9999)]), "INT403");
    check(&versions(8, &[("ai.onnx.ml", 3)]), "INT404");
    check(&versions(8, &[("", 13), ("", 14)]), "INT404");
    check(&model(plain.clone(), |m| m.message(7, plain.clone())), "INT402");
    check(&with_graph(|g| g.message(1, node("NoSuchOperator", &["x"], &["z"]))), "INT412");
    check(&with_graph(|g| g.bytes(99, "?")), "INT410");
}

#[test]
fn a_tensor_must_hold_what_its_shape_says() {
    let with = |tensor: Message| with_graph(|g| g.message(5, tensor));
    check(&with(floats("t", &[3], 4)), "INT408");
    check(&with(floats("t", &[u64::MAX], 0)), "INT408");
    check(&with(floats("t", &[1 << 40, 1 << 40], 0)), "INT408");
    check(&with(floats("t", &[2], 2).bytes(9, [0; 8])), "INT408");
    check(&with(Message::default().number(1, 2).number(2, 77).bytes(8, "t")), "INT411");
    let four_bits = Message::default().number(1, 3).number(2, 22).bytes(8, "t").bytes(9, [0; 2]);
    assert!(passes(&judge("m.onnx", &with(four_bits))), "three values of four bits take two bytes");
    let typed = Message::default().number(1, 3).number(2, 6).bytes(8, "t").bytes(5, [1, 2, 3]);
    assert!(passes(&judge("m.onnx", &with(typed))), "packed values count one by one");
}

#[test]
fn external_data_stays_in_the_artifact_wherever_a_tensor_is() {
    let data = || ("w.bin", vec![0x80u8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let model = |location: &str| with_graph(|g| g.message(5, external(location)));
    let report = judge_files(vec![("m.onnx", model("w.bin")), data()]);
    assert!(passes(&report), "{:?}", report.findings);
    for location in ["/etc/passwd", "../w.bin", "a/../../w", "..\\w", "C:\\w", "file:///w", "", "a\0b"] {
        check(&model(location), "ONX101");
    }
    check(&model("gone.bin"), "INT409");
    let report = judge_files(vec![("m.onnx", model("w.bin")), ("w.bin", vec![0; 15])]);
    assert!(rules(&report).contains(&"INT409"), "a short file");
    let constant = node("Constant", &[], &["k"]).message(5, attribute("value", 5, external("/etc/passwd")));
    check(&with_graph(|g| g.message(1, constant.clone())), "ONX101");
    let inner = Message::default().message(5, external("/etc/passwd")).message(12, value("e", 1));
    let branch = node("If", &["x"], &["z"]).message(5, attribute("then_branch", 6, inner));
    check(&with_graph(|g| g.message(1, branch)), "ONX101");
    let sparse = Message::default().message(1, external("/etc/passwd")).number(3, 4);
    check(&with_graph(|g| g.message(15, sparse)), "ONX101");
    let function =
        Message::default().bytes(1, "f").bytes(10, "d").message(9, opset("", 17)).message(7, constant);
    check(&crate::build::model(graph(|g| g), |m| m.message(25, function)), "ONX101");
}

#[test]
fn operators_that_need_or_run_something_else_are_named() {
    let custom = |domain: &str, name: &str| {
        let graph = graph(|g| g.message(1, node(name, &["x"], &["z"]).bytes(7, domain)));
        model(graph, |model| model.message(8, opset(domain, 1)))
    };
    check(&custom("acme", "PyOp"), "ONX201");
    let report = judge("m.onnx", &custom("acme", "Fast"));
    assert_eq!(report.findings[0].target.as_deref(), Some("acme::Fast"));
    assert_eq!(rules(&report), ["ONX202"]);
    // What the runtime has built in, and what it hands on.
    for (domain, name) in
        [("com.microsoft", "FusedMatMul"), ("com.microsoft.nchwc", "Conv"), ("com.ms.internal.nhwc", "Conv")]
    {
        assert_eq!(rules(&judge("m.onnx", &custom(domain, name))), Vec::<&str>::new(), "{name}");
    }
    assert_eq!(rules(&judge("m.onnx", &custom("com.microsoft", "Mystery"))), ["ONX202"]);
    check(&custom("com.microsoft", "EPContext"), "ONX208");
    check(&custom("com.microsoft", "TritonOp"), "ONX201");
}

fn function(name: &str, calls: &[&str]) -> Message {
    let function = Message::default()
        .bytes(1, name)
        .bytes(4, "a")
        .bytes(5, "b0")
        .bytes(10, "f")
        .message(9, opset("f", 1));
    calls.iter().enumerate().fold(function, |function, (at, callee)| {
        function.message(7, node(callee, &["a"], &[&format!("b{at}")]).bytes(7, "f"))
    })
}

#[test]
fn functions_end_and_stay_small() {
    let call = graph(|g| g.message(1, node("f0", &["x"], &["z"]).bytes(7, "f")));
    let with = |functions: Vec<Message>| {
        model(call.clone(), |m| {
            functions.into_iter().fold(m.message(8, opset("f", 1)), |m, f| m.message(25, f))
        })
    };
    check(&with(vec![function("f0", &["f0"])]), "ONX203");
    check(&with(vec![function("f0", &["f1"]), function("f1", &["f0"])]), "ONX203");
    let names: Vec<String> = (0..41).map(|n| format!("f{n}")).collect();
    let doubling = (0..40).map(|n| function(&names[n], &[&names[n + 1], &names[n + 1]])).collect();
    check(&with(doubling), "ONX206");
}

#[test]
fn a_few_bytes_may_not_make_a_huge_tensor() {
    let sized = |operator: &str, inputs: &[&str], values: &[i64]| {
        with_graph(|g| g.message(1, node(operator, inputs, &["z"])).message(5, integers("s", values)))
    };
    check(&sized("ConstantOfShape", &["s"], &[1 << 20, 1 << 20]), "ONX205");
    check(&sized("Expand", &["x", "s"], &[1 << 40]), "ONX205");
    check(&sized("Tile", &["x", "s"], &[1 << 20, 1 << 20]), "ONX205");
    assert!(passes(&judge("m.onnx", &sized("ConstantOfShape", &["s"], &[4, 4]))));
}

/// An INT64 tensor, or one of FP32 zeros where there are no numbers.
fn tensor(name: &str, dims: &[u64], numbers: &[i64]) -> Message {
    let shaped = dims.iter().fold(Message::default(), |tensor, size| tensor.number(1, *size)).bytes(8, name);
    if numbers.is_empty() {
        let zeros: Vec<u8> = (0..4 * dims.iter().product::<u64>()).map(|_| 0).collect();
        return shaped.number(2, 1).bytes(9, zeros);
    }
    let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    shaped.number(2, 7).bytes(9, raw)
}

#[test]
fn sizes_that_constants_lead_to_are_followed() {
    let with = |nodes: &[Message], constants: &[Message]| {
        with_graph(|g| {
            let g = nodes.iter().cloned().fold(g, |g, node| g.message(1, node));
            constants.iter().cloned().fold(g, |g, tensor| g.message(5, tensor))
        })
    };
    let fill = || node("ConstantOfShape", &["s"], &["z"]);
    let half = || tensor("a", &[1], &[1 << 20]);
    let float = |bits: f32| {
        let raw = bits.to_le_bytes();
        Message::default().number(1, 1).number(2, 1).bytes(8, "f").bytes(9, raw)
    };
    let typed = Message::default().number(1, 1).number(2, 1).bytes(8, "f").bytes(4, 1e12f32.to_le_bytes());
    check(&with(&[node("Mul", &["a", "a"], &["s"]), fill()], &[half()]), "ONX205");
    check(&with(&[node("Concat", &["a", "a"], &["s"]), fill()], &[half()]), "ONX205");
    check(&with(&[node("Identity", &["b"], &["s"]), fill()], &[tensor("b", &[1], &[1 << 40])]), "ONX205");
    check(&with(&[node("Cast", &["f"], &["s"]), fill()], &[float(1e12)]), "ONX205");
    check(&with(&[node("Cast", &["f"], &["s"]), fill()], &[typed]), "ONX205");
    check(&with(&[node("Upsample", &["x", "f"], &["z"])], &[float(1e12)]), "ONX205");
    check(&with(&[node("Pad", &["x", "p"], &["z"])], &[tensor("p", &[2], &[1 << 40, 0])]), "ONX205");
    check(&with(&[node("HannWindow", &["b"], &["z"])], &[tensor("b", &[1], &[1 << 40])]), "ONX205");
    check(&with(&[node("OneHot", &["x", "b", "x"], &["z"])], &[tensor("b", &[1], &[1 << 40])]), "ONX205");
    check(&with(&[node("Resize", &["x", "", "", "b"], &["z"])], &[tensor("b", &[1], &[1 << 40])]), "ONX205");
    let names: Vec<String> = (0..41).map(|n| format!("c{n}")).collect();
    let doubling: Vec<Message> = (0..40)
        .map(|n| node("Concat", &[names[n].as_str(), names[n].as_str()], &[names[n + 1].as_str()]))
        .collect();
    check(&with(&doubling, &[tensor("c0", &[1], &[])]), "ONX205");
    let many = || tensor("a", &[1], &[100_000]);
    let tiles: Vec<Message> = [("x", "t1"), ("t1", "t2"), ("t2", "t3")]
        .iter()
        .map(|(from, to)| node("Tile", &[from, "a"], &[to]))
        .collect();
    check(&with(&tiles, &[many()]), "ONX205");
    check(&with(&[node("Neg", &["b"], &["s"]), fill()], &[tensor("b", &[1], &[-(1 << 40)])]), "ONX205");
    let powers = [node("Pow", &["a", "e"], &["s"]), fill()];
    check(&with(&powers, &[many(), tensor("e", &[1], &[3])]), "ONX205");
    let flat = |operator: &str| {
        let fill = |from: &str, to: &str| node("ConstantOfShape", &[from], &[to]);
        let nodes = [fill("r", "p"), fill("c", "q"), node(operator, &["p", "q"], &["z"])];
        with(&nodes, &[tensor("r", &[2], &[1 << 20, 1]), tensor("c", &[2], &[1, 1 << 20])])
    };
    check(&flat("Add"), "ONX205");
    check(&flat("MatMul"), "ONX205");
    let shape = [
        node("ConstantOfShape", &["a"], &["p"]),
        node("Shape", &["p"], &["q"]),
        node("Concat", &["q", "q"], &["s"]),
        fill(),
    ];
    check(&with(&shape, &[many()]), "ONX205");
    let double = Message::default().number(1, 1).number(2, 11).bytes(8, "f").bytes(9, 1e13f64.to_le_bytes());
    check(&with(&[node("Cast", &["f"], &["s"]), fill()], &[double]), "ONX205");
    let unsigned = Message::default().number(1, 1).number(2, 13).bytes(8, "f").number(11, 1 << 40);
    check(&with(&[node("Cast", &["f"], &["s"]), fill()], &[unsigned]), "ONX205");
    let text = Message::default().number(1, 1).number(2, 8).bytes(8, "f").bytes(6, "10000000000000");
    check(&with(&[node("Cast", &["f"], &["s"]), fill()], &[text]), "ONX205");
    let small = Message::default().number(2, 1).bytes(8, "f").bytes(9, 1e-12f32.to_le_bytes());
    let scalar = |name: &str, number: f32| {
        Message::default().number(2, 1).bytes(8, name).bytes(9, number.to_le_bytes())
    };
    let range = node("Range", &["g", "h", "f"], &["z"]);
    check(&with(&[range], &[small, scalar("g", 0.0), scalar("h", 1.0)]), "ONX205");
    for (name, field) in [("value_float", 2u8), ("value_floats", 7)] {
        let mut value = Message::default().bytes(1, name);
        value.0.push(field << 3 | 5);
        value.0.extend(1e13f32.to_le_bytes());
        let constant = node("Constant", &[], &["f"]).message(5, value);
        check(&with(&[constant, node("Cast", &["f"], &["s"]), fill()], &[]), "ONX205");
    }
    // Numbers in pieces, of which the last is the large one.
    let pieces = Message::default().number(1, 2).number(2, 1).bytes(8, "f");
    let pieces = pieces.bytes(4, 1f32.to_le_bytes()).bytes(4, 1e13f32.to_le_bytes());
    check(&with(&[node("Cast", &["f"], &["s"]), fill()], &[pieces]), "ONX207");
    // Through what is not followed, it is no pass either.
    let picked = [node("Gather", &["b", "i"], &["s"]), fill()];
    check(&with(&picked, &[tensor("b", &[2], &[1 << 40, 1]), tensor("i", &[1], &[0])]), "ONX207");
    let sound = with(
        &[node("Gather", &["b", "i"], &["s"]), fill()],
        &[tensor("b", &[2], &[1 << 20, 1]), tensor("i", &[1], &[i64::MAX])],
    );
    assert!(passes(&judge("m.onnx", &sound)), "{:?}", judge("m.onnx", &sound).findings);
    let sound = with(&[node("Mul", &["a", "a"], &["s"]), fill()], &[tensor("a", &[1], &[4])]);
    assert!(passes(&judge("m.onnx", &sound)), "{:?}", judge("m.onnx", &sound).findings);
}

#[test]
fn a_constant_that_is_not_read_is_no_small_one() {
    let of = |value: Message| {
        let constant = node("Constant", &[], &["k"]).message(5, value);
        let nodes = [constant, node("Gather", &["k", "i"], &["s"]), node("ConstantOfShape", &["s"], &["z"])];
        with_graph(|g| {
            let g = nodes.iter().cloned().fold(g, |g, node| g.message(1, node));
            g.message(5, tensor("i", &[1], &[16]))
        })
    };
    let integers = |count: u64| {
        let ones = (0..count).fold(Message::default().bytes(1, "value_ints"), |ints, _| ints.number(8, 1));
        of(ones.number(8, 1 << 40))
    };
    check(&integers(15), "ONX207");
    check(&integers(16), "ONX207");
    check(&integers(17), "ONX207");
    check(&of(Message::default().bytes(1, "value_floats").bytes(7, vec![0; 80])), "ONX207");
    let digits = format!("{:0>200}", 1u64 << 40);
    check(&of(Message::default().bytes(1, "value_string").bytes(4, digits)), "ONX207");
    let sparse = Message::default().message(1, tensor("", &[1], &[1 << 40])).number(3, 2);
    let sparse = sparse.message(2, tensor("", &[1], &[0]));
    check(&of(Message::default().bytes(1, "sparse_value").message(22, sparse)), "ONX207");
}

#[test]
fn a_branch_does_not_hide_what_the_other_one_calls_the_same() {
    let fills = |r: Message| r.message(1, node("ConstantOfShape", &["r"], &["t"])).message(12, value("t", 1));
    let with = |then: Message, other: Message| {
        let branch = node("If", &["x"], &["z"])
            .message(5, attribute("then_branch", 6, fills(then)))
            .message(5, attribute("else_branch", 6, fills(other)));
        with_graph(|g| g.message(1, branch))
    };
    let same = |k: i64| {
        Message::default().message(1, node("Identity", &["k"], &["r"])).message(5, tensor("k", &[1], &[k]))
    };
    let stored = |r: i64| Message::default().message(5, tensor("r", &[1], &[r]));
    let picked = || {
        let picked = Message::default().message(1, node("Gather", &["k", "x"], &["r"]));
        picked.message(5, tensor("k", &[2], &[1 << 40, 1]))
    };
    for (one, other) in
        [(same(4), stored(1 << 40)), (stored(1 << 40), same(4)), (picked(), stored(4)), (stored(4), picked())]
    {
        assert!(!passes(&judge("m.onnx", &with(one, other))));
    }
    let report = judge("m.onnx", &with(same(4), stored(8)));
    assert!(passes(&report), "{:?}", report.findings);
}

#[test]
fn half_of_a_size_is_a_size() {
    let nodes = [
        node("Gather", &["b", "x"], &["g"]),
        node("Div", &["g", "d"], &["s"]),
        node("ConstantOfShape", &["s"], &["z"]),
    ];
    let halved = |divisor: i64| {
        let g = |g| nodes.iter().cloned().fold(g, |g: Message, node| g.message(1, node));
        with_graph(|graph| {
            g(graph).message(5, tensor("b", &[2], &[768, 64])).message(5, tensor("d", &[1], &[divisor]))
        })
    };
    let report = judge("m.onnx", &halved(2));
    assert!(passes(&report), "{:?}", report.findings);
}

#[test]
fn places_of_a_sparse_tensor_lie_inside_of_it() {
    let sparse = |shape: &[u64], dims: &[u64], places: &[i64]| {
        let parts =
            Message::default().message(1, tensor("w2", &[2], &[])).message(2, tensor("", dims, places));
        let sparse = shape.iter().fold(parts, |sparse, size| sparse.number(3, *size));
        with_graph(|g| g.message(15, sparse))
    };
    for sound in [sparse(&[2, 3], &[2], &[0, 5]), sparse(&[2, 3], &[2, 2], &[0, 2, 1, 0])] {
        let report = judge("m.onnx", &sound);
        assert!(passes(&report), "{:?}", report.findings);
    }
    for file in [
        sparse(&[2, 3], &[2], &[0, 6]),
        sparse(&[2, 3], &[2], &[-1, 5]),
        sparse(&[2, 3], &[2, 2], &[0, 2, 2, 0]),
        sparse(&[2, 3], &[1], &[0]),
        sparse(&[2, 3], &[2, 3], &[0, 0, 0, 0, 0, 0]),
        sparse(&[(-2i64).cast_unsigned()], &[2], &[0, 1]),
        sparse(&[], &[2], &[0, 0]),
    ] {
        check(&file, "INT408");
    }
    check(&sparse(&[1 << 20, 1 << 20], &[2], &[0, 1]), "ONX205");
}

#[test]
fn imports_are_bounded() {
    let many = |model: Message| (0..300).fold(model, |model, n| model.message(8, opset(&format!("d{n}"), 1)));
    check(&model(graph(|graph| graph), many), "ONX207");
}

#[test]
fn nesting_is_bounded() {
    let mut graph = Message::default().message(12, value("x", 1));
    for _ in 0..3000 {
        graph = Message::default().message(1, node("If", &[], &["z"]).message(5, attribute("g", 6, graph)));
    }
    check(&model(graph, |model| model), "ONX204");
}

#[test]
fn every_cut_is_noticed() {
    let whole = with_graph(|graph| graph);
    for length in 0..whole.len() {
        assert!(!passes(&judge("m.onnx", &whole[..length])), "cut at {length}");
    }
}
