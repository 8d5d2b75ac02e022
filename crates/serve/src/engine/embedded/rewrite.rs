//! Replaces what tract lacks by what it has, in the file's own terms, before tract parses it.
//!
//! - `ZipMap` becomes an identity; the class names it would have put beside every value are kept as metadata.
//! - `LinearClassifier` with text labels numbers its classes and is followed by a `LabelEncoder`.
//! - `ConstantOfShape` without a value gets the specified one, since tract fills with doubles.
//! - Recurrent cells without initial states get explicit zeros, since tract panics on them with a symbolic batch.

use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension::Value as DimValue},
    type_proto,
};

use super::{super::EngineError, check::label, declared::ClassNames};

/// Rewrites that change no answer and that every plan needs. Returns the class names of former `ZipMap` outputs.
pub(super) fn lower(proto: &mut ModelProto) -> Result<ClassNames, EngineError> {
    let mut classes = ClassNames::new();
    let Some(graph) = &mut proto.graph else { return Ok(classes) };
    let mut nodes = Vec::with_capacity(graph.node.len());
    for mut node in std::mem::take(&mut graph.node) {
        match node.op_type.as_str() {
            "ZipMap" => {
                let names = class_names(&node)?;
                if let Some(output) = node.output.first() {
                    declare_scores(&mut graph.output, output, names.len());
                    classes.insert(output.clone(), names);
                }
                "Identity".clone_into(&mut node.op_type);
                node.domain.clear();
                node.attribute.clear();
                nodes.push(node);
            }
            "ConstantOfShape" if attribute(&node, "value").is_none() => {
                node.attribute.push(zero());
                nodes.push(node);
            }
            "LinearClassifier" => nodes.extend(number_classes(node)),
            _ => nodes.push(node),
        }
    }
    graph.node = nodes;
    Ok(classes)
}

fn class_names(node: &NodeProto) -> Result<Vec<String>, EngineError> {
    let texts = attribute(node, "classlabels_strings").map(|labels| &labels.strings);
    let numbers = attribute(node, "classlabels_int64s").map(|labels| &labels.ints);
    match (texts, numbers) {
        (Some(texts), None) => {
            Ok(texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect())
        }
        (None, Some(numbers)) => Ok(numbers.iter().map(ToString::to_string).collect()),
        _ => Err(EngineError::Malformed {
            operator: node.op_type.clone(),
            node: label(node),
            detail: "exactly one of classlabels_strings and classlabels_int64s must be given".to_owned(),
        }),
    }
}

/// A `ZipMap` output is declared as a sequence of maps; as an identity it is one row of scores per request row.
fn declare_scores(outputs: &mut [ValueInfoProto], name: &str, classes: usize) {
    let columns = DimValue::DimValue(i64::try_from(classes).unwrap_or(i64::MAX));
    let shape = TensorShapeProto {
        dim: vec![Dimension::default(), Dimension { value: Some(columns), ..Dimension::default() }],
    };
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    for output in outputs.iter_mut().filter(|output| output.name == name) {
        let value = Some(type_proto::Value::TensorType(tensor.clone()));
        output.r#type = Some(TypeProto { value, ..TypeProto::default() });
    }
}

/// A classifier with text labels as one with numbers, and the encoder that turns the numbers into the labels.
fn number_classes(mut node: NodeProto) -> Vec<NodeProto> {
    let Some(at) = node.attribute.iter().position(|attribute| attribute.name == "classlabels_strings") else {
        return vec![node];
    };
    let labels = std::mem::take(&mut node.attribute[at].strings);
    let numbers: Vec<i64> = (0_i64..).take(labels.len()).collect();
    node.attribute[at] = ints("classlabels_ints", numbers.clone());
    let Some(output) = node.output.first_mut() else { return vec![node] };
    let named = output.clone();
    let numbered = format!("{named}/number");
    output.clone_from(&numbered);
    let values = AttributeProto {
        name: "values_strings".to_owned(),
        r#type: AttributeType::Strings as i32,
        strings: labels,
        ..AttributeProto::default()
    };
    let encoder = NodeProto {
        op_type: "LabelEncoder".to_owned(),
        domain: "ai.onnx.ml".to_owned(),
        name: format!("{named}/text"),
        input: vec![numbered],
        output: vec![named],
        attribute: vec![ints("keys_int64s", numbers), values],
        ..NodeProto::default()
    };
    vec![node, encoder]
}

