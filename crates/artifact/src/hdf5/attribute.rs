//! Attributes: name, type, shape and value. Only texts are looked at.

use super::{
    collection::Shared,
    fields::{Fault, Fields},
    header::Message,
    image::Image,
    shape,
    types::{self, FIXED_TEXT, Type, VARIABLE},
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
    let named = fields.take(padded(name))?.get(..usize::from(name)).and_then(<[u8]>::split_last);
    let named = named.filter(|(end, name)| **end == 0 && !name.contains(&0));
    let (_, name) = named.ok_or_else(|| fields.bad("the name of an attribute is not as long as it says"))?;
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
    let elements = shape::dataspace(&mut Fields::new(space_bytes, space_place), image.length_width)?.elements;
    let total = elements.and_then(|elements| elements.checked_mul(kind.size));
    if total.is_none_or(|total| total > fields.left() as u64) {
        return Err(fields.bad("an attribute is shorter than its type and shape say"));
    }
    let text = match elements {
        Some(1) if kind.class == FIXED_TEXT => {
            Some(fields.take(usize::try_from(kind.size).unwrap_or(usize::MAX))?.to_vec())
        }
        Some(1) if kind.is_text => {
            let (address, length) = variable(image, &mut fields, &kind)?;
            if length > MAX_TEXT {
                return Err(Fault::Limit { at: image.place(address), what: "a text longer than is judged" });
            }
            Some(image.bytes(address, length)?)
        }
        Some(count) if kind.class == VARIABLE => {
            for _ in 0..count {
                variable(image, &mut fields, &kind)?;
            }
            None
        }
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

/// What an element refers to in a heap that all objects share.
fn variable(image: &mut Image, fields: &mut Fields<'_>, kind: &Type) -> Result<(u64, u64), Fault> {
    Shared::read(image, fields)?.find(image, kind.inner)
}
