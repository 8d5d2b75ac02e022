//! Conversion between the engine's tensors and tract's.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::{Datum as _, DatumType, Tensor as TractTensor, TractResult, tensor1};

use super::super::{Datatype, EngineError, Tensor, TensorData};

/// The engine's datatype for an ONNX element type; `None` where requests have no form for it.
pub(super) fn datatype(kind: DataType) -> Option<Datatype> {
    Some(match kind {
        DataType::Bool => Datatype::Bool,
        DataType::Uint8 => Datatype::Uint8,
        DataType::Uint16 => Datatype::Uint16,
        DataType::Uint32 => Datatype::Uint32,
        DataType::Uint64 => Datatype::Uint64,
        DataType::Int8 => Datatype::Int8,
        DataType::Int16 => Datatype::Int16,
        DataType::Int32 => Datatype::Int32,
        DataType::Int64 => Datatype::Int64,
        DataType::Float => Datatype::Fp32,
        DataType::Double => Datatype::Fp64,
        DataType::String => Datatype::Bytes,
        _ => return None,
    })
}

/// tract's name for a datatype.
pub(super) fn datum_type(datatype: Datatype) -> DatumType {
    match datatype {
        Datatype::Bool => bool::datum_type(),
        Datatype::Uint8 => u8::datum_type(),
        Datatype::Uint16 => u16::datum_type(),
        Datatype::Uint32 => u32::datum_type(),
        Datatype::Uint64 => u64::datum_type(),
        Datatype::Int8 => i8::datum_type(),
        Datatype::Int16 => i16::datum_type(),
        Datatype::Int32 => i32::datum_type(),
        Datatype::Int64 => i64::datum_type(),
        Datatype::Fp32 => f32::datum_type(),
        Datatype::Fp64 => f64::datum_type(),
        Datatype::Bytes => String::datum_type(),
    }
}

/// The engine's datatype for tract's; tract's symbolic integers are int64.
pub(super) fn from_datum_type(kind: DatumType) -> Option<Datatype> {
    const ALL: [Datatype; 12] = [
        Datatype::Bool,
        Datatype::Uint8,
        Datatype::Uint16,
        Datatype::Uint32,
        Datatype::Uint64,
        Datatype::Int8,
        Datatype::Int16,
        Datatype::Int32,
        Datatype::Int64,
        Datatype::Fp32,
        Datatype::Fp64,
        Datatype::Bytes,
    ];
    if kind == DatumType::TDim {
        return Some(Datatype::Int64);
    }
    ALL.into_iter().find(|&datatype| datum_type(datatype) == kind.unquantized())
}

/// The engine's tensor as one of tract's.
pub(super) fn to_tract(tensor: &Tensor) -> TractResult<TractTensor> {
    let shape = tensor.shape();
    match tensor.data() {
        TensorData::Bool(values) => TractTensor::from_shape(shape, values),
        TensorData::Uint8(values) => TractTensor::from_shape(shape, values),
        TensorData::Uint16(values) => TractTensor::from_shape(shape, values),
        TensorData::Uint32(values) => TractTensor::from_shape(shape, values),
        TensorData::Uint64(values) => TractTensor::from_shape(shape, values),
        TensorData::Int8(values) => TractTensor::from_shape(shape, values),
        TensorData::Int16(values) => TractTensor::from_shape(shape, values),
        TensorData::Int32(values) => TractTensor::from_shape(shape, values),
        TensorData::Int64(values) => TractTensor::from_shape(shape, values),
        TensorData::Fp32(values) => TractTensor::from_shape(shape, values),
        TensorData::Fp64(values) => TractTensor::from_shape(shape, values),
        TensorData::Bytes(values) => tensor1(values).into_shape(shape),
    }
}

/// tract's tensor as the engine's, cast to the datatype the model declares (tract counts in its own integers).
pub(super) fn from_tract(
    name: &str,
    datatype: Datatype,
    tensor: &TractTensor,
) -> Result<Tensor, EngineError> {
    let data = values(datatype, tensor)
        .map_err(|error| EngineError::Run { detail: format!("output `{name}`: {error:#}") })?;
    Tensor::new(name, tensor.shape().to_vec(), data)
}

fn values(datatype: Datatype, tensor: &TractTensor) -> TractResult<TensorData> {
    let tensor = tensor.cast_to_dt(datum_type(datatype))?;
    let view = tensor.try_as_plain_ram()?;
    Ok(match datatype {
        Datatype::Bool => TensorData::Bool(view.as_slice()?.to_vec()),
        Datatype::Uint8 => TensorData::Uint8(view.as_slice()?.to_vec()),
        Datatype::Uint16 => TensorData::Uint16(view.as_slice()?.to_vec()),
        Datatype::Uint32 => TensorData::Uint32(view.as_slice()?.to_vec()),
        Datatype::Uint64 => TensorData::Uint64(view.as_slice()?.to_vec()),
        Datatype::Int8 => TensorData::Int8(view.as_slice()?.to_vec()),
        Datatype::Int16 => TensorData::Int16(view.as_slice()?.to_vec()),
        Datatype::Int32 => TensorData::Int32(view.as_slice()?.to_vec()),
        Datatype::Int64 => TensorData::Int64(view.as_slice()?.to_vec()),
        Datatype::Fp32 => TensorData::Fp32(view.as_slice()?.to_vec()),
        Datatype::Fp64 => TensorData::Fp64(view.as_slice()?.to_vec()),
        Datatype::Bytes => TensorData::Bytes(view.as_slice()?.to_vec()),
    })
}
