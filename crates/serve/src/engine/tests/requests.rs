//! Requests: what a model tells a caller who got one wrong, and tensors as JSON.

use serde_json::json;

use super::load;
use crate::engine::{Datatype, EngineError, ErrorKind, Tensor, TensorData};

fn fp32(name: &str, shape: &[usize]) -> Tensor {
    Tensor::new(name, shape.to_vec(), TensorData::Fp32(vec![0.5; shape.iter().product()])).unwrap()
}

/// The error of sending these inputs to the pipeline of three columns.
fn refused(inputs: &[Tensor]) -> String {
    let error = load("pipe_columns_logreg/model.onnx").unwrap().run(inputs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    error.to_string()
}

fn colours(names: &[&str]) -> Tensor {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    Tensor::new("colour", vec![names.len(), 1], TensorData::Bytes(names)).unwrap()
}

#[test]
fn the_signature_says_what_to_send() {
    let model = load("pipe_columns_logreg/model.onnx").unwrap();
    let signature = serde_json::to_value(&model.signature().inputs).unwrap();
    assert_eq!(
        signature,
        json!([
            { "name": "age", "datatype": "FP32", "shape": [-1, 1] },
            { "name": "income", "datatype": "FP32", "shape": [-1, 1] },
            { "name": "colour", "datatype": "BYTES", "shape": [-1, 1] },
        ])
    );
}

#[test]
fn inputs_go_by_name_in_any_order() {
    let model = load("pipe_columns_logreg/model.onnx").unwrap();
    let (age, income, colour) = (fp32("age", &[1, 1]), fp32("income", &[1, 1]), colours(&["red"]));
    let straight = model.run(&[age.clone(), income.clone(), colour.clone()]).unwrap();
    assert_eq!(model.run(&[colour, income, age]).unwrap(), straight);
}

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    let (age, income, colour) = (fp32("age", &[1, 1]), fp32("income", &[1, 1]), colours(&["red"]));
    let all = [age.clone(), income.clone(), colour.clone()];

    assert_eq!(refused(&all[..2]), "missing input `colour`; the model takes: age, income, colour");
    assert_eq!(
        refused(&[all.as_slice(), &[fp32("height", &[1, 1])]].concat()),
        "unexpected input `height` (unknown); the model takes: age, income, colour"
    );
    assert!(refused(&[all.as_slice(), std::slice::from_ref(&age)].concat()).contains("(given twice)"));
    let numbers = Tensor::new("age", vec![1, 1], TensorData::Int64(vec![41])).unwrap();
    assert_eq!(
        refused(&[numbers, income.clone(), colour.clone()]),
        "input `age` is INT64, the model takes FP32"
    );
    assert_eq!(
        refused(&[fp32("age", &[1, 2]), income.clone(), colour.clone()]),
        "input `age` has shape [1, 2], the model takes [-1, 1] (-1 is any size)"
    );
    assert_eq!(
        refused(&[fp32("age", &[2, 1]), income, colour]),
        "input `income` has 1 rows, input `age` has 2; send the same number of rows in every input"
    );
}

