//! Values that all objects of a file share ("global heap"): texts and lists whose length their type does not tell.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use super::{
    fields::{Fault, Fields},
    image::Image,
};

/// The least that a collection takes.
const MIN_SIZE: u64 = 4096;

/// The collections that were read, by their addresses.
#[derive(Debug, Default)]
pub(super) struct Collections(HashMap<u64, Rc<Collection>>);

/// Address and length of each value, by its number.
#[derive(Debug)]
struct Collection(BTreeMap<u32, (u64, u64)>);

/// A reference to a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    /// Elements of the value.
    pub(super) count: u64,
    collection: u64,
    number: u32,
}

impl Shared {
    pub(super) fn read(image: &Image, fields: &mut Fields<'_>) -> Result<Self, Fault> {
        let count = u64::from(fields.u32()?);
        let (collection, number) = (fields.number(image.offset_width)?, fields.u32()?);
        // Whoever was never given a value refers to none. An empty one is kept like any other.
        if collection == 0 && (count, number) != (0, 0) {
            return Err(fields.bad("a shared value that is nowhere"));
        }
        Ok(Self { count, collection, number })
    }

    /// Address and length of the value, of which each element takes `size` bytes.
    pub(super) fn find(self, image: &mut Image, size: u64) -> Result<(u64, u64), Fault> {
        if self.collection == 0 {
            return Ok((0, 0));
        }
        let bad = |what| Fault::Bad { at: image.place(self.collection), what };
        let missing = bad("a shared value is not where it should be");
        let other = bad("a shared value is not as long as what refers to it says");
        let collection = match image.collections.0.get(&self.collection) {
            Some(collection) => Rc::clone(collection),
            None => {
                let collection = Rc::new(Collection::read(image, self.collection)?);
                image.collections.0.insert(self.collection, Rc::clone(&collection));
                collection
            }
        };
        let (address, length) = collection.0.get(&self.number).copied().ok_or(missing)?;
        match self.count.checked_mul(size) {
            Some(total) if total == length => Ok((address, total)),
            _ => Err(other),
        }
    }
}

impl Collection {
    fn read(image: &mut Image, address: u64) -> Result<Self, Fault> {
        let fixed = 8 + image.length_width as u64;
        let head = image.bytes(address, fixed)?;
        let mut fields = Fields::new(&head, image.place(address));
        fields.signature(*b"GCOL", "no shared values are here")?;
        if fields.u8()? != 1 {
            return Err(fields.bad("a version of shared values that does not exist"));
        }
        fields.take(3)?;
        let size = fields.number(image.length_width)?;
        if size < MIN_SIZE {
            return Err(fields.bad("shared values with too little room"));
        }
        let end = address.checked_add(size).filter(|_| image.holds(address, size));
        let end = end.ok_or(Fault::Outside { at: image.place(address), length: size })?;
        let (mut at, mut values) = (address + fixed, BTreeMap::new());
        // What is left behind the last value may be too little for another.
        while at + fixed <= end {
            let bytes = image.bytes(at, fixed)?;
            let mut value = Fields::new(&bytes, image.place(at));
            let number = u32::from(value.u16()?);
            value.take(6)?;
            let size = value.number(image.length_width)?;
            // Free room counts what stands before it, a value does not.
            let whole = if number == 0 {
                Some(size).filter(|size| *size >= fixed)
            } else {
                size.checked_next_multiple_of(8).and_then(|size| size.checked_add(fixed))
            };
            let next = whole.and_then(|whole| at.checked_add(whole)).filter(|next| *next <= end);
            let next = next.ok_or_else(|| value.bad("a shared value of an impossible size"))?;
            if number != 0 && values.insert(number, (at + fixed, size)).is_some() {
                return Err(value.bad("two shared values of one number"));
            }
            at = next;
        }
        Ok(Self(values))
    }
}
