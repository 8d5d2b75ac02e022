//! Datasets: whether the data that a shape and type promise lies in the file, and nowhere else.

use super::{
    fields::{Fault, Fields},
    header::Message,
    image::Image,
    types::{self, Type},
};
use crate::{findings::Findings, rules};

/// Filters that come with HDF5 and h5py.
const FILTERS: &[u16] = &[1, 2, 3, 4, 5, 6, 32000];
/// A dataset that is larger than this and than the file a thousand times expands out of nothing.
const BOMB: u64 = 4 << 30;
const EXPANSION: u64 = 1000;

/// What is known of a dataset once all its messages were seen.
#[derive(Debug, Default)]
pub(super) struct Dataset {
    kind: Option<Type>,
    shape: Option<Shape>,
    layout: Option<Layout>,
    axes: usize,
    filtered: bool,
}

/// How many elements there are, where they can be counted.
#[derive(Debug, Clone, Copy)]
struct Shape {
    elements: Option<u64>,
}

#[derive(Debug)]
enum Layout {
    /// The data stands in the header.
    Compact(u64),
    Contiguous {
        address: u64,
        size: Option<u64>,
    },
    Chunked {
        tree: u64,
        dimensions: usize,
        chunk: Option<u64>,
    },
}

impl Dataset {
    /// Takes over what a message tells.
    pub(super) fn message(
        &mut self,
        image: &Image,
        message: &Message,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        let mut fields = Fields::new(&message.data, message.place);
        match message.kind {
            0x1 | 0x3 | 0xb if message.shared => {
                let what = "a shared shape, type or list of filters, which is not followed";
                return Err(Fault::Limit { at: message.place, what });
            }
            0x1 => {
                self.axes = message.data.get(1).copied().map_or(0, usize::from);
                self.shape = Some(Shape { elements: types::dataspace(&mut fields, image.length_width)? });
            }
            0x3 => self.kind = Some(types::datatype(&mut fields)?),
            0x7 => findings.at(
                &rules::HDF5_EXTERNAL,
                message.place,
                "the data of this object lies in other files",
            ),
            0x8 => self.layout = layout(image, &mut fields, findings)?,
            0xb => {
                self.filtered = true;
                filters(&mut fields, findings)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Holds the place of the data against its shape and type.
    pub(super) fn check(&self, image: &mut Image, at: u64, findings: &mut Findings) -> Result<(), Fault> {
        let Some(layout) = &self.layout else { return Ok(()) };
        let (Some(kind), Some(shape)) = (self.kind, self.shape) else {
            return Err(Fault::Bad { at, what: "a dataset without a shape or a type" });
        };
        findings.facts.tensor(&kind.name(), shape.elements);
        let total = shape.elements.and_then(|elements| elements.checked_mul(kind.size));
        let limit = BOMB.max(image.size().saturating_mul(EXPANSION));
        let Some(total) = total.filter(|total| *total <= limit) else {
            findings.at(&rules::HDF5_BOMB, at, "a shape that expands far beyond the file");
            return Ok(());
        };
        match layout {
            Layout::Compact(size) if *size != total => {
                findings.at(&rules::HDF5_EXTENT, at, format!("{size} bytes for a shape of {total}"));
            }
            Layout::Compact(_) => {}
            // Data that was never written has no place; readers fill it in.
            Layout::Contiguous { address, .. } if *address == image.undefined() => {}
            Layout::Contiguous { address, size } => {
                if size.is_some_and(|size| size != total) || !image.holds(*address, total) {
                    let message = format!("{total} bytes of data do not lie where they should");
                    findings.at(&rules::HDF5_EXTENT, image.place(*address), message);
                }
            }
            Layout::Chunked { tree, .. } if *tree == image.undefined() => {}
            Layout::Chunked { tree, dimensions, chunk } => {
                if *dimensions != self.axes + 1 {
                    return Err(Fault::Bad { at, what: "chunks of another number of axes than the shape" });
                }
                let whole = chunk.filter(|_| !self.filtered);
                chunks(image, *tree, *dimensions, whole, findings)?;
            }
        }
        Ok(())
    }
}

fn layout(image: &Image, fields: &mut Fields<'_>, findings: &mut Findings) -> Result<Option<Layout>, Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let version = fields.u8()?;
    if version < 3 {
        let dimensions = usize::from(fields.u8()?);
        let class = fields.u8()?;
        fields.take(5)?;
        let address = if class == 0 { 0 } else { fields.number(wide)? };
        let mut product = Some(1u64);
        for _ in 0..dimensions {
            let size = u64::from(fields.u32()?);
            product = product.and_then(|product| product.checked_mul(size));
        }
        return Ok(Some(match class {
            0 => Layout::Compact(u64::from(fields.u32()?)),
            1 => Layout::Contiguous { address, size: None },
            2 => Layout::Chunked { tree: address, dimensions, chunk: product },
            _ => return Err(fields.bad("a layout that does not exist")),
        }));
    }
    let class = fields.u8()?;
    Ok(Some(match (version, class) {
        (3..=5, 0) => Layout::Compact(u64::from(fields.u16()?)),
        (3..=5, 1) => Layout::Contiguous { address: fields.number(wide)?, size: Some(fields.number(long)?) },
        (3, 2) => {
            let dimensions = usize::from(fields.u8()?);
            let tree = fields.number(wide)?;
            let mut chunk = Some(1u64);
            for _ in 0..dimensions {
                let size = u64::from(fields.u32()?);
                chunk = chunk.and_then(|chunk| chunk.checked_mul(size));
            }
            Layout::Chunked { tree, dimensions, chunk }
        }
        // HDF5 2.0 writes version 5 for chunks whose sizes are wider.
        (4 | 5, 2) => {
            let what = "chunks with a newer index, which is not followed";
            return Err(Fault::Limit { at: fields.place(), what });
        }
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

/// Every chunk must lie in the file. `whole` is the size of each where nothing compresses them.
fn chunks(
    image: &mut Image,
    tree: u64,
    dimensions: usize,
    whole: Option<u64>,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let wide = image.offset_width;
    let mut open = vec![(tree, u8::MAX)];
    let mut seen = 0u64;
    while let Some((address, above)) = open.pop() {
        let head = image.bytes(address, 8 + 2 * wide as u64)?;
        let mut fields = Fields::new(&head, image.place(address));
        fields.signature(*b"TREE", "no tree of chunks is here")?;
        let (kind, level, count) = (fields.u8()?, fields.u8()?, u64::from(fields.u16()?));
        if kind != 1 || level >= above {
            return Err(fields.bad("a tree of chunks that leads back to itself, or is none"));
        }
        let body = address + head.len() as u64;
        let entry = 8 + 8 * dimensions as u64 + wide as u64;
        let bytes = image.bytes(body, count * entry)?;
        let mut fields = Fields::new(&bytes, image.place(body));
        for _ in 0..count {
            let size = u64::from(fields.u32()?);
            // Filters that were left out; where there is none, that is no reason for another size.
            fields.u32()?;
            fields.take(8 * dimensions)?;
            let child = fields.number(wide)?;
            if level > 0 {
                open.push((child, level));
            } else if !image.holds(child, size) || whole.is_some_and(|whole| whole != size) {
                let message = format!("a chunk of {size} bytes does not lie where it should");
                findings.at(&rules::HDF5_EXTENT, image.place(child), message);
            }
        }
        seen += count;
        if seen > super::walk::MAX_OBJECTS as u64 {
            return Err(Fault::Limit { at: image.place(address), what: "more chunks than are followed" });
        }
    }
    Ok(())
}

/// A filter that does not come with HDF5 is a native library that the reader searches for and loads.
fn filters(fields: &mut Fields<'_>, findings: &mut Findings) -> Result<(), Fault> {
    let version = fields.u8()?;
    let count = fields.u8()?;
    match version {
        1 => drop(fields.take(6)?),
        2 => {}
        _ => return Err(fields.bad("a version of filters that does not exist")),
    }
    for _ in 0..count {
        let at = fields.place();
        let id = fields.u16()?;
        let name = if version == 1 || id >= 256 { fields.u16()? } else { 0 };
        fields.u16()?;
        let values = usize::from(fields.u16()?);
        let name = usize::from(name);
        fields.take(if version == 1 { name.next_multiple_of(8) } else { name })?;
        let odd = version == 1 && values % 2 == 1;
        fields.take(4 * (values + usize::from(odd)))?;
        if !FILTERS.contains(&id) {
            let message = "reading the data loads a native library for this filter";
            findings.about(&rules::HDF5_FILTER, Some(at), format!("filter {id}"), message);
        }
    }
    Ok(())
}
