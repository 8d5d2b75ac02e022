//! Filters of a dataset: what its chunks went through on their way into the file.

use super::{
    fields::{Fault, Fields},
    scaled::Scaled,
};
use crate::{findings::Findings, rules};

/// A filter, by the number that is registered for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Deflate,
    /// Bytes of elements in another order.
    Shuffle {
        size: u32,
    },
    Fletcher32,
    /// h5py's.
    Lzf,
    /// Numbers as distances from their least one, in as few bits as they take.
    Scaled(Scaled),
    /// One that comes with HDF5 and is not undone here.
    Unread,
    /// A native library that the reader searches for and loads.
    Library,
}

impl Filter {
    fn of(id: u16, values: &[u32]) -> Option<Self> {
        Some(match id {
            1 => Self::Deflate,
            2 => Self::Shuffle { size: values.first().copied().unwrap_or(1) },
            3 => Self::Fletcher32,
            // Szip, and numbers without the bits that their type does not use.
            4 | 5 => Self::Unread,
            6 => Self::Scaled(Scaled::new(values)?),
            32000 => Self::Lzf,
            _ => Self::Library,
        })
    }
}

/// The filters of a message, in the order in which they were applied.
pub(super) fn read(fields: &mut Fields<'_>, findings: &mut Findings) -> Result<Vec<Filter>, Fault> {
    let version = fields.u8()?;
    let count = fields.u8()?;
    match version {
        1 => drop(fields.take(6)?),
        2 => {}
        _ => return Err(fields.bad("a version of filters that does not exist")),
    }
    let mut filters = Vec::new();
    for _ in 0..count {
        let at = fields.place();
        let id = fields.u16()?;
        let name = if version == 1 || id >= 256 { fields.u16()? } else { 0 };
        fields.u16()?;
        let count = usize::from(fields.u16()?);
        let name = usize::from(name);
        fields.take(if version == 1 { name.next_multiple_of(8) } else { name })?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(fields.u32()?);
        }
        if version == 1 && count % 2 == 1 {
            fields.u32()?;
        }
        let filter = Filter::of(id, &values);
        let filter = filter.ok_or(Fault::Bad { at, what: "a filter without what it needs to know" })?;
        if filter == Filter::Library {
            let message = "reading the data loads a native library for this filter";
            findings.about(&rules::HDF5_FILTER, Some(at), format!("filter {id}"), message);
        }
        filters.push(filter);
    }
    Ok(filters)
}
