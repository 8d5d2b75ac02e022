//! The bridge between a plain function of a tensor and an operator of tract.
//!
//! Invariant: a kernel is pure; it is shared by all plans and threads.

use std::{fmt::Debug, sync::Arc};

#[allow(clippy::wildcard_imports, reason = "tract's macros expect all of its names in scope")]
use tract_onnx::tract_hir::internal::*;

/// How the shape of an output follows from that of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The input's.
    Same,
    /// The input's with one more axis of this size at the end.
    Extended(usize),
    /// One value per row of the input.
    PerRow,
    /// This many values per row of the input.
    RowsBy(usize),
}

impl Shape {
    fn of(self, input: &[TDim]) -> TVec<TDim> {
        let rows = || input.first().cloned().unwrap_or_else(|| 1.to_dim());
        match self {
            Self::Same => input.into(),
            Self::Extended(size) => input.iter().cloned().chain([size.to_dim()]).collect(),
            Self::PerRow => tvec![rows()],
            Self::RowsBy(size) => tvec![rows(), size.to_dim()],
        }
    }
}

/// A pure function of one tensor.
pub(super) trait Kernel: Debug + Send + Sync + 'static {
    /// Name of the ONNX operator.
    fn name(&self) -> &'static str;

    /// Type and shape of every output.
    fn outputs(&self) -> Vec<(DatumType, Shape)>;

    /// Axes the input must have; `None` where any number goes.
    fn input_rank(&self) -> Option<i64> {
        None
    }

    /// The outputs for `input`.
    fn eval(&self, input: &Tensor) -> TractResult<TVec<Tensor>>;
}

/// Any kernel as an operator of tract.
#[derive(Clone, Debug)]
pub(super) struct KernelOp(Arc<dyn Kernel>);

impl KernelOp {
    pub(super) fn new(kernel: impl Kernel) -> Self {
        Self(Arc::new(kernel))
    }
}

impl PartialEq for KernelOp {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for KernelOp {}

impl Expansion for KernelOp {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.0.outputs().len())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        let kinds = self.0.outputs();
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, kinds.len())?;
        if let Some(rank) = self.0.input_rank() {
            solver.equals(&inputs[0].rank, rank)?;
        }
        for (output, (datum_type, shape)) in outputs.iter().zip(kinds) {
            solver.equals(&output.datum_type, datum_type)?;
            solver.given(&inputs[0].shape, move |solver, input: TVec<TDim>| {
                solver.equals(&output.shape, shape.of(&input))
            })?;
        }
        Ok(())
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for KernelOp {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    op_as_typed_op!();
}

impl EvalOp for KernelOp {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let outputs = self.0.eval(&input).with_context(|| self.0.name().to_owned())?;
        Ok(outputs.into_iter().map(Tensor::into_tvalue).collect())
    }
}

impl TypedOp for KernelOp {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let input = &inputs[0].shape;
        Ok(self.0.outputs().into_iter().map(|(kind, shape)| kind.fact(shape.of(input))).collect())
    }

    as_op!();
}
