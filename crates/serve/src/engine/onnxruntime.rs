//! The opt-in backend: Microsoft's onnxruntime, from a shared library the caller names.
//!
//! It takes what the embedded engine refuses (text vectorisers, support vector machines, half precision). The library
//! is not linked: it is opened at run time, once per process, and another path is then refused.
//!
//! Invariant: one request at a time per model, since a session of these bindings is exclusive; it has one thread.
//! Must not know: tract (the file is read by the embedded backend's reader, for the self-test). This file is the only one that names `ort`.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ort::{
    environment::Environment,
    session::{Session, SessionInputValue},
    value::{
        DynMapValueType, DynSequenceValueType, DynValue, Outlet, PrimitiveTensorElementType,
        Tensor as OrtTensor, TensorElementType, ValueType,
    },
};

use super::{
    Batching, Datatype, EngineError, Runnable, Signature, Tensor, TensorData, TensorSpec, embedded, self_test,
};

/// Rows of the self-test.
const TEST_ROWS: usize = 3;

/// A session and what it takes and gives.
#[derive(Debug)]
struct OnnxRuntime {
    session: Mutex<Session>,
    signature: Signature,
}

/// Loads the model in `bytes`, or the file it came from, which may have external data beside it.
pub(super) fn load(
    bytes: &[u8],
    file: Option<&Path>,
    library: &Path,
) -> Result<Arc<dyn Runnable>, EngineError> {
    let hints = embedded::inspect(bytes)?;
    let environment = environment(library)?;
    let open = || -> ort::Result<Session> {
        let mut builder = Session::builder(&environment)?.with_intra_threads(1)?;
        match file {
            Some(file) => builder.commit_from_file(file),
            None => builder.commit_from_memory(bytes),
        }
    };
    let session = open().map_err(|error| EngineError::Load { detail: error.to_string() })?;
    let specs = |outlets: &[Outlet]| outlets.iter().map(spec).collect::<Result<Vec<_>, _>>();
    let signature = Signature { inputs: specs(session.inputs())?, outputs: specs(session.outputs())? };
    let batched: Vec<bool> = signature.inputs.iter().map(TensorSpec::has_dynamic_rows).collect();
    let loaded = OnnxRuntime { session: Mutex::new(session), signature };
    self_test::rows_agree(&loaded, &loaded, TEST_ROWS, &batched, &hints)?;
    Ok(Arc::new(loaded))
}

/// The environment of this process, over `library`; onnxruntime allows one.
fn environment(library: &Path) -> Result<Environment, EngineError> {
    static OPENED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);
    let failed = |detail: String| EngineError::Library { library: library.to_owned(), detail };
    // A panic while it was held left the slot empty or whole.
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    match &*opened {
        Some((path, environment)) if path == library => Ok(environment.clone()),
        Some((path, _)) => Err(failed(format!("this process already uses {}", path.display()))),
        None => {
            let builder = ort::environment::init_from(library).map_err(|error| failed(error.to_string()))?;
            let environment =
                builder.with_telemetry(false).build().map_err(|error| failed(error.to_string()))?;
            *opened = Some((library.to_owned(), environment.clone()));
            Ok(environment)
        }
    }
}

impl Runnable for OnnxRuntime {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn batching(&self) -> Batching {
        let batched = self.signature.inputs.iter().any(TensorSpec::has_dynamic_rows);
        if batched { Batching::Rows } else { Batching::Fixed }
    }

    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        let failed = |error: ort::Error| EngineError::Run { detail: error.to_string() };
        let values = inputs.iter().map(|input| Ok((input.name().to_owned(), to_ort(input)?)));
        let values = values.collect::<ort::Result<Vec<_>>>().map_err(failed)?;
        // A panic of an earlier request leaves the session as it was: it keeps nothing between runs.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(values).map_err(failed)?;
        let one = |spec: &TensorSpec| match outputs.get(&spec.name) {
            Some(output) => from_ort(spec, output),
            None => Err(EngineError::Run { detail: format!("output `{}` was not made", spec.name) }),
        };
        self.signature.outputs.iter().map(one).collect()
    }
}

fn spec(outlet: &Outlet) -> Result<TensorSpec, EngineError> {
    let unsupported =
        |detail: String| EngineError::UnsupportedTensor { tensor: outlet.name().to_owned(), detail };
    let (kind, dims) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => {
            (*ty, shape.iter().map(|&dim| usize::try_from(dim).ok()).collect())
        }
        // What a ZipMap gives; its maps are read as one row of scores each.
        ValueType::Sequence(item) => match item.as_ref() {
            ValueType::Map { value, .. } => (*value, vec![None, None]),
            _ => return Err(unsupported("is a sequence".to_owned())),
        },
        other => return Err(unsupported(format!("has type {other}"))),
    };
    let datatype = datatype(kind)
        .ok_or_else(|| unsupported(format!("has type {kind}, which the protocol cannot carry")))?;
    Ok(TensorSpec { name: outlet.name().to_owned(), datatype, dims, class_names: Vec::new() })
}

