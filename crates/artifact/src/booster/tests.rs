//! Small models, each with the one thing that is wrong.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

mod pickled;

use proptest::prelude::*;

use crate::build::{judge, passes, rules, told};

fn xgboost(trees: &str, declared: u64) -> String {
    format!(
        r#"{{"learner":{{"gradient_booster":{{"model":{{"gbtree_model_param":{{"num_trees":"{declared}"}},"tree_info":[0],
        "trees":[{trees}]}},"name":"gbtree"}},"learner_model_param":{{"num_class":"0","num_feature":"2"}}}},
        "version":[3,0,0]}}"#
    )
}

fn tree(left: &str, right: &str, features: &str, nodes: u64) -> String {
    format!(
        r#"{{"default_left":[0,0,0],"left_children":{left},"right_children":{right},"parents":[2147483647,0,0],"split_conditions":[0.5,1,2],
        "split_indices":{features},"tree_param":{{"num_nodes":"{nodes}"}}}}"#
    )
}

fn sound_tree() -> String {
    tree("[1,-1,-1]", "[2,-1,-1]", "[1,0,0]", 3)
}

fn check(name: &'static str, file: &[u8], rule: &str) {
    let report = judge(name, file);
    assert!(!passes(&report), "{rule}: {}", String::from_utf8_lossy(file));
    assert!(
        rules(&report).contains(&rule),
        "{rule}: {:?} in {}",
        report.findings,
        String::from_utf8_lossy(file)
    );
}

