//! The heap in which an object keeps links or attributes once it has many of them ("fractal heap"): blocks that double in
//! size from row to row, found through blocks of addresses.

use std::collections::BTreeMap;

use super::{
    checksum,
    fields::{Fault, Fields},
    free_space,
    image::Image,
    records,
    walk::MAX_OBJECTS,
};

/// A heap whose blocks have been found.
#[derive(Debug)]
pub(super) struct Heap {
    shape: Shape,
    /// By the place in the heap at which they begin.
    blocks: BTreeMap<u64, Block>,
    /// Address and length of objects that are kept beside the heap, by their number.
    huge: BTreeMap<u64, (u64, u64)>,
}

#[derive(Debug)]
struct Block {
    size: u64,
    address: u64,
}

/// What the head of a heap tells.
#[derive(Debug)]
struct Shape {
    /// The head itself, which each block names.
    address: u64,
    /// Bytes of the names of its objects.
    id: usize,
    summed: bool,
    width: u64,
    first: u64,
    largest: u64,
    /// Bytes of a place in the heap, and of an object's length.
    offset: usize,
    length: usize,
}

impl Heap {
    pub(super) fn open(image: &mut Image, address: u64) -> Result<Self, Fault> {
        let (wide, long) = (image.offset_width, image.length_width);
        let bytes = checksum::checked(
            image,
            address,
            (26 + 12 * long + 3 * wide) as u64,
            "a heap does not have its checksum",
        )?;
        let mut fields = Fields::new(&bytes, image.place(address));
        fields.signature(*b"FRHP", "no heap is here")?;
        if fields.u8()? != 0 {
            return Err(fields.bad("a version of a heap that does not exist"));
        }
        let id = usize::from(fields.u16()?);
        if fields.u16()? != 0 {
            return Err(Fault::Limit {
                at: fields.place(),
                what: "a heap that is packed, which is not followed",
            });
        }
        let flags = fields.u8()?;
        let most = u64::from(fields.u32()?);
        fields.number(long)?;
        let huge = fields.number(wide)?;
        fields.number(long)?;
        let free = fields.number(wide)?;
        fields.take(8 * long)?;
        let width = u64::from(fields.u16()?);
        let (first, largest) = (fields.number(long)?, fields.number(long)?);
        let bits = fields.u16()?;
        fields.u16()?;
        let root = fields.number(wide)?;
        let rows = u64::from(fields.u16()?);
        let doubles = [width, first, largest].iter().all(|size| size.is_power_of_two());
        if !doubles || largest < first || !(1..=64).contains(&bits) {
            return Err(fields.bad("a heap of an impossible shape"));
        }
        let shape = Shape {
            address,
            id,
            summed: flags & 2 != 0,
            width,
            first,
            largest,
            offset: usize::from(bits.div_ceil(8)),
            length: (largest.ilog2().div_ceil(8) as usize).min(records::width(most)),
        };
        let mut heap = Self { shape, blocks: BTreeMap::new(), huge: BTreeMap::new() };
        if root != image.undefined() {
            heap.blocks(image, root, rows)?;
        }
        if huge != image.undefined() {
            heap.huge(image, huge)?;
        }
        if free != image.undefined() {
            free_space::check(image, free)?;
        }
        Ok(heap)
    }

    /// Finds the blocks below the root, which is one itself where there are no rows.
    fn blocks(&mut self, image: &mut Image, root: u64, rows: u64) -> Result<(), Fault> {
        if rows == 0 {
            return self.direct(image, root, 0, self.shape.first);
        }
        let mut open = vec![(root, 0, rows)];
        while let Some((address, start, rows)) = open.pop() {
            if open.len() + self.blocks.len() > MAX_OBJECTS {
                return Err(Fault::Limit {
                    at: image.place(address),
                    what: "more of a heap than is followed",
                });
            }
            open.extend(self.indirect(image, address, start, rows)?);
        }
        Ok(())
    }

