//! `ArrayFeatureExtractor`: picks entries of the last axis.
//!
//! However the indices are shaped, they make one axis; a vector is taken for one row. (tract keeps the shape of the
//! indices, so a scalar index loses an axis and later operators meet the wrong columns.)

use tract_onnx::{
    pb::NodeProto,
    tract_hir::{
        infer::InferenceOp,
        internal::{
            AxisOp, Datum as _, Expansion, InferenceResult, OutletId, Solver, SpecialOps as _, StaticName,
            TDim, TVec, TensorProxy, ToDim as _, TractResult, TypedModel, check_input_arity,
            check_output_arity, tvec,
        },
        ops::expandable::expand,
        tract_core::ops::{array::Gather, cast::cast},
    },
};

/// The operator; it has no attributes.
#[derive(Clone, Debug)]
struct ArrayFeatureExtractor;

pub(super) fn build(_node: &NodeProto) -> Box<dyn InferenceOp> {
    expand(ArrayFeatureExtractor)
}

impl Expansion for ArrayFeatureExtractor {
    fn name(&self) -> StaticName {
        "ArrayFeatureExtractor".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 2)?;
        check_output_arity(outputs, 1)?;
        solver.equals(&outputs[0].datum_type, &inputs[0].datum_type)?;
        solver.given_2(&inputs[0].shape, &inputs[1].shape, move |solver, data, indices| {
            let picked: TDim = indices.iter().product();
            let mut shape: TVec<TDim> = data.iter().take(data.len().saturating_sub(1)).cloned().collect();
            if shape.is_empty() {
                shape.push(1.to_dim());
            }
            shape.push(picked);
            solver.equals(&outputs[0].shape, shape)
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let mut data = inputs[0];
        if model.outlet_fact(data)?.rank() == 1 {
            data = model.wire_node(format!("{prefix}.row"), AxisOp::Add(0), &[data])?[0];
        }
        let mut indices =
            model.wire_node(format!("{prefix}.indices"), cast(i64::datum_type()), &inputs[1..])?[0];
        let shape = model.outlet_fact(indices)?.shape.to_tvec();
        if shape.len() != 1 {
            let flat = AxisOp::Reshape(0, shape.clone(), tvec![shape.iter().product()]);
            indices = model.wire_node(format!("{prefix}.flat"), flat, &[indices])?[0];
        }
        let axis = model.outlet_fact(data)?.rank() - 1;
        model.wire_node(prefix, Gather::new(axis), &[data, indices])
    }
}
