//! Arithmetic on small constants, as the standard's operators do it, and how many elements a maker makes of them.

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
    let pair = |combine: fn(f64, f64) -> f64| each(first?, known.get(1).copied().flatten()?, combine);
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
