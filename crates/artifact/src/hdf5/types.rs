//! Element types and shapes.

use super::fields::{Fault, Fields};

/// An element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) class: u8,
    /// Bytes of one element.
    pub(super) size: u64,
    /// A text of any length, kept elsewhere.
    pub(super) is_text: bool,
}

pub(super) const FIXED_TEXT: u8 = 3;
pub(super) const VARIABLE: u8 = 9;

/// The type at the start of a message.
pub(super) fn datatype(fields: &mut Fields<'_>) -> Result<Type, Fault> {
    let first = fields.u8()?;
    let (class, version) = (first & 15, first >> 4);
    if class > 11 || !(1..=5).contains(&version) {
        return Err(fields.bad("an element type that does not exist"));
    }
    let bits = fields.number(3)?;
    let size = u64::from(fields.u32()?);
    if size == 0 {
        return Err(fields.bad("elements without bytes"));
    }
    Ok(Type { class, size, is_text: class == VARIABLE && bits & 15 == 1 })
}

impl Type {
    /// What it is called beside its count.
    pub(super) fn name(self) -> String {
        let bits = self.size.saturating_mul(8);
        match self.class {
            0 => format!("int{bits}"),
            1 => format!("float{bits}"),
            FIXED_TEXT | VARIABLE => "text".to_owned(),
            class => format!("class {class}"),
        }
    }
}

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
            *limit = fields.number(width)?;
        }
    }
    Ok(Shape { elements, limits })
}
