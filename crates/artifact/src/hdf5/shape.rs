//! Shapes.

use super::fields::{Fault, Fields};

/// A shape.
#[derive(Debug)]
pub(super) struct Shape {
    /// The number of elements; `None` where it is beyond any memory.
    pub(super) elements: Option<u64>,
    /// How far each axis may grow.
    pub(super) limits: Vec<u64>,
}

/// The shape at the start of a message.
pub(super) fn dataspace(fields: &mut Fields<'_>, width: usize) -> Result<Shape, Fault> {
    let version = fields.u8()?;
    let axes = fields.u8()?;
    let has_limits = fields.u8()? & 1 != 0;
    if axes > 32 {
        return Err(fields.bad("more axes than HDF5 has"));
    }
    let kind = fields.u8()?;
    match version {
        1 => drop(fields.take(4)?),
        2 if kind == 2 => return Ok(Shape { elements: Some(0), limits: Vec::new() }),
        2 if kind < 2 => {}
        _ => return Err(fields.bad("a version of a shape that does not exist")),
    }
    let mut elements = Some(1u64);
    let mut limits = Vec::new();
    for _ in 0..axes {
        let size = fields.number(width)?;
        elements = elements.and_then(|elements| elements.checked_mul(size));
        limits.push(size);
    }
    if has_limits {
        for limit in &mut limits {
            let size = *limit;
            *limit = fields.number(width)?;
            if *limit < size {
                return Err(fields.bad("an axis that is longer than it may grow"));
            }
        }
    }
    Ok(Shape { elements, limits })
}
