//! The two arrays that newer files find chunks by: one with a place for each, and one that grows.

use super::{
    checksum,
    chunks::Form,
    fields::{Fault, Fields},
    image::Image,
    records::Take,
    walk::MAX_OBJECTS,
};

/// Checksums of parts of an array.
const UNSUMMED: &str = "an index of chunks does not have its checksum";

/// Hands out each entry of an array that has a place for every chunk.
pub(super) fn fixed(image: &mut Image, address: u64, form: &Form, take: &mut Take<'_>) -> Result<(), Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let bytes = checksum::checked(image, address, (12 + long + wide) as u64, UNSUMMED)?;
    let mut fields = Fields::new(&bytes, image.place(address));
    let entry = begin(&mut fields, *b"FAHD", form)?;
    let page = page_size(&mut fields)?;
    let count = fields.number(long)?;
    let block = fields.number(wide)?;
    if block == image.undefined() {
        return Ok(());
    }
    let array = Array { head: address, entry, page, wide, offset: 0, form };
    let pages = array.pages(count);
    let length = (10 + wide) as u64 + pages.div_ceil(8);
    let whole = if pages == 0 { length + array.length(image, count)? } else { length };
    let bytes = checksum::checked(image, block, whole, UNSUMMED)?;
    let mut fields = Fields::new(&bytes, image.place(block));
    array.begin(&mut fields, *b"FADB")?;
    if pages == 0 {
        return array.entries(image, &mut fields, count, take);
    }
    let used = fields.take(usize::try_from(pages.div_ceil(8)).unwrap_or(usize::MAX))?;
    let first = block + whole;
    array.paged(image, first, count, &|page| bit(used, page), take)
}

/// Hands out each entry of an array that grows by blocks.
pub(super) fn extensible(
    image: &mut Image,
    address: u64,
    form: &Form,
    take: &mut Take<'_>,
) -> Result<(), Fault> {
    let (wide, long) = (image.offset_width, image.length_width);
    let bytes = checksum::checked(image, address, (16 + 6 * long + wide) as u64, UNSUMMED)?;
    let mut fields = Fields::new(&bytes, image.place(address));
    let entry = begin(&mut fields, *b"EAHD", form)?;
    let bits = u32::from(fields.u8()?);
    let in_index = u64::from(fields.u8()?);
    let (least, pointers) = (u64::from(fields.u8()?), u64::from(fields.u8()?));
    let page = page_size(&mut fields)?;
    fields.take(6 * long)?;
    let index = fields.number(wide)?;
    let doubles = least.is_power_of_two() && pointers.is_power_of_two() && least.ilog2() <= bits;
    if bits > 64 || !doubles {
        return Err(fields.bad("an index of chunks of an impossible shape"));
    }
    if index == image.undefined() {
        return Ok(());
    }
    let offset = bits.div_ceil(8) as usize;
    let array = Array { head: address, entry, page, wide, offset, form };
    let levels = 1 + bits - least.ilog2();
    // The blocks of the first levels stand in the index itself, those of later ones in blocks of addresses.
    let direct = (2 * pointers.ilog2()).min(levels);
    let blocks = (0..direct).map(|level| Level::new(level, least).blocks).sum::<u64>();
    let tail = (blocks + u64::from(levels - direct)) * wide as u64;
    let length = (10 + wide) as u64 + in_index * entry + tail;
    let bytes = checksum::checked(image, index, length, UNSUMMED)?;
    let mut fields = Fields::new(&bytes, image.place(index));
    array.begin(&mut fields, *b"EAIB")?;
    array.entries(image, &mut fields, in_index, take)?;
    for level in 0..levels {
        let level = Level::new(level, least);
        if level.number >= direct {
            let address = fields.number(wide)?;
            array.level(image, address, &level, take)?;
            continue;
        }
        for _ in 0..level.blocks {
            let address = fields.number(wide)?;
            array.block(image, address, level.entries, &|_| true, take)?;
        }
    }
    Ok(())
}

/// What belongs together in an array that grows: so many blocks of so many entries.
struct Level {
    number: u32,
    blocks: u64,
    entries: u64,
}

impl Level {
    fn new(number: u32, least: u64) -> Self {
        let blocks = 1u64.checked_shl(number / 2).unwrap_or(u64::MAX);
        let entries = 1u64.checked_shl(number.div_ceil(2)).and_then(|times| least.checked_mul(times));
        Self { number, blocks, entries: entries.unwrap_or(u64::MAX) }
    }
}

/// What parts of an array have in common.
struct Array<'a> {
    /// The head, which each part names.
    head: u64,
    /// Bytes of an entry.
    entry: u64,
    /// Entries of a page; a block that has more has pages with checksums of their own.
    page: u64,
    wide: usize,
    /// Bytes of the number of a block's first entry.
    offset: usize,
    form: &'a Form,
}

