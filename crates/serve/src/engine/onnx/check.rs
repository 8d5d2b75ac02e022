//! Reads a graph before any library does, and refuses what would run wrongly or not at all.
//!
//! tract looks operators up by name alone, ignores attributes it does not know, and trusts the indices of a tree
//! ensemble; each of these has given silently wrong answers or memory corruption. So the domain is compared here,
//! attributes that change the answer are looked for here, and trees are walked here.

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

/// Refuses models with an operator that is unknown, used in an unsupported way, or malformed.
pub(super) fn check(proto: &ModelProto) -> Result<(), EngineError> {
    let framework = framework();
    let known = |name: &str| name == "ZipMap" || framework.op_register.0.contains_key(name);
    each_node(proto, &mut |node| {
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
        check_use(node)
    })
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
    // The visitor never fails, so neither does the walk.
    let _: Result<(), EngineError> = each_node(proto, &mut |node| {
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
        Ok(())
    });
    hints
}

/// Visits every node, those of sub-graphs included. Decoding bounds the depth of nesting.
fn each_node(
    proto: &ModelProto,
    visit: &mut impl FnMut(&NodeProto) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut graphs: Vec<&GraphProto> = proto.graph.iter().collect();
    while let Some(graph) = graphs.pop() {
        for node in &graph.node {
            visit(node)?;
            for attribute in &node.attribute {
                graphs.extend(attribute.g.iter().chain(&attribute.graphs));
            }
        }
    }
    Ok(())
}
