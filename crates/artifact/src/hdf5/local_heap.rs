//! The heap in which a group of the older kind keeps the names of its objects.

use super::{
    fields::{Fault, Fields},
    image::Image,
};

/// Bytes of the names of one group.
const MAX_NAMES: u64 = 16 << 20;
/// The place that stands for none.
const NONE: u64 = 1;

/// The names of a group.
#[derive(Debug)]
pub(super) struct Names(Vec<u8>);

impl Names {
    pub(super) fn read(image: &mut Image, address: u64) -> Result<Self, Fault> {
        let (wide, long) = (image.offset_width, image.length_width);
        let bytes = image.bytes(address, (8 + 2 * long + wide) as u64)?;
        let mut fields = Fields::new(&bytes, image.place(address));
        fields.signature(*b"HEAP", "no names of a group are here")?;
        if fields.u8()? != 0 {
            return Err(fields.bad("a version of a group's names that does not exist"));
        }
        fields.take(3)?;
        let size = fields.number(long)?;
        let free = fields.number(long)?;
        let segment = fields.number(wide)?;
        if size > MAX_NAMES {
            return Err(Fault::Limit { at: image.place(address), what: "more names than are followed" });
        }
        let names = image.bytes(segment, size)?;
        check_free(&names, free, long, image.place(segment))?;
        Ok(Self(names))
    }

    /// The name at an offset, which something at `place` refers to.
    pub(super) fn at(&self, offset: u64, place: u64) -> Result<&[u8], Fault> {
        let behind = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..));
        let length = behind.and_then(|behind| behind.iter().position(|byte| *byte == 0));
        match (behind, length) {
            (Some(behind), Some(length)) => Ok(&behind[..length]),
            _ => Err(Fault::Bad { at: place, what: "a name that is not among the group's names" }),
        }
    }
}

/// The pieces that are free form a list, which a reader takes in before it reads a name.
fn check_free(names: &[u8], first: u64, long: usize, place: u64) -> Result<(), Fault> {
    let bad = Fault::Bad { at: place, what: "the list of what is free among a group's names is broken" };
    let mut next = first;
    // Each piece takes the room of two lengths, so that a list that comes back to itself has more of them.
    for _ in 0..=names.len() / (2 * long) {
        if next == NONE {
            return Ok(());
        }
        let Some(piece) = usize::try_from(next).ok().and_then(|at| names.get(at..)) else { return Err(bad) };
        let mut fields = Fields::new(piece, place.saturating_add(next));
        let (after, size) = (fields.number(long)?, fields.number(long)?);
        if after == 0 || size > piece.len() as u64 {
            return Err(bad);
        }
        next = after;
    }
    Err(bad)
}
