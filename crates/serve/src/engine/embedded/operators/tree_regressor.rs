//! `TreeEnsembleRegressor`: leaf weights per target, summed, averaged over trees, or their extreme.

use tract_onnx::{
    pb::NodeProto,
    tract_hir::internal::{Datum as _, DatumType, TVec, Tensor, TractError, TractResult, tvec},
};

use super::{
    kernel::{Kernel, Shape},
    tree::{Forest, TreeError},
};

/// How the leaves of a row become one number per target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Sum,
    /// The sum over the number of trees.
    Average,
    Least,
    Greatest,
}

/// The operator.
#[derive(Debug)]
pub(in super::super) struct TreeRegressor {
    forest: Forest,
    targets: usize,
    base: Vec<f32>,
    aggregate: Aggregate,
}

impl TreeRegressor {
    /// Reads and checks the attributes of `node`.
    pub(in super::super) fn parse(node: &NodeProto) -> Result<Self, TreeError> {
        let malformed = |error: TractError| TreeError::Malformed(format!("{error:#}"));
        let targets: usize = node.get_attr_opt("n_targets").map_err(malformed)?.unwrap_or(1);
        let forest = Forest::parse(node, "target", targets)?;
        if targets == 0 || targets > forest.leaf_weights() {
            return Err(TreeError::Malformed(format!(
                "n_targets is {targets}, with {} leaf weights",
                forest.leaf_weights()
            )));
        }
        let base: Option<&[f32]> = node.get_attr_opt_slice("base_values").map_err(malformed)?;
        let base = base.unwrap_or_default().to_vec();
        if !base.is_empty() && base.len() != targets {
            return Err(TreeError::Malformed(format!(
                "base_values has {} entries for {targets} targets",
                base.len()
            )));
        }
        let aggregate = match node.get_attr_opt::<&str>("aggregate_function").map_err(malformed)? {
            None | Some("SUM") => Aggregate::Sum,
            Some("AVERAGE") => Aggregate::Average,
            Some("MIN") => Aggregate::Least,
            Some("MAX") => Aggregate::Greatest,
            Some(other) => return Err(TreeError::Malformed(format!("aggregate_function is {other}"))),
        };
        match node.get_attr_opt::<&str>("post_transform").map_err(malformed)? {
            None | Some("NONE") => Ok(Self { forest, targets, base, aggregate }),
            // onnxruntime ignores some of them for one target and applies them for several.
            Some(other) => Err(TreeError::Unsupported(format!("post_transform is {other}"))),
        }
    }

    fn finish(&self, values: &mut [f32], touched: &[bool]) {
        #[allow(clippy::cast_precision_loss, reason = "numbers of trees are small")]
        let trees = self.forest.trees() as f32;
        for (target, value) in values.iter_mut().enumerate() {
            // As in onnxruntime, a target that no leaf speaks for is 0, without its base value.
            if touched[target] || self.targets == 1 {
                if self.aggregate == Aggregate::Average {
                    *value /= trees;
                }
                *value += self.base.get(target).copied().unwrap_or_default();
            }
        }
    }
}

impl Kernel for TreeRegressor {
    fn name(&self) -> &'static str {
        "TreeEnsembleRegressor"
    }

    fn outputs(&self) -> Vec<(DatumType, Shape)> {
        vec![(f32::datum_type(), Shape::RowsBy(self.targets))]
    }

    fn input_rank(&self) -> Option<i64> {
        Some(2)
    }

    fn eval(&self, input: &Tensor) -> TractResult<TVec<Tensor>> {
        let mut predictions = Vec::new();
        let mut touched = vec![false; self.targets];
        let rows = super::tree::each_row(input, &self.forest, |row| {
            let start = predictions.len();
            predictions.resize(start + self.targets, 0.0);
            let values = &mut predictions[start..];
            touched.fill(false);
            self.forest.visit(row, |target, weight| {
                let first = !std::mem::replace(&mut touched[target], true);
                values[target] = match self.aggregate {
                    Aggregate::Sum | Aggregate::Average => values[target] + weight,
                    _ if first => weight,
                    Aggregate::Least => values[target].min(weight),
                    Aggregate::Greatest => values[target].max(weight),
                };
            });
            self.finish(values, &touched);
        })?;
        Ok(tvec![Tensor::from_shape(&[rows, self.targets], &predictions)?])
    }
}
