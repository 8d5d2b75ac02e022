//! The engine's own tensor: a name, a shape and typed values in row-major order.
//!
//! Datatype names are those of the Open Inference Protocol v2 (Linux Foundation), the protocol the server speaks.
//! Half precision is absent on purpose: the protocol gives it no JSON form.
//!
//! Must not know: any inference library.

use std::{fmt, ops::Range};

use super::EngineError;

/// Calls `$body` with `$values` bound to the typed vector inside a [`TensorData`].
macro_rules! with_values {
    ($data:expr, $values:ident => $body:expr) => {
        match $data {
            $crate::engine::TensorData::Bool($values) => $body,
            $crate::engine::TensorData::Uint8($values) => $body,
            $crate::engine::TensorData::Uint16($values) => $body,
            $crate::engine::TensorData::Uint32($values) => $body,
            $crate::engine::TensorData::Uint64($values) => $body,
            $crate::engine::TensorData::Int8($values) => $body,
            $crate::engine::TensorData::Int16($values) => $body,
            $crate::engine::TensorData::Int32($values) => $body,
            $crate::engine::TensorData::Int64($values) => $body,
            $crate::engine::TensorData::Fp32($values) => $body,
            $crate::engine::TensorData::Fp64($values) => $body,
            $crate::engine::TensorData::Bytes($values) => $body,
        }
    };
}
pub(super) use with_values;

/// Element type, spelled as in the Open Inference Protocol v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Datatype {
    /// `true` or `false`.
    Bool,
    /// Unsigned 8-bit.
    Uint8,
    /// Unsigned 16-bit.
    Uint16,
    /// Unsigned 32-bit.
    Uint32,
    /// Unsigned 64-bit.
    Uint64,
    /// Signed 8-bit.
    Int8,
    /// Signed 16-bit.
    Int16,
    /// Signed 32-bit.
    Int32,
    /// Signed 64-bit.
    Int64,
    /// IEEE 754 single precision.
    Fp32,
    /// IEEE 754 double precision.
    Fp64,
    /// Text (UTF-8).
    Bytes,
}

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "BOOL",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Bytes => "BYTES",
        })
    }
}

/// The values of a tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each variant is the datatype of the same name")]
pub enum TensorData {
    Bool(Vec<bool>),
    Uint8(Vec<u8>),
    Uint16(Vec<u16>),
    Uint32(Vec<u32>),
    Uint64(Vec<u64>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Fp32(Vec<f32>),
    Fp64(Vec<f64>),
    Bytes(Vec<String>),
}

impl TensorData {
    /// Number of values.
    pub fn len(&self) -> usize {
        with_values!(self, values => values.len())
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The datatype of the values.
    pub fn datatype(&self) -> Datatype {
        match self {
            Self::Bool(_) => Datatype::Bool,
            Self::Uint8(_) => Datatype::Uint8,
            Self::Uint16(_) => Datatype::Uint16,
            Self::Uint32(_) => Datatype::Uint32,
            Self::Uint64(_) => Datatype::Uint64,
            Self::Int8(_) => Datatype::Int8,
            Self::Int16(_) => Datatype::Int16,
            Self::Int32(_) => Datatype::Int32,
            Self::Int64(_) => Datatype::Int64,
            Self::Fp32(_) => Datatype::Fp32,
            Self::Fp64(_) => Datatype::Fp64,
            Self::Bytes(_) => Datatype::Bytes,
        }
    }

    fn slice(&self, range: Range<usize>) -> Self {
        macro_rules! slice {
            ($($variant:ident)*) => {
                match self { $(Self::$variant(values) => Self::$variant(values[range].to_vec()),)* }
            };
        }
        slice!(Bool Uint8 Uint16 Uint32 Uint64 Int8 Int16 Int32 Int64 Fp32 Fp64 Bytes)
    }

    fn append(&mut self, other: Self) -> bool {
        macro_rules! append {
            ($($variant:ident)*) => {
                match (self, other) {
                    $((Self::$variant(values), Self::$variant(more)) => { values.extend(more); true })*
                    _ => false,
                }
            };
        }
        append!(Bool Uint8 Uint16 Uint32 Uint64 Int8 Int16 Int32 Int64 Fp32 Fp64 Bytes)
    }
}

/// A named tensor. Its shape and its values always agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    name: String,
    shape: Vec<usize>,
    data: TensorData,
}

impl Tensor {
    /// A tensor of `shape` over row-major `data`; an empty shape is a scalar of one value.
    ///
    /// # Errors
    /// [`EngineError::BadTensor`] when the number of values is not the product of the shape.
    pub fn new(name: impl Into<String>, shape: Vec<usize>, data: TensorData) -> Result<Self, EngineError> {
        let name = name.into();
        let wanted = shape.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim));
        if wanted == Some(data.len()) {
            return Ok(Self { name, shape, data });
        }
        let wanted = wanted.map_or_else(|| "too many values to count".to_owned(), |n| format!("{n} values"));
        let detail = format!("shape {shape:?} needs {wanted}, data has {}", data.len());
        Err(EngineError::BadTensor { tensor: name, detail })
    }

    /// The name of the input or output.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Size of every axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The element type.
    pub fn datatype(&self) -> Datatype {
        self.data.datatype()
    }

    /// The values, row-major.
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// Size of axis 0; `None` for a scalar.
    pub fn rows(&self) -> Option<usize> {
        self.shape.first().copied()
    }

    /// Rows `range` of axis 0 as a tensor of the same name; `None` when out of bounds or for a scalar.
    pub fn slice_rows(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.rows()? {
            return None;
        }
        let stride: usize = self.shape[1..].iter().product();
        let mut shape = self.shape.clone();
        shape[0] = range.len();
        let data = self.data.slice(range.start * stride..range.end * stride);
        Some(Self { name: self.name.clone(), shape, data })
    }

    /// Puts the rows of `other` under those of `self`.
    ///
    /// # Errors
    /// [`EngineError::BadTensor`] when datatype or the axes after the first differ.
    pub fn append_rows(&mut self, other: Self) -> Result<(), EngineError> {
        let fits = !self.shape.is_empty() && !other.shape.is_empty() && self.shape[1..] == other.shape[1..];
        let rows = other.rows().unwrap_or_default();
        let detail = format!(
            "{} {:?} does not continue {} {:?}",
            other.datatype(),
            other.shape,
            self.datatype(),
            self.shape
        );
        if !fits || !self.data.append(other.data) {
            return Err(EngineError::BadTensor { tensor: self.name.clone(), detail });
        }
        self.shape[0] += rows;
        Ok(())
    }
}
