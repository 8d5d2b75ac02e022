//! Trees, support vectors and sparse matrices in archives as skops writes them, and each way of leading outside or out of sight.

use tagship_domain::validation::ArtifactReport;

use crate::build::{judge, npy, passes, rules, zip};

pub(super) type Members = Vec<(&'static str, Vec<u8>)>;

pub(super) fn node(module: &str, class: &str, loader: &str, rest: &str) -> String {
    format!(r#"{{"__class__":"{class}","__module__":"{module}","__loader__":"{loader}"{rest}}}"#)
}

pub(super) fn json(text: &str) -> String {
    node("builtins", "str", "JsonNode", &format!(r#","content":"{text}","is_json":true"#))
}

pub(super) fn array(file: &str) -> String {
    node("numpy", "ndarray", "NdArrayNode", &format!(r#","type":"numpy","file":"{file}""#))
}

fn matrix(file: &str) -> String {
    node(
        "scipy.sparse._csr",
        "csr_matrix",
        "SparseMatrixNode",
        &format!(r#","type":"scipy","file":"{file}""#),
    )
}

fn list(class: &str, loader: &str, elements: &[String]) -> String {
    node("builtins", class, loader, &format!(r#","content":[{}]"#, elements.join(",")))
}

pub(super) fn tuple(elements: &[String]) -> String {
    list("tuple", "TupleNode", elements)
}

fn attributes(pairs: &[(&str, String)]) -> String {
    let types = vec![node("builtins", "str", "TypeNode", ""); pairs.len()];
    let pair = |(name, value): &(&str, String)| format!(r#""{name}":{value}"#);
    let content: Vec<String> = pairs.iter().map(pair).collect();
    let types = list("list", "ListNode", &types);
    let rest = format!(r#","content":{{{}}},"key_types":{types}"#, content.join(","));
    node("builtins", "dict", "DictNode", &rest)
}

fn object(module: &str, class: &str, pairs: &[(&str, String)]) -> String {
    node(module, class, "ObjectNode", &format!(r#","content":{}"#, attributes(pairs)))
}

/// Judges an archive of these members and of a schema behind them.
fn archive(members: &[(&str, Vec<u8>)], model: &str) -> ArtifactReport {
    let schema = format!(r#"{},"protocol":2}}"#, &model[..model.len() - 1]);
    let mut all: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    all.push(("schema.json", schema.as_bytes()));
    judge("m.skops", &zip(&all))
}

#[track_caller]
pub(super) fn check(members: &[(&str, Vec<u8>)], model: &str, expected: Option<&str>) {
    let report = archive(members, model);
    match expected {
        None => assert!(passes(&report), "{model}: {:?}", report.findings),
        Some(rule) => assert!(
            rules(&report).contains(&rule) && !passes(&report),
            "{rule}: {model}: {:?}",
            report.findings
        ),
    }
}

/// The same model with one thing in another way.
pub(super) fn changed(model: &str, old: &str, new: &str) -> String {
    assert!(model.contains(old), "{old}");
    model.replacen(old, new, 1)
}

pub(super) fn numbers_as(kind: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    npy(&format!("{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n"), elements)
}

fn narrow(numbers: &[i32]) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    numbers_as("'<i4'", &format!("({},)", numbers.len()), &bytes)
}

pub(super) fn floats(shape: &str, count: usize) -> Vec<u8> {
    numbers_as("'<f8'", shape, &vec![0; 8 * count])
}

const NODE: &str = "[('left_child', '<i8'), ('right_child', '<i8'), ('feature', '<i8'), ('threshold', '<f8'), \
    ('impurity', '<f8'), ('n_node_samples', '<i8'), ('weighted_n_node_samples', '<f8'), \
    ('missing_go_to_left', '|u1'), ('', '|V7')]";
const LEAF: [i64; 3] = [-1, -1, -2];

fn nodes_as(kind: &str, nodes: &[[i64; 3]]) -> Vec<u8> {
    let node = |node: &[i64; 3]| {
        let mut bytes: Vec<u8> = node.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.resize(64, 7);
        bytes
    };
    let bytes: Vec<u8> = nodes.iter().flat_map(node).collect();
    numbers_as(kind, &format!("({},)", nodes.len()), &bytes)
}

fn nodes(nodes: &[[i64; 3]]) -> Vec<u8> {
    nodes_as(NODE, nodes)
}

fn tree_of(pairs: &[(&str, String)]) -> String {
    let arguments = tuple(&[json("2"), array("classes.npy"), json("1")]);
    let rest = format!(r#","__reduce__":{{"args":{arguments}}},"content":{}"#, attributes(pairs));
    node("sklearn.tree._tree", "Tree", "TreeNode", &rest)
}

fn tree() -> String {
    tree_of(&[("node_count", json("3")), ("nodes", array("nodes.npy"))])
}

/// The members of a tree of three nodes, whose root is given.
fn tree_members(root: [i64; 3]) -> Members {
    vec![("nodes.npy", nodes(&[root, LEAF, LEAF]))]
}

#[test]
fn a_tree_leads_only_to_what_it_has() {
    check(&tree_members([1, 2, 1]), &tree(), None);
    for root in [[1, 3, 1], [1, -9, 1], [0, 2, 1], [1, 2, 2], [1, 2, -1]] {
        check(&tree_members(root), &tree(), Some("SKO103"));
    }
    let more = changed(&tree(), r#""content":"3""#, r#""content":"4""#);
    check(&tree_members([1, 2, 1]), &more, Some("SKO103"));
}

#[test]
fn a_tree_that_is_not_followed_is_no_pass() {
    let sound = tree_members([1, 2, 1]);
    let key_type = node("builtins", "str", "TypeNode", "");
    let no_count = tree_of(&[("nodes", array("nodes.npy"))]);
    for model in [
        changed(&tree(), "nodes.npy", "other.npy"),
        changed(&tree(), r#""type":"numpy","file":"nodes.npy""#, r#""type":"json","file":"nodes.npy""#),
        changed(&tree(), r#""content":"3""#, r#""content":"3.0""#),
        changed(&tree(), r#""content":"2""#, r#""content":"null""#),
        // A key that is not there when the dictionary is made.
        changed(&tree(), &format!("{key_type},{key_type}"), &key_type),
        changed(&tree(), &key_type, &node("builtins", "bytes", "TypeNode", "")),
        // A tree is made whatever class the node names, and in another way than skops does.
        changed(&no_count, "sklearn.tree._tree", "sklearn.tree._classes")
            .replace("\"Tree\"", "\"DecisionTreeClassifier\""),
        changed(&tree(), "TreeNode", "LossNode"),
        changed(&tree(), "TreeNode", "ObjectNode"),
        no_count,
    ] {
        check(&sound, &model, Some("SKO201"));
    }
    for nodes in [
        nodes_as(&NODE.replace('<', ">"), &[[1, 2, 1], LEAF, LEAF]),
        nodes_as(&NODE.replacen("left_child", "other", 1), &[[1, 2, 1], LEAF, LEAF]),
        nodes_as("'|V64'", &[[1, 2, 1], LEAF, LEAF]),
        [nodes(&[[1, 2, 1], LEAF, LEAF]), nodes(&[LEAF])].concat(),
        floats("(3,)", 3),
    ] {
        check(&[("nodes.npy", nodes)], &tree(), Some("SKO201"));
    }
    let schema = format!(r#"{},"protocol":2}}"#, &tree()[..tree().len() - 1]);
    let early = zip(&[("schema.json", schema.as_bytes()), ("nodes.npy", &sound[0].1)]);
    assert!(rules(&judge("m.skops", &early)).contains(&"SKO201"), "its nodes stand behind the schema");
}

#[test]
fn one_number_stands_for_one_thing() {
    let numbered = |model: &str, id: &str| format!(r#"{},"__id__":{id}}}"#, &model[..model.len() - 1]);
    let members = [tree_members([1, 2, 1]), vec![("more.npy", nodes(&[[1, 2, 1], LEAF, LEAF]))]].concat();
    let both = |first: &str, second: &str| {
        let tree = tree_of(&[("node_count", json("3")), ("nodes", second.to_owned())]);
        list("list", "ListNode", &[first.to_owned(), tree])
    };
    let (one, other) = (array("nodes.npy"), array("more.npy"));
    check(&members, &both(&numbered(&one, "5"), &numbered(&one, "5")), None);
    check(&members, &both(&numbered(&other, "5"), &numbered(&one, "6")), None);
    // What is loaded in place of the nodes is the first.
    check(&members, &both(&numbered(&other, "5"), &numbered(&one, "5")), Some("INT803"));
    check(&members, &both(&numbered(&json("1"), "5"), &numbered(&one, "5")), Some("INT803"));
    check(&members, &both(&numbered(&other, "true"), &numbered(&one, "1")), Some("SKO201"));
    // Numbers that are read as one, and what may equal a number.
    for odd in ["9007199254740993", r#""5""#] {
        check(&members, &both(&numbered(&other, odd), &one), Some("SKO201"));
    }
    let cached = node("numpy", "ndarray", "CachedNode", r#","__id__":5"#);
    check(&members, &both(&numbered(&one, "5"), &cached), Some("SKO201"));
    let hidden = list("list", "ListNode", &[numbered(&tree(), "5"), cached.clone()]);
    check(&members, &hidden, Some("SKO201"));
    check(&members, &list("list", "ListNode", &[numbered(&json("1"), "5"), cached]), None);
    // A number alone is the node that has it.
    check(&members, &both(&numbered(&one, "5"), r#"{"__id__":5}"#), Some("INT803"));
}

#[test]
fn a_model_takes_the_features_that_its_trees_ask_for() {
    const FOREST: (&str, &str) = ("sklearn.ensemble._forest", "RandomForestClassifier");
    const SINGLE: (&str, &str) = ("sklearn.tree._classes", "DecisionTreeClassifier");
    let members = tree_members([1, 2, 1]);
    let of = |(module, class): (&str, &str), held: &str, features: Option<&str>| {
        let held = ("held", list("list", "ListNode", &[held.to_owned()]));
        let told = features.map(|features| ("n_features_in_", json(features)));
        object(module, class, &[held].into_iter().chain(told).collect::<Vec<_>>())
    };
    let single = of(SINGLE, &tree(), Some("2"));
    check(&members, &of(FOREST, &single, Some("2")), None);
    check(&members, &of(FOREST, &single, Some("1")), Some("SKO103"));
    check(&members, &of(SINGLE, &tree(), Some("1")), Some("SKO103"));
    check(&members, &of(FOREST, &single, None), Some("SKO201"));
    check(&members, &of(FOREST, &single, Some("null")), Some("SKO201"));
    let by_old_name = changed(&of(SINGLE, &tree(), Some("2")), "n_features_in_", "n_features_");
    check(&members, &by_old_name, Some("SKO201"));
    let told = |features: &str| of(FOREST, &single, Some("2")).replace(&json("2"), features);
    let scalar = node("numpy", "int64", "NdArrayNode", r#","type":"numpy","file":"n.npy""#);
    let count = ("n.npy", numbers_as("'<i8'", "()", &2i64.to_le_bytes()));
    check(&[members.clone(), vec![count.clone()]].concat(), &of(SINGLE, &tree(), Some("2")), None);
    let numbered = changed(&of(SINGLE, &tree(), Some("9")), &json("9"), &scalar);
    check(&[members.clone(), vec![count]].concat(), &numbered, None);
    check(&members, &numbered, Some("SKO201"));
    check(&members, &told(&array("nodes.npy")), Some("SKO201"));
    // What holds a forest is not asked for the features of its trees.
    check(&members, &of(FOREST, &of(FOREST, &single, Some("2")), None), None);
}

const PREDICTOR: (&str, &str) = ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor");

fn predictor_nodes(left: u32, feature: i64, set: Option<u32>) -> Vec<u8> {
    let kind = "[('value', '<f8'), ('count', '<u4'), ('feature_idx', '<i8'), ('num_threshold', '<f8'), \
        ('missing_go_to_left', '|u1'), ('left', '<u4'), ('right', '<u4'), ('gain', '<f8'), ('depth', '<u4'), \
        ('is_leaf', '|u1'), ('bin_threshold', '|u1'), ('is_categorical', '|u1'), ('bitset_idx', '<u4')]";
    let mut bytes = vec![0; 3 * 56];
    bytes[12..20].copy_from_slice(&feature.to_le_bytes());
    bytes[29..33].copy_from_slice(&left.to_le_bytes());
    bytes[33] = 2;
    bytes[51] = u8::from(set.is_some());
    bytes[52..56].copy_from_slice(&set.unwrap_or(0).to_le_bytes());
    bytes[56 + 49] = 1;
    bytes[2 * 56 + 49] = 1;
    numbers_as(kind, "(3,)", &bytes)
}

#[test]
fn a_boosters_tree_leads_only_to_what_it_has() {
    let predictor = object(
        PREDICTOR.0,
        PREDICTOR.1,
        &[("nodes", array("nodes.npy")), ("raw_left_cat_bitsets", array("sets.npy"))],
    );
    let module = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting";
    let model = |features: &str| {
        let known = [("is_categorical_", array("categorical.npy"))];
        let mapper = object("sklearn.ensemble._hist_gradient_boosting.binning", "_BinMapper", &known);
        let pairs =
            [("_bin_mapper", mapper), ("_predictors", predictor.clone()), ("n_features_in_", json(features))];
        object(module, "HistGradientBoostingClassifier", &pairs)
    };
    let categorical = |known: &[u8]| numbers_as("'|u1'", &format!("({},)", known.len()), known);
    let with = |nodes: Vec<u8>, sets: &str, count: usize| {
        let sets = numbers_as("'<u4'", sets, &vec![0; 4 * count]);
        vec![("nodes.npy", nodes), ("sets.npy", sets), ("categorical.npy", categorical(&[0, 1]))]
    };
    check(&with(predictor_nodes(1, 1, None), "(0, 8)", 0), &model("2"), None);
    check(&with(predictor_nodes(1, 1, Some(0)), "(1, 8)", 8), &model("2"), None);
    for (nodes, sets, count, features) in [
        (predictor_nodes(3, 1, None), "(0, 8)", 0, "2"),
        (predictor_nodes(0, 1, None), "(0, 8)", 0, "2"),
        (predictor_nodes(1, 1, Some(1)), "(1, 8)", 8, "2"),
        (predictor_nodes(1, 1, Some(0)), "(8, 1)", 8, "2"),
        (predictor_nodes(1, 1, None), "(0, 8)", 0, "1"),
    ] {
        check(&with(nodes, sets, count), &model(features), Some("SKO103"));
    }
    check(&[], &model("2"), Some("SKO201"));
    check(&with(nodes(&[LEAF]), "(0, 8)", 0), &model("2"), Some("SKO201"));
    for known in [&[1][..], &[0, 0], &[]] {
        let mut members = with(predictor_nodes(1, 1, Some(0)), "(1, 8)", 8);
        members[2].1 = categorical(known);
        check(&members, &model("2"), Some("SKO103"));
    }
    let unknown = changed(&model("2"), "is_categorical_", "is_categorical");
    check(&with(predictor_nodes(1, 1, Some(0)), "(1, 8)", 8), &unknown, Some("SKO201"));
    let sound = with(predictor_nodes(1, 1, None), "(0, 8)", 0);
    check(&sound, &unknown, None);
    let made = changed(&predictor, "ObjectNode", "LossNode");
    check(&sound, &made, Some("SKO201"));
    // Named and not made.
    check(&sound, &node(PREDICTOR.0, PREDICTOR.1, "TypeNode", ""), None);
}

/// The members of two support vectors of three features, one of each class.
fn vectors() -> Members {
    vec![
        ("support.npy", narrow(&[0, 3])),
        ("counts.npy", narrow(&[1, 1])),
        ("vectors.npy", floats("(2, 3)", 6)),
        ("dual.npy", floats("(1, 2)", 2)),
        ("intercept.npy", floats("(1,)", 1)),
        ("none.npy", floats("(0,)", 0)),
    ]
}

fn classifier(vectors: &str, dual: &str) -> String {
    let pairs = [
        ("kernel", json(r#"\"rbf\""#)),
        ("support_", array("support.npy")),
        ("support_vectors_", vectors.to_owned()),
        ("_n_support", array("counts.npy")),
        ("_dual_coef_", dual.to_owned()),
        ("_intercept_", array("intercept.npy")),
        ("_probA", array("none.npy")),
        ("shape_fit_", tuple(&[json("4"), json("3")])),
    ];
    object("sklearn.svm._classes", "SVC", &pairs)
}

/// The members with another one of a name.
fn with(mut members: Members, name: &str, bytes: Vec<u8>) -> Members {
    members.iter_mut().find(|(own, _)| *own == name).unwrap().1 = bytes;
    members
}

#[test]
fn support_vectors_have_the_sizes_that_predictions_count_on() {
    let model = classifier(&array("vectors.npy"), &array("dual.npy"));
    check(&vectors(), &model, None);
    check(&[], &object("sklearn.svm._classes", "SVC", &[("kernel", json(r#"\"rbf\""#))]), None);
    for (name, bytes) in [
        ("support.npy", narrow(&[0, 4])),
        ("support.npy", narrow(&[-1, 3])),
        ("support.npy", narrow(&[0])),
        ("counts.npy", narrow(&[1, 2])),
        ("counts.npy", narrow(&[3, -1])),
        ("vectors.npy", floats("(1, 3)", 3)),
        ("dual.npy", floats("(1, 1)", 1)),
        ("intercept.npy", floats("(0,)", 0)),
    ] {
        check(&with(vectors(), name, bytes), &model, Some("SKO103"));
    }
    check(&vectors(), &changed(&model, r#""content":"4""#, r#""content":"3""#), Some("SKO103"));
    // The kernel is what says that the vectors themselves are not kept.
    let bare = with(vectors(), "vectors.npy", floats("(0, 0)", 0));
    check(&bare, &model, Some("SKO103"));
    check(&bare, &changed(&model, "rbf", "precomputed"), None);
    for unknown in [
        changed(&model, "support.npy", "other.npy"),
        changed(&model, r#""_probA""#, r#""_impl""#),
        changed(&model, r#""_probA""#, r#""n_support_""#),
        changed(
            &model,
            &json(r#"\"rbf\""#),
            &node("sklearn.metrics.pairwise", "chi2_kernel", "FunctionNode", ""),
        ),
        changed(&model, "shape_fit_", "shape_fit"),
        changed(&model, "ObjectNode", "LossNode"),
        node("sklearn.svm._classes", "SVC", "ObjectNode", r#","content":{}"#),
    ] {
        check(&vectors(), &unknown, Some("SKO201"));
    }
    let wide = numbers_as("'<i2'", "(2,)", &[0, 0, 3, 0]);
    check(&with(vectors(), "support.npy", wide), &model, Some("SKO201"));
}

/// A matrix of three rows and four columns with two values, of which the second is in this column.
fn parts(column: i32) -> Members {
    vec![
        ("indices.npy", narrow(&[1, column])),
        ("indptr.npy", narrow(&[0, 1, 1, 2])),
        ("format.npy", numbers_as("'|S3'", "()", b"csr")),
        ("shape.npy", numbers_as("'<i8'", "(2,)", &[3i64.to_le_bytes(), 4i64.to_le_bytes()].concat())),
        ("data.npy", floats("(2,)", 2)),
    ]
}

fn npz(parts: &Members) -> Vec<u8> {
    zip(&parts.iter().map(|(name, bytes)| (*name, &bytes[..])).collect::<Vec<_>>())
}

#[test]
fn a_sparse_matrix_leads_only_to_what_it_has() {
    let judged = |parts: &Members, expected| check(&[("m.npz", npz(parts))], &matrix("m.npz"), expected);
    judged(&parts(3), None);
    judged(&with(parts(3), "format.npy", numbers_as("'|S3'", "()", b"coo")), None);
    for outside in [
        parts(4),
        parts(-1),
        with(parts(3), "indptr.npy", narrow(&[0, 1, 1, 3])),
        with(parts(3), "indptr.npy", narrow(&[0, 9, 1, 2])),
        with(parts(3), "indptr.npy", narrow(&[0, 1, 2])),
        with(parts(3), "data.npy", floats("(1,)", 1)),
        with(parts(3), "shape.npy", numbers_as("'<i8'", "(1,)", &4i64.to_le_bytes())),
        with(parts(3), "format.npy", numbers_as("'|S3'", "()", b"csc")),
    ] {
        judged(&outside, Some("SKO103"));
    }
    for unknown in [
        parts(3)[1..].to_vec(),
        with(parts(3), "indices.npy", numbers_as("'>i4'", "(2,)", &[0; 8])),
        with(parts(3), "format.npy", numbers_as("'|S3'", "()", b"lil")),
        with(parts(3), "shape.npy", numbers_as("'<f8'", "(2,)", &[0; 16])),
        with(parts(3), "shape.npy", numbers_as("'<i8'", "(3,)", &[0; 24])),
    ] {
        judged(&unknown, Some("SKO201"));
    }
    check(&[], &matrix("m.npz"), Some("SKO201"));
    check(
        &[("m.npz", npz(&parts(3)))],
        &changed(&matrix("m.npz"), "SparseMatrixNode", "ObjectNode"),
        Some("SKO201"),
    );
    check(&[("m.npz", narrow(&[1]))], &matrix("m.npz"), Some("SKO201"));
}

#[test]
fn support_vectors_may_be_sparse() {
    let model = classifier(&matrix("v.npz"), &matrix("d.npz"));
    let row = with(parts(0), "indptr.npy", narrow(&[0, 2]));
    let shape = |rows: i64, columns: i64| {
        numbers_as("'<i8'", "(2,)", &[rows.to_le_bytes(), columns.to_le_bytes()].concat())
    };
    let dual = with(row, "shape.npy", shape(1, 2));
    let kept = with(with(parts(2), "indptr.npy", narrow(&[0, 1, 2])), "shape.npy", shape(2, 3));
    let members = |kept: &Members, dual: &Members| {
        [vectors(), vec![("v.npz", npz(kept)), ("d.npz", npz(dual))]].concat()
    };
    check(&members(&kept, &dual), &model, None);
    check(&members(&parts(3), &dual), &model, Some("SKO103"));
    check(
        &members(&kept, &with(dual.clone(), "format.npy", numbers_as("'|S3'", "()", b"coo"))),
        &model,
        Some("SKO201"),
    );
}

#[test]
fn what_skops_keeps_in_ways_of_its_own_is_no_pass() {
    for model in [
        object("sklearn.neighbors._kd_tree", "KDTree", &[]),
        object("sklearn.neighbors._ball_tree", "BallTree", &[]),
        object("scipy.sparse._lil", "lil_matrix", &[]),
        node("builtins", "dict", "QuantileForestNode", &format!(r#","content":{}"#, attributes(&[]))),
    ] {
        check(&[], &model, Some("SKO201"));
    }
}
