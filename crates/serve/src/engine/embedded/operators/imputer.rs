//! `Imputer`: replaces a marked value (NaN, or a number) by a constant of its column.

use tract_onnx::{
    pb::NodeProto,
    tract_hir::internal::{Datum, DatumType, TVec, Tensor, TractResult, bail, ensure, tvec},
};

use super::{
    kernel::{Kernel, Shape},
    list,
};

/// What to replace by what, for floats or for whole numbers; one constant per column or one for all.
#[derive(Debug)]
pub(super) enum Imputer {
    Floats { replaced: f32, imputed: Vec<f32> },
    Ints { replaced: i64, imputed: Vec<i64> },
}

impl Imputer {
    pub(super) fn parse(node: &NodeProto) -> TractResult<Self> {
        let floats = list::<f32>(node, "imputed_value_floats")?.to_vec();
        let ints = list::<i64>(node, "imputed_value_int64s")?.to_vec();
        match (floats.is_empty(), ints.is_empty()) {
            (false, true) => {
                let replaced = node.get_attr_opt("replaced_value_float")?.unwrap_or_default();
                Ok(Self::Floats { replaced, imputed: floats })
            }
            (true, false) => {
                let replaced = node.get_attr_opt("replaced_value_int64")?.unwrap_or_default();
                Ok(Self::Ints { replaced, imputed: ints })
            }
            _ => bail!("Imputer needs either imputed_value_floats or imputed_value_int64s"),
        }
    }
}

impl Kernel for Imputer {
    fn name(&self) -> &'static str {
        "Imputer"
    }

    fn outputs(&self) -> Vec<(DatumType, Shape)> {
        let kind = match self {
            Self::Floats { .. } => f32::datum_type(),
            Self::Ints { .. } => i64::datum_type(),
        };
        vec![(kind, Shape::Same)]
    }

    fn eval(&self, input: &Tensor) -> TractResult<TVec<Tensor>> {
        let output = match self {
            Self::Floats { replaced, imputed } => {
                #[allow(clippy::float_cmp, reason = "the marked value is a constant, matched exactly")]
                let marked = |value: &f32| value == replaced || (value.is_nan() && replaced.is_nan());
                impute(input.cast_to::<f32>()?.into_owned(), imputed, marked)
            }
            Self::Ints { replaced, imputed } => {
                impute(input.cast_to::<i64>()?.into_owned(), imputed, |value: &i64| value == replaced)
            }
        };
        Ok(tvec![output?])
    }
}

fn impute<T: Datum + Copy>(
    mut tensor: Tensor,
    imputed: &[T],
    marked: impl Fn(&T) -> bool,
) -> TractResult<Tensor> {
    let width = tensor.shape().last().copied().unwrap_or(1);
    ensure!(imputed.len() == 1 || imputed.len() == width, "{} constants for {width} columns", imputed.len());
    let mut view = tensor.try_as_plain_ram_mut()?;
    for row in view.as_slice_mut::<T>()?.chunks_mut(width.max(1)) {
        for (column, value) in row.iter_mut().enumerate().filter(|(_, value)| marked(value)) {
            *value = imputed[if imputed.len() == 1 { 0 } else { column }];
        }
    }
    Ok(tensor)
}
