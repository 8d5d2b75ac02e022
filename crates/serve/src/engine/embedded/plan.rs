//! A graph that tract has planned, and the loop over rows for graphs that take one row only.

use std::{path::Path, sync::Arc};

use tract_onnx::{
    pb::ModelProto,
    prelude::{
        InferenceFact, InferenceModelExt as _, IntoRunnable as _, TDim, ToDim as _, TractResult,
        TypedRunnableModel,
    },
    tract_hir::{
        infer::Factoid as _,
        internal::{Datum as _, DatumType, SpecialOps as _, TypedFact, TypedModel, bail},
        tract_core::ops::cast::cast,
    },
};

use super::{
    super::{Batching, EngineError, Runnable, Signature, Tensor, TensorSpec, self_test::one_row},
    declared::{Axis, Declared},
    operators,
    values::{datum_type, from_datum_type, from_tract, to_tract},
};

/// Size of the batch a plan is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    Any,
    Exactly(usize),
}

/// A planned graph; running it keeps no state, so one plan serves all threads.
#[derive(Debug)]
pub(super) struct Plan {
    graph: Arc<TypedRunnableModel>,
    signature: Signature,
    batched: Vec<bool>,
}

impl Plan {
    /// Plans `proto` for a batch of `rows`.
    pub(super) fn build(
        proto: &ModelProto,
        directory: Option<&Path>,
        declared: &Declared,
        rows: Rows,
    ) -> Result<Self, EngineError> {
        let load = |error| EngineError::Load { detail: format!("{error:#}") };
        let graph = optimise(proto, directory, declared, rows).map_err(load)?;
        let signature = signature(&graph, declared)?;
        Ok(Self { graph, signature, batched: declared.batched.clone() })
    }
}

impl Runnable for Plan {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn batching(&self) -> Batching {
        if self.batched.contains(&true) { Batching::Rows } else { Batching::Fixed }
    }

    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        common_rows(inputs, &self.batched)?;
        let failed = |error| EngineError::Run { detail: format!("{error:#}") };
        let inputs = inputs.iter().map(|input| Ok(to_tract(input)?.into()));
        let inputs = inputs.collect::<TractResult<_>>().map_err(failed)?;
        let outputs = self.graph.run(inputs).map_err(failed)?;
        let specs = self.signature.outputs.iter();
        specs.zip(outputs).map(|(spec, output)| from_tract(&spec.name, spec.datatype, &output)).collect()
    }
}

/// A plan of one row, run once per row.
#[derive(Debug)]
pub(super) struct Looped {
    one: Plan,
}

impl Looped {
    /// Wraps a plan built for one row.
    ///
    /// # Errors
    /// [`EngineError::Load`] when some output has no row to put under the others.
    pub(super) fn new(one: Plan) -> Result<Self, EngineError> {
        for (at, spec) in one.signature.outputs.iter().enumerate() {
            let fact = one.graph.model().output_fact(at);
            let rows = fact.ok().and_then(|fact| fact.shape.first()?.as_i64());
            if rows != Some(1) {
                let detail = format!("output `{}` does not have the batch as axis 0", spec.name);
                return Err(EngineError::Load { detail });
            }
        }
        Ok(Self { one })
    }
}

impl Runnable for Looped {
    fn signature(&self) -> &Signature {
        &self.one.signature
    }

    fn batching(&self) -> Batching {
        Batching::OneByOne
    }

    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        let rows = common_rows(inputs, &self.one.batched)?.unwrap_or(1);
        let mut all: Option<Vec<Tensor>> = None;
        for row in 0..rows {
            let answer = self.one.run(&one_row(inputs, &self.one.batched, row))?;
            match &mut all {
                None => all = Some(answer),
                Some(all) => {
                    for (above, below) in all.iter_mut().zip(answer) {
                        above.append_rows(below)?;
                    }
                }
            }
        }
        all.ok_or_else(|| EngineError::Run { detail: "this model needs at least one row".to_owned() })
    }
}

/// The number of rows, the same in every batched input; `None` when no input is batched.
fn common_rows(inputs: &[Tensor], batched: &[bool]) -> Result<Option<usize>, EngineError> {
    let mut batched = inputs.iter().zip(batched).filter(|&(_, &batched)| batched).map(|(input, _)| input);
    let Some(first) = batched.next() else { return Ok(None) };
    let wanted = first.rows().unwrap_or_default();
    match batched.find(|input| input.rows() != Some(wanted)) {
        None => Ok(Some(wanted)),
        Some(other) => Err(EngineError::RowCount {
            input: other.name().to_owned(),
            got: other.rows().unwrap_or_default(),
            first: first.name().to_owned(),
            wanted,
        }),
    }
}