    /// Follows the addresses in a block of them; the blocks of addresses that it leads to, with their starts and rows.
    fn indirect(
        &mut self,
        image: &mut Image,
        address: u64,
        start: u64,
        rows: u64,
    ) -> Result<Vec<(u64, u64, u64)>, Fault> {
        let wide = image.offset_width;
        let entries = rows * self.shape.width;
        let length = (9 + wide + self.shape.offset) as u64 + entries * wide as u64;
        let bytes =
            checksum::checked(image, address, length, "a block of a heap does not have its checksum")?;
        let mut fields = Fields::new(&bytes, image.place(address));
        self.shape.begin(&mut fields, *b"FHIB", start, wide)?;
        let (mut at, mut below) = (start, Vec::new());
        for entry in 0..entries {
            let size = self.shape.row(entry / self.shape.width);
            let size = size.ok_or_else(|| fields.bad("a heap with more rows than it can have"))?;
            let child = fields.number(wide)?;
            if child == image.undefined() {
            } else if size <= self.shape.largest {
                self.direct(image, child, at, size)?;
            } else {
                let rows = size.checked_div(self.shape.first.saturating_mul(self.shape.width));
                let rows = rows.filter(|rows| *rows > 0).map(|rows| u64::from(rows.ilog2()) + 1);
                below.push((child, at, rows.ok_or_else(|| fields.bad("a heap of an impossible shape"))?));
            }
            at = at.checked_add(size).ok_or_else(|| fields.bad("a heap of an impossible size"))?;
        }
        Ok(below)
    }

    /// Holds a block of objects against its checksum.
    fn direct(&mut self, image: &mut Image, address: u64, start: u64, size: u64) -> Result<(), Fault> {
        let place = image.place(address);
        let mut bytes = image.bytes(address, size)?;
        let mut fields = Fields::new(&bytes, place);
        self.shape.begin(&mut fields, *b"FHDB", start, image.offset_width)?;
        if self.shape.summed {
            let stored = fields.u32()?;
            let end = bytes.len() - fields.left();
            bytes[end - 4..end].fill(0);
            if checksum::lookup3(&bytes) != stored {
                return Err(Fault::Bad { at: place, what: "a block of a heap does not have its checksum" });
            }
        }
        self.blocks.insert(start, Block { size, address });
        Ok(())
    }

    fn huge(&mut self, image: &mut Image, tree: u64) -> Result<(), Fault> {
        records::each(image, tree, records::kind::HUGE, &mut |image, record, place| {
            let mut fields = Fields::new(record, place);
            let address = fields.number(image.offset_width)?;
            let (length, id) = (fields.number(image.length_width)?, fields.number(image.length_width)?);
            self.huge.insert(id, (address, length));
            Ok(())
        })
    }

    /// The object of a name that stands at `place`, and where the object itself stands.
    pub(super) fn object(&self, image: &mut Image, id: &[u8], place: u64) -> Result<(Vec<u8>, u64), Fault> {
        let mut fields = Fields::new(id, place);
        let first = fields.u8()?;
        let (address, length) = match (first >> 6, first >> 4 & 3) {
            (0, 0) => self.managed(fields.number(self.shape.offset)?, fields.number(self.shape.length)?),
            // The place itself, where a name has room for it.
            (0, 1) if self.shape.id > image.offset_width + image.length_width => {
                Some((fields.number(image.offset_width)?, fields.number(image.length_width)?))
            }
            (0, 1) => self.huge.get(&fields.number(self.shape.id.saturating_sub(1).min(8))?).copied(),
            (0, 2) if self.shape.id <= 17 => {
                return Ok((fields.take(usize::from(first & 15) + 1)?.to_vec(), place));
            }
            _ => return Err(fields.bad("the name of an object in a heap is of no known kind")),
        }
        .ok_or_else(|| fields.bad("an object is not where its heap has objects"))?;
        Ok((image.bytes(address, length)?, image.place(address)))
    }

    /// Bytes of the names of objects.
    pub(super) fn id(&self) -> usize {
        self.shape.id
    }

    /// Address and length of an object that lies whole in one of the blocks.
    fn managed(&self, offset: u64, length: u64) -> Option<(u64, u64)> {
        let (start, block) = self.blocks.range(..=offset).next_back()?;
        let inside = offset - start;
        (inside.checked_add(length)? <= block.size).then_some((block.address + inside, length))
    }
}

impl Shape {
    /// What each block begins with: which heap it belongs to and where in it it lies.
    fn begin(
        &self,
        fields: &mut Fields<'_>,
        signature: [u8; 4],
        start: u64,
        wide: usize,
    ) -> Result<(), Fault> {
        fields.signature(signature, "no block of a heap is here")?;
        let same = fields.u8()? == 0 && fields.number(wide)? == self.address;
        if same && fields.number(self.offset)? == start {
            return Ok(());
        }
        Err(fields.bad("a block of another heap, or of another place in it"))
    }

    /// The size of the blocks of a row: the first two have the first size, each after it twice as much.
    fn row(&self, row: u64) -> Option<u64> {
        let doubled = u32::try_from(row.saturating_sub(1)).ok()?;
        self.first.checked_mul(1u64.checked_shl(doubled)?)
    }
}
