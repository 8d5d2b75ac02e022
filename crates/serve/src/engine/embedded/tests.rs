//! Graphs that mislead or attack the engine, made by editing good ones: each is refused with its reason, unrun.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use proptest::prelude::*;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    attribute_proto::AttributeType, tensor_proto::DataLocation,
};

use super::{decode, load_proto};
use crate::engine::{Batching, EngineError, ErrorKind, Runnable, Tensor, TensorData};

fn fixture(name: &str) -> ModelProto {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/parity");
    decode(&fs::read(fixtures.join(name)).unwrap()).unwrap()
}

fn graph(proto: &mut ModelProto) -> &mut GraphProto {
    proto.graph.as_mut().unwrap()
}

/// The first node of this operator.
fn node<'a>(proto: &'a mut ModelProto, operator: &str) -> &'a mut NodeProto {
    graph(proto).node.iter_mut().find(|node| node.op_type == operator).unwrap()
}

fn attribute<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut AttributeProto {
    node.attribute.iter_mut().find(|attribute| attribute.name == name).unwrap()
}

/// Edits the forest of `rf_bin`, whose first tree has inner nodes 0 and 1 at least, and loads the result.
fn edited_forest(edit: impl FnOnce(&mut NodeProto)) -> Result<Arc<dyn Runnable>, EngineError> {
    let mut proto = fixture("rf_bin/model.onnx");
    edit(node(&mut proto, "TreeEnsembleClassifier"));
    load_proto(proto, None)
}

