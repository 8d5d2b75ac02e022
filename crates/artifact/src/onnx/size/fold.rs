//! Arithmetic on small constants, as the standard's operators do it, and how many elements a maker makes of them.

/// Whole numbers below this one are kept exactly (2^53).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Elements that an operator makes at least.
pub(super) fn made(operator: &str, known: &[Option<&[f64]>], shape: Option<&[f64]>) -> Option<f64> {
    let constant = |input: usize| known.get(input).copied().flatten();
    match operator {
        "ConstantOfShape" | "BlackmanWindow" | "HammingWindow" | "HannWindow" => constant(0).map(product),
        "Expand" | "Tile" | "OneHot" | "Upsample" => constant(1).map(product),
        // Scales were the second input at first, and are the third; sizes are the fourth.
        "Resize" => (1..4).filter_map(constant).map(product).reduce(f64::max),
        "Pad" => constant(1).or(shape).map(padded),
        "Range" => steps(constant(0)?, constant(1)?, constant(2)?),
        _ => shape.map(product),
    }
}

/// What is added before and behind each axis, multiplied.
fn padded(pads: &[f64]) -> f64 {
    if pads == [f64::INFINITY] {
        return f64::INFINITY;
    }
    let (before, behind) = pads.split_at(pads.len() / 2);
    let sums: Vec<f64> = before.iter().zip(behind).map(|(one, other)| (one + other).max(0.0)).collect();
    product(&sums)
}

/// The constant that an operator gives for constants.
pub(super) fn fold(operator: &str, known: &[Option<&[f64]>]) -> Option<Vec<f64>> {
    let first = known.first().copied().flatten();
    let pair = |combine: fn(f64, f64) -> f64| {
        let (left, right) = (first?, known.get(1).copied().flatten()?);
        // Of numbers that are not kept exactly it is not known how far apart they are.
        let exact = left.iter().chain(right).all(|value| value.abs() < EXACT);
        if exact { each(left, right, combine) } else { None }
    };
    match operator {
        "Cast" | "Flatten" | "Identity" | "Reshape" | "Squeeze" | "Unsqueeze" => first.map(<[f64]>::to_vec),
        "Abs" => first.map(|values| values.iter().map(|value| value.abs()).collect()),
        "Neg" => first.map(|values| values.iter().map(|value| -value).collect()),
        "Concat" => {
            let parts: Option<Vec<&[f64]>> = known.iter().copied().collect();
            let parts = parts?;
            let length: usize = parts.iter().map(|part| part.len()).sum();
            (length <= super::MAX_RANK).then(|| parts.concat())
        }
        "Add" => pair(|left, right| left + right),
        "Sub" => pair(|left, right| left - right),
        "Mul" => pair(|left, right| left * right),
        "Div" => pair(|left, right| left / right),
        "Pow" => pair(f64::powf),
        _ => None,
    }
}

/// Numbers as another type has them: one below zero becomes a large one where that has no sign.
pub(super) fn cast(values: &[f64], target: Option<i64>) -> Vec<f64> {
    let range: f64 = match target {
        Some(2) => 256.0,
        Some(4) => 65_536.0,
        Some(12) => 4_294_967_296.0,
        Some(13) => 18_446_744_073_709_551_616.0,
        _ => return values.to_vec(),
    };
    let wrapped = |value: &f64| if *value < 0.0 { value.trunc().rem_euclid(range) } else { *value };
    values.iter().map(wrapped).collect()
}

/// The sizes that a tensor of this shape gets; `None` where they do not fit. Zero keeps a size, and one below zero is what is left.
#[expect(clippy::float_cmp, reason = "whole numbers that are kept exactly")]
pub(super) fn reshaped(shape: &[f64], sizes: &[f64]) -> Option<Vec<f64>> {
    let kept = sizes.iter().enumerate().map(|(axis, size)| match *size {
        0.0 => shape.get(axis).copied(),
        size => Some(size),
    });
    let mut made: Vec<f64> = kept.collect::<Option<_>>()?;
    let left = product(shape) / product(&made);
    for size in &mut made {
        if *size < 0.0 {
            *size = left;
        }
    }
    (product(&made) == product(shape)).then_some(made)
}

/// A shape whose axes come in another order, the last first where none is told.
#[expect(clippy::float_cmp, reason = "whole numbers that are kept exactly")]
pub(super) fn permuted(shape: &[f64], order: Option<&[f64]>) -> Option<Vec<f64>> {
    let Some(order) = order else { return Some(turned(shape, true)) };
    let axis =
        |wanted: &f64| (0..).zip(shape).find(|(axis, _)| f64::from(*axis) == *wanted).map(|(_, size)| *size);
    if order.len() == shape.len() { order.iter().map(axis).collect() } else { None }
}

/// Combines two lists of one length; a list of one number stands for as many as the other has.
fn each(left: &[f64], right: &[f64], combine: fn(f64, f64) -> f64) -> Option<Vec<f64>> {
    let length = left.len().max(right.len());
    let at = |list: &[f64], index: usize| {
        if list.len() == 1 { list.first().copied() } else { list.get(index).copied() }
    };
    (0..length).map(|index| Some(combine(at(left, index)?, at(right, index)?))).collect()
}

/// The shape of two that are combined element by element; `None` where they do not fit.
#[expect(clippy::float_cmp, reason = "whole numbers that are kept exactly")]
pub(super) fn broadcast(left: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let length = left.len().max(right.len());
    let at = |list: &[f64], index: usize| {
        (index + list.len()).checked_sub(length).and_then(|index| list.get(index)).copied().unwrap_or(1.0)
    };
    let sizes = (0..length).map(|index| match (at(left, index), at(right, index)) {
        (one, other) if one == other || other == 1.0 => Some(one),
        (1.0, other) => Some(other),
        _ => None,
    });
    sizes.collect()
}

/// The shape of a product of matrices.
pub(super) fn multiplied(left: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let ([outer @ .., rows, _], [inner @ .., _, columns]) = (left, right) else { return None };
    let mut shape = broadcast(outer, inner)?;
    shape.extend([rows, columns]);
    Some(shape)
}

/// The shape of a matrix, turned or not.
pub(super) fn turned(shape: &[f64], turned: bool) -> Vec<f64> {
    let mut shape = shape.to_vec();
    if turned {
        shape.reverse();
    }
    shape
}

/// A shape with what is added before and behind each axis; `None` where they do not fit.
pub(super) fn enlarged(shape: &[f64], pads: &[f64]) -> Option<Vec<f64>> {
    if pads.len() != 2 * shape.len() {
        return None;
    }
    let (before, behind) = pads.split_at(shape.len());
    let pads = before.iter().zip(behind);
    Some(shape.iter().zip(pads).map(|(size, (before, behind))| size + before + behind).collect())
}

pub(super) fn product(shape: &[f64]) -> f64 {
    shape.iter().fold(1.0, |count, size| count * size.abs().max(1.0))
}

fn steps(start: &[f64], limit: &[f64], step: &[f64]) -> Option<f64> {
    let ([start], [limit], [step]) = (start, limit, step) else { return None };
    Some(((limit - start) / step).abs())
}
