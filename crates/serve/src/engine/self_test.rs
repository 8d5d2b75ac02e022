//! The last step of loading: does a row get the same answer alone and among others?
//!
//! Inference libraries have got this wrong for whole families of models, silently. The test runs synthetic rows; a
//! model whose inputs cannot be invented (texts it may not know, axes of unknown size) passes when the library merely
//! refuses those rows, since that says nothing about real ones.

use super::{Datatype, EngineError, Runnable, Tensor, TensorData, TensorSpec};

/// Inputs larger than this many values per row are not invented: the test must stay a small part of loading.
const MAX_VALUES_PER_ROW: usize = 1 << 20;
/// Size given to axes other than the first that may have any size.
const DYNAMIC_AXIS: usize = 8;
/// A row alone may differ from the same row among others by rounding: other kernels run for other sizes.
const TOLERANCE: f64 = 1e-4;

/// What the model file tells about values its inputs may take.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Texts the model's encoders know.
    pub(super) texts: Vec<String>,
    /// Whole numbers the model's encoders know.
    pub(super) numbers: Vec<i64>,
    /// The graph computes across rows by design (a quantisation range over the batch), so rows may differ.
    pub(super) rows_coupled_by_design: bool,
}

/// Runs `rows` invented rows through `together` at once and through `alone` one by one, and compares.
///
/// `batched` tells which inputs have the batch as axis 0.
pub(super) fn rows_agree(
    together: &dyn Runnable,
    alone: &dyn Runnable,
    rows: usize,
    batched: &[bool],
    hints: &Hints,
) -> Result<(), EngineError> {
    let specs = &alone.signature().inputs;
    let Some(inputs) = invent(specs, rows, batched, hints) else { return Ok(()) };
    let certain = specs.iter().all(|spec| {
        let inner = spec.dims.iter().skip(1);
        matches!(spec.datatype, Datatype::Fp32 | Datatype::Fp64 | Datatype::Bool)
            && inner.flatten().count() + 1 >= spec.dims.len()
    });
    let answer = match together.run(&inputs) {
        Ok(answer) => answer,
        Err(error) if certain => return Err(unfit(&error)),
        Err(_) => return Ok(()),
    };
    if hints.rows_coupled_by_design || !batched.contains(&true) {
        return Ok(());
    }
    for row in 0..rows {
        let one = one_row(&inputs, batched, row);
        let single = match alone.run(&one) {
            Ok(single) => single,
            Err(error) if certain => return Err(unfit(&error)),
            Err(_) => return Ok(()),
        };
        for (all, single) in answer.iter().zip(&single) {
            // An output without one entry per row (a scalar, a count) has no row to compare.
            if all.rows() != Some(rows) || single.rows() != Some(1) {
                continue;
            }
            if !all.slice_rows(row..row + 1).is_some_and(|of_all| close(&of_all, single)) {
                return Err(EngineError::RowsCoupled { output: all.name().to_owned(), row });
            }
        }
    }
    Ok(())
}

/// A model that fails on rows it has no reason to refuse is one the library cannot run.
fn unfit(error: &EngineError) -> EngineError {
    EngineError::Load { detail: format!("it fails on test rows: {}", error.reason()) }
}

/// Row `row` of every batched input; the others as they are.
pub(super) fn one_row(inputs: &[Tensor], batched: &[bool], row: usize) -> Vec<Tensor> {
    let take = |(input, &batched): (&Tensor, &bool)| {
        if batched { input.slice_rows(row..row + 1).unwrap_or_else(|| input.clone()) } else { input.clone() }
    };
    inputs.iter().zip(batched).map(take).collect()
}

/// Deterministic inputs for `rows` rows; `None` when they would be too large.
fn invent(specs: &[TensorSpec], rows: usize, batched: &[bool], hints: &Hints) -> Option<Vec<Tensor>> {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let one = |(spec, &batched): (&TensorSpec, &bool)| {
        let mut shape: Vec<usize> = spec.dims.iter().map(|dim| dim.unwrap_or(DYNAMIC_AXIS)).collect();
        if batched {
            *shape.first_mut()? = rows;
        }
        let count = shape.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim))?;
        if count > MAX_VALUES_PER_ROW * rows {
            return None;
        }
        Tensor::new(spec.name.clone(), shape, values(spec.datatype, count, &mut numbers, hints)).ok()
    };
    specs.iter().zip(batched).map(one).collect()
}

/// `count` values of a type: floats in [-2, 2), known texts and whole numbers, or zeros and ones, which index even the
/// smallest table.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "invented values are small, and any value will do"
)]
fn values(datatype: Datatype, count: usize, numbers: &mut Numbers, hints: &Hints) -> TensorData {
    let choose = |unit: f64, from: usize| (unit * from as f64) as usize;
    let float = |unit: f64| unit * 4.0 - 2.0;
    let whole = |unit: f64| match hints.numbers.as_slice() {
        [] => choose(unit, 2) as i64,
        known => known[choose(unit, known.len())],
    };
    let text = |unit: f64| hints.texts.get(choose(unit, hints.texts.len())).cloned().unwrap_or_default();
    let units = (0..count).map(|_| numbers.next());
    match datatype {
        Datatype::Bool => TensorData::Bool(units.map(|unit| unit < 0.5).collect()),
        Datatype::Uint8 => TensorData::Uint8(units.map(|unit| whole(unit) as u8).collect()),
        Datatype::Uint16 => TensorData::Uint16(units.map(|unit| whole(unit) as u16).collect()),
        Datatype::Uint32 => TensorData::Uint32(units.map(|unit| whole(unit) as u32).collect()),
        Datatype::Uint64 => TensorData::Uint64(units.map(|unit| whole(unit) as u64).collect()),
        Datatype::Int8 => TensorData::Int8(units.map(|unit| whole(unit) as i8).collect()),
        Datatype::Int16 => TensorData::Int16(units.map(|unit| whole(unit) as i16).collect()),
        Datatype::Int32 => TensorData::Int32(units.map(|unit| whole(unit) as i32).collect()),
        Datatype::Int64 => TensorData::Int64(units.map(whole).collect()),
        Datatype::Fp32 => TensorData::Fp32(units.map(|unit| float(unit) as f32).collect()),
        Datatype::Fp64 => TensorData::Fp64(units.map(float).collect()),
        Datatype::Bytes => TensorData::Bytes(units.map(text).collect()),
    }
}

/// A small deterministic generator (splitmix64, Steele et al. 2014), uniform in [0, 1).
struct Numbers(u64);

impl Numbers {
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Equal up to rounding; equal exactly where values are no floats.
fn close(left: &Tensor, right: &Tensor) -> bool {
    #[allow(clippy::float_cmp, reason = "infinities are near only when equal")]
    fn near(left: f64, right: f64) -> bool {
        left == right
            || (left.is_nan() && right.is_nan())
            || (left - right).abs() <= TOLERANCE + TOLERANCE * right.abs()
    }
    if left.shape() != right.shape() {
        return false;
    }
    match (left.data(), right.data()) {
        (TensorData::Fp32(left), TensorData::Fp32(right)) => {
            left.iter().zip(right).all(|(&left, &right)| near(left.into(), right.into()))
        }
        (TensorData::Fp64(left), TensorData::Fp64(right)) => {
            left.iter().zip(right).all(|(&left, &right)| near(left, right))
        }
        (left, right) => left == right,
    }
}
