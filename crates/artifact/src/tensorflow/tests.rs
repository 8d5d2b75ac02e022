//! Graphs built field by field, each with the one thing that is wrong.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

use proptest::prelude::*;

use super::crc32c::masked;
use crate::build::{Message, judge, judge_files, passes, rules, told};

fn node(operator: &str, add: impl FnOnce(Message) -> Message) -> Message {
    add(Message::default().bytes(1, "n").bytes(2, operator))
}

fn attribute(key: &str, value: Message) -> Message {
    Message::default().bytes(1, key).message(2, value)
}

fn plain(operator: &str) -> Message {
    node(operator, |node| node)
}

fn meta(graph: Message) -> Message {
    Message::default().message(1, Message::default().bytes(4, "serve")).message(2, graph)
}

fn saved(graphs: &[Message]) -> Vec<u8> {
    let model = Message::default().number(1, 1);
    graphs.iter().fold(model, |model, graph| model.message(2, meta(graph.clone()))).0
}

fn graph(nodes: &[Message]) -> Message {
    nodes.iter().fold(Message::default(), |graph, node| graph.message(1, node.clone()))
}

fn check(file: &[u8], rule: &str) {
    let report = judge("saved_model.pb", file);
    assert!(!passes(&report), "{rule}");
    assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
}

#[test]
fn operators_are_judged_in_every_graph_and_function() {
    let good = graph(&[plain("Placeholder"), plain("MatMul"), plain("SaveV2")]);
    let report = judge("saved_model.pb", &saved(std::slice::from_ref(&good)));
    assert!(passes(&report), "{:?}", report.findings);
    check(&saved(&[graph(&[plain("ReadFile")])]), "TFS101");
    check(&saved(&[good.clone(), graph(&[plain("WriteFile")])]), "TFS101");
    check(&saved(&[graph(&[plain("DebugIdentityV3")])]), "TFS101");
    check(&saved(&[graph(&[plain("TextLineDataset")])]), "TFS102");
    let library = |function: Message| good.clone().message(2, Message::default().message(1, function));
    check(&saved(&[library(Message::default().message(3, plain("EagerPyFunc")))]), "TFS101");
    let call = |name: &str| Message::default().message(10, Message::default().bytes(1, name));
    let calls = |value: Message| graph(&[node("If", |node| node.message(5, attribute("then", value)))]);
    check(&saved(&[calls(call("PyFunc"))]), "TFS101");
    let list = Message::default().message(9, Message::default().bytes(1, "PyFunc"));
    check(&saved(&[calls(Message::default().message(1, list))]), "TFS101");
    let print = Message::default().bytes(2, "file:///tmp/x");
    let printing = node("PrintV2", |node| node.message(5, attribute("output_stream", print)));
    check(&saved(&[graph(&[printing])]), "TFS102");
    check(&saved(&[Message::default()]), "INT901");
    let frozen =
        graph(&[plain("Placeholder"), plain("MatMul")]).message(4, Message::default().number(1, 1)).0;
    assert!(passes(&judge("frozen.pb", &frozen)), "{:?}", judge("frozen.pb", &frozen).findings);
    check(&graph(&[plain("Placeholder"), plain("ReadFile")]).0, "TFS101");
    check(&graph(&[plain("Placeholder"), plain("MatMul")]).0, "INT901");
}

