//! Where the data of a dataset lies: in the header, in one piece, or in chunks with an index.

use super::{
    fields::{Fault, Fields},
    image::Image,
};
use crate::{findings::Findings, rules};

#[derive(Debug)]
pub(super) enum Layout {
    /// The data stands in the header.
    Compact(u64),
    Contiguous {
        address: u64,
        size: Option<u64>,
    },
    Chunked {
        index: Index,
        /// The sizes of a chunk: of each axis, and of an element in bytes.
        sizes: Vec<u64>,
        /// Chunks that the shape does not fill are not packed.
        partial: bool,
    },
}

/// How chunks are found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Index {
    /// A tree of the older kind.
    Tree(u64),
    /// There is one; its size, and the filters that it did not go through, where it went through some.
    Single(u64, Option<(u64, u32)>),
    /// All stand one behind the other.
    Implicit(u64),
    /// An array that has a place for each.
    Fixed(u64),
    /// An array that grows.
    Extensible(u64),
    /// A tree of the newer kind.
    Records(u64),
}

impl Index {
    /// Nothing was ever written, and readers fill it in.
    pub(super) fn is_empty(self, image: &Image) -> bool {
        let (Self::Tree(address)
        | Self::Single(address, _)
        | Self::Implicit(address)
        | Self::Fixed(address)
        | Self::Extensible(address)
        | Self::Records(address)) = self;
        address == image.undefined()
    }
}

/// The layout in a message; `None` with a finding where the data is put together from elsewhere.
pub(super) fn read(
    image: &Image,
    fields: &mut Fields<'_>,
    findings: &mut Findings,
) -> Result<Option<Layout>, Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let version = fields.u8()?;
    if version < 3 {
        return oldest(image, fields).map(Some);
    }
    let class = fields.u8()?;
    Ok(Some(match (version, class) {
        (3..=5, 0) => Layout::Compact(u64::from(fields.u16()?)),
        (3..=5, 1) => Layout::Contiguous { address: fields.number(wide)?, size: Some(fields.number(long)?) },
        (3, 2) => {
            let dimensions = fields.u8()?;
            let index = Index::Tree(fields.number(wide)?);
            Layout::Chunked { index, sizes: sizes(fields, dimensions, 4)?, partial: false }
        }
        // Version 5, of HDF5 2.0, keeps the sizes of packed chunks in wider fields of the indexes.
        (4 | 5, 2) => newer(image, fields)?,
        (4 | 5, 3) => {
            findings.at(
                &rules::HDF5_EXTERNAL,
                fields.place(),
                "the data of this object is put together from others",
            );
            return Ok(None);
        }
        _ => return Err(fields.bad("a layout that does not exist")),
    }))
}

fn oldest(image: &Image, fields: &mut Fields<'_>) -> Result<Layout, Fault> {
    let dimensions = fields.u8()?;
    let class = fields.u8()?;
    fields.take(5)?;
    let address = if class == 0 { 0 } else { fields.number(image.offset_width)? };
    let sizes = sizes(fields, dimensions, 4)?;
    Ok(match class {
        0 => Layout::Compact(u64::from(fields.u32()?)),
        1 => Layout::Contiguous { address, size: None },
        2 => Layout::Chunked { index: Index::Tree(address), sizes, partial: false },
        _ => return Err(fields.bad("a layout that does not exist")),
    })
}

/// Chunks with one of the newer indexes.
fn newer(image: &Image, fields: &mut Fields<'_>) -> Result<Layout, Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let flags = fields.u8()?;
    let dimensions = fields.u8()?;
    let width = usize::from(fields.u8()?);
    if !(1..=8).contains(&width) {
        return Err(fields.bad("sizes of chunks of a width that does not exist"));
    }
    let sizes = sizes(fields, dimensions, width)?;
    let index = match fields.u8()? {
        1 => {
            let packed = flags & 2 != 0;
            let packed = if packed { Some((fields.number(long)?, fields.u32()?)) } else { None };
            Index::Single(fields.number(wide)?, packed)
        }
        2 => Index::Implicit(fields.number(wide)?),
        // What an array or a tree was made with stands in its head once more.
        3 => {
            fields.take(1)?;
            Index::Fixed(fields.number(wide)?)
        }
        4 => {
            fields.take(5)?;
            Index::Extensible(fields.number(wide)?)
        }
        5 => {
            fields.take(6)?;
            Index::Records(fields.number(wide)?)
        }
        _ => return Err(fields.bad("an index of chunks that does not exist")),
    };
    Ok(Layout::Chunked { index, sizes, partial: flags & 1 != 0 })
}

fn sizes(fields: &mut Fields<'_>, count: u8, width: usize) -> Result<Vec<u64>, Fault> {
    (0..count).map(|_| fields.number(width)).collect()
}