impl Array<'_> {
    /// Signature, version, kind and head, with which each part begins.
    fn begin(&self, fields: &mut Fields<'_>, signature: [u8; 4]) -> Result<(), Fault> {
        fields.signature(signature, "no part of an index of chunks is here")?;
        let same = fields.u8()? == 0 && fields.u8()? == u8::from(self.form.is_packed());
        if same && fields.number(self.wide)? == self.head {
            return Ok(());
        }
        Err(fields.bad("a part of another index of chunks"))
    }

    /// Pages of a block with this many entries; none where it is in one piece.
    fn pages(&self, entries: u64) -> u64 {
        if entries > self.page { entries.div_ceil(self.page) } else { 0 }
    }

    /// Bytes of this many entries.
    fn length(&self, image: &Image, entries: u64) -> Result<u64, Fault> {
        if entries > MAX_OBJECTS as u64 {
            return Err(Fault::Limit { at: image.place(self.head), what: "more chunks than are followed" });
        }
        Ok(entries * self.entry)
    }

    fn entries(
        &self,
        image: &mut Image,
        fields: &mut Fields<'_>,
        count: u64,
        take: &mut Take<'_>,
    ) -> Result<(), Fault> {
        for _ in 0..count {
            let place = fields.place();
            take(image, fields.take(usize::try_from(self.entry).unwrap_or(usize::MAX))?, place)?;
        }
        Ok(())
    }

    /// The pages of a block, as far as they were written.
    fn paged(
        &self,
        image: &mut Image,
        first: u64,
        entries: u64,
        is_used: &dyn Fn(u64) -> bool,
        take: &mut Take<'_>,
    ) -> Result<(), Fault> {
        let step = self.length(image, self.page)? + 4;
        for page in 0..self.pages(entries) {
            if page > MAX_OBJECTS as u64 {
                return Err(Fault::Limit {
                    at: image.place(self.head),
                    what: "more chunks than are followed",
                });
            }
            if is_used(page) {
                let count = self.page.min(entries - page * self.page);
                let at = page.checked_mul(step).and_then(|behind| first.checked_add(behind));
                let at = at.unwrap_or(u64::MAX);
                let bytes = checksum::checked(image, at, self.length(image, count)? + 4, UNSUMMED)?;
                self.entries(image, &mut Fields::new(&bytes, image.place(at)), count, take)?;
            }
        }
        Ok(())
    }

    /// The blocks of a level whose addresses stand in a block of their own.
    fn level(
        &self,
        image: &mut Image,
        address: u64,
        level: &Level,
        take: &mut Take<'_>,
    ) -> Result<(), Fault> {
        if address == image.undefined() {
            return Ok(());
        }
        let pages = self.pages(level.entries);
        let used = level.blocks.saturating_mul(pages.div_ceil(8));
        let addresses = level.blocks.saturating_mul(self.wide as u64);
        let length = used.saturating_add(addresses).saturating_add((10 + self.wide + self.offset) as u64);
        let bytes = checksum::checked(image, address, length, UNSUMMED)?;
        let mut fields = Fields::new(&bytes, image.place(address));
        self.begin(&mut fields, *b"EASB")?;
        fields.take(self.offset)?;
        let used = fields.take(usize::try_from(used).unwrap_or(usize::MAX))?;
        for block in 0..level.blocks {
            let address = fields.number(self.wide)?;
            let is_used = |page: u64| bit(used, block.saturating_mul(pages).saturating_add(page));
            self.block(image, address, level.entries, &is_used, take)?;
        }
        Ok(())
    }

    /// A block of entries.
    fn block(
        &self,
        image: &mut Image,
        address: u64,
        entries: u64,
        is_used: &dyn Fn(u64) -> bool,
        take: &mut Take<'_>,
    ) -> Result<(), Fault> {
        if address == image.undefined() {
            return Ok(());
        }
        let is_paged = self.pages(entries) > 0;
        let length = (10 + self.wide + self.offset) as u64;
        let whole = if is_paged { length } else { length + self.length(image, entries)? };
        let bytes = checksum::checked(image, address, whole, UNSUMMED)?;
        let mut fields = Fields::new(&bytes, image.place(address));
        self.begin(&mut fields, *b"EADB")?;
        fields.take(self.offset)?;
        if is_paged {
            return self.paged(image, address + whole, entries, is_used, take);
        }
        self.entries(image, &mut fields, entries, take)
    }
}

/// The beginning of the head of an array; the bytes of its entries.
fn begin(fields: &mut Fields<'_>, signature: [u8; 4], form: &Form) -> Result<u64, Fault> {
    fields.signature(signature, "no index of chunks is here")?;
    if fields.u8()? != 0 || fields.u8()? != u8::from(form.is_packed()) {
        return Err(fields.bad("an index of another version, or for other chunks"));
    }
    match fields.u8()? {
        0 => Err(fields.bad("an index without room for entries")),
        bytes => Ok(u64::from(bytes)),
    }
}

/// Entries of a page, of which the head tells the bits.
fn page_size(fields: &mut Fields<'_>) -> Result<u64, Fault> {
    let bits = u32::from(fields.u8()?);
    1u64.checked_shl(bits).ok_or_else(|| fields.bad("an index with pages of an impossible size"))
}

/// The bit of this number, the highest of each byte first.
fn bit(bits: &[u8], number: u64) -> bool {
    let byte = usize::try_from(number / 8).ok().and_then(|at| bits.get(at));
    byte.is_some_and(|byte| byte & (0x80 >> (number % 8)) != 0)
}