/// The forest is refused as malformed, for a reason that contains `reason`.
fn assert_malformed(reason: &str, edit: impl FnOnce(&mut NodeProto)) {
    let error = edited_forest(edit).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    assert!(error.to_string().contains("TreeEnsembleClassifier"), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn the_forest_that_the_edits_start_from_is_good() {
    edited_forest(|_| ()).unwrap();
}

#[test]
fn a_recorded_class_id_out_of_range_is_refused() {
    let error = load_proto(fixture("malformed/tree_class.onnx"), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert!(error.to_string().contains("class_ids holds 7, but there are 2 outputs"), "{error}");
}

#[test]
fn class_ids_out_of_range_are_refused() {
    assert_malformed("class_ids holds 2", |node| attribute(node, "class_ids").ints[0] = 2);
    assert_malformed("class_ids holds -1", |node| attribute(node, "class_ids").ints[0] = -1);
}

#[test]
fn a_loop_is_refused() {
    assert_malformed("two parents or lies on a loop", |node| {
        attribute(node, "nodes_truenodeids").ints[1] = 1;
    });
    assert_malformed("two parents or lies on a loop", |node| {
        attribute(node, "nodes_truenodeids").ints[1] = 0;
    });
}

#[test]
fn a_child_out_of_range_is_refused() {
    assert_malformed("has child 100000", |node| attribute(node, "nodes_truenodeids").ints[0] = 100_000);
    assert_malformed("has child -1", |node| attribute(node, "nodes_falsenodeids").ints[0] = -1);
}

#[test]
fn a_node_with_two_parents_is_refused() {
    assert_malformed("two parents", |node| {
        let shared = attribute(node, "nodes_truenodeids").ints[0];
        attribute(node, "nodes_falsenodeids").ints[0] = shared;
    });
}

#[test]
fn lists_of_unequal_length_are_refused() {
    for list in ["nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "class_treeids", "class_nodeids"] {
        assert_malformed(list, |node| attribute(node, list).ints.truncate(1));
    }
    assert_malformed("nodes_values", |node| attribute(node, "nodes_values").floats.truncate(1));
    assert_malformed("nodes_modes", |node| attribute(node, "nodes_modes").strings.truncate(1));
    assert_malformed("class_weights", |node| attribute(node, "class_weights").floats.push(1.0));
}

#[test]
fn node_numbers_with_gaps_and_doubles_are_refused() {
    assert_malformed("ids must run from 0", |node| attribute(node, "nodes_nodeids").ints[1] = 0);
    assert_malformed("ids must run from 0", |node| attribute(node, "nodes_nodeids").ints[0] = 5_000);
}

#[test]
fn weights_of_nodes_that_are_no_leaves_are_refused() {
    assert_malformed("branches and has leaf weights", |node| attribute(node, "class_nodeids").ints[0] = 0);
    assert_malformed("does not exist", |node| {
        let last = attribute(node, "class_treeids").ints.last_mut().unwrap();
        *last = 100_000;
    });
}

#[test]
fn unknown_modes_and_negative_features_are_refused() {
    assert_malformed("unknown mode BRANCH_MEMBER", |node| {
        attribute(node, "nodes_modes").strings[0] = b"BRANCH_MEMBER".to_vec();
    });
    assert_malformed("tests feature -3", |node| attribute(node, "nodes_featureids").ints[0] = -3);
}

#[test]
fn a_forest_that_tests_more_features_than_rows_have_is_refused() {
    let error = edited_forest(|node| attribute(node, "nodes_featureids").ints[0] = 6).unwrap_err();
    assert!(error.to_string().contains("rows have 6 features, the trees test 7"), "{error}");
}

#[test]
fn forests_whose_right_answer_is_unknown_are_refused_as_unsupported() {
    let error = edited_forest(|node| attribute(node, "post_transform").s = b"PROBIT".to_vec()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("post_transform is PROBIT"), "{error}");
}

#[test]
fn forests_on_which_runtimes_disagree_are_refused_as_unsupported() {
    let both = edited_forest(|node| attribute(node, "class_ids").ints[0] = 1).unwrap_err();
    assert!(both.to_string().contains("two classes with weights of their own"), "{both}");
    let logistic =
        edited_forest(|node| attribute(node, "post_transform").s = b"LOGISTIC".to_vec()).unwrap_err();
    assert!(logistic.to_string().contains("contradict the label"), "{logistic}");
    for error in [both, logistic] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the children of a forest's nodes are set to, loading ends, and what loads answers.
    #[test]
    fn arbitrary_children_never_hang_or_crash(edits in prop::collection::vec((any::<bool>(), 0_usize..40, -1_i64..20), 1..4)) {
        let loaded = edited_forest(|node| {
            for (yes, at, child) in edits {
                let children = attribute(node, if yes { "nodes_truenodeids" } else { "nodes_falsenodeids" });
                let at = at % children.ints.len();
                children.ints[at] = child;
            }
        });
        match loaded {
            Ok(model) => {
                let rows = Tensor::new("X", vec![3, 6], TensorData::Fp32(vec![0.25; 18])).unwrap();
                let answer = model.run(&[rows]).unwrap();
                prop_assert_eq!(answer[1].shape(), &[3, 2]);
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Malformed),
        }
    }
}

#[test]
fn external_data_outside_the_directory_of_the_model_is_refused() {
    for location in ["../rf_bin/model.onnx", "/dev/zero", "..\\secret"] {
        let mut proto = fixture("mlp_gemm/model.onnx");
        let weights = &mut graph(&mut proto).initializer[0];
        weights.raw_data.clear();
        weights.data_location = Some(DataLocation::External as i32);
        weights.external_data =
            vec![StringStringEntryProto { key: "location".to_owned(), value: location.to_owned() }];
        let error = load_proto(proto, Some(Path::new(env!("CARGO_MANIFEST_DIR")))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        assert!(error.to_string().contains(location), "{error}");
    }
}

#[test]
fn an_operator_of_a_foreign_domain_is_refused_even_under_a_known_name() {
    let mut proto = fixture("mlp_gemm/model.onnx");
    node(&mut proto, "Relu").domain = "com.example".to_owned();
    proto.opset_import.push(OperatorSetIdProto { domain: "com.example".to_owned(), version: 1 });
    let error = load_proto(proto, None).unwrap_err();
    assert!(error.to_string().contains("operator Relu of domain com.example"), "{error}");
}

#[test]
fn an_unknown_operator_in_a_sub_graph_is_refused() {
    let mut proto = fixture("mlp_gemm/model.onnx");
    let inner = NodeProto { op_type: "Loop".to_owned(), ..NodeProto::default() };
    let body = AttributeProto {
        name: "then_branch".to_owned(),
        r#type: AttributeType::Graph as i32,
        g: Some(GraphProto { node: vec![inner], ..GraphProto::default() }),
        ..AttributeProto::default()
    };
    graph(&mut proto).node.push(NodeProto {
        op_type: "If".to_owned(),
        attribute: vec![body],
        ..NodeProto::default()
    });
    let error = load_proto(proto, None).unwrap_err();
    assert!(error.to_string().contains("operator Loop of domain ai.onnx"), "{error}");
}

#[test]
fn recurrent_cells_that_would_run_wrongly_are_refused() {
    for (name, text) in [("direction", "reverse"), ("activations", "Relu")] {
        let mut proto = fixture("lstm/model.onnx");
        let cell = node(&mut proto, "LSTM");
        cell.attribute.retain(|attribute| attribute.name != name);
        cell.attribute.push(AttributeProto {
            name: name.to_owned(),
            s: text.as_bytes().to_vec(),
            strings: vec![text.as_bytes().to_vec()],
            ..AttributeProto::default()
        });
        let error = load_proto(proto, None).unwrap_err();
        assert!(matches!(error, EngineError::UnsupportedUse { .. }), "{error}");
    }
}

#[test]
fn a_graph_that_uses_a_value_nobody_makes_is_refused() {
    let mut proto = fixture("mlp_gemm/model.onnx");
    node(&mut proto, "Relu").input[0] = "nowhere".to_owned();
    let error = load_proto(proto, None).unwrap_err();
    assert!(error.to_string().contains("`nowhere` is used but never made"), "{error}");
}

#[test]
fn a_graph_without_its_output_is_refused_and_the_panic_of_the_library_caught() {
    let mut proto = fixture("mlp_gemm/model.onnx");
    graph(&mut proto).output[0].name = "nowhere".to_owned();
    assert!(load_proto(proto, None).is_err());
}

#[test]
fn rows_that_influence_each_other_are_noticed() {
    // Softmax over the rows instead of the classes.
    let mut proto = fixture("mlp_gemm/model.onnx");
    let softmax = node(&mut proto, "Softmax");
    softmax.attribute.retain(|attribute| attribute.name != "axis");
    softmax.attribute.push(AttributeProto {
        name: "axis".to_owned(),
        r#type: AttributeType::Int as i32,
        ..AttributeProto::default()
    });
    let error = load_proto(proto, None).unwrap_err();
    assert!(matches!(error, EngineError::RowsCoupled { .. }), "{error}");
}

#[test]
fn a_model_that_loads_but_cannot_run_is_refused_at_load() {
    use tract_onnx::pb::{tensor_proto::DataType, type_proto::Value as Kind};
    // The library plans a sigmoid of doubles and fails on the first row.
    let mut proto = fixture("mlp_gemm/model.onnx");
    let graph = graph(&mut proto);
    graph.node = vec![NodeProto {
        op_type: "Sigmoid".to_owned(),
        input: vec!["x".to_owned()],
        output: vec!["p".to_owned()],
        ..NodeProto::default()
    }];
    for value in graph.input.iter_mut().chain(&mut graph.output) {
        let Some(Kind::TensorType(tensor)) = value.r#type.as_mut().unwrap().value.as_mut() else {
            panic!("not a tensor");
        };
        tensor.elem_type = DataType::Double as i32;
    }
    let error = load_proto(proto, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("it fails on test rows"), "{error}");
}

#[test]
fn a_model_of_fixed_shape_runs_as_it_is() {
    use tract_onnx::pb::{tensor_shape_proto::dimension::Value as Size, type_proto::Value as Kind};
    let mut proto = fixture("mlp_gemm/model.onnx");
    let Some(Kind::TensorType(tensor)) = graph(&mut proto).input[0].r#type.as_mut().unwrap().value.as_mut()
    else {
        panic!("not a tensor");
    };
    tensor.shape.as_mut().unwrap().dim[0].value = Some(Size::DimValue(2));
    let model = load_proto(proto, None).unwrap();
    assert_eq!(model.batching(), Batching::Fixed);
    let input = Tensor::new("x", vec![2, 8], TensorData::Fp32(vec![0.5; 16])).unwrap();
    assert_eq!(model.run(&[input]).unwrap()[0].shape(), [2, 3]);
}

#[test]
fn truncated_files_are_errors() {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/parity");
    let bytes = fs::read(fixtures.join("gb_bin/model.onnx")).unwrap();
    for length in (0..bytes.len()).step_by(97) {
        let model =
            crate::engine::Model::from_bytes(&bytes[..length], &crate::engine::LoadOptions::default());
        assert!(model.is_err(), "{length} bytes");
    }
}
