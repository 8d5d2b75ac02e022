//! Tables, vectors and texts of a buffer inside a file.

use crate::pages::{Fault, Pages};

/// Elements of a vector of tables, and bytes of a vector that is read whole.
const MAX_ELEMENTS: u64 = 1 << 20;
const MAX_BYTES: u64 = 32 << 20;

/// A buffer between two places of a file.
#[derive(Debug)]
pub(super) struct Buffer<'p> {
    pub(super) pages: &'p mut Pages,
    pub(super) start: u64,
    pub(super) end: u64,
    /// Where the furthest thing that was looked at ends.
    pub(super) reach: u64,
}

/// A table: where it stands, and where each of its fields does, counted from there; 0 is none.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) at: u64,
    fields: Vec<u16>,
}

/// A vector: where its elements begin, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vector {
    pub(super) at: u64,
    pub(super) count: u64,
}

impl Table {
    fn field(&self, id: usize) -> Option<u64> {
        self.fields.get(id).filter(|offset| **offset != 0).map(|offset| self.at + u64::from(*offset))
    }
}

impl<'p> Buffer<'p> {
    pub(super) fn new(pages: &'p mut Pages, start: u64, end: u64) -> Self {
        Self { pages, start, end, reach: start }
    }

    pub(super) fn bytes(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Fault> {
        let inside = at >= self.start && at.checked_add(length).is_some_and(|end| end <= self.end);
        if !inside {
            return Err(Fault::Outside { at, length });
        }
        self.reach = self.reach.max(at + length);
        self.pages.bytes(at, length)
    }

    fn number(&mut self, at: u64, width: u64) -> Result<u64, Fault> {
        let bytes = self.bytes(at, width)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A signed number of four bytes.
    fn signed(&mut self, at: u64) -> Result<i64, Fault> {
        let number = self.number(at, 4)?.cast_signed();
        Ok(if number > i64::from(i32::MAX) { number - (1 << 32) } else { number })
    }

    /// What the first four bytes lead to.
    pub(super) fn root(&mut self) -> Result<Table, Fault> {
        let at = self.follow(self.start)?;
        self.table(at)
    }

    fn follow(&mut self, at: u64) -> Result<u64, Fault> {
        let offset = self.number(at, 4)?;
        if offset == 0 {
            return Err(Fault::Bad { at, what: "a place that leads nowhere" });
        }
        Ok(at + offset)
    }

    fn table(&mut self, at: u64) -> Result<Table, Fault> {
        let back = self.signed(at)?;
        let layout = i128::from(at) - i128::from(back);
        let layout = u64::try_from(layout).ok().ok_or(Fault::Bad { at, what: "a table without a layout" })?;
        let size = self.number(layout, 2)?;
        let own = self.number(layout + 2, 2)?;
        if size < 4 || !size.is_multiple_of(2) || own < 4 {
            return Err(Fault::Bad { at, what: "a table whose layout is too small" });
        }
        let bytes = self.bytes(layout, size)?;
        self.bytes(at, own)?;
        let fields: Vec<u16> =
            bytes[4..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        if fields.iter().any(|field| u64::from(*field) >= own) {
            return Err(Fault::Bad { at, what: "a field of a table lies outside of it" });
        }
        Ok(Table { at, fields })
    }

    /// A number of `width` bytes; `default` where it is left out.
    pub(super) fn scalar(
        &mut self,
        table: &Table,
        id: usize,
        width: u64,
        default: u64,
    ) -> Result<u64, Fault> {
        match table.field(id) {
            Some(at) => self.number(at, width),
            None => Ok(default),
        }
    }

    /// A signed number of four bytes; 0 where it is left out.
    pub(super) fn signed_scalar(&mut self, table: &Table, id: usize) -> Result<i64, Fault> {
        table.field(id).map_or(Ok(0), |at| self.signed(at))
    }

    /// Counts the lists that a table of an unknown layout seems to lead to as parts of the model.
    pub(super) fn reach_over(&mut self, table: &Table) -> Result<(), Fault> {
        for field in table.fields.iter().filter(|field| **field != 0) {
            let at = table.at + u64::from(*field);
            let Ok(list) = self.follow(at) else { continue };
            if !list.is_multiple_of(4) || list > self.end - 4 {
                continue;
            }
            let count = self.number(list, 4)?;
            let wide = list + 4 + count * 4;
            let narrow = list + 4 + count;
            if let Some(end) = [wide, narrow].into_iter().find(|end| *end <= self.end) {
                self.reach = self.reach.max(end);
            }
        }
        Ok(())
    }

    /// The table that a field leads to.
    pub(super) fn child(&mut self, table: &Table, id: usize) -> Result<Option<Table>, Fault> {
        let Some(field) = table.field(id) else { return Ok(None) };
        let at = self.follow(field)?;
        self.table(at).map(Some)
    }

    /// A vector of elements of `width` bytes, inside the buffer.
    pub(super) fn vector(&mut self, table: &Table, id: usize, width: u64) -> Result<Option<Vector>, Fault> {
        let Some(field) = table.field(id) else { return Ok(None) };
        let at = self.follow(field)?;
        let count = self.number(at, 4)?;
        let length = count * width;
        if (at + 4).checked_add(length).is_none_or(|end| end > self.end) {
            return Err(Fault::Outside { at, length });
        }
        self.reach = self.reach.max(at + 4 + length);
        Ok(Some(Vector { at: at + 4, count }))
    }

    /// The tables of a vector.
    pub(super) fn tables(&mut self, table: &Table, id: usize) -> Result<Vec<Table>, Fault> {
        let Some(vector) = self.vector(table, id, 4)? else { return Ok(Vec::new()) };
        if vector.count > MAX_ELEMENTS {
            return Err(Fault::Limit { at: vector.at, what: "more tables than are followed" });
        }
        let mut tables = Vec::new();
        for index in 0..vector.count {
            let at = self.follow(vector.at + 4 * index)?;
            tables.push(self.table(at)?);
        }
        Ok(tables)
    }

    /// A vector of signed numbers of four bytes.
    pub(super) fn integers(&mut self, table: &Table, id: usize) -> Result<Vec<i32>, Fault> {
        let Some(vector) = self.vector(table, id, 4)? else { return Ok(Vec::new()) };
        let length = vector.count * 4;
        if length > MAX_BYTES {
            return Err(Fault::Limit { at: vector.at, what: "a longer list of numbers than is followed" });
        }
        let bytes = self.bytes(vector.at, length)?;
        Ok(bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// A vector of numbers without sign, of `width` bytes each.
    pub(super) fn unsigned(&mut self, table: &Table, id: usize, width: u64) -> Result<Vec<i64>, Fault> {
        let Some(vector) = self.vector(table, id, width)? else { return Ok(Vec::new()) };
        let length = vector.count * width;
        if length > MAX_BYTES {
            return Err(Fault::Limit { at: vector.at, what: "a longer list of numbers than is followed" });
        }
        let bytes = self.bytes(vector.at, length)?;
        let number =
            |bytes: &[u8]| bytes.iter().rev().fold(0i64, |number, byte| number << 8 | i64::from(*byte));
        Ok(bytes.chunks_exact(usize::try_from(width).unwrap_or(1)).map(number).collect())
    }

    /// A text; empty where it is left out.
    pub(super) fn text(&mut self, table: &Table, id: usize) -> Result<String, Fault> {
        match self.vector(table, id, 1)? {
            Some(vector) => self.text_of(vector),
            None => Ok(String::new()),
        }
    }

    /// The texts of a vector.
    pub(super) fn texts(&mut self, table: &Table, id: usize) -> Result<Vec<String>, Fault> {
        let Some(vector) = self.vector(table, id, 4)? else { return Ok(Vec::new()) };
        if vector.count > 1 << 10 {
            return Err(Fault::Limit { at: vector.at, what: "more texts than are followed" });
        }
        let mut texts = Vec::new();
        for index in 0..vector.count {
            let at = self.follow(vector.at + 4 * index)?;
            let count = self.number(at, 4)?;
            texts.push(self.text_of(Vector { at: at + 4, count })?);
        }
        Ok(texts)
    }

    fn text_of(&mut self, vector: Vector) -> Result<String, Fault> {
        if vector.count > 1 << 16 {
            return Err(Fault::Limit { at: vector.at, what: "a longer text than is followed" });
        }
        let bytes = self.bytes(vector.at, vector.count)?;
        String::from_utf8(bytes).ok().ok_or(Fault::Bad { at: vector.at, what: "a text that is no UTF-8" })
    }
}