#[test]
fn checkpoints_lie_where_the_loader_says() {
    let text = |name: &str, text: &str| texts(name, &[text]);
    let save = |place: &str| {
        let join = named("join", "StringJoin", &["Identity:0", "part"]);
        graph(&[
            text("part", place),
            named("file", "Placeholder", &[]),
            named("Identity", "Identity", &["file"]),
            join,
            named("s", "SaveV2", &["join:0"]),
        ])
    };
    let sound = saved(&[save("_temp/part")]);
    assert!(passes(&judge("saved_model.pb", &sound)), "{:?}", judge("saved_model.pb", &sound).findings);
    for place in ["/etc/cron.d/x", "../../x", "gs://bucket/x", "C:\\x", "~/x"] {
        check(&saved(&[save(place)]), "TFS106");
    }
    let packed = Message::default().number(1, 7).message(2, Message::default()).bytes(4, b"\x04/etc");
    let packed =
        named("p", "Const", &[]).message(5, attribute("value", Message::default().message(8, packed)));
    check(&saved(&[graph(&[packed, named("r", "RestoreV2", &["p"])])]), "TFS106");
    // A path of a constant goes nowhere here, as those of assets do.
    let asset = saved(&[graph(&[text("a", "/data/vocab.txt"), named("t", "Identity", &["a"])])]);
    assert!(passes(&judge("saved_model.pb", &asset)));
    // A table's file is the asset that the model says, or a place of the machine.
    let table =
        || graph(&[text("a", "/data/vocab.txt"), named("t", "InitializeTableFromTextFileV2", &["h", "a"])]);
    check(&saved(&[table()]), "TFS106");
    let tensor = Message::default().bytes(1, "a:0");
    let bound = meta(table()).message(6, Message::default().message(1, tensor).bytes(2, "vocab.txt"));
    let bound = Message::default().number(1, 1).message(2, bound).0;
    let report = judge_files(vec![("saved_model.pb", bound), ("assets/vocab.txt", b"a\n".to_vec())]);
    assert!(passes(&report), "{:?}", report.findings);
    // What makes a text of another in a way that is not followed.
    let spelled =
        [text("c", "L2V0Yy9w"), named("d", "DecodeBase64", &["c"]), named("r", "RestoreV2", &["d"])];
    check(&saved(&[graph(&spelled)]), "TFS201");
    let file = Message::default().bytes(2, "/etc/passwd");
    let sampler = node("FixedUnigramCandidateSampler", |node| node.message(5, attribute("vocab_file", file)));
    check(&saved(&[graph(&[sampler])]), "TFS102");
    // As an argument, through two functions.
    let function = |name: &str, nodes: &[Message]| {
        let argument = |name: &str| Message::default().bytes(1, name);
        let interface = Message::default().bytes(1, name).message(2, argument("other"));
        let signature = Message::default().message(1, interface.message(2, argument("prefix")));
        nodes.iter().fold(signature, |function, node| function.message(3, node.clone()))
    };
    let call = |callee: &str, input: &str| {
        let value = Message::default().message(10, Message::default().bytes(1, callee));
        named("call", "StatefulPartitionedCall", &["elsewhere", input]).message(5, attribute("f", value))
    };
    let through = |place: &str| {
        let library = Message::default()
            .message(1, function("outer", &[call("inner", "prefix")]))
            .message(1, function("inner", &[named("r", "RestoreV2", &["prefix"])]));
        saved(&[graph(&[text("c", place), text("elsewhere", "/a"), call("outer", "c")]).message(2, library)])
    };
    assert!(passes(&judge("saved_model.pb", &through("model"))));
    check(&through("/etc/shadow"), "TFS106");
}

/// A node with this name, operator and inputs.
fn named(name: &str, operator: &str, inputs: &[&str]) -> Message {
    let node = Message::default().bytes(1, name).bytes(2, operator);
    inputs.iter().fold(node, |node, input| node.bytes(3, input))
}

/// A constant whose tensor has these fields.
fn constant(name: &str, tensor: Message) -> Message {
    named(name, "Const", &[]).message(5, attribute("value", Message::default().message(8, tensor)))
}

fn texts(name: &str, texts: &[&str]) -> Message {
    let tensor = Message::default().number(1, 7).message(2, Message::default());
    constant(name, texts.iter().fold(tensor, |tensor, text| tensor.bytes(8, text)))
}

/// A function that reads at one of its arguments, and one that reads nowhere.
fn functions(library: Message) -> Message {
    let function = |name: &str, arguments: &[&str], node: Message| {
        let interface = arguments.iter().fold(Message::default().bytes(1, name), |interface, argument| {
            interface.message(2, Message::default().bytes(1, argument))
        });
        Message::default().message(1, interface).message(3, node)
    };
    library
        .message(1, function("reads", &["p"], named("r", "RestoreV2", &["p"])))
        .message(1, function("second", &["a", "p"], named("r", "RestoreV2", &["p"])))
        .message(1, function("fine", &["p"], named("i", "Identity", &["p"])))
}

