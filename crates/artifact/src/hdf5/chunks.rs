//! The chunks of a dataset, through whichever index they are found.

use std::rc::Rc;

use super::{
    arrays,
    btree::{self, Keys},
    fields::{Fault, Fields},
    filters::Filter,
    image::Image,
    layout::Index,
    packed::{Chunk, Packed},
    records::{self, kind},
    shape::Shape,
    walk::MAX_OBJECTS,
};
use crate::{findings::Findings, rules};

/// What all chunks of a dataset have in common.
pub(super) struct Form {
    /// The sizes of a chunk along each axis, and the bytes of an element.
    sizes: Vec<u64>,
    /// Bytes of each before it goes through the filters.
    whole: u64,
    /// How many the shape has room for, where it cannot grow without end.
    most: Option<u64>,
    /// Chunks that the shape does not fill are not packed.
    partial: bool,
    pub(super) filters: Rc<[Filter]>,
}

impl Form {
    pub(super) fn new(
        sizes: &[u64],
        shape: &Shape,
        partial: bool,
        filters: Vec<Filter>,
    ) -> Result<Self, &'static str> {
        if sizes.len() != shape.limits.len() + 1 {
            return Err("chunks of another number of axes than the shape");
        }
        let whole = sizes.iter().try_fold(1u64, |whole, size| whole.checked_mul(*size));
        let along = |(limit, size): (&u64, &u64)| if *size == 0 { None } else { Some(limit.div_ceil(*size)) };
        let most = shape.limits.iter().zip(sizes).map(along);
        Ok(Self {
            sizes: sizes.to_vec(),
            whole: whole.ok_or("chunks of an impossible size")?,
            most: most.into_iter().try_fold(1u64, |most, along| most.checked_mul(along?)),
            partial,
            filters: filters.into(),
        })
    }

    pub(super) fn is_packed(&self) -> bool {
        !self.filters.is_empty()
    }
}

/// Every chunk must lie in the file.
pub(super) fn all(
    image: &mut Image,
    index: Index,
    form: &Form,
    packed: &mut Packed,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let mut chunks = Chunks { form, packed, findings };
    match index {
        Index::Tree(address) => tree(image, address, &mut chunks),
        Index::Single(address, Some((size, left_out))) => {
            chunks.add(image, Found { address, size, left_out })
        }
        Index::Single(address, None) => chunks.add(image, Found { address, size: form.whole, left_out: 0 }),
        Index::Implicit(address) => implicit(image, address, &mut chunks),
        Index::Fixed(_) | Index::Extensible(_) | Index::Records(_) if form.partial && form.is_packed() => {
            Err(Fault::Limit {
                at: image.place(0),
                what: "chunks of which some are not packed, which is not followed",
            })
        }
        Index::Fixed(address) => arrays::fixed(image, address, form, &mut |image, entry, place| {
            chunks.entry(image, entry, place, 0)
        }),
        Index::Extensible(address) => arrays::extensible(image, address, form, &mut |image, entry, place| {
            chunks.entry(image, entry, place, 0)
        }),
        Index::Records(address) => {
            let kind = if form.is_packed() { kind::PACKED_CHUNKS } else { kind::CHUNKS };
            // Where in the shape a chunk belongs stands behind it.
            let behind = 8 * (form.sizes.len() - 1);
            records::each(image, address, kind, &mut |image, record, place| {
                chunks.entry(image, record, place, behind)
            })
        }
    }
}

/// One chunk, as an index tells of it.
struct Found {
    address: u64,
    /// Bytes in the file.
    size: u64,
    /// A bit for each filter that it did not go through.
    left_out: u32,
}

/// What takes chunks in.
struct Chunks<'a> {
    form: &'a Form,
    packed: &'a mut Packed,
    findings: &'a mut Findings,
}

