//! Trees of the histogram boosters, and what the models around trees say of their features.

use super::{super::predictor, *};

/// What matters of a node.
#[derive(Clone, Copy)]
struct Node {
    feature: i64,
    left: u32,
    right: u32,
    leaf: bool,
    set: Option<u32>,
}

const LEAF: Node = Node { feature: 0, left: 0, right: 0, leaf: true, set: None };
const ROOT: Node = Node { feature: 1, left: 1, right: 2, leaf: false, set: None };

fn bytes_of(nodes: &[Node]) -> Vec<u8> {
    let node = |node: &Node| {
        let mut bytes = vec![7; 56];
        bytes[12..20].copy_from_slice(&node.feature.to_le_bytes());
        bytes[29..33].copy_from_slice(&node.left.to_le_bytes());
        bytes[33..37].copy_from_slice(&node.right.to_le_bytes());
        bytes[49] = u8::from(node.leaf);
        bytes[51] = u8::from(node.set.is_some());
        bytes[52..56].copy_from_slice(&node.set.unwrap_or(0).to_le_bytes());
        bytes
    };
    nodes.iter().flat_map(node).collect()
}

/// A type of numbers, as a pickle makes it.
fn number(width: u32) -> Vec<u8> {
    let order = if width == 1 { "|" } else { "<" };
    let made =
        [b"cnumpy\ndtype\n", &unicode(&format!("u{width}"))[..], b"K\0K\x01\x87R(K\x03", &unicode(order)];
    [&made.concat()[..], b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"].concat()
}

/// The type of a node; `moved` gives its first child another name.
fn kind(moved: bool) -> Vec<u8> {
    let name = |name: &str| unicode(if moved && name == "left" { "other" } else { name });
    let parts = predictor::parts(8);
    let names: Vec<u8> = parts.iter().flat_map(|(part, ..)| name(part)).collect();
    let field = |(part, at, width): &(&str, i32, u32)| {
        [&name(part)[..], &number(*width), &[b'K', u8::try_from(*at).unwrap(), 0x86]].concat()
    };
    let fields: Vec<u8> = parts.iter().flat_map(field).collect();
    let made = [b"cnumpy\ndtype\n", &unicode("V56")[..], b"K\0K\x01\x87R(K\x03", &unicode("|"), b"N("];
    [&made.concat()[..], &names, b"t}(", &fields, b"uK\x38K\x01K\0tb"].concat()
}

fn array(bytes: &[u8], kind: &[u8], shape: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R(K\x01";
    [made, shape, kind, b"\x89B", &length, bytes, b"tb"].concat()
}

fn tree_of(nodes: &[Node], moved: bool) -> Vec<u8> {
    let count = u8::try_from(nodes.len()).unwrap();
    [
        b"csklearn.ensemble._hist_gradient_boosting.predictor\nTreePredictor\n)\x81}(",
        &unicode("nodes")[..],
        &array(&bytes_of(nodes), &kind(moved), &[b'K', count, 0x85]),
        &unicode("raw_left_cat_bitsets"),
        &array(&[0; 32], &number(4), &[b'K', 1, b'K', 8, 0x86]),
        b"ub",
    ]
    .concat()
}

/// What knows which features hold categories.
fn mapper(categorical: &[u8]) -> Vec<u8> {
    let sizes = [b'K', u8::try_from(categorical.len()).unwrap(), 0x85];
    let array = array(categorical, &number(1), &sizes);
    let made = b"csklearn.ensemble._hist_gradient_boosting.binning\n_BinMapper\n)\x81}(";
    [&made[..], &unicode("is_categorical_"), &array, b"ub"].concat()
}

/// A booster of two features.
fn booster(tree: &[u8], told: &str) -> Vec<u8> {
    booster_with(&mapper(&[0, 1]), tree, told)
}

fn booster_with(mapper: &[u8], tree: &[u8], told: &str) -> Vec<u8> {
    [
        b"\x80\x04csklearn.ensemble._hist_gradient_boosting.gradient_boosting\nHistGradientBoostingClassifier\n)\x81}(",
        &unicode("_bin_mapper")[..],
        mapper,
        &unicode("_predictors"),
        b"]]",
        tree,
        b"aa",
        &unicode(told),
        b"K\x02ub.",
    ]
    .concat()
}

fn rules_of(nodes: &[Node]) -> Vec<String> {
    let report = judge("m.pkl", &booster(&tree_of(nodes, false), "n_features_in_"));
    rules(&report).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_tree_of_a_booster_leads_only_to_what_it_has() {
    for sound in [&[LEAF][..], &[ROOT, LEAF, LEAF], &[Node { set: Some(0), ..ROOT }, LEAF, LEAF]] {
        assert_eq!(rules_of(sound), Vec::<String>::new());
    }
    for hostile in [
        Node { left: 3, ..ROOT },
        Node { right: u32::MAX, ..ROOT },
        Node { left: 0, ..ROOT },
        Node { feature: -1, ..ROOT },
        Node { feature: 2, ..ROOT },
        Node { set: Some(1), ..ROOT },
    ] {
        assert!(rules_of(&[hostile, LEAF, LEAF]).contains(&"PKL107".to_owned()));
    }
}

#[test]
fn a_tree_asks_for_categories_of_features_that_hold_some() {
    let sets = tree_of(&[Node { set: Some(0), ..ROOT }, LEAF, LEAF], false);
    let with = |mapper: &[u8]| judge("m.pkl", &booster_with(mapper, &sets, "n_features_in_"));
    for sound in [&[0, 1][..], &[1, 0], &[1, 1, 1]] {
        let report = with(&mapper(sound));
        assert!(passes(&report), "{sound:?}: {:?}", report.findings);
    }
    for hostile in [&[1][..], &[0, 0], &[]] {
        let report = with(&mapper(hostile));
        assert!(rules(&report).contains(&"PKL107"), "{hostile:?}: {:?}", report.findings);
    }
    let late = [&mapper(&[1, 1])[..], b"q\x05"].concat();
    let late = booster_with(&late, &sets, "n_features_in_");
    let smaller = mapper(&[1]);
    let state = smaller.iter().position(|byte| *byte == b'}').unwrap();
    let late = [&late[..late.len() - 1], b"h\x05", &smaller[state..], b"0."].concat();
    for unknown in [with(b"N"), judge("m.pkl", &late)] {
        assert!(rules(&unknown).contains(&"PKL304"), "{:?}", unknown.findings);
    }
    // Where no tree asks for any, nobody needs to know.
    let plain = booster_with(b"N", &tree_of(&[ROOT, LEAF, LEAF], false), "n_features_in_");
    assert!(passes(&judge("m.pkl", &plain)));
}

#[test]
fn nodes_of_older_releases_are_read_too() {
    let mut bytes = bytes_of(&[Node { set: Some(4), ..ROOT }]);
    bytes.drain(16..20);
    let mut nodes = Nodes::default();
    predictor::next(&bytes, 4, &mut nodes);
    let read = Nodes { count: 1, last: 2, feature: 1, sets: 5, categories: 2, ..Nodes::default() };
    assert_eq!(nodes, read);
    let end = |feature: u32| predictor::parts(feature).last().map(|(_, at, width)| (*at, *width));
    assert_eq!([end(8), end(4)], [Some((52, 4)), Some((48, 4))]);
}

#[test]
fn nodes_of_a_booster_that_are_not_followed_are_no_pass() {
    let sound = [ROOT, LEAF, LEAF];
    // The tree gets its nodes after the booster has taken it.
    let tree = tree_of(&[Node { feature: 5, ..ROOT }, LEAF, LEAF], false);
    let (class, state) = tree.split_at(tree.iter().position(|byte| *byte == b'}').unwrap());
    let whole = booster(b"h\x01", "n_features_in_");
    let late = [b"\x80\x04", class, b"q\x010", &whole[2..whole.len() - 1], b"0h\x01", state, b"."].concat();
    for unknown in [
        booster(&tree_of(&sound, true), "n_features_in_"),
        booster(&tree_of(&sound, false), "n_features"),
        late,
    ] {
        let report = judge("m.pkl", &unknown);
        assert!(rules(&report).contains(&"PKL304"), "{:?}", report.findings);
    }
}

#[test]
fn a_forest_has_the_features_that_its_trees_ask_for() {
    let tree = tree(&super::array(&[[1, 2, 1], [-1, -1, -2], [-1, -1, -2]], Carried::Bytes), 3);
    let tree = tree.strip_prefix(b"\x80\x04").and_then(|tree| tree.strip_suffix(b".")).unwrap();
    let single = |features: u8| {
        let made = [b"csklearn.tree._classes\nDecisionTreeClassifier\n)\x81}(", &unicode("tree_")[..], tree];
        [&made.concat()[..], &unicode("n_features_in_"), &[b'K', features], b"ub"].concat()
    };
    let forest = |features: u8, inner: u8| {
        let made = [
            b"\x80\x04csklearn.ensemble._forest\nRandomForestClassifier\n)\x81}(",
            &unicode("estimators_")[..],
        ];
        let told = [&unicode("n_features_in_")[..], &[b'K', features], b"ub."].concat();
        [&made.concat()[..], b"]", &single(inner), b"a", &told].concat()
    };
    assert!(passes(&judge("m.pkl", &forest(2, 2))), "{:?}", judge("m.pkl", &forest(2, 2)).findings);
    for hostile in [forest(1, 2), forest(2, 1)] {
        assert!(rules(&judge("m.pkl", &hostile)).contains(&"PKL107"));
    }
}