fn calling(nodes: &[Message]) -> Vec<u8> {
    saved(&[graph(nodes).message(2, functions(Message::default()))])
}

fn function(name: &str) -> Message {
    Message::default().message(10, Message::default().bytes(1, name))
}

#[test]
fn a_path_that_is_put_together_is_no_pass() {
    let loader = || named("x", "Placeholder", &[]);
    let join = |inputs: &[&str]| named("j", "StringJoin", inputs);
    let write = || named("s", "SaveV2", &["j"]);
    let sound = [loader(), texts("a", &[".part"]), texts("b", &["_temp_1/part"]), join(&["x", "w"]), write()];
    let sound = [&sound[..], &[named("w", "SelectV2", &["c", "a", "b"])]].concat();
    assert!(passes(&judge("saved_model.pb", &saved(&[graph(&sound)]))));
    let joined = |first: &str, second: &str| {
        saved(&[graph(&[texts("a", &[first]), texts("b", &[second]), join(&["a", "b"]), write()])])
    };
    assert!(passes(&judge("saved_model.pb", &joined("model", "_temp/part"))));
    check(&joined(".", "./etc"), "TFS201");
    check(&joined("s3:", "x"), "TFS201");
    let separated = join(&["x", "x"]).message(5, attribute("separator", Message::default().bytes(2, "/")));
    check(&saved(&[graph(&[loader(), separated, write()])]), "TFS201");
    for operator in ["Substr", "StringStrip", "RegexReplace", "StaticRegexReplace", "StringLower"] {
        let altered = named("j", operator, &["a"]);
        check(&saved(&[graph(&[texts("a", &["a/etc/x"]), altered, write()])]), "TFS201");
    }
    // Behind an asset, too.
    let nodes = graph(&[texts("a", &["vocab.txt"]), texts("b", &["/../../x"]), join(&["a", "b"]), write()]);
    let asset = Message::default().message(1, Message::default().bytes(1, "a:0")).bytes(2, "vocab.txt");
    let bound = Message::default().number(1, 1).message(2, meta(nodes).message(6, asset)).0;
    let report = judge_files(vec![("saved_model.pb", bound), ("assets/vocab.txt", b"a\n".to_vec())]);
    assert!(rules(&report).contains(&"TFS106"), "{:?}", report.findings);
}

#[test]
fn a_place_is_found_however_the_constant_keeps_it() {
    let shape = Message::default;
    let read = |constant: Message| saved(&[graph(&[constant, named("r", "RestoreV2", &["p"])])]);
    check(&read(texts("p", &[&format!("{}etc/passwd", "/".repeat(5000))])), "TFS201");
    check(&read(texts("p", &["fine", "/etc/x"])), "TFS106");
    let content = |bytes: &[u8]| Message::default().number(1, 7).message(2, shape()).bytes(4, bytes);
    check(&read(constant("p", content(b"\x06/etc/x"))), "TFS106");
    let long = [&b"\x88\x01"[..], &[b'/'; 126], b"etc/passwd"].concat();
    check(&read(constant("p", content(&long))), "TFS106");
    check(&read(constant("p", content(b"\x01\x06a/etc/x"))), "TFS201");
    // The type stands behind the content.
    let late = Message::default().bytes(4, b"\x06/etc/x").number(1, 7).message(2, shape());
    check(&read(constant("p", late)), "TFS201");
    let changed = Message::default().number(1, 3).bytes(4, b"\x06/etc/x").number(1, 7).message(2, shape());
    check(&read(constant("p", changed)), "TFS201");
}

