//! What elements that were never written hold.

use super::fields::{Fault, Fields};

/// Holds a message about it against the format.
pub(super) fn check(fields: &mut Fields<'_>) -> Result<(), Fault> {
    let version = fields.u8()?;
    let is_told = match version {
        1 | 2 => {
            let (allocated, written, told) = (fields.u8()?, fields.u8()?, fields.u8()?);
            if !(1..=3).contains(&allocated) || written > 2 || told > 1 {
                return Err(fields.bad("elements are filled in a way that does not exist"));
            }
            version == 1 || told == 1
        }
        3 => {
            let flags = fields.u8()?;
            let (allocated, written, told) = (flags & 3, flags >> 2 & 3, flags & 0x20 != 0);
            if flags & 0xc0 != 0 || allocated == 0 || written > 2 || (told && flags & 0x10 != 0) {
                return Err(fields.bad("elements are filled in a way that does not exist"));
            }
            told
        }
        _ => return Err(fields.bad("a version of what fills elements that does not exist")),
    };
    if is_told {
        let length = fields.u32()?;
        // All bits set: no value, as the oldest version says it.
        if length != u32::MAX {
            fields.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        }
    }
    Ok(())
}
