//! What is free within a heap: not needed to find anything, but a reader takes it in before it reads.

use super::{
    checksum,
    fields::{Fault, Fields},
    image::Image,
};

/// Signature, version and the checksum behind a list of free pieces.
const LEAST: u64 = 9;

/// Holds what tells of free pieces, and their list, against their checksums.
pub(super) fn check(image: &mut Image, address: u64) -> Result<(), Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let what = "what is free in a heap does not have its checksum";
    let bytes = checksum::checked(image, address, (18 + 7 * long + wide) as u64, what)?;
    let mut fields = Fields::new(&bytes, image.place(address));
    fields.signature(*b"FSHD", "nothing tells here what is free in a heap")?;
    if fields.u8()? != 0 {
        return Err(fields.bad("a version of free space that does not exist"));
    }
    fields.take(1 + 4 * long + 8 + long)?;
    let list = fields.number(wide)?;
    let used = fields.number(long)?;
    if list == image.undefined() {
        return Ok(());
    }
    if used < LEAST + wide as u64 {
        return Err(fields.bad("a list of free pieces without room"));
    }
    let bytes = checksum::checked(image, list, used, what)?;
    let mut fields = Fields::new(&bytes, image.place(list));
    fields.signature(*b"FSSE", "no list of free pieces is here")?;
    if fields.u8()? != 0 || fields.number(wide)? != address {
        return Err(fields.bad("a list of free pieces of something else"));
    }
    Ok(())
}