#[test]
fn a_place_is_followed_into_every_function_that_may_be_called() {
    let place = || texts("p", &["/etc/x"]);
    let call = |operator: &str, inputs: &[&str], callees: &[(&str, &str)]| {
        callees.iter().fold(named("y", operator, inputs), |node, (key, name)| {
            node.message(5, attribute(key, function(name)))
        })
    };
    let both = |operator: &str, inputs: &[&str]| {
        calling(&[place(), call(operator, inputs, &[("then_branch", "reads"), ("else_branch", "fine")])])
    };
    check(&both("If", &["x", "p"]), "TFS106");
    check(&both("StatelessIf", &["x", "p", "^p"]), "TFS106");
    check(&both("While", &["p"]), "TFS106");
    check(&calling(&[texts("p", &["fine"]), call("While", &["p"], &[("body", "reads")])]), "TFS201");
    check(&calling(&[place(), call("MapDataset", &["d", "p"], &[("f", "second")])]), "TFS106");
    check(&calling(&[place(), named("y", "reads", &["p"])]), "TFS106");
    let branches = ["fine", "reads"]
        .iter()
        .fold(Message::default(), |list, name| list.message(9, Message::default().bytes(1, name)));
    let case = named("y", "Case", &["x", "p"])
        .message(5, attribute("branches", Message::default().message(1, branches)));
    check(&calling(&[place(), case]), "TFS106");
    let sound = [place(), texts("m", &["model"]), call("If", &["p", "m"], &[("then_branch", "reads")])];
    let report = judge("saved_model.pb", &calling(&sound));
    assert!(passes(&report), "{:?}", report.findings);
}

#[test]
fn what_a_request_says_is_no_place() {
    let info = Message::default().bytes(1, "x:0").number(2, 7);
    let input = Message::default().bytes(1, "in").message(2, info);
    let entry =
        Message::default().bytes(1, "serving_default").message(2, Message::default().message(1, input));
    let nodes = || graph(&[named("x", "Placeholder", &[]), named("r", "RestoreV2", &["x"])]);
    let model = |meta: Message| Message::default().number(1, 1).message(2, meta).0;
    assert!(passes(&judge("saved_model.pb", &model(meta(nodes())))));
    check(&model(meta(nodes()).message(5, entry)), "TFS201");
}

#[test]
fn attributes_that_say_a_place_are_judged() {
    let decode = |value: Message| {
        saved(&[graph(&[node("DecodeProtoV2", |node| {
            node.message(5, attribute("descriptor_source", value))
        })])])
    };
    let text = |text: &str| Message::default().bytes(2, text);
    check(&decode(text("/etc/passwd")), "TFS102");
    assert!(passes(&judge("saved_model.pb", &decode(text("local://")))));
    // Said by whoever calls the function, or named only behind the value.
    check(&decode(Message::default().bytes(9, "S")), "TFS201");
    let entry = Message::default().message(2, text("/etc/passwd")).bytes(1, "descriptor_source");
    check(&saved(&[graph(&[node("DecodeProtoV2", |node| node.message(5, entry))])]), "TFS201");
}

#[test]
fn an_operator_that_nobody_knows_is_no_pass() {
    check(&saved(&[graph(&[plain("Placeholder"), plain("Addons>Mystery")])]), "TFS202");
    check(&saved(&[graph(&[plain("Placeholder"), plain("MyReader")])]), "TFS202");
    let interface = |name: &str| Message::default().message(1, Message::default().bytes(1, name));
    let with = |name: &str| {
        let library = Message::default().message(1, interface(name).message(3, plain("AddV2")));
        graph(&[plain("__inference_call_7")]).message(2, library)
    };
    let report = judge("saved_model.pb", &saved(&[with("__inference_call_7")]));
    assert!(passes(&report), "{:?}", report.findings);
    check(&saved(&[with("another")]), "TFS202");
    // The functions of one graph do not explain the operators of another.
    check(&saved(&[with("__inference_call_7"), graph(&[plain("__inference_call_7")])]), "TFS202");
    // A function cannot take the name of an operator that acts.
    let library = Message::default().message(1, interface("WriteFile").message(3, plain("AddV2")));
    check(&saved(&[graph(&[plain("WriteFile")]).message(2, library)]), "TFS101");
    check(&saved(&[graph(&[plain("WriteRawProtoSummary")])]), "TFS102");
}

/// What Keras keeps about a layer of this class with these settings.
fn layer(class: &str, config: &str) -> String {
    format!(
        r#"{{"class_name": "{class}", "name": "l", "trainable": true, "config": {{"name": "l", {config}}}}}"#
    )
}

