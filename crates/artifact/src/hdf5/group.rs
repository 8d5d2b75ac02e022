//! Groups: which objects they hold, and links that lead out of the file.

use super::{
    btree::{self, Between, Keys},
    fields::{Fault, Fields},
    header::Message,
    image::Image,
    local_heap::Names,
    walk::MAX_OBJECTS,
};
use crate::{findings::Findings, rules};

/// What a group's message leads to.
pub(super) fn symbol_table(image: &mut Image, message: &Message) -> Result<Vec<u64>, Fault> {
    let mut fields = Fields::new(&message.data, message.place);
    let (tree, heap) = (fields.number(image.offset_width)?, fields.number(image.offset_width)?);
    let names = Names::read(image, heap)?;
    let mut symbols = Symbols { names: &names, last: Vec::new(), objects: Vec::new() };
    btree::each(image, tree, &names, &mut |image, node, around| symbols.node(image, node, around))?;
    Ok(symbols.objects)
}

impl Keys for Names {
    const KIND: u8 = 0;
    type Key = Vec<u8>;

    fn length(&self, image: &Image) -> u64 {
        image.length_width as u64
    }

    fn half(&self, image: &Image) -> u16 {
        image.halves.groups
    }

    fn read(&self, image: &Image, fields: &mut Fields<'_>) -> Result<Vec<u8>, Fault> {
        let place = fields.place();
        let name = fields.number(image.length_width)?;
        self.at(name, place).map(<[u8]>::to_vec)
    }

    fn before(&self, left: &Vec<u8>, right: &Vec<u8>) -> bool {
        left < right
    }
}

/// The entries of a group, as they are met in the order of their names.
struct Symbols<'a> {
    names: &'a Names,
    last: Vec<u8>,
    objects: Vec<u64>,
}

impl Symbols<'_> {
    /// The objects in a node of entries.
    fn node(&mut self, image: &mut Image, address: u64, around: &Between<Vec<u8>>) -> Result<(), Fault> {
        let wide = image.offset_width;
        let head = image.bytes(address, 8)?;
        let mut fields = Fields::new(&head, image.place(address));
        fields.signature(*b"SNOD", "no entries of a group are here")?;
        if fields.u16()? & 0xff != 1 {
            return Err(fields.bad("a version of a group's entries that does not exist"));
        }
        let (count, most) = (u64::from(fields.u16()?), 2 * u64::from(image.halves.entries));
        let entry = 2 * wide as u64 + 24;
        if count > most || !image.holds(address + 8, most * entry) {
            return Err(fields.bad("a group's entries do not have their room"));
        }
        let bytes = image.bytes(address + 8, count * entry)?;
        let mut fields = Fields::new(&bytes, image.place(address + 8));
        for _ in 0..count {
            let place = fields.place();
            let name = fields.number(wide)?;
            let object = fields.number(wide)?;
            let cached = fields.u32()?;
            fields.take(20)?;
            let name = self.names.at(name, place)?.to_vec();
            // What a reader looks for by name it finds between the keys above only.
            if name <= self.last || name <= *around.lower || name > *around.upper {
                return Err(Fault::Bad { at: place, what: "entries of a group in no order of names" });
            }
            self.last = name;
            match cached {
                0 | 1 => self.objects.push(object),
                // A name that stands for another path in the same file.
                2 => {}
                _ => return Err(fields.bad("an entry of a group of unknown kind")),
            }
        }
        if self.objects.len() > MAX_OBJECTS {
            return Err(Fault::Limit { at: image.place(address), what: "more objects than are followed" });
        }
        Ok(())
    }
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
