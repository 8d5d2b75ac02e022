//! `Scaler`: `(x - offset) * scale` by column, as the ONNX-ML operator specification has it.

use tract_onnx::{
    pb::NodeProto,
    tract_hir::internal::{Datum as _, DatumType, TVec, Tensor, TractResult, ensure, tvec},
};

use super::{
    kernel::{Kernel, Shape},
    list,
};

/// Offsets and scales, one per column or one for all.
#[derive(Debug)]
pub(super) struct Scaler {
    offset: Vec<f32>,
    scale: Vec<f32>,
}

impl Scaler {
    pub(super) fn parse(node: &NodeProto) -> TractResult<Self> {
        let (offset, scale) = (list::<f32>(node, "offset")?.to_vec(), list::<f32>(node, "scale")?.to_vec());
        ensure!(!offset.is_empty() && !scale.is_empty(), "Scaler needs offset and scale");
        Ok(Self { offset, scale })
    }
}

impl Kernel for Scaler {
    fn name(&self) -> &'static str {
        "Scaler"
    }

    fn outputs(&self) -> Vec<(DatumType, Shape)> {
        vec![(f32::datum_type(), Shape::Same)]
    }

    fn eval(&self, input: &Tensor) -> TractResult<TVec<Tensor>> {
        let width = input.shape().last().copied().unwrap_or(1);
        for (name, values) in [("offset", &self.offset), ("scale", &self.scale)] {
            ensure!(
                values.len() == 1 || values.len() == width,
                "{} values of {name} for {width} columns",
                values.len()
            );
        }
        let mut output = input.cast_to::<f32>()?.into_owned();
        let mut view = output.try_as_plain_ram_mut()?;
        for row in view.as_slice_mut::<f32>()?.chunks_mut(width.max(1)) {
            for (column, value) in row.iter_mut().enumerate() {
                *value = (*value - at(&self.offset, column)) * at(&self.scale, column);
            }
        }
        Ok(tvec![output])
    }
}

/// The value of a column: its own, or the one for all.
fn at(values: &[f32], column: usize) -> f32 {
    values[if values.len() == 1 { 0 } else { column }]
}
