//! Reads a graph before any library does, and refuses what would run wrongly or not at all.
//!
//! tract looks operators up by name alone, ignores attributes it does not know, and trusts the indices of a tree
//! ensemble; each of these has given silently wrong answers or memory corruption. So the domain is compared here,
//! attributes that change the answer are looked for here, and trees are walked here.

use std::path::{Component, Path};

use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto};

use super::{
    super::{EngineError, self_test::Hints},
    operators::{self, TreeError, framework},
};

/// Operators of the domain `ai.onnx.ml` that run here; every other supported operator is of `ai.onnx`.
const ML_OPERATORS: [&str; 12] = [
    "ArrayFeatureExtractor",
    "CategoryMapper",
    "Imputer",
    "LabelEncoder",
    "LinearClassifier",
    "LinearRegressor",
    "Normalizer",
    "OneHotEncoder",
    "Scaler",
    "TreeEnsembleClassifier",
    "TreeEnsembleRegressor",
    "ZipMap",
];

/// How a node is called in messages: its name, or its first output that has one.
pub(super) fn label(node: &NodeProto) -> String {
    let named = [&node.name].into_iter().chain(&node.output).find(|name| !name.is_empty());
    named.cloned().unwrap_or_default()
}

/// Refuses models with an operator that is unknown, used in an unsupported way, or malformed, or with data elsewhere.
pub(super) fn check(proto: &ModelProto) -> Result<(), EngineError> {
    let framework = framework();
    let known = |name: &str| name == "ZipMap" || framework.op_register.0.contains_key(name);
    for node in nodes(proto) {
        let domain = if node.domain.is_empty() { "ai.onnx" } else { node.domain.as_str() };
        let at_home = match domain {
            "ai.onnx" => !ML_OPERATORS.contains(&node.op_type.as_str()),
            "ai.onnx.ml" => ML_OPERATORS.contains(&node.op_type.as_str()),
            _ => false,
        };
        // A function of the file may carry the name of an operator and mean something else.
        let shadowed = proto.functions.iter().any(|function| function.name.as_ref() == Some(&node.op_type));
        if !at_home || shadowed || !known(&node.op_type) {
            return Err(EngineError::UnsupportedOperator {
                operator: node.op_type.clone(),
                domain: domain.to_owned(),
                node: label(node),
            });
        }
        check_use(node)?;
    }
    stays_inside(proto)
}

/// Refuses external data that does not lie below the model's own directory.
pub(super) fn stays_inside(proto: &ModelProto) -> Result<(), EngineError> {
    let attributes = nodes(proto).flat_map(|node| &node.attribute);
    let constants = attributes.flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors));
    for tensor in graphs(proto).into_iter().flat_map(|graph| &graph.initializer).chain(constants) {
        let location = tensor.external_data.iter().find(|entry| entry.key == "location");
        let Some(location) = location.map(|entry| entry.value.as_str()) else { continue };
        let below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        // A backslash is a separator on one system and a letter on another; no exporter writes one.
        if location.contains('\\') || !Path::new(location).components().all(below) {
            let detail =
                format!("tensor `{}` lies at `{location}`, outside the model's directory", tensor.name);
            return Err(EngineError::NotOnnx { detail });
        }
    }
    Ok(())
}

fn check_use(node: &NodeProto) -> Result<(), EngineError> {
    match node.op_type.as_str() {
        "LSTM" | "GRU" | "RNN" => recurrent(node),
        "TreeEnsembleClassifier" | "TreeEnsembleRegressor" => {
            let tree = match node.op_type.as_str() {
                "TreeEnsembleClassifier" => operators::TreeClassifier::parse(node).map(drop),
                _ => operators::TreeRegressor::parse(node).map(drop),
            };
            tree.map_err(|error| match error {
                TreeError::Malformed(detail) => {
                    EngineError::Malformed { operator: node.op_type.clone(), node: label(node), detail }
                }
                TreeError::Unsupported(detail) => unsupported_use(node, detail),
            })
        }
        _ => Ok(()),
    }
}

/// tract runs every recurrent cell forwards with the default activations, whatever the attributes say.
fn recurrent(node: &NodeProto) -> Result<(), EngineError> {
    let defaults: &[&str] = match node.op_type.as_str() {
        "LSTM" => &["Sigmoid", "Tanh", "Tanh"],
        "GRU" => &["Sigmoid", "Tanh"],
        _ => &["Tanh"],
    };
    for attribute in &node.attribute {
        let detail = match attribute.name.as_str() {
            "direction" if attribute.s == b"reverse" => "direction is reverse".to_owned(),
            "activations"
                if attribute
                    .strings
                    .iter()
                    .enumerate()
                    .any(|(at, name)| *name != defaults[at % defaults.len()].as_bytes()) =>
            {
                "activations are not the defaults".to_owned()
            }
            "clip" => format!("clip is {}", attribute.f),
            "input_forget" if attribute.i != 0 => "input_forget is set".to_owned(),
            _ => continue,
        };
        return Err(unsupported_use(node, detail));
    }
    Ok(())
}

fn unsupported_use(node: &NodeProto, detail: String) -> EngineError {
    EngineError::UnsupportedUse { operator: node.op_type.clone(), node: label(node), detail }
}

/// What the graph tells the self-test: values its encoders know, and whether rows meet by design.
pub(super) fn hints(proto: &ModelProto) -> Hints {
    let mut hints = Hints::default();
    for node in nodes(proto) {
        hints.rows_coupled_by_design |=
            node.op_type == "DynamicQuantizeLinear" || node.op_type.starts_with("Random");
        for AttributeProto { name, strings, ints, .. } in &node.attribute {
            if matches!(name.as_str(), "cats_strings" | "keys_strings" | "classes_strings") {
                hints.texts.extend(strings.iter().map(|text| String::from_utf8_lossy(text).into_owned()));
            }
            if matches!(name.as_str(), "cats_int64s" | "keys_int64s") {
                hints.numbers.extend(ints);
            }
        }
    }
    hints
}

/// Every node, those of sub-graphs included.
fn nodes(proto: &ModelProto) -> impl Iterator<Item = &NodeProto> {
    graphs(proto).into_iter().flat_map(|graph| &graph.node)
}

/// The graph and its sub-graphs. Decoding bounds the depth of nesting.
fn graphs(proto: &ModelProto) -> Vec<&GraphProto> {
    let mut found: Vec<&GraphProto> = proto.graph.iter().collect();
    let mut next = 0;
    while let Some(graph) = found.get(next).copied() {
        let attributes = graph.node.iter().flat_map(|node| &node.attribute);
        found.extend(attributes.flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs)));
        next += 1;
    }
    found
}
