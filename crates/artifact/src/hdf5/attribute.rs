//! Attributes: name, type, shape and value. Only texts are looked at.

use super::{
    fields::{Fault, Fields},
    header::Message,
    image::Image,
    types::{self, FIXED_TEXT},
};

/// Bytes of a text that is judged. The configurations of the largest published models have some megabytes.
const MAX_TEXT: u64 = 32 << 20;

/// An attribute with its value, where that is one text.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) text: Option<Vec<u8>>,
}

pub(super) fn read(image: &mut Image, message: &Message) -> Result<Attribute, Fault> {
    let mut fields = Fields::new(&message.data, message.place);
    let version = fields.u8()?;
    let flags = fields.u8()?;
    let (name, kind, space) = (fields.u16()?, fields.u16()?, fields.u16()?);
    // The oldest version fills each part up to eight bytes.
    let padded = |length: u16| {
        let length = usize::from(length);
        if version == 1 { length.next_multiple_of(8) } else { length }
    };
    match version {
        1 | 2 => {}
        3 => drop(fields.u8()?),
        _ => return Err(fields.bad("a version of an attribute that does not exist")),
    }
    let name = fields.take(padded(name))?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let name = String::from_utf8_lossy(name).into_owned();
    let (type_place, type_bytes) = (fields.place(), fields.take(padded(kind))?);
    let (space_place, space_bytes) = (fields.place(), fields.take(padded(space))?);
    if version > 1 && flags & 3 != 0 {
        return Err(Fault::Limit {
            at: message.place,
            what: "an attribute of a shared type, which is not followed",
        });
    }
    let kind = types::datatype(&mut Fields::new(type_bytes, type_place))?;
    let elements = types::dataspace(&mut Fields::new(space_bytes, space_place), image.length_width)?.elements;
    let total = elements.and_then(|elements| elements.checked_mul(kind.size));
    if total.is_none_or(|total| total > fields.left() as u64) {
        return Err(fields.bad("an attribute is shorter than its type and shape say"));
    }
    let text = match elements {
        Some(1) if kind.class == FIXED_TEXT => {
            Some(fields.take(usize::try_from(kind.size).unwrap_or(usize::MAX))?.to_vec())
        }
        Some(1) if kind.is_text => Some(variable(image, &mut fields)?),
        _ => None,
    };
    let text = text.map(|mut text| {
        while text.last().is_some_and(|byte| *byte == 0) {
            text.pop();
        }
        text
    });
    Ok(Attribute { name, text })
}

/// A text in a heap that all objects share.
fn variable(image: &mut Image, fields: &mut Fields<'_>) -> Result<Vec<u8>, Fault> {
    let length = u64::from(fields.u32()?);
    let heap = fields.number(image.offset_width)?;
    let index = fields.u32()?;
    if length == 0 {
        return Ok(Vec::new());
    }
    let fixed = 8 + image.length_width as u64;
    let head = image.bytes(heap, fixed)?;
    let mut heads = Fields::new(&head, image.place(heap));
    heads.signature(*b"GCOL", "no shared values are here")?;
    heads.take(4)?;
    let size = heads.number(image.length_width)?;
    let end = heap.checked_add(size).filter(|_| image.holds(heap, size));
    let end = end.ok_or(Fault::Outside { at: image.place(heap), length: size })?;
    let mut at = heap + fixed;
    while at + fixed <= end {
        let bytes = image.bytes(at, fixed)?;
        let mut object = Fields::new(&bytes, image.place(at));
        let number = u32::from(object.u16()?);
        object.take(6)?;
        let size = object.number(image.length_width)?;
        if number == index && number != 0 {
            if size > MAX_TEXT {
                return Err(Fault::Limit { at: image.place(at), what: "a text longer than is judged" });
            }
            if size < length || at + fixed + size > end {
                return Err(object.bad("a shared value is shorter than what refers to it says"));
            }
            return image.bytes(at + fixed, length);
        }
        let next = size.checked_next_multiple_of(8).and_then(|size| at.checked_add(fixed)?.checked_add(size));
        match next {
            Some(next) if number != 0 => at = next,
            _ => break,
        }
    }
    Err(Fault::Bad { at: image.place(heap), what: "a shared value is not where it should be" })
}