fn optimise(
    proto: &ModelProto,
    directory: Option<&Path>,
    declared: &Declared,
    rows: Rows,
) -> TractResult<Arc<TypedRunnableModel>> {
    let directory = match directory.map(Path::to_str) {
        Some(None) => bail!("the path of the model is not UTF-8"),
        Some(Some(directory)) => Some(directory),
        None => None,
    };
    // Shapes noted by the exporter may be stale, or name a batch that is fixed here: tract infers its own.
    let mut framework = operators::framework();
    framework.ignore_value_info = true;
    let parsed = framework.parse(proto, directory)?;
    if let Some(name) = parsed.unresolved_inputs.first() {
        bail!("value `{name}` is used but never made");
    }
    let mut model = parsed.model;
    let batch: TDim = match rows {
        Rows::Exactly(rows) => rows.to_dim(),
        Rows::Any => batch_symbol(&model.symbols, declared),
    };
    for (at, input) in declared.inputs.iter().enumerate() {
        let parsed = model.input_fact(at)?.shape.clone();
        let axis = |(axis, size): (usize, &Axis)| match size {
            _ if axis == 0 && declared.batched[at] => batch.clone(),
            Axis::Fixed(size) => size.to_dim(),
            // The name may be an expression that tract understands, and shares with other inputs.
            Axis::Named(_) | Axis::Unnamed => parsed
                .dim(axis)
                .and_then(|dim| dim.concretize())
                .unwrap_or_else(|| model.symbols.new_with_prefix("axis").into()),
        };
        let shape: Vec<TDim> = input.axes.iter().enumerate().map(axis).collect();
        let fact = InferenceFact::dt_shape(datum_type(input.datatype), shape);
        model.set_input_fact(at, fact)?;
    }
    let mut model = model.into_typed()?;
    count_in_int64(&mut model)?;
    let half = |fact: &TypedFact| fact.datum_type == DatumType::F16 && fact.konst.is_none();
    if model.nodes().iter().flat_map(|node| &node.outputs).any(|outlet| half(&outlet.fact)) {
        bail!("the graph computes in half precision, which every library rounds in its own way");
    }
    model.into_optimized()?.into_runnable()
}

/// Casts outputs that tract counts in its own symbolic integers, while it still knows what the symbols stand for.
fn count_in_int64(model: &mut TypedModel) -> TractResult<()> {
    let mut outlets = model.output_outlets()?.to_vec();
    for (at, outlet) in outlets.iter_mut().enumerate() {
        if model.outlet_fact(*outlet)?.datum_type == DatumType::TDim {
            *outlet = model.wire_node(format!("output.{at}.int64"), cast(i64::datum_type()), &[*outlet])?[0];
        }
    }
    model.select_output_outlets(&outlets)
}

/// The symbol of the batch: the name the file gives it where tract can read it, else a new one.
fn batch_symbol(symbols: &tract_onnx::prelude::SymbolScope, declared: &Declared) -> TDim {
    let named = declared.inputs.iter().zip(&declared.batched).find_map(|(input, &batched)| {
        match input.axes.first() {
            Some(Axis::Named(name)) if batched => symbols.get(name),
            _ => None,
        }
    });
    named.unwrap_or_else(|| symbols.new_with_prefix("rows")).into()
}

/// The declared signature, completed from the plan where the file is silent about an output.
fn signature(graph: &TypedRunnableModel, declared: &Declared) -> Result<Signature, EngineError> {
    let open = |axis: &Axis| match axis {
        Axis::Fixed(size) => Some(*size),
        Axis::Named(_) | Axis::Unnamed => None,
    };
    let inputs = declared.inputs.iter().map(|input| TensorSpec {
        name: input.name.clone(),
        datatype: input.datatype,
        dims: input.axes.iter().map(open).collect(),
        class_names: Vec::new(),
    });
    let output = |(at, output): (usize, &super::declared::Output)| {
        let load = |error| EngineError::Load { detail: format!("output `{}`: {error:#}", output.name) };
        let fact = graph.model().output_fact(at).map_err(load)?;
        let datatype = output.datatype.or_else(|| from_datum_type(fact.datum_type));
        let datatype = datatype.ok_or_else(|| EngineError::UnsupportedTensor {
            tensor: output.name.clone(),
            detail: format!("has type {:?}, which answers cannot carry", fact.datum_type),
        })?;
        let made: Vec<Option<usize>> =
            fact.shape.iter().map(|dim| usize::try_from(dim.as_i64()?).ok()).collect();
        let dims = match &output.axes {
            None => made,
            // Exporters declare wrong sizes, which says nothing; a wrong number of axes is an operator gone wrong.
            Some(axes) if axes.len() != made.len() => {
                let detail = format!(
                    "output `{}` would have shape {:?}, the file declares {} axes",
                    output.name,
                    fact.shape,
                    axes.len()
                );
                return Err(EngineError::Load { detail });
            }
            // An open axis stays open: the plan may be for one row.
            Some(axes) => {
                axes.iter().zip(made).map(|(told, made)| open(told).and(made.or(open(told)))).collect()
            }
        };
        Ok(TensorSpec { name: output.name.clone(), datatype, dims, class_names: output.class_names.clone() })
    };
    Ok(Signature {
        inputs: inputs.collect(),
        outputs: declared.outputs.iter().enumerate().map(output).collect::<Result<_, _>>()?,
    })
}