#[test]
fn an_xgboost_model_must_agree_with_its_counts() {
    let report = judge("m.json", xgboost(&sound_tree(), 1).as_bytes());
    assert!(passes(&report), "{:?}", report.findings);
    for file in [
        xgboost(&sound_tree(), 2),
        // Settings beside a model switch nothing off.
        xgboost(&sound_tree(), 2).replacen(r#""learner":{"#, r#""learner":{"generic_param":{},"#, 1),
        xgboost(&sound_tree(), 1 << 40),
        xgboost(&tree("[1,-1]", "[2,-1,-1]", "[1,0,0]", 3), 1),
        xgboost(&tree("[1,-1,-1]", "[2,-1,-1]", "[1,0,0]", 4), 1),
        xgboost(&tree("[1,-1,-1]", "[9,-1,-1]", "[1,0,0]", 3), 1),
        xgboost(&tree("[1,-1,-1]", "[-5,-1,-1]", "[1,0,0]", 3), 1),
        xgboost(&tree("[0,-1,-1]", "[2,-1,-1]", "[1,0,0]", 3), 1),
        xgboost(&tree("[1,-1,-1]", "[-1,-1,-1]", "[1,0,0]", 3), 1),
        xgboost(&tree("[1,-1,-1]", "[2,-1,-1]", "[2,0,0]", 3), 1),
        xgboost(&sound_tree(), 1).replace("gbtree\"", "gbother\""),
        xgboost(&sound_tree(), 1).replace("\"num_class\":\"0\"", "\"num_feature\":\"9\""),
    ] {
        check("m.json", file.as_bytes(), "INT952");
    }
    let with = |fields: &str| xgboost(&sound_tree().replacen('{', &format!("{{{fields},"), 1), 1);
    let categories = |sets: &str, nodes: &str, segments: &str, sizes: &str| {
        with(&format!(
            r#""split_type":[1,0,0],"categories":{sets},"categories_nodes":{nodes},"categories_segments":{segments},
            "categories_sizes":{sizes}"#
        ))
    };
    let report = judge("m.json", categories("[3,5]", "[0]", "[0]", "[2]").as_bytes());
    assert!(passes(&report), "{:?}", report.findings);
    for file in [
        categories("[3,5]", "[0]", "[1]", "[2]"),
        categories("[3,5]", "[0]", "[-1]", "[2]"),
        categories("[3,5]", "[3]", "[0]", "[2]"),
        categories("[3,5]", "[]", "[]", "[]"),
        categories("[3,5]", "[0]", "[]", "[2]"),
        categories("[3,-5]", "[0]", "[0]", "[2]"),
        categories("[3,2147483646]", "[0]", "[0]", "[2]"),
        with(r#""base_weights":[1,2]"#),
        xgboost(&sound_tree(), 1).replace("[2147483647,0,0]", "[5]"),
        xgboost(&sound_tree(), 1).replace("[2147483647,0,0]", "[2147483647,0,3]"),
        xgboost(&sound_tree(), 1).replace(r#""tree_info":[0]"#, r#""tree_info":[1]"#),
        xgboost(&sound_tree(), 1).replace(r#""tree_info":[0]"#, r#""tree_info":[-1]"#),
        xgboost(&sound_tree(), 1)
            .replace(r#""tree_info":[0]"#, r#""tree_info":[0],"iteration_indptr":[0,9,1]"#),
        xgboost(&sound_tree(), 1).replace(r#""num_class":"0""#, r#""num_class":"1000000000""#),
        xgboost(&sound_tree().replace(r#""num_nodes""#, r#""num_feature":"7","num_nodes""#), 1),
        xgboost(&sound_tree(), 1).replace(r#""name":"gbtree""#, r#""name":"dart","weight_drop":[1,1]"#),
        xgboost(&sound_tree().replace(r#""num_nodes""#, r#""size_leaf_vector":"9","num_nodes""#), 1)
            .replace("[2,-1,-1]", "[2,900000000,-1]"),
    ] {
        check("m.json", file.as_bytes(), "INT952");
    }
    check("m.json", xgboost(&sound_tree().replace("0.5", "NaN"), 1).as_bytes(), "INT121");
    check("m.json", &xgboost(&sound_tree(), 1).as_bytes()[..100], "INT110");
}

/// The same document in UBJSON, with counted and typed arrays of integers.
fn ubjson(text: &str) -> Vec<u8> {
    fn put(value: &serde_json::Value, out: &mut Vec<u8>) {
        let string = |text: &str, out: &mut Vec<u8>| {
            out.push(b'L');
            out.extend((text.len() as u64).to_be_bytes());
            out.extend(text.as_bytes());
        };
        match value {
            serde_json::Value::String(text) => {
                out.push(b'S');
                string(text, out);
            }
            serde_json::Value::Number(number) => {
                out.push(b'd');
                out.extend((number.as_f64().unwrap() as f32).to_be_bytes());
            }
            serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_i64) => {
                out.extend(b"[$l#L");
                out.extend((items.len() as u64).to_be_bytes());
                for item in items {
                    out.extend((item.as_i64().unwrap() as i32).to_be_bytes());
                }
            }
            serde_json::Value::Array(items) => {
                out.push(b'[');
                for item in items {
                    put(item, out);
                }
                out.push(b']');
            }
            serde_json::Value::Object(fields) => {
                out.push(b'{');
                for (key, value) in fields {
                    string(key, out);
                    put(value, out);
                }
                out.push(b'}');
            }
            _ => out.push(b'Z'),
        }
    }
    let mut out = Vec::new();
    put(&serde_json::from_str(text).unwrap(), &mut out);
    out
}

#[test]
fn ubjson_is_the_same_document() {
    let sound = ubjson(&xgboost(&sound_tree(), 1));
    let report = judge("m.ubj", &sound);
    assert!(passes(&report), "{:?}", report.findings);
    assert_eq!(report.format, "directory");
    check("m.ubj", &ubjson(&xgboost(&sound_tree(), 2)), "INT952");
    check("m.ubj", &[&sound[..], b"x"].concat(), "INT951");
    for cut in [20, sound.len() / 2, sound.len() - 1] {
        check("m.ubj", &sound[..cut], "INT951");
    }
    let mut bomb = b"{L\0\0\0\0\0\0\0\x01a[$Z#L".to_vec();
    bomb.extend(u64::MAX.to_be_bytes());
    check("m.ubj", &bomb, "INT951");
}

fn lightgbm(tree: &str) -> String {
    format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\nfeature_names=a b\ntree_sizes={}\n\n{tree}end of trees\n\nparameters:\n[a: b]\n\nend of parameters\n",
        tree.len()
    )
}

const LEAVES: &str = "Tree=0\nnum_leaves=3\nsplit_feature=0 1\nthreshold=0.5 1\ndecision_type=2 2\nleft_child=1 -1\n\
    right_child=-2 -3\nleaf_value=1 2 3\nshrinkage=1\n\n\n";

#[test]
fn a_lightgbm_text_must_agree_with_its_counts() {
    let report = judge("m.txt", lightgbm(LEAVES).as_bytes());
    assert!(passes(&report), "{:?}", report.findings);
    for (from, to) in [
        ("num_leaves=3", "num_leaves=4"),
        ("leaf_value=1 2 3", "leaf_value=1 2 x"),
        ("left_child=1 -1", "left_child=0 -1"),
        ("left_child=1 -1", "left_child=1 -9"),
        ("left_child=1 -1", "left_child=9 -1"),
        // The loader reads the digits before the sign: another tree, which never ends.
        ("left_child=1 -1", "left_child=1e0 -1"),
        ("left_child=1 -1", "left_child=1\t-1"),
        ("num_leaves=3", "num_leaves=3 5"),
        ("split_feature=0 1", "split_feature=0 7"),
        ("threshold=0.5 1", "threshold=0.5  "),
        ("Tree=0", "Tree=7"),
    ] {
        check("m.txt", lightgbm(&LEAVES.replace(from, to)).as_bytes(), "INT952");
    }
    check("m.txt", lightgbm(LEAVES).replace("tree_sizes=1", "tree_sizes=2").as_bytes(), "INT952");
    check("m.txt", lightgbm(&LEAVES.replace("=1 2 3", "=1 2 nan")).as_bytes(), "INT121");
    check("m.txt", &lightgbm(LEAVES).as_bytes()[..200], "INT953");
}

#[test]
fn a_lightgbm_text_indexes_only_what_it_has() {
    for (from, to) in [
        ("num_tree_per_iteration=1", "num_tree_per_iteration=2"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=0"),
        ("num_class=1", "num_class=2000000000"),
        ("num_class=1", "num_class=1\nnum_class=1"),
        ("max_feature_idx=1", "max_feature_idx=1000000000"),
        ("num_class=1", "num_class=1\nobjective=multiclass num_class:1000000"),
        ("num_class=1", "num_class=1\nobjective=multiclassova num_class:1 num_class:9"),
        ("num_class=1", "num_class=1\nobjective=multiclass"),
    ] {
        check("m.txt", lightgbm(LEAVES).replace(from, to).as_bytes(), "INT952");
    }
    let categories = LEAVES
        .replace("decision_type=2 2", "decision_type=1 2\nnum_cat=1\ncat_boundaries=0 2\ncat_threshold=5 6");
    let categories = categories.replace("threshold=0.5 1\n", "threshold=0 1\n");
    let linear = LEAVES.replace(
        "shrinkage=1",
        "is_linear=1\nleaf_const=1 2 3\nnum_features=0 2 1\nleaf_features=0 1 1\nleaf_coeff=1 2 3\nshrinkage=1",
    );
    for sound in [&categories, &linear] {
        let report = judge("m.txt", lightgbm(sound).as_bytes());
        assert!(passes(&report), "{:?}", report.findings);
    }
    for (sound, from, to) in [
        (&categories, "cat_boundaries=0 2", "cat_boundaries=0 1000000000"),
        (&categories, "cat_boundaries=0 2", "cat_boundaries=0 1 2"),
        (&categories, "cat_threshold=5 6", "cat_threshold=5"),
        (&categories, "num_cat=1", "num_cat=1000000000"),
        (&categories, "num_cat=1", "num_cat=0"),
        (&categories, "threshold=0 1\n", "threshold=1 1\n"),
        (&linear, "leaf_features=0 1 1", "leaf_features=0 1 2"),
        (&linear, "leaf_features=0 1 1", "leaf_features=0 1"),
        (&linear, "num_features=0 2 1", "num_features=0 -2 5"),
        (&linear, "num_features=0 2 1", "num_features=0 200000000 1"),
        (&linear, "leaf_coeff=1 2 3", "leaf_coeff=1 2"),
        (&linear, "leaf_const=1 2 3", "leaf_const=1 2"),
    ] {
        check("m.txt", lightgbm(&sound.replace(from, to)).as_bytes(), "INT952");
    }
}

#[test]
fn dumps_in_json_are_models_too() {
    let leaf = |leaves: u64| {
        format!(
            r#"{{"name":"tree","max_feature_idx":1,"tree_info":[{{"num_leaves":{leaves},"tree_structure":
            {{"split_feature":0,"left_child":{{"leaf_value":1}},"right_child":{{"leaf_value":2}}}}}}]}}"#
        )
    };
    assert!(passes(&judge("m.json", leaf(2).as_bytes())));
    check("m.json", leaf(3).as_bytes(), "INT952");
    let cat = |values: &str| {
        format!(
            r#"{{"features_info":{{}},"model_info":{{}},"oblivious_trees":[{{"leaf_values":{values},"leaf_weights":[1,1],
            "splits":[{{"border":1}}]}}]}}"#
        )
    };
    assert!(passes(&judge("m.json", cat("[1,2]").as_bytes())));
    check("m.json", cat("[1,2,3]").as_bytes(), "INT952");
}