/// Gives every recurrent cell explicit zero states where it has none.
pub(super) fn give_initial_states(proto: &mut ModelProto) {
    let Some(graph) = &mut proto.graph else { return };
    let nodes = std::mem::take(&mut graph.node);
    let mut rewritten = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        // Positions of initial_h and initial_c among the inputs, by the ONNX operator specification.
        let states: &[usize] = match node.op_type.as_str() {
            "LSTM" => &[5, 6],
            "GRU" | "RNN" => &[5],
            _ => &[],
        };
        for &state in states {
            let given = node.input.get(state).is_some_and(|name| !name.is_empty());
            let Some(hidden) = hidden_size(graph, &node).filter(|_| !given) else { continue };
            if node.input.len() <= state {
                node.input.resize(state + 1, String::new());
            }
            let zeros = format!("{}/initial/{state}", label(&node));
            rewritten.extend(zero_state(graph, &node, &zeros, hidden));
            node.input[state] = zeros;
        }
        rewritten.push(node);
    }
    graph.node = rewritten;
}

/// Hidden units of a cell; `None` where the file does not tell.
fn hidden_size(graph: &GraphProto, node: &NodeProto) -> Option<i64> {
    let recurrence = node.input.get(2)?;
    let weights = graph.initializer.iter().find(|tensor| tensor.name == *recurrence);
    let stored = weights.and_then(|weights| weights.dims.last().copied());
    stored.or_else(|| attribute(node, "hidden_size").map(|size| size.i))
}

/// Nodes that compute a zero state of the batch of the cell's input: its shape, the batch of it, the state's shape.
fn zero_state(graph: &mut GraphProto, cell: &NodeProto, name: &str, hidden: i64) -> [NodeProto; 4] {
    let part = |suffix: &str| format!("{name}/{suffix}");
    // layout 0 puts time first and the batch second; layout 1 the reverse, in the state too.
    let batch_first = attribute(cell, "layout").is_some_and(|layout| layout.i == 1);
    let both = attribute(cell, "direction").is_some_and(|direction| direction.s == b"bidirectional");
    let directions = if both { 2 } else { 1 };
    for (suffix, value) in [("axis", i64::from(!batch_first)), ("directions", directions), ("hidden", hidden)]
    {
        graph.initializer.push(TensorProto {
            name: part(suffix),
            dims: vec![1],
            data_type: DataType::Int64 as i32,
            int64_data: vec![value],
            ..TensorProto::default()
        });
    }
    let state =
        if batch_first { ["batch", "directions", "hidden"] } else { ["directions", "batch", "hidden"] };
    let axis = AttributeProto {
        name: "axis".to_owned(),
        r#type: AttributeType::Int as i32,
        ..AttributeProto::default()
    };
    let node =
        |operator: &str, input: Vec<String>, output: String, attribute: Vec<AttributeProto>| NodeProto {
            op_type: operator.to_owned(),
            name: output.clone(),
            input,
            output: vec![output],
            attribute,
            ..NodeProto::default()
        };
    let input = cell.input.first().cloned().unwrap_or_default();
    [
        node("Shape", vec![input], part("shape"), Vec::new()),
        node("Gather", vec![part("shape"), part("axis")], part("batch"), vec![axis.clone()]),
        node("Concat", state.map(part).to_vec(), part("state"), vec![axis]),
        node("ConstantOfShape", vec![part("state")], name.to_owned(), vec![zero()]),
    ]
}

/// What `ConstantOfShape` fills with when the file does not say: one single-precision zero.
fn zero() -> AttributeProto {
    let tensor = TensorProto {
        dims: vec![1],
        data_type: DataType::Float as i32,
        float_data: vec![0.0],
        ..TensorProto::default()
    };
    AttributeProto {
        name: "value".to_owned(),
        r#type: AttributeType::Tensor as i32,
        t: Some(tensor),
        ..AttributeProto::default()
    }
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

fn ints(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints as i32,
        ints,
        ..AttributeProto::default()
    }
}