impl Chunks<'_> {
    /// An entry of a newer index: an address, and size and filters where chunks go through some.
    fn entry(&mut self, image: &Image, entry: &[u8], place: u64, behind: usize) -> Result<(), Fault> {
        let mut fields = Fields::new(entry, place);
        let address = fields.number(image.offset_width)?;
        let (mut size, mut left_out) = (self.form.whole, 0);
        if self.form.is_packed() {
            let width = fields.left().checked_sub(4 + behind).filter(|width| (1..=8).contains(width));
            size =
                fields.number(width.ok_or_else(|| fields.bad("an index with entries of another length"))?)?;
            left_out = fields.u32()?;
        }
        if fields.left() != behind {
            return Err(fields.bad("an index with entries of another length"));
        }
        // A place that nothing was written to yet.
        if address == image.undefined() {
            return Ok(());
        }
        self.add(image, Found { address, size, left_out })
    }

    fn add(&mut self, image: &Image, chunk: Found) -> Result<(), Fault> {
        let (form, Found { address, size, left_out }) = (self.form, chunk);
        let at = image.place(address);
        if !image.holds(address, size) || (!form.is_packed() && form.whole != size) {
            let message = format!("a chunk of {size} bytes does not lie where it should");
            self.findings.at(&rules::HDF5_EXTENT, at, message);
        } else if form.is_packed() {
            let filters = Rc::clone(&form.filters);
            self.packed.add(Chunk { at, size, whole: form.whole, left_out, filters })?;
        }
        Ok(())
    }
}

/// Where a chunk begins, along each axis and within an element, and what it takes.
pub(super) struct Key {
    starts: Vec<u64>,
    size: u64,
    left_out: u32,
}

impl Keys for Form {
    const KIND: u8 = 1;
    type Key = Key;

    fn length(&self, _image: &Image) -> u64 {
        8 + 8 * self.sizes.len() as u64
    }

    fn half(&self, image: &Image) -> u16 {
        image.halves.chunks
    }

    fn read(&self, _image: &Image, fields: &mut Fields<'_>) -> Result<Key, Fault> {
        let (size, left_out) = (u64::from(fields.u32()?), fields.u32()?);
        let mut starts = Vec::new();
        for size in &self.sizes {
            let start = fields.number(8)?;
            if start.checked_rem(*size) != Some(0) {
                return Err(fields.bad("a chunk that begins within another"));
            }
            starts.push(start);
        }
        Ok(Key { starts, size, left_out })
    }

    fn before(&self, left: &Key, right: &Key) -> bool {
        left.starts < right.starts
    }
}

/// The chunks in a tree of the older kind.
fn tree(image: &mut Image, tree: u64, chunks: &mut Chunks<'_>) -> Result<(), Fault> {
    let (form, mut count) = (chunks.form, 0);
    btree::each(image, tree, form, &mut |image, address, around| {
        count += 1;
        if count > MAX_OBJECTS {
            return Err(Fault::Limit { at: image.place(tree), what: "more chunks than are followed" });
        }
        let Key { size, left_out, .. } = *around.left;
        // What a reader looks for by its place it finds between the keys above only.
        if form.before(&around.left, &around.lower) || !form.before(&around.left, &around.upper) {
            return Err(Fault::Bad { at: image.place(tree), what: "a tree of chunks in no order" });
        }
        chunks.add(image, Found { address, size, left_out })
    })
}

/// Chunks one behind the other, which go through no filter.
fn implicit(image: &Image, address: u64, chunks: &mut Chunks<'_>) -> Result<(), Fault> {
    let at = image.place(address);
    if chunks.form.is_packed() {
        return Err(Fault::Bad { at, what: "packed chunks without their sizes" });
    }
    let length = chunks.form.most.and_then(|most| most.checked_mul(chunks.form.whole));
    if length.is_none_or(|length| !image.holds(address, length)) {
        chunks.findings.at(&rules::HDF5_EXTENT, at, "chunks that do not lie where they should");
    }
    Ok(())
}