#[test]
fn models_tell_which_version_wrote_them() {
    let stated = |name, bytes: &[u8]| told(&judge(name, bytes).facts.unwrap());
    assert_eq!(stated("m.json", xgboost(&sound_tree(), 1).as_bytes()), ["xgboost: 3.0.0"]);
    assert_eq!(stated("m.txt", lightgbm("").as_bytes()), ["LightGBM model: v4"]);
    let catboost = r#"{"features_info":{},"model_info":{"catboost_version_info":"Git info:\n  Branch: tags/v1.2.8"},"oblivious_trees":[]}"#;
    assert_eq!(stated("m.json", catboost.as_bytes()), ["catboost: 1.2.8"]);
    let dump = r#"{"name":"tree","version":"v4","max_feature_idx":0,"tree_info":[]}"#;
    assert_eq!(stated("m.json", dump.as_bytes()), ["LightGBM model: v4"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_model_passes(cut in 1usize..2000, tail in "[ -~]{1,9}") {
        let text = xgboost(&sound_tree(), 1);
        let cut_at = |length: usize| length - 1 - cut % (length - 1);
        prop_assert!(!passes(&judge("m.json", &text.as_bytes()[..cut_at(text.len())])));
        let binary = ubjson(&text);
        prop_assert!(!passes(&judge("m.ubj", &binary[..cut_at(binary.len())])));
        prop_assert!(!passes(&judge("m.ubj", &[&binary[..], tail.as_bytes()].concat())));
        let lines = lightgbm(LEAVES);
        let end = cut_at(lines.len() - "\n".len());
        prop_assert!(!passes(&judge("m.txt", &lines.as_bytes()[..end])));
    }
}
