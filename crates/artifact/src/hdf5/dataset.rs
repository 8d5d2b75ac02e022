//! Datasets: whether the data that a shape and type promise lies in the file, and nowhere else.

use std::rc::Rc;

use super::{
    fields::{Fault, Fields},
    filters::{self, Filter},
    header::Message,
    image::Image,
    packed::{Chunk, Packed},
    types::{self, Type},
};
use crate::{findings::Findings, rules};

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
    filters: Vec<Filter>,
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
            0xb => self.filters = filters::read(&mut fields, findings)?,
            _ => {}
        }
        Ok(())
    }

    /// Holds the place of the data against its shape and type. Chunks that went through filters are added to `packed`.
    pub(super) fn check(
        self,
        image: &mut Image,
        at: u64,
        packed: &mut Packed,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
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
                let Some(whole) = *chunk else {
                    return Err(Fault::Bad { at, what: "chunks of an impossible size" });
                };
                let form = Form { dimensions: *dimensions, whole, filters: self.filters.into() };
                chunks(image, *tree, &form, packed, findings)?;
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

/// What all chunks of a dataset have in common.
struct Form {
    dimensions: usize,
    /// Bytes of each before it goes through the filters.
    whole: u64,
    filters: Rc<[Filter]>,
}

/// Every chunk must lie in the file.
fn chunks(
    image: &mut Image,
    tree: u64,
    form: &Form,
    packed: &mut Packed,
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
        let entry = 8 + 8 * form.dimensions as u64 + wide as u64;
        let bytes = image.bytes(body, count * entry)?;
        let mut fields = Fields::new(&bytes, image.place(body));
        for _ in 0..count {
            let (size, left_out) = (u64::from(fields.u32()?), fields.u32()?);
            fields.take(8 * form.dimensions)?;
            let child = fields.number(wide)?;
            if level > 0 {
                open.push((child, level));
            } else {
                chunk(image, child, size, left_out, form, packed, findings)?;
            }
        }
        seen += count;
        if seen > super::walk::MAX_OBJECTS as u64 {
            return Err(Fault::Limit { at: image.place(address), what: "more chunks than are followed" });
        }
    }
    Ok(())
}

/// One chunk of `size` bytes; `left_out` has a bit for each filter that it did not go through.
fn chunk(
    image: &Image,
    address: u64,
    size: u64,
    left_out: u32,
    form: &Form,
    packed: &mut Packed,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let at = image.place(address);
    if !image.holds(address, size) || (form.filters.is_empty() && form.whole != size) {
        let message = format!("a chunk of {size} bytes does not lie where it should");
        findings.at(&rules::HDF5_EXTENT, at, message);
    } else if !form.filters.is_empty() {
        packed.add(Chunk { at, size, whole: form.whole, left_out, filters: Rc::clone(&form.filters) })?;
    }
    Ok(())
}
