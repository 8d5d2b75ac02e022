//! Groups: which objects they hold, and links that lead out of the file.

use std::collections::HashSet;

use super::{
    fields::{Fault, Fields},
    header::Message,
    image::Image,
};
use crate::{findings::Findings, rules};

/// Levels of a tree: each has at least two entries, and addresses have 64 bits.
const MAX_LEVEL: u8 = 64;
/// Bytes of the names of one group.
const MAX_NAMES: u64 = 16 << 20;

/// What a group's message leads to.
pub(super) fn symbol_table(image: &mut Image, message: &Message) -> Result<Vec<u64>, Fault> {
    let mut fields = Fields::new(&message.data, message.place);
    let (tree, heap) = (fields.number(image.offset_width)?, fields.number(image.offset_width)?);
    let names = local_heap(image, heap)?;
    // A name that begins behind the last zero has no end.
    let ends = names.iter().rposition(|byte| *byte == 0).map_or(0, |last| last as u64 + 1);
    let mut objects = Vec::new();
    let mut open = vec![(tree, MAX_LEVEL)];
    // A tree that shares nodes is walked once for each way through it, of which there may be two to the number of levels.
    let mut seen = HashSet::from([tree]);
    while let Some((address, above)) = open.pop() {
        let (level, children) = node(image, address)?;
        if level >= above {
            return Err(Fault::Bad {
                at: image.place(address),
                what: "a group's tree that leads back to itself",
            });
        }
        if !children.iter().all(|child| seen.insert(*child)) {
            return Err(Fault::Bad {
                at: image.place(address),
                what: "a group's tree that has a node in two places",
            });
        }
        if level > 0 {
            open.extend(children.into_iter().map(|child| (child, level)));
        } else {
            for child in children {
                symbols(image, child, ends, &mut objects)?;
            }
        }
        if open.len() + objects.len() > super::walk::MAX_OBJECTS {
            return Err(Fault::Limit { at: image.place(address), what: "more objects than are followed" });
        }
    }
    Ok(objects)
}

/// Level and children of a node of a group's tree.
fn node(image: &mut Image, address: u64) -> Result<(u8, Vec<u64>), Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let head = image.bytes(address, 8 + 2 * wide as u64)?;
    let mut fields = Fields::new(&head, image.place(address));
    fields.signature(*b"TREE", "no tree of a group is here")?;
    if fields.u8()? != 0 {
        return Err(fields.bad("a tree of another kind where a group's belongs"));
    }
    let level = fields.u8()?;
    let count = usize::from(fields.u16()?);
    let body = address + head.len() as u64;
    let bytes = image.bytes(body, (count * (long + wide)) as u64)?;
    let mut fields = Fields::new(&bytes, image.place(body));
    let mut children = Vec::new();
    for _ in 0..count {
        fields.number(long)?;
        children.push(fields.number(wide)?);
    }
    Ok((level, children))
}

/// The names of a group.
fn local_heap(image: &mut Image, address: u64) -> Result<Vec<u8>, Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let bytes = image.bytes(address, (8 + 2 * long + wide) as u64)?;
    let mut fields = Fields::new(&bytes, image.place(address));
    fields.signature(*b"HEAP", "no names of a group are here")?;
    fields.take(4)?;
    let size = fields.number(long)?;
    fields.number(long)?;
    let segment = fields.number(wide)?;
    if size > MAX_NAMES {
        return Err(Fault::Limit { at: image.place(address), what: "more names than are followed" });
    }
    image.bytes(segment, size)
}

/// The objects in a leaf of a group's tree, whose names begin before `ends`.
fn symbols(image: &mut Image, address: u64, ends: u64, objects: &mut Vec<u64>) -> Result<(), Fault> {
    let wide = image.offset_width;
    let head = image.bytes(address, 8)?;
    let mut fields = Fields::new(&head, image.place(address));
    fields.signature(*b"SNOD", "no entries of a group are here")?;
    fields.take(2)?;
    let count = u64::from(fields.u16()?);
    let bytes = image.bytes(address + 8, count * (2 * wide as u64 + 24))?;
    let mut fields = Fields::new(&bytes, image.place(address + 8));
    for _ in 0..count {
        let name = fields.number(wide)?;
        let object = fields.number(wide)?;
        let cached = fields.u32()?;
        fields.take(20)?;
        if name >= ends {
            return Err(fields.bad("the name of an object is not among the group's names"));
        }
        match cached {
            0 | 1 => objects.push(object),
            // A name that stands for another path in the same file.
            2 => {}
            _ => return Err(fields.bad("an entry of a group of unknown kind")),
        }
    }
    Ok(())
}

/// The object that a link message leads to; findings where that is outside.
pub(super) fn link(image: &Image, message: &Message, findings: &mut Findings) -> Result<Option<u64>, Fault> {
    let mut fields = Fields::new(&message.data, message.place);
    if fields.u8()? != 1 {
        return Err(fields.bad("a version of a link that does not exist"));
    }
    let flags = fields.u8()?;
    let kind = if flags & 8 != 0 { fields.u8()? } else { 0 };
    if flags & 4 != 0 {
        fields.take(8)?;
    }
    if flags & 16 != 0 {
        fields.u8()?;
    }
    let length = fields.number(1 << (flags & 3))?;
    let name = fields.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    let name = String::from_utf8_lossy(name).into_owned();
    match kind {
        0 => Ok(Some(fields.number(image.offset_width)?)),
        1 => Ok(None),
        64 => {
            let message = "this link leads to another file";
            findings.about(&rules::HDF5_EXTERNAL, Some(fields.place()), name, message);
            Ok(None)
        }
        _ => {
            let message = "this link is followed by code that is not in the file";
            findings.about(&rules::HDF5_EXTERNAL, Some(fields.place()), name, message);
            Ok(None)
        }
    }
}