fn datatype(kind: TensorElementType) -> Option<Datatype> {
    Some(match kind {
        TensorElementType::Bool => Datatype::Bool,
        TensorElementType::Uint8 => Datatype::Uint8,
        TensorElementType::Uint16 => Datatype::Uint16,
        TensorElementType::Uint32 => Datatype::Uint32,
        TensorElementType::Uint64 => Datatype::Uint64,
        TensorElementType::Int8 => Datatype::Int8,
        TensorElementType::Int16 => Datatype::Int16,
        TensorElementType::Int32 => Datatype::Int32,
        TensorElementType::Int64 => Datatype::Int64,
        TensorElementType::Float32 => Datatype::Fp32,
        TensorElementType::Float64 => Datatype::Fp64,
        TensorElementType::String => Datatype::Bytes,
        _ => return None,
    })
}

fn to_ort(tensor: &Tensor) -> ort::Result<SessionInputValue<'static>> {
    fn typed<T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static>(
        shape: Vec<usize>,
        values: &[T],
    ) -> ort::Result<SessionInputValue<'static>> {
        Ok(OrtTensor::from_array((shape, values.to_vec()))?.into())
    }
    let shape = tensor.shape().to_vec();
    match tensor.data() {
        TensorData::Bool(values) => typed(shape, values),
        TensorData::Uint8(values) => typed(shape, values),
        TensorData::Uint16(values) => typed(shape, values),
        TensorData::Uint32(values) => typed(shape, values),
        TensorData::Uint64(values) => typed(shape, values),
        TensorData::Int8(values) => typed(shape, values),
        TensorData::Int16(values) => typed(shape, values),
        TensorData::Int32(values) => typed(shape, values),
        TensorData::Int64(values) => typed(shape, values),
        TensorData::Fp32(values) => typed(shape, values),
        TensorData::Fp64(values) => typed(shape, values),
        TensorData::Bytes(values) => Ok(OrtTensor::from_string_array((shape, values.as_slice()))?.into()),
    }
}

fn from_ort(spec: &TensorSpec, value: &DynValue) -> Result<Tensor, EngineError> {
    let failed = |error: ort::Error| EngineError::Run { detail: format!("output `{}`: {error}", spec.name) };
    let (shape, data) = match value.dtype() {
        ValueType::Sequence(_) => scores(value),
        _ => tensor(spec.datatype, value),
    }
    .map_err(failed)?;
    Tensor::new(spec.name.clone(), shape, data)
}

type Parts = (Vec<usize>, TensorData);

fn tensor(datatype: Datatype, value: &DynValue) -> ort::Result<Parts> {
    fn typed<T: PrimitiveTensorElementType + Clone>(
        value: &DynValue,
        wrap: impl Fn(Vec<T>) -> TensorData,
    ) -> ort::Result<Parts> {
        let (shape, values) = value.try_extract_tensor::<T>()?;
        Ok((sizes(shape), wrap(values.to_vec())))
    }
    match datatype {
        Datatype::Bool => typed(value, TensorData::Bool),
        Datatype::Uint8 => typed(value, TensorData::Uint8),
        Datatype::Uint16 => typed(value, TensorData::Uint16),
        Datatype::Uint32 => typed(value, TensorData::Uint32),
        Datatype::Uint64 => typed(value, TensorData::Uint64),
        Datatype::Int8 => typed(value, TensorData::Int8),
        Datatype::Int16 => typed(value, TensorData::Int16),
        Datatype::Int32 => typed(value, TensorData::Int32),
        Datatype::Int64 => typed(value, TensorData::Int64),
        Datatype::Fp32 => typed(value, TensorData::Fp32),
        Datatype::Fp64 => typed(value, TensorData::Fp64),
        Datatype::Bytes => {
            let (shape, values) = value.try_extract_strings()?;
            Ok((sizes(shape), TensorData::Bytes(values)))
        }
    }
}

/// The sizes of an actual value, which are never negative.
fn sizes(shape: &[i64]) -> Vec<usize> {
    shape.iter().map(|&size| usize::try_from(size).unwrap_or_default()).collect()
}

/// A sequence of maps from class to score as rows of scores, classes in ascending order.
fn scores(value: &DynValue) -> ort::Result<Parts> {
    fn row<K: Ord>(map: HashMap<K, f32>) -> Vec<f32> {
        let mut entries: Vec<(K, f32)> = map.into_iter().collect();
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        entries.into_iter().map(|(_, score)| score).collect()
    }
    let sequence = value.view().downcast::<DynSequenceValueType>()?;
    let rows = sequence.try_extract_sequence::<DynMapValueType>()?;
    let rows = rows.iter().map(|map| match map.dtype() {
        ValueType::Map { key: TensorElementType::String, .. } => {
            map.try_extract_map::<String, f32>().map(row)
        }
        _ => map.try_extract_map::<i64, f32>().map(row),
    });
    let rows = rows.collect::<ort::Result<Vec<_>>>()?;
    let shape = vec![rows.len(), rows.first().map_or(0, Vec::len)];
    Ok((shape, TensorData::Fp32(rows.concat())))
}
