//! The superblock: widths, the end of the file, the root group.

use super::{
    checksum::lookup3,
    fields::{Fault, Fields},
    header::{self, kind},
    image::{Halves, Image},
};
use crate::{findings::Findings, rules};

/// Reads the superblock at `start`; the address of the root group's header.
pub(super) fn read(image: &mut Image, start: u64, findings: &mut Findings) -> Result<u64, Fault> {
    let bytes = image.bytes(start, 128.min(image.size().saturating_sub(start)))?;
    let mut fields = Fields::new(&bytes, start);
    fields.take(8)?;
    let version = fields.u8()?;
    let newer = match version {
        0 | 1 => false,
        2 | 3 => true,
        _ => return Err(fields.bad("a version of the superblock that does not exist")),
    };
    if !newer {
        let others = fields.take(4)?;
        if others[0] != 0 || others[1] != 0 || others[3] != 0 {
            return Err(fields.bad("a version in the superblock that does not exist"));
        }
    }
    image.offset_width = width(&mut fields)?;
    image.length_width = width(&mut fields)?;
    let wide = image.offset_width;
    if newer {
        check_state(u32::from(fields.u8()?), version, &fields)?;
    } else {
        fields.u8()?;
        (image.halves.entries, image.halves.groups) = (fields.u16()?, fields.u16()?);
        check_state(fields.u32()?, version, &fields)?;
        if version == 1 {
            image.halves.chunks = fields.u16()?;
            fields.u16()?;
        }
        check_halves(image.halves, &fields)?;
    }
    let base = fields.number(wide)?;
    if base != start {
        return Err(fields.bad("the base address is not where the superblock is"));
    }
    image.base = base;
    let extension = fields.number(wide)?;
    let end = fields.number(wide)?;
    check_end(image, end, findings)?;
    if newer {
        let root = fields.number(wide)?;
        let length = fields.place() - start;
        let stored = fields.u32()?;
        if usize::try_from(length).ok().and_then(|length| bytes.get(..length)).map(lookup3) != Some(stored) {
            return Err(fields.bad("the superblock does not have its checksum"));
        }
        if extension != image.undefined() {
            check_extension(image, extension)?;
        }
        return Ok(root);
    }
    if extension != image.undefined() {
        return Err(Fault::Bad { at: start, what: "an older superblock with an extension" });
    }
    let driver = fields.number(wide)?;
    if driver != image.undefined() {
        return Err(Fault::Limit {
            at: start,
            what: "a file that is spread over several, which is not followed",
        });
    }
    fields.number(wide)?;
    let root = fields.number(wide)?;
    // What is remembered of the root: nothing, or where its entries are.
    if fields.u32()? > 1 {
        return Err(fields.bad("an entry of the root group of unknown kind"));
    }
    Ok(root)
}

/// Bits that tell who has the file open; the first for writing, the third for writing beside readers.
fn check_state(bits: u32, version: u8, fields: &Fields<'_>) -> Result<(), Fault> {
    if bits & !5 != 0 {
        return Err(fields.bad("a file in a state that does not exist"));
    }
    // Only this version keeps them, and no reader opens such a file.
    if version == 3 && bits != 0 {
        return Err(fields.bad("the file was not closed by the program that wrote it"));
    }
    Ok(())
}

fn check_halves(halves: Halves, fields: &Fields<'_>) -> Result<(), Fault> {
    if [halves.entries, halves.groups, halves.chunks].contains(&0) {
        return Err(fields.bad("trees that have no room for entries"));
    }
    Ok(())
}

/// What an extension tells must not change where anything is found.
fn check_extension(image: &mut Image, address: u64) -> Result<(), Fault> {
    for message in header::read(image, address)? {
        match message.kind {
            kind::NONE | kind::CONTINUATION | kind::FILE_SPACE => {}
            kind::TREE_SIZES => {
                let mut fields = Fields::new(&message.data, message.place);
                if fields.u8()? != 0 {
                    return Err(fields.bad("a version of the sizes of trees that does not exist"));
                }
                let (chunks, groups, entries) = (fields.u16()?, fields.u16()?, fields.u16()?);
                image.halves = Halves { entries, groups, chunks };
                check_halves(image.halves, &fields)?;
            }
            _ => {
                return Err(Fault::Limit {
                    at: message.place,
                    what: "an extension of the superblock, which is not followed",
                });
            }
        }
    }
    Ok(())
}

fn width(fields: &mut Fields<'_>) -> Result<usize, Fault> {
    match fields.u8()? {
        width @ (2 | 4 | 8) => Ok(usize::from(width)),
        _ => Err(fields.bad("addresses or lengths of a width that does not exist")),
    }
}

/// The end that the file was closed with must be where it ends.
fn check_end(image: &Image, end: u64, findings: &mut Findings) -> Result<(), Fault> {
    let size = image.size();
    if end > size {
        return Err(Fault::Outside { at: size, length: end - size });
    }
    if end < size {
        let extra = size - end;
        findings.at(
            &rules::HDF5_TRAILING,
            end,
            format!("{extra} bytes follow the end that the file declares"),
        );
    }
    Ok(())
}
