//! Object headers: the messages that say what an object is.

use super::{
    checksum,
    fields::{Fault, Fields},
    image::Image,
};

/// Messages of one object, and blocks that hold them.
const MAX_MESSAGES: usize = 1 << 16;
const MAX_BLOCKS: usize = 1 << 12;

/// One message, with the place of its data.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: u16,
    pub(super) data: Vec<u8>,
    pub(super) place: u64,
    /// The data stands elsewhere and is only referred to.
    pub(super) shared: bool,
}

/// What a message tells, as its number says.
pub(super) mod kind {
    pub(in super::super) const NONE: u16 = 0x0;
    pub(in super::super) const LINK_INFO: u16 = 0x2;
    pub(in super::super) const LINK: u16 = 0x6;
    pub(in super::super) const ATTRIBUTE: u16 = 0xc;
    pub(in super::super) const CONTINUATION: u16 = 0x10;
    pub(in super::super) const SYMBOL_TABLE: u16 = 0x11;
    /// How many entries nodes of the older trees have.
    pub(in super::super) const TREE_SIZES: u16 = 0x13;
    pub(in super::super) const ATTRIBUTE_INFO: u16 = 0x15;
    /// How the file's space is handed out, and where what is free of it is remembered.
    pub(in super::super) const FILE_SPACE: u16 = 0x17;
}

/// What is said of a message beside its data.
mod flags {
    pub(super) const SHARED: u8 = 2;
    pub(super) const NOT_TO_BE_SHARED: u8 = 4;
    pub(super) const FAIL_ON_WRITE: u8 = 8;
    pub(super) const MARK: u8 = 0x10;
    pub(super) const WAS_UNKNOWN: u8 = 0x20;
    pub(super) const MAY_BE_SHARED: u8 = 0x40;
}

/// Kinds of messages whose data may stand elsewhere: shapes, types, fillings, filters, attributes.
const SHAREABLE: [u16; 6] = [0x1, 0x3, 0x4, 0x5, 0xb, 0xc];

/// Reads all messages of the object at an address.
pub(super) fn read(image: &mut Image, address: u64) -> Result<Vec<Message>, Fault> {
    let start = image.bytes(address, 4)?;
    if start == b"OHDR" { newer(image, address) } else { older(image, address) }
}

fn older(image: &mut Image, address: u64) -> Result<Vec<Message>, Fault> {
    let bytes = image.bytes(address, 16)?;
    let mut fields = Fields::new(&bytes, image.place(address));
    if fields.u8()? != 1 {
        return Err(Fault::Bad { at: image.place(address), what: "no object begins here" });
    }
    fields.u8()?;
    let count = usize::from(fields.u16()?);
    fields.u32()?;
    let size = u64::from(fields.u32()?);
    let mut messages = Vec::new();
    let mut blocks = vec![(address + 16, size)];
    let mut at = 0;
    while let Some((block, length)) = blocks.get(at).copied() {
        at += 1;
        let bytes = image.bytes(block, length)?;
        let mut fields = Fields::new(&bytes, image.place(block));
        while fields.left() >= 8 {
            let (kind, size, flags) = (fields.u16()?, fields.u16()?, fields.u8()?);
            fields.take(3)?;
            if size % 8 != 0 {
                return Err(fields.bad("a message that is not filled up as its header demands"));
            }
            push(image, &mut fields, (kind, size, flags), &mut messages, &mut blocks)?;
        }
        if fields.left() != 0 {
            return Err(fields.bad("a block of messages with something behind them"));
        }
    }
    if messages.len() != count {
        return Err(Fault::Bad {
            at: image.place(address),
            what: "an object does not have as many messages as it declares",
        });
    }
    Ok(messages)
}

fn newer(image: &mut Image, address: u64) -> Result<Vec<Message>, Fault> {
    let place = image.place(address);
    let bytes = image.bytes(address, 64.min(image.size().saturating_sub(place)))?;
    let mut fields = Fields::new(&bytes, place);
    fields.take(4)?;
    if fields.u8()? != 2 {
        return Err(fields.bad("a version of an object's header that does not exist"));
    }
    let flags = fields.u8()?;
    if flags & 0x20 != 0 {
        fields.take(16)?;
    }
    if flags & 0x10 != 0 {
        fields.take(4)?;
    }
    let size = fields.number(1 << (flags & 3))?;
    let prefix = fields.place() - place;
    let whole = size.checked_add(prefix + 4).ok_or_else(|| fields.bad("a header of impossible size"))?;
    let mut messages = Vec::new();
    let mut blocks = vec![(address, whole)];
    let mut at = 0;
    while let Some((block, length)) = blocks.get(at).copied() {
        let what = "an object's header does not have its checksum";
        let bytes = checksum::checked(image, block, length, what)?;
        let mut fields = Fields::new(&bytes[..bytes.len() - 4], image.place(block));
        if at == 0 {
            fields.take(usize::try_from(prefix).unwrap_or(usize::MAX))?;
        } else {
            fields.signature(*b"OCHK", "no continuation of an object's header is here")?;
        }
        at += 1;
        let fixed = if flags & 4 != 0 { 6 } else { 4 };
        while fields.left() >= fixed {
            let (kind, size, own) = (u16::from(fields.u8()?), fields.u16()?, fields.u8()?);
            fields.take(fixed - 4)?;
            push(image, &mut fields, (kind, size, own), &mut messages, &mut blocks)?;
        }
    }
    Ok(messages)
}

/// Takes the data of a message whose fixed part was read; a continuation adds a block instead.
fn push(
    image: &Image,
    fields: &mut Fields<'_>,
    (kind, size, flags): (u16, u16, u8),
    messages: &mut Vec<Message>,
    blocks: &mut Vec<(u64, u64)>,
) -> Result<(), Fault> {
    let place = fields.place();
    check_flags(kind, flags, fields)?;
    let data = fields.take(usize::from(size))?.to_vec();
    if kind == kind::CONTINUATION {
        let mut fields = Fields::new(&data, place);
        blocks.push((fields.number(image.offset_width)?, fields.number(image.length_width)?));
    }
    if messages.len() >= MAX_MESSAGES || blocks.len() >= MAX_BLOCKS {
        return Err(Fault::Limit { at: place, what: "an object with more messages than are followed" });
    }
    messages.push(Message { kind, data, place, shared: flags & flags::SHARED != 0 });
    Ok(())
}

/// Refuses what contradicts itself, as readers do.
fn check_flags(kind: u16, flags: u8, fields: &Fields<'_>) -> Result<(), Fault> {
    let has = |flag| flags & flag != 0;
    let contradicts = (has(flags::SHARED) && has(flags::NOT_TO_BE_SHARED))
        || (has(flags::WAS_UNKNOWN) && (has(flags::FAIL_ON_WRITE) || !has(flags::MARK)))
        || (has(flags::MAY_BE_SHARED) && !SHAREABLE.contains(&kind));
    if contradicts {
        return Err(fields.bad("a message that is said to be what it cannot be"));
    }
    Ok(())
}
