//! Small models with inputs and onnxruntime's answers: the same answer, or a refusal that names the operator.

use std::fs;

use serde_json::Value;

use super::{load, path};
use crate::engine::{Batching, Datatype, EngineError, Model, Tensor, TensorData};

/// A recorded case: inputs, and what onnxruntime answered.
struct Case {
    inputs: Vec<Tensor>,
    expected: Vec<Tensor>,
}

impl Case {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(path(name).join("case.json")).unwrap();
        let case: Value = serde_json::from_str(&text).unwrap();
        let inputs = serde_json::from_value(case["inputs"].clone()).unwrap();
        let expected = case["expected"].as_array().unwrap().iter().map(expected).collect();
        Self { inputs, expected }
    }
}

/// An expected output; the maps of a `ZipMap` become one row of scores each.
fn expected(output: &Value) -> Tensor {
    let Some(maps) = output["sequence_of_maps"].as_array() else {
        return serde_json::from_value(output.clone()).unwrap();
    };
    let rows: Vec<Vec<f64>> = maps
        .iter()
        .map(|map| map.as_object().unwrap().values().map(|v| v.as_f64().unwrap()).collect())
        .collect();
    let shape = vec![rows.len(), rows[0].len()];
    #[allow(clippy::cast_possible_truncation, reason = "the scores were single precision")]
    let scores = rows.concat().into_iter().map(|score| score as f32).collect();
    Tensor::new(output["name"].as_str().unwrap(), shape, TensorData::Fp32(scores)).unwrap()
}

/// Names, types, shapes and values agree; floats within 1e-5 absolute and relative.
fn assert_same(case: &str, got: &[Tensor], wanted: &[Tensor]) {
    assert_eq!(got.len(), wanted.len(), "{case}: number of outputs");
    for (got, wanted) in got.iter().zip(wanted) {
        let place = format!("{case}, output {}", wanted.name());
        assert_eq!(
            (got.name(), got.datatype(), got.shape()),
            (wanted.name(), wanted.datatype(), wanted.shape()),
            "{place}"
        );
        match (got.data(), wanted.data()) {
            (TensorData::Fp32(got), TensorData::Fp32(wanted)) => {
                for (at, (got, wanted)) in got.iter().zip(wanted).enumerate() {
                    assert!(
                        (got - wanted).abs() <= 1e-5 + 1e-5 * wanted.abs(),
                        "{place}[{at}]: {got} is not {wanted}"
                    );
                }
            }
            (got, wanted) => assert_eq!(got, wanted, "{place}"),
        }
    }
}

fn rows(tensors: &[Tensor], from: usize, to: usize) -> Vec<Tensor> {
    tensors.iter().map(|tensor| tensor.slice_rows(from..to).unwrap()).collect()
}

/// The whole batch at once.
fn check_batch(name: &str) -> (Model, Case) {
    let case = Case::read(name);
    let model = load(&format!("{name}/model.onnx")).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_same(name, &model.run(&case.inputs).unwrap(), &case.expected);
    (model, case)
}

/// The whole batch at once, then each row alone.
fn check(name: &str) -> Model {
    let (model, case) = check_batch(name);
    for row in 0..case.inputs[0].rows().unwrap() {
        let alone = model.run(&rows(&case.inputs, row, row + 1)).unwrap();
        assert_same(&format!("{name} row {row} alone"), &alone, &rows(&case.expected, row, row + 1));
    }
    model
}

#[test]
fn linear_models_are_right() {
    for case in ["logreg_bin", "logreg_str", "linear_svc"] {
        check(case);
    }
}

#[test]
fn a_zip_map_is_one_tensor_with_class_names_beside_it() {
    let model = check("logreg_bin_zipmap");
    let output = &model.signature().outputs[1];
    assert_eq!(output.class_names, ["0", "1"]);
    assert_eq!((output.datatype, output.dims.as_slice()), (Datatype::Fp32, [None, Some(2)].as_slice()));
}

#[test]
fn tree_ensembles_are_right() {
    let forests =
        ["rf_bin", "rf_multi", "gb_bin", "gb_reg", "xgboost_multi", "isolation_forest", "tree_average"];
    for case in forests {
        check(case);
    }
}

#[test]
fn missing_values_take_the_branch_the_trees_learned() {
    check("lightgbm_nan");
}

#[test]
fn pipelines_of_encoders_and_scalers_are_right() {
    for case in ["pipe_columns_logreg", "imputer_logreg", "one_hot_int", "ordinal_str", "calibrated_str"] {
        check(case);
    }
}

#[test]
fn what_the_library_cannot_batch_is_looped_over() {
    assert_eq!(check("polynomial").batching(), Batching::OneByOne);
}

#[test]
fn a_quantisation_range_over_the_batch_is_no_reason_to_refuse() {
    check_batch("dynamic_quantisation");
}

#[test]
fn neural_networks_are_right_in_one_pass() {
    for case in ["mlp_gemm", "cnn", "lstm", "gru", "bilstm", "attention_ids_mask", "qdq_cnn_s8"] {
        assert_eq!(check(case).batching(), Batching::Rows, "{case}");
    }
}

#[test]
fn outputs_have_their_declared_types() {
    check("multi_output");
    check_batch("shape_output");
}

#[test]
fn an_unsupported_operator_is_refused_by_name() {
    match load("svc_rbf/model.onnx") {
        Err(EngineError::UnsupportedOperator { operator, domain, .. }) => {
            assert_eq!((operator.as_str(), domain.as_str()), ("SVMClassifier", "ai.onnx.ml"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_without_rows_gets_an_answer_without_rows() {
    let model = load("rf_bin/model.onnx").unwrap();
    let case = Case::read("rf_bin");
    let answer = model.run(&rows(&case.inputs, 0, 0)).unwrap();
    assert_eq!(answer.iter().map(Tensor::shape).collect::<Vec<_>>(), [&[0][..], &[0, 2]]);
}

#[test]
fn one_plan_answers_many_threads() {
    let model = load("gb_bin/model.onnx").unwrap();
    let case = Case::read("gb_bin");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_same("gb_bin", &model.run(&case.inputs).unwrap(), &case.expected));
        }
    });
}
