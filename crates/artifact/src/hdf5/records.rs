//! The newer trees (B-tree version 2): records of one size, in nodes that have checksums.

use std::collections::HashSet;

use super::{
    checksum,
    fields::{Fault, Fields},
    image::Image,
    walk::MAX_OBJECTS,
};

/// What a tree holds, as its number says.
pub(super) mod kind {
    /// Places of objects that are too large for their heap.
    pub(in super::super) const HUGE: u8 = 1;
    pub(in super::super) const LINK_NAMES: u8 = 5;
    pub(in super::super) const LINK_ORDER: u8 = 6;
    pub(in super::super) const ATTRIBUTE_NAMES: u8 = 8;
    pub(in super::super) const ATTRIBUTE_ORDER: u8 = 9;
    pub(in super::super) const CHUNKS: u8 = 10;
    pub(in super::super) const PACKED_CHUNKS: u8 = 11;
}

/// Signature, version and kind before a node's records, and the checksum behind them.
const AROUND: u64 = 10;
/// Levels of a tree: each node has at least two children, and addresses have 64 bits.
const MAX_DEPTH: u16 = 64;

/// What a record is handed to, with its place in the file.
pub(super) type Take<'a> = dyn FnMut(&mut Image, &[u8], u64) -> Result<(), Fault> + 'a;

/// Hands out each record of the tree at an address.
pub(super) fn each(image: &mut Image, address: u64, kind: u8, take: &mut Take<'_>) -> Result<(), Fault> {
    let tree = Tree::open(image, address, kind)?;
    let mut open = vec![(tree.root, tree.in_root, tree.depth)];
    let mut seen = HashSet::from([tree.root]);
    let mut count = 0u64;
    while let Some((node, records, depth)) = open.pop() {
        count = count.saturating_add(records);
        if count > MAX_OBJECTS as u64 {
            return Err(Fault::Limit { at: image.place(node), what: "more records than are followed" });
        }
        for child in tree.node(image, (node, records, depth), take)? {
            if !seen.insert(child.0) {
                return Err(Fault::Bad {
                    at: image.place(node),
                    what: "a tree that has a node in two places",
                });
            }
            open.push(child);
        }
    }
    if count != tree.count {
        return Err(Fault::Bad { at: image.place(address), what: "a tree without all its records" });
    }
    Ok(())
}

/// A node's address, its number of records, and the levels below it.
type Node = (u64, u64, u16);

struct Tree {
    kind: u8,
    record: u64,
    root: u64,
    in_root: u64,
    depth: u16,
    count: u64,
    /// Bytes of the number of a child's own records.
    own: usize,
    /// Bytes of the number of all records below a child that has this many levels below itself.
    below: Vec<usize>,
}

impl Tree {
    fn open(image: &mut Image, address: u64, kind: u8) -> Result<Self, Fault> {
        let (wide, long) = (image.offset_width, image.length_width);
        let bytes = checksum::checked(
            image,
            address,
            (22 + wide + long) as u64,
            "a tree does not have its checksum",
        )?;
        let mut fields = Fields::new(&bytes, image.place(address));
        fields.signature(*b"BTHD", "no newer tree is here")?;
        if fields.u8()? != 0 || fields.u8()? != kind {
            return Err(fields.bad("a tree of another version, or for something else"));
        }
        let node = u64::from(fields.u32()?);
        let record = u64::from(fields.u16()?);
        let depth = fields.u16()?;
        fields.take(2)?;
        let root = fields.number(wide)?;
        let in_root = u64::from(fields.u16()?);
        let count = fields.number(long)?;
        if record == 0 || node < AROUND + record || depth > MAX_DEPTH {
            return Err(fields.bad("a tree of an impossible shape"));
        }
        let leaf = (node - AROUND) / record;
        let own = width(leaf);
        let (mut below, mut all) = (vec![0], leaf);
        for _ in 1..=depth {
            let pointer = (wide + own + below.last().copied().unwrap_or(0)) as u64;
            let most = node.saturating_sub(AROUND + pointer) / (record + pointer);
            all = most.saturating_add(1).saturating_mul(all).saturating_add(most);
            below.push(width(all));
        }
        // Without any record there is no root.
        let in_root = if root == image.undefined() { 0 } else { in_root };
        Ok(Self { kind, record, root, in_root, depth, count, own, below })
    }

    /// Hands out the records of a node; its children.
    fn node(
        &self,
        image: &mut Image,
        (address, records, depth): Node,
        take: &mut Take<'_>,
    ) -> Result<Vec<Node>, Fault> {
        if records == 0 && depth == 0 {
            return Ok(Vec::new());
        }
        let wide = image.offset_width;
        // A child that is a leaf has no records below it to be counted.
        let below = depth.checked_sub(1).and_then(|level| self.below.get(usize::from(level))).copied();
        let pointers = below.map_or(0, |below| (records + 1) * (wide + self.own + below) as u64);
        let length = records.saturating_mul(self.record).saturating_add(pointers + AROUND);
        let bytes = checksum::checked(image, address, length, "a node of a tree does not have its checksum")?;
        let mut fields = Fields::new(&bytes, image.place(address));
        let signature = if depth == 0 { *b"BTLF" } else { *b"BTIN" };
        fields.signature(signature, "no node of a newer tree is here")?;
        if fields.u8()? != 0 || fields.u8()? != self.kind {
            return Err(fields.bad("a node of another version, or for something else"));
        }
        for _ in 0..records {
            let place = fields.place();
            take(image, fields.take(usize::try_from(self.record).unwrap_or(usize::MAX))?, place)?;
        }
        let mut children = Vec::new();
        if let Some(below) = below {
            for _ in 0..=records {
                let (child, count) = (fields.number(wide)?, fields.number(self.own)?);
                fields.take(below)?;
                children.push((child, count, depth - 1));
            }
        }
        Ok(children)
    }
}

/// Bytes that a number up to `most` takes.
pub(super) fn width(most: u64) -> usize {
    (most.max(1).ilog2() / 8 + 1) as usize
}
