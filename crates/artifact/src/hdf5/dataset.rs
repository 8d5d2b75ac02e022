//! Datasets: whether the data that a shape and type promise lies in the file, and nowhere else.

use super::{
    chunks::{self, Form},
    fields::{Fault, Fields},
    fill,
    filters::{self, Filter},
    header::Message,
    image::Image,
    layout::{self, Layout},
    packed::Packed,
    shape::{self, Shape},
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
    /// The layout leads out of the file, which was told.
    lies_elsewhere: bool,
    filters: Vec<Filter>,
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
            0x1 | 0x3 | 0x5 | 0xb if message.shared => {
                let what = "a shared shape, type, filling or list of filters, which is not followed";
                return Err(Fault::Limit { at: message.place, what });
            }
            0x1 => self.shape = Some(shape::dataspace(&mut fields, image.length_width)?),
            0x3 => self.kind = Some(types::datatype(&mut fields)?),
            0x5 => fill::check(&mut fields)?,
            0x7 => findings.at(
                &rules::HDF5_EXTERNAL,
                message.place,
                "the data of this object lies in other files",
            ),
            0x8 => {
                self.layout = layout::read(image, &mut fields, findings)?;
                self.lies_elsewhere = self.layout.is_none();
            }
            0xb => self.filters = filters::read(&mut fields, findings)?,
            _ => {}
        }
        Ok(())
    }

    /// The messages make a dataset, or a type that others refer to.
    pub(super) fn is_whole(&self) -> bool {
        let has_place = self.layout.is_some() || self.lies_elsewhere;
        self.kind.is_some() && self.shape.is_some() == has_place
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
        let (Some(kind), Some(shape)) = (&self.kind, self.shape) else {
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
            Layout::Chunked { index, .. } if index.is_empty(image) => {}
            Layout::Chunked { index, sizes, partial } => {
                let form = Form::new(sizes, &shape, *partial, self.filters)
                    .map_err(|what| Fault::Bad { at, what })?;
                chunks::all(image, *index, &form, packed, findings)?;
            }
        }
        Ok(())
    }
}
