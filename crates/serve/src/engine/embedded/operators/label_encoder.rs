//! `LabelEncoder`: replaces every value by its partner in a table.
//!
//! Version 1 of the operator numbers `classes_strings`, one way or the other by the type of its input; version 2
//! pairs `keys_*` with `values_*`; from version 4 on, a NaN among the keys is found. Tables in tensors (version 4) are
//! not read.

use tract_onnx::{
    pb::NodeProto,
    tract_hir::internal::{Datum, DatumType, TVec, Tensor, TractResult, bail, ensure, tensor1, tvec},
};

use super::{
    kernel::{Kernel, Shape},
    list, texts,
    vocabulary::Vocabulary,
};

/// The table: known keys, their values in the same order, and the value of an unknown key.
#[derive(Debug)]
pub(super) struct LabelEncoder {
    keys: Vocabulary,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Texts(Vec<String>, String),
    Numbers(Vec<i64>, i64),
    Floats(Vec<f32>, f32),
}

impl LabelEncoder {
    /// Reads the attributes of `node`, of a model that imports `version` of `ai.onnx.ml`.
    pub(super) fn parse(node: &NodeProto, version: i64) -> TractResult<Self> {
        let classes = texts(node, "classes_strings")?;
        if !classes.is_empty() {
            ensure!(
                node.get_attr_opt::<String>("default_string")?.is_none(),
                "LabelEncoder from numbers to classes is not supported"
            );
            let numbers = (0_i64..).take(classes.len()).collect();
            let fallback = node.get_attr_opt("default_int64")?.unwrap_or(-1);
            return Ok(Self { keys: Vocabulary::texts(classes), values: Values::Numbers(numbers, fallback) });
        }
        let (names, numbers, floats) =
            (texts(node, "keys_strings")?, list(node, "keys_int64s")?, list(node, "keys_floats")?);
        let count = names.len() + numbers.len() + floats.len();
        let keys = match (names.is_empty(), numbers.is_empty(), floats.is_empty()) {
            (false, true, true) => Vocabulary::texts(names),
            (true, false, true) => Vocabulary::numbers(numbers),
            (true, true, false) => Vocabulary::floats(floats, version >= 4),
            _ => bail!("LabelEncoder needs exactly one list of keys"),
        };
        let values = Self::values(node)?;
        ensure!(values.len() == count, "LabelEncoder has {count} keys and {} values", values.len());
        Ok(Self { keys, values })
    }

    fn values(node: &NodeProto) -> TractResult<Values> {
        let (names, numbers, floats) = (
            texts(node, "values_strings")?,
            list::<i64>(node, "values_int64s")?.to_vec(),
            list::<f32>(node, "values_floats")?.to_vec(),
        );
        // Defaults as the operator specification names them.
        Ok(match (names.is_empty(), numbers.is_empty(), floats.is_empty()) {
            (false, true, true) => Values::Texts(
                names,
                node.get_attr_opt("default_string")?.unwrap_or_else(|| "_Unused".to_owned()),
            ),
            (true, false, true) => {
                Values::Numbers(numbers, node.get_attr_opt("default_int64")?.unwrap_or(-1))
            }
            (true, true, false) => {
                Values::Floats(floats, node.get_attr_opt("default_float")?.unwrap_or(-0.0))
            }
            _ => bail!("LabelEncoder needs exactly one list of values"),
        })
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Texts(values, _) => values.len(),
            Self::Numbers(values, _) => values.len(),
            Self::Floats(values, _) => values.len(),
        }
    }
}

impl Kernel for LabelEncoder {
    fn name(&self) -> &'static str {
        "LabelEncoder"
    }

    fn outputs(&self) -> Vec<(DatumType, Shape)> {
        let kind = match self.values {
            Values::Texts(..) => String::datum_type(),
            Values::Numbers(..) => i64::datum_type(),
            Values::Floats(..) => f32::datum_type(),
        };
        vec![(kind, Shape::Same)]
    }

    fn eval(&self, input: &Tensor) -> TractResult<TVec<Tensor>> {
        fn pick<T: Datum>(found: &[Option<usize>], values: &[T], fallback: &T) -> Tensor {
            let value = |at: &Option<usize>| at.and_then(|at| values.get(at)).unwrap_or(fallback).clone();
            tensor1(&found.iter().map(value).collect::<Vec<T>>())
        }
        let found = self.keys.find(input)?;
        let picked = match &self.values {
            Values::Texts(values, fallback) => pick(&found, values, fallback),
            Values::Numbers(values, fallback) => pick(&found, values, fallback),
            Values::Floats(values, fallback) => pick(&found, values, fallback),
        };
        Ok(tvec![picked.into_shape(input.shape())?])
    }
}