#[test]
fn a_category_nobody_knows_is_the_models_error_and_names_the_operator() {
    let model = load("pipe_columns_logreg/model.onnx").unwrap();
    let error = model.run(&[fp32("age", &[1, 1]), fp32("income", &[1, 1]), colours(&["ultraviolet"])]);
    match error {
        // The encoder of this pipeline ignores unknown categories or refuses them, as it was trained to.
        Ok(answer) => assert_eq!(answer[0].shape(), [1]),
        Err(EngineError::Run { detail }) => assert!(detail.contains("OneHotEncoder"), "{detail}"),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_tensor_needs_as_many_values_as_its_shape() {
    let error = Tensor::new("x", vec![2, 3], TensorData::Fp32(vec![0.0; 5])).unwrap_err();
    assert_eq!(error.to_string(), "tensor `x`: shape [2, 3] needs 6 values, data has 5");
    let error = Tensor::new("x", vec![usize::MAX, 2], TensorData::Fp32(Vec::new())).unwrap_err();
    assert!(error.to_string().contains("too many values"), "{error}");
}

#[test]
fn json_goes_there_and_back_for_every_datatype() {
    let tensors = [
        json!({ "name": "x", "shape": [2], "datatype": "BOOL", "data": [true, false] }),
        json!({ "name": "x", "shape": [2], "datatype": "UINT8", "data": [0, 255] }),
        json!({ "name": "x", "shape": [1], "datatype": "UINT16", "data": [65_535] }),
        json!({ "name": "x", "shape": [1], "datatype": "UINT32", "data": [u32::MAX] }),
        json!({ "name": "x", "shape": [1], "datatype": "UINT64", "data": [u64::MAX] }),
        json!({ "name": "x", "shape": [2], "datatype": "INT8", "data": [-128, 127] }),
        json!({ "name": "x", "shape": [1], "datatype": "INT16", "data": [-1] }),
        json!({ "name": "x", "shape": [1], "datatype": "INT32", "data": [i32::MIN] }),
        json!({ "name": "x", "shape": [1], "datatype": "INT64", "data": [i64::MIN] }),
        json!({ "name": "x", "shape": [2, 1], "datatype": "FP32", "data": [0.5, -2.0] }),
        json!({ "name": "x", "shape": [1], "datatype": "FP64", "data": [0.1] }),
        json!({ "name": "x", "shape": [0, 3], "datatype": "FP32", "data": [] }),
        json!({ "name": "x", "shape": [1, 2], "datatype": "BYTES", "data": ["rouge", "é"] }),
    ];
    for json in tensors {
        let tensor: Tensor = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&tensor).unwrap(), json);
    }
}

#[test]
fn nested_data_is_read_like_flat() {
    let nested = json!({ "name": "x", "shape": [2, 2], "datatype": "INT64", "data": [[1, 2], [3, 4]] });
    let tensor: Tensor = serde_json::from_value(nested).unwrap();
    assert_eq!(tensor, Tensor::new("x", vec![2, 2], TensorData::Int64(vec![1, 2, 3, 4])).unwrap());
}

#[test]
fn null_among_floats_is_nan_both_ways() {
    let json = json!({ "name": "x", "shape": [2], "datatype": "FP32", "data": [null, 1.0] });
    let tensor: Tensor = serde_json::from_value(json.clone()).unwrap();
    assert!(
        matches!(tensor.data(), TensorData::Fp32(values) if values[0].is_nan() && tensor.datatype() == Datatype::Fp32)
    );
    assert_eq!(serde_json::to_value(&tensor).unwrap(), json);
}

#[test]
fn data_that_does_not_fit_is_refused() {
    let refused = |json| serde_json::from_value::<Tensor>(json).unwrap_err().to_string();
    let cases = [
        (
            json!({ "name": "x", "shape": [1], "datatype": "UINT8", "data": [256] }),
            "data[0] = 256 is no UINT8",
        ),
        (
            json!({ "name": "x", "shape": [1], "datatype": "INT64", "data": [1.5] }),
            "data[0] = 1.5 is no INT64",
        ),
        (
            json!({ "name": "x", "shape": [1], "datatype": "INT64", "data": [null] }),
            "data[0] = null is no INT64",
        ),
        (json!({ "name": "x", "shape": [1], "datatype": "BYTES", "data": [7] }), "data[0] = 7 is no BYTES"),
        (json!({ "name": "x", "shape": [2], "datatype": "FP32", "data": [1] }), "needs 2 values, data has 1"),
        (
            json!({ "name": "x", "shape": [2, 2], "datatype": "FP32", "data": [[1], [2, 3, 4]] }),
            "a nested list holds 1 values",
        ),
        (
            json!({ "name": "x", "shape": [2], "datatype": "FP32", "data": [1, [2]] }),
            "mixes values and lists",
        ),
        (json!({ "name": "x", "shape": [1], "datatype": "FP16", "data": [1] }), "unknown variant `FP16`"),
    ];
    for (json, reason) in cases {
        let error = refused(json);
        assert!(error.contains(reason), "{error}");
    }
}
