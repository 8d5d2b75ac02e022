//! What the model file says about its inputs and outputs, before any library looks at it.

use std::collections::HashMap;

use tract_onnx::pb::{
    ModelProto, ValueInfoProto, tensor_proto::DataType, tensor_shape_proto::dimension::Value as DimValue,
    type_proto::Value as TypeValue,
};

use super::{
    super::{Datatype, EngineError},
    values::datatype,
};

/// Names of the classes behind the columns of an output, by output name.
pub(super) type ClassNames = HashMap<String, Vec<String>>;

/// Size of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// Always this size.
    Fixed(usize),
    /// Any size, the same wherever the name appears.
    Named(String),
    /// Any size.
    Unnamed,
}

/// A graph input.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) datatype: Datatype,
    pub(super) axes: Vec<Axis>,
}

/// A graph output; files may leave type and shape to the reader.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) datatype: Option<Datatype>,
    pub(super) axes: Option<Vec<Axis>>,
    pub(super) class_names: Vec<String>,
}

/// Inputs and outputs as the file declares them.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    /// Which inputs have the batch as axis 0.
    pub(super) batched: Vec<bool>,
}

impl Declared {
    /// Reads the declarations of `proto`.
    pub(super) fn read(proto: &ModelProto, classes: &ClassNames) -> Result<Self, EngineError> {
        let Some(graph) = &proto.graph else {
            return Err(EngineError::NotOnnx { detail: "the file holds no graph".to_owned() });
        };
        // Old exports repeat every initializer among the inputs; those are constants, nobody sends them.
        let constant = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
        let inputs = graph.input.iter().filter(|value| !constant(&value.name));
        let inputs = inputs.map(input).collect::<Result<Vec<_>, _>>()?;
        let outputs = graph.output.iter().map(|value| output(value, classes)).collect::<Result<_, _>>()?;
        let batched = batched(&inputs);
        Ok(Self { inputs, outputs, batched })
    }
}

/// The batch is axis 0 of the first input that leaves it open, and of every input that agrees with it.
///
/// Converters leave the batch unnamed as often as they name it, so an unnamed axis 0 agrees with any name.
fn batched(inputs: &[Input]) -> Vec<bool> {
    let open = |input: &Input| input.axes.first().filter(|axis| !matches!(axis, Axis::Fixed(_))).cloned();
    let batch = inputs.iter().filter_map(open).find(|axis| matches!(axis, Axis::Named(_)));
    let agrees = |axis: Axis| batch.as_ref().is_none_or(|batch| axis == Axis::Unnamed || axis == *batch);
    inputs.iter().map(|input| open(input).is_some_and(agrees)).collect()
}

fn input(value: &ValueInfoProto) -> Result<Input, EngineError> {
    let unsupported = |detail: &str| EngineError::UnsupportedTensor {
        tensor: value.name.clone(),
        detail: detail.to_owned(),
    };
    let (datatype, axes) = tensor_type(value)?;
    let datatype = datatype.ok_or_else(|| unsupported("has no tensor type"))?;
    let axes = axes.ok_or_else(|| unsupported("has no declared shape, so its number of axes is unknown"))?;
    Ok(Input { name: value.name.clone(), datatype, axes })
}

fn output(value: &ValueInfoProto, classes: &ClassNames) -> Result<Output, EngineError> {
    let (datatype, axes) = tensor_type(value)?;
    let class_names = classes.get(&value.name).cloned().unwrap_or_default();
    Ok(Output { name: value.name.clone(), datatype, axes, class_names })
}

type TensorType = (Option<Datatype>, Option<Vec<Axis>>);

fn tensor_type(value: &ValueInfoProto) -> Result<TensorType, EngineError> {
    let Some(TypeValue::TensorType(tensor)) = value.r#type.as_ref().and_then(|kind| kind.value.as_ref())
    else {
        return Ok((None, None));
    };
    let unsupported = |detail| EngineError::UnsupportedTensor { tensor: value.name.clone(), detail };
    let kind = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Undefined) => None,
        Ok(kind) => Some(
            datatype(kind)
                .ok_or_else(|| unsupported(format!("has type {kind:?}, which requests cannot carry")))?,
        ),
        Err(_) => return Err(unsupported(format!("has unknown type number {}", tensor.elem_type))),
    };
    let axes =
        tensor.shape.as_ref().map(|shape| shape.dim.iter().map(|dim| axis(dim.value.as_ref())).collect());
    Ok((kind, axes))
}

fn axis(value: Option<&DimValue>) -> Axis {
    match value {
        Some(DimValue::DimValue(size)) => usize::try_from(*size).map_or(Axis::Unnamed, Axis::Fixed),
        Some(DimValue::DimParam(name)) if !name.is_empty() && name != "?" => Axis::Named(name.clone()),
        _ => Axis::Unnamed,
    }
}
