//! Links and attributes that are kept in a heap of their own, as objects with more than a few of them do.

use std::collections::HashSet;

use super::{
    fields::{Fault, Fields},
    header::{Message, kind},
    heap::Heap,
    image::Image,
    records::{
        self,
        kind::{ATTRIBUTE_NAMES, ATTRIBUTE_ORDER, LINK_NAMES, LINK_ORDER},
    },
};

/// Hands out, as a message of the object's header would, each link or attribute that a message says is in a heap.
///
/// Both indexes are followed, by name and by the order in which they were made: a reader may use either.
pub(super) fn each(
    image: &mut Image,
    message: &Message,
    take: &mut dyn FnMut(&mut Image, Message) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let links = message.kind == kind::LINK_INFO;
    let mut fields = Fields::new(&message.data, message.place);
    if fields.u8()? != 0 {
        return Err(fields.bad("a version of links or attributes that does not exist"));
    }
    let flags = fields.u8()?;
    if flags & 1 != 0 {
        fields.take(if links { 8 } else { 2 })?;
    }
    let wide = image.offset_width;
    let (heap, names) = (fields.number(wide)?, fields.number(wide)?);
    let order = if flags & 2 != 0 { fields.number(wide)? } else { image.undefined() };
    if heap == image.undefined() {
        return Ok(());
    }
    let heap = Heap::open(image, heap)?;
    let trees = if links {
        [(names, LINK_NAMES), (order, LINK_ORDER)]
    } else {
        [(names, ATTRIBUTE_NAMES), (order, ATTRIBUTE_ORDER)]
    };
    let mut seen = HashSet::new();
    for (tree, tree_kind) in trees {
        if tree == image.undefined() {
            continue;
        }
        records::each(image, tree, tree_kind, &mut |image, record, place| {
            let mut fields = Fields::new(record, place);
            // The name's checksum, or the number in the order, stands before the name of a link.
            let before = match tree_kind {
                LINK_NAMES => 4,
                LINK_ORDER => 8,
                _ => 0,
            };
            fields.take(before)?;
            let id = fields.take(heap.id())?;
            let flags = if links { 0 } else { fields.u8()? };
            if !seen.insert(id.to_vec()) {
                return Ok(());
            }
            let (data, place) = heap.object(image, id, place + before as u64)?;
            let kind = if links { kind::LINK } else { kind::ATTRIBUTE };
            take(image, Message { kind, data, place, shared: flags & 2 != 0 })
        })?;
    }
    Ok(())
}
