//! Sparse tensors: a shape, and places in it. Runtimes write the values to these places of a tensor that they reserve.

use super::{
    parser::Parser,
    size::MAX_ELEMENTS,
    tensor::Tensor,
    wire::{Messages as _, Wire},
};
use crate::{rules, stream::Stop};

/// Dimensions that a sparse tensor may have.
const MAX_DIMS: usize = 64;

/// The places as they pass: how many numbers, the least, and the largest of each column.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) count: u64,
    least: i64,
    most: Vec<i64>,
    /// Numbers per place, as the shape says that stands before them.
    columns: usize,
}

impl Places {
    /// Takes the next number of places with this shape.
    pub(super) fn push(&mut self, dims: &[i64], number: i64) {
        if self.count == 0 {
            self.columns = columns(dims);
            self.most = vec![i64::MIN; self.columns];
        }
        let column = usize::try_from(self.count % self.columns.max(1) as u64).unwrap_or(0);
        if let Some(most) = self.most.get_mut(column) {
            *most = number.max(*most);
        }
        self.least = number.min(self.least);
        self.count += 1;
    }

    /// Whether all are inside of this shape: one number each that counts elements, or one per axis.
    fn are_inside(&self, own: &[i64], shape: &[i64], elements: u64) -> bool {
        let sizes = match own {
            [_] => vec![i64::try_from(elements).unwrap_or(i64::MAX)],
            [_, rank] if usize::try_from(*rank) == Ok(shape.len()) => shape.to_vec(),
            _ => return false,
        };
        self.count == 0
            || (self.columns == sizes.len()
                && self.least >= 0
                && self.most.iter().zip(&sizes).all(|(most, size)| most < size))
    }
}

fn columns(dims: &[i64]) -> usize {
    match dims {
        [_, columns] => usize::try_from(*columns).map_or(1, |columns| columns.clamp(1, MAX_DIMS)),
        _ => 1,
    }
}

impl Parser<'_, '_> {
    /// Reads a sparse tensor; its values carry the name.
    pub(super) fn sparse_tensor(&mut self, length: u64) -> Result<Tensor, Stop> {
        let mut values = Tensor::default();
        let mut indices = None;
        let mut shape = Vec::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => values = parser.tensor(length)?,
                (2, Wire::Bytes(length)) => indices = Some(parser.indices(length)?),
                (3, value) => {
                    parser.varints(value, |size| {
                        if shape.len() <= MAX_DIMS {
                            shape.push(size.cast_signed());
                        }
                    })?;
                }
                _ => parser.unknown("SparseTensorProto", number),
            }
            Ok(())
        })?;
        self.check_sparse(&values, indices.as_ref(), &shape);
        values.numbers = None;
        Ok(values)
    }

    fn check_sparse(&mut self, values: &Tensor, indices: Option<&(Tensor, Places)>, shape: &[i64]) {
        let at = Some(self.stream.position());
        let elements =
            shape.iter().try_fold(1u64, |count, size| count.checked_mul(u64::try_from(*size).ok()?));
        let Some(elements) = elements.filter(|_| !shape.is_empty() && shape.len() <= MAX_DIMS) else {
            let message =
                format!("the shape {shape:?} of a sparse tensor is negative, overflows or is missing");
            self.findings.about(&rules::ONNX_SIZE, at, &values.name, message);
            return;
        };
        if elements > MAX_ELEMENTS {
            let message = format!("a sparse tensor of {elements} elements");
            self.findings.about(&rules::SIZE_BOMB, at, &values.name, message);
        }
        match indices {
            Some((tensor, _)) if tensor.outside => {
                let message = "the places of a sparse tensor stand in another file, and were not read";
                self.findings.about(&rules::ONNX_FIELD, at, &values.name, message);
            }
            Some((tensor, places))
                if tensor.dims.first() == values.dims.first()
                    && values.dims.len() == 1
                    && places.are_inside(&tensor.dims, shape, elements) => {}
            _ => {
                let message = format!("its values have no place each in the shape {shape:?}");
                self.findings.about(&rules::ONNX_SIZE, at, &values.name, message);
            }
        }
    }
}
