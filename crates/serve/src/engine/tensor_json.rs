//! Tensors as JSON, in the form of the Open Inference Protocol v2.
//!
//! `data` is read flat or nested like the shape and written flat. A `null` among floats is NaN; non-finite floats are
//! written as `null`, since JSON has no other word for them. Integers must be exact: `1.5` or an overflow is an error.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct as _};
use serde_json::Value;

use super::{Datatype, Tensor, TensorData, tensor::with_values};

/// The wire form. Unknown members (the protocol's `parameters`) are ignored.
#[derive(Deserialize)]
struct Wire {
    name: String,
    shape: Vec<usize>,
    datatype: Datatype,
    data: Value,
}

impl Serialize for Tensor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = serializer.serialize_struct("Tensor", 4)?;
        wire.serialize_field("name", self.name())?;
        wire.serialize_field("shape", self.shape())?;
        wire.serialize_field("datatype", &self.datatype())?;
        // serde_json writes NaN and infinities as null.
        with_values!(self.data(), values => wire.serialize_field("data", values)?);
        wire.end()
    }
}

impl<'de> Deserialize<'de> for Tensor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let mut flat = Vec::new();
        flatten(wire.data, &wire.shape, &mut flat)
            .and_then(|()| typed(wire.datatype, &flat))
            .map_err(|detail| D::Error::custom(format!("tensor `{}`: {detail}", wire.name)))
            .and_then(|data| Tensor::new(wire.name, wire.shape, data).map_err(D::Error::custom))
    }
}

/// Collects the values of `data`: a flat list, or lists nested exactly as `shape` says.
fn flatten(data: Value, shape: &[usize], flat: &mut Vec<Value>) -> Result<(), String> {
    let Value::Array(items) = data else {
        return Err("data is not a list".to_owned());
    };
    if !items.first().is_some_and(Value::is_array) {
        if let Some(nested) = items.iter().find(|item| item.is_array()) {
            return Err(format!("data mixes values and lists ({nested})"));
        }
        flat.extend(items);
        return Ok(());
    }
    match shape {
        [first, rest @ ..] if items.len() == *first && !rest.is_empty() => {
            for item in items {
                let before = flat.len();
                flatten(item, rest, flat)?;
                let wanted = rest.iter().product::<usize>();
                if flat.len() - before != wanted {
                    return Err(format!(
                        "a nested list holds {} values, its shape needs {wanted}",
                        flat.len() - before
                    ));
                }
            }
            Ok(())
        }
        _ => Err(format!("{} nested lists do not fit shape {shape:?}", items.len())),
    }
}

fn typed(datatype: Datatype, flat: &[Value]) -> Result<TensorData, String> {
    fn all<T>(
        datatype: Datatype,
        flat: &[Value],
        one: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, String> {
        let element =
            |(at, value)| one(value).ok_or_else(|| format!("data[{at}] = {value} is no {datatype}"));
        flat.iter().enumerate().map(element).collect()
    }
    fn int<T: TryFrom<i64> + TryFrom<u64>>(value: &Value) -> Option<T> {
        value.as_i64().and_then(|n| n.try_into().ok()).or_else(|| value.as_u64()?.try_into().ok())
    }
    fn float(value: &Value) -> Option<f64> {
        if value.is_null() { Some(f64::NAN) } else { value.as_f64() }
    }
    #[allow(clippy::cast_possible_truncation, reason = "FP32 data is rounded to the nearest single")]
    fn single(value: &Value) -> Option<f32> {
        float(value).map(|n| n as f32)
    }
    Ok(match datatype {
        Datatype::Bool => TensorData::Bool(all(datatype, flat, Value::as_bool)?),
        Datatype::Uint8 => TensorData::Uint8(all(datatype, flat, int)?),
        Datatype::Uint16 => TensorData::Uint16(all(datatype, flat, int)?),
        Datatype::Uint32 => TensorData::Uint32(all(datatype, flat, int)?),
        Datatype::Uint64 => TensorData::Uint64(all(datatype, flat, int)?),
        Datatype::Int8 => TensorData::Int8(all(datatype, flat, int)?),
        Datatype::Int16 => TensorData::Int16(all(datatype, flat, int)?),
        Datatype::Int32 => TensorData::Int32(all(datatype, flat, int)?),
        Datatype::Int64 => TensorData::Int64(all(datatype, flat, int)?),
        Datatype::Fp32 => TensorData::Fp32(all(datatype, flat, single)?),
        Datatype::Fp64 => TensorData::Fp64(all(datatype, flat, float)?),
        Datatype::Bytes => {
            TensorData::Bytes(all(datatype, flat, |value| value.as_str().map(ToOwned::to_owned))?)
        }
    })
}
