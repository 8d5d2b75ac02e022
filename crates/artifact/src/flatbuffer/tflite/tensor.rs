//! Tensors of a TensorFlow Lite model: whether type, shape and sparsity fit the bytes.

use tagship_domain::signature::TensorSpec;

use super::{Buffers, Model};
use crate::{
    flatbuffer::{
        content::{Level, Sparsity, are_texts},
        reader::Table,
    },
    pages::Fault,
};

/// Element types in order: bits per element (0 where they vary) and name in the Open Inference Protocol.
const TYPES: &[(u64, &str)] = &[
    (32, "FP32"),
    (16, "FP16"),
    (32, "INT32"),
    (8, "UINT8"),
    (64, "INT64"),
    (0, "BYTES"),
    (8, "BOOL"),
    (16, "INT16"),
    (64, "COMPLEX64"),
    (8, "INT8"),
    (64, "FP64"),
    (128, "COMPLEX128"),
    (64, "UINT64"),
    (0, "RESOURCE"),
    (0, "VARIANT"),
    (32, "UINT32"),
    (16, "UINT16"),
    (4, "INT4"),
    (16, "BF16"),
];

/// The place of texts among the types.
const TEXTS: u64 = 5;
/// Axes of a tensor: more are not told.
const MAX_AXES: usize = 64;
/// Bytes of texts that are read whole.
const MAX_TEXTS: u64 = 32 << 20;

impl Model<'_> {
    pub(super) fn tensor(&mut self, tensor: &Table, buffers: &Buffers) -> Result<TensorSpec, Fault> {
        let name = self.buffer.text(tensor, 3)?;
        let shape = self.buffer.integers(tensor, 0)?;
        let free = self.buffer.integers(tensor, 7)?;
        if shape.len().max(free.len()) > MAX_AXES {
            return Err(Fault::Limit { at: tensor.at, what: "a tensor of more axes than are followed" });
        }
        let kind = self.buffer.scalar(tensor, 1, 1, 0)?;
        let index = self.buffer.scalar(tensor, 2, 4, 0)?;
        if let Some(quantization) = self.buffer.child(tensor, 4)? {
            for (field, width) in [(0, 4), (1, 4), (2, 4), (3, 8)] {
                self.buffer.vector(&quantization, field, width)?;
            }
        }
        let sparsity = self.buffer.child(tensor, 6)?;
        let known = usize::try_from(kind).ok().and_then(|kind| TYPES.get(kind));
        let data = usize::try_from(index).ok().and_then(|index| buffers.get(index)).copied();
        let elements =
            shape.iter().try_fold(1u64, |product, size| product.checked_mul(u64::try_from(*size).ok()?));
        let stored = match &sparsity {
            Some(sparsity) => self.sparse(tensor, sparsity, &name, &shape)?,
            None => elements,
        };
        match (known, data, elements) {
            (None, _, _) => self.bad(tensor, &name, format!("element type {kind} does not exist")),
            (_, None, _) => self.bad(tensor, &name, format!("buffer {index} does not exist")),
            (_, _, None) => self.bad(tensor, &name, format!("shape {shape:?} is impossible")),
            (Some((bits @ 1.., _)), Some(Some(data)), _) if data.count > 0 => {
                let wanted = stored.map(|stored| u128::from(stored) * u128::from(*bits));
                if wanted.is_some_and(|wanted| wanted.div_ceil(8) != u128::from(data.count)) {
                    self.bad(tensor, &name, format!("{} bytes for shape {shape:?}", data.count));
                }
            }
            (Some(_), Some(Some(data)), Some(elements)) if kind == TEXTS && data.count > 0 => {
                if data.count > MAX_TEXTS {
                    return Err(Fault::Limit { at: data.at, what: "more texts than are followed" });
                }
                let bytes = self.buffer.bytes(data.at, data.count)?;
                if !are_texts(&bytes, elements) {
                    self.bad(tensor, &name, format!("{} bytes are no {elements} texts", data.count));
                }
            }
            _ => {}
        }
        if let (Some((1.., kind)), Some(Some(data))) = (known, data)
            && data.count > 0
            && self.counted.insert(index)
        {
            self.findings.facts.tensor(kind, elements.filter(|_| sparsity.is_none()));
        }
        let datatype = known.map_or("UNKNOWN", |(_, name)| name).to_owned();
        let shape = if free.len() == shape.len() { free } else { shape };
        Ok(TensorSpec { name, datatype, shape: shape.into_iter().map(i64::from).collect() })
    }

    /// How many values a sparse tensor stores; `None` where it contradicts itself, which is told.
    fn sparse(
        &mut self,
        tensor: &Table,
        sparsity: &Table,
        name: &str,
        shape: &[i32],
    ) -> Result<Option<u64>, Fault> {
        let order = self.buffer.integers(sparsity, 0)?;
        let blocks = self.buffer.integers(sparsity, 1)?;
        let mut levels = Vec::new();
        for level in self.buffer.tables(sparsity, 2)? {
            let format = self.buffer.scalar(&level, 0, 1, 0)?;
            levels.push(match format {
                0 => Level::Dense { size: self.buffer.signed_scalar(&level, 1)? },
                _ => Level::Sparse { segments: self.places(&level, 2)?, indices: self.places(&level, 4)? },
            });
        }
        match (Sparsity { order, blocks, levels }).values(shape) {
            Ok(values) => Ok(Some(values)),
            Err(message) => {
                self.bad(tensor, name, message);
                Ok(None)
            }
        }
    }

    /// Numbers of four, two or one bytes; `field` is the one of their type.
    fn places(&mut self, level: &Table, field: usize) -> Result<Vec<i64>, Fault> {
        let kind = self.buffer.scalar(level, field, 1, 0)?;
        let Some(list) = self.buffer.child(level, field + 1)? else { return Ok(Vec::new()) };
        match kind {
            1 => Ok(self.buffer.integers(&list, 0)?.into_iter().map(i64::from).collect()),
            2 => self.buffer.unsigned(&list, 0, 2),
            3 => self.buffer.unsigned(&list, 0, 1),
            _ => Err(Fault::Bad { at: level.at, what: "places of a type that does not exist" }),
        }
    }
}