/// A SavedModel of TensorFlow 2.4 with the layer in its object graph, and the file that later ones put beside it.
fn with_layer(text: &str) -> [(&'static str, Vec<u8>); 2] {
    let user = Message::default().bytes(1, "_tf_keras_layer").bytes(3, text);
    let objects = Message::default().message(1, Message::default().message(4, user));
    let old = Message::default().number(1, 1).message(2, meta(graph(&[plain("NoOp")])).message(7, objects)).0;
    let object = Message::default().bytes(3, "root").bytes(4, "_tf_keras_layer").bytes(5, text);
    [("saved_model.pb", old), ("keras_metadata.pb", Message::default().message(1, object).0)]
}

#[test]
fn layers_that_keras_builds_again_are_judged() {
    let sound = saved(&[graph(&[plain("NoOp")])]);
    let judged = |text: &str| {
        with_layer(text).map(|(name, file)| match name {
            "saved_model.pb" => judge(name, &file),
            _ => judge_files(vec![("saved_model.pb", sound.clone()), (name, file)]),
        })
    };
    for text in [
        layer("Dense", r#""units": 1"#),
        layer("OfMyOwn", r#""units": 1"#),
        layer("TFOpLambda", r#""function": "math.multiply""#),
        layer("SlicingOpLambda", r#""function": "__operators__.getitem""#),
        layer("TensorFlowOpLayer", r#""node_def": "{\"name\": \"a\", \"op\": \"AddV2\"}", "constants": {}"#),
        String::new(),
    ] {
        for report in judged(&text) {
            assert!(passes(&report), "{text}: {:?}", report.findings);
        }
    }
    let code = r#""function": {"class_name": "__tuple__", "items": ["4wEAAAA=", null, null]}, "function_type": "lambda""#;
    let inner = layer("Lambda", code);
    for (text, rule) in [
        (layer("Lambda", code), "KER101"),
        (layer("OfMyOwn", code), "KER101"),
        (layer("TimeDistributed", &format!(r#""layer": {inner}"#)), "KER101"),
        (layer("Functional", &format!(r#""layers": [{{"a": [{inner}]}}]"#)), "KER101"),
        (layer("TFOpLambda", r#""function": "io.write_file""#), "KER102"),
        (layer("TFOpLambda", r#""function": "compat.v1.py_func""#), "KER102"),
        (layer("TFOpLambda", r#""function": "saved_model.load""#), "TFS202"),
        (layer("TFOpLambda", r#""function": "raw_ops.ReadFile""#), "TFS101"),
        (layer("TensorFlowOpLayer", r#""node_def": "{\"op\": \"WriteFile\"}""#), "TFS101"),
        (layer("TensorFlowOpLayer", r#""node_def": "{\"op\": \"Mystery\"}""#), "TFS202"),
        (layer("TensorFlowOpLayer", r#""node_def": "name: 'a' op: 'WriteFile'""#), "TFS202"),
        (r#"{"class_name": "#.to_owned(), "INT801"),
    ] {
        for report in judged(&text) {
            assert!(!passes(&report) && rules(&report).contains(&rule), "{text}: {:?}", report.findings);
        }
    }
}

#[test]
fn constants_fit_their_shape() {
    let constant = |sizes: &[u64], bytes: usize| {
        let shape = sizes
            .iter()
            .fold(Message::default(), |shape, size| shape.message(2, Message::default().number(1, *size)));
        let tensor = Message::default().number(1, 1).message(2, shape).bytes(4, vec![0; bytes]);
        let value = Message::default().message(8, tensor);
        saved(&[graph(&[node("Const", |node| node.message(5, attribute("value", value)))])])
    };
    assert!(passes(&judge("saved_model.pb", &constant(&[2, 2], 16))));
    check(&constant(&[2, 3], 16), "INT904");
    check(&constant(&[u64::MAX], 16), "INT904");
    check(&constant(&[1 << 40, 1 << 40], 16), "TFS104");
}

#[test]
fn assets_stay_inside() {
    let with = |name: &str| {
        let asset = Message::default().bytes(2, name);
        Message::default().number(1, 1).message(2, meta(graph(&[plain("NoOp")])).message(6, asset)).0
    };
    let judge = |name: &str| {
        judge_files(vec![("saved_model.pb", with(name)), ("assets/vocab.txt", b"a\nb\n".to_vec())])
    };
    assert!(passes(&judge("vocab.txt")), "{:?}", judge("vocab.txt").findings);
    assert!(rules(&judge("other.txt")).contains(&"INT905"));
    assert!(rules(&judge("../../etc/passwd")).contains(&"TFS103"));
}

#[test]
fn the_signature_is_told() {
    let shape = [-1i64 as u64, 3]
        .iter()
        .fold(Message::default(), |shape, size| shape.message(2, Message::default().number(1, *size)));
    let tensor = |name: &str| {
        let info = Message::default().bytes(1, "x:0").number(2, 1).message(3, shape.clone());
        Message::default().bytes(1, name).message(2, info)
    };
    let signature = Message::default().message(1, tensor("x")).message(2, tensor("y"));
    let entry = Message::default().bytes(1, "serving_default").message(2, signature);
    let file = Message::default().number(1, 1).message(2, meta(graph(&[plain("NoOp")])).message(5, entry)).0;
    let report = judge("saved_model.pb", &file);
    let signature = report.signature.unwrap();
    assert_eq!(signature.inputs[0].to_string(), "x: FP32[?, 3]");
    assert_eq!(signature.outputs[0].name, "y");
}

/// The table of a checkpoint with one variable of four floats.
fn index(offset: u64, size: u64) -> Vec<u8> {
    let shape = Message::default().message(2, Message::default().number(1, 4));
    let header = Message::default().number(1, 1).0;
    let variable = Message::default().number(1, 1).message(2, shape).number(4, offset).number(5, size).0;
    let block = |entries: &[(&[u8], &[u8])]| {
        let mut out = Vec::new();
        for (key, value) in entries {
            out.extend([0, key.len() as u8, value.len() as u8]);
            out.extend(*key);
            out.extend(*value);
        }
        out.extend([0, 0, 0, 0, 1, 0, 0, 0, 0]);
        let crc = masked(&out);
        out.extend(crc.to_le_bytes());
        out
    };
    let data = block(&[(b"", &header), (b"v", &variable)]);
    let place = [0, (data.len() - 5) as u8];
    let top = block(&[(b"w", &place)]);
    let mut file = [data.clone(), top.clone()].concat();
    let mut footer = vec![0, 0, data.len() as u8, (top.len() - 5) as u8];
    footer.resize(40, 0);
    file.extend(footer);
    file.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
    file
}

#[test]
fn a_checkpoint_must_agree_with_its_data() {
    let judge = |index: Vec<u8>, data: usize| {
        judge_files(vec![("v.data-00000-of-00001", vec![0xff; data]), ("v.index", index)])
    };
    let report = judge(index(0, 16), 16);
    assert!(passes(&report), "{:?}", report.findings);
    for (index, data, rule) in
        [(index(0, 16), 15, "INT907"), (index(8, 16), 16, "INT907"), (index(0, 12), 16, "INT904")]
    {
        let report = judge(index, data);
        assert!(rules(&report).contains(&rule), "{rule}: {:?}", report.findings);
    }
    let mut flipped = index(0, 16);
    flipped[8] ^= 1;
    assert!(rules(&judge(flipped, 16)).contains(&"INT906"));
}

#[test]
fn a_model_tells_which_version_wrote_it() {
    let info = Message::default().bytes(2, vec![8, 1]).bytes(4, "serve").bytes(5, "2.16.1");
    let graph = Message::default().message(1, info).message(2, graph(&[plain("MatMul")]));
    let report = judge("saved_model.pb", &Message::default().number(1, 1).message(2, graph).0);
    assert!(passes(&report), "{:?}", report.findings);
    assert_eq!(told(&report.facts.unwrap()), ["tensorflow: 2.16.1"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_hostile_model_passes(cut in 0usize..400, tail in proptest::collection::vec(any::<u8>(), 1..9)) {
        let hostile = saved(&[graph(&[plain("Placeholder"), plain("PyFunc")])]);
        prop_assert!(!passes(&judge("saved_model.pb", &hostile[..cut.min(hostile.len())])));
        prop_assert!(!passes(&judge("saved_model.pb", &[&hostile[..], &tail].concat())));
    }
}
