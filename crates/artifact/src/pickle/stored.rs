//! The elements of an array that another format than a pickle keeps, read like those of arrays in pickles. Its type and sizes are known
//! before its bytes.

use super::{
    array::{Array, Reader},
    nodes,
    numbers::{self, Numbers},
};

/// A field of a structured type: its name, where it begins, and its bytes.
pub(crate) type Field<'a> = (&'a str, i32, u32);

/// Elements on their way through.
#[derive(Debug)]
pub(crate) struct Elements(Reader);

impl Elements {
    /// Of a structured type that begins with these fields and has so many bytes.
    pub(crate) fn structured(fields: &[Field<'_>], width: u32) -> Self {
        Self(nodes::stored::reader(fields, width).map_or(Reader::Nothing, Reader::Nodes))
    }

    /// Whole little-endian numbers of so many bytes, with a sign.
    pub(crate) fn whole(width: u32) -> Self {
        Self(match width {
            4 | 8 => Reader::Numbers(numbers::Reader::new(width as usize)),
            _ => Reader::Nothing,
        })
    }

    /// Those that say nothing.
    pub(crate) fn nothing() -> Self {
        Self(Reader::Nothing)
    }

    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.0.add(piece);
    }

    /// The array that they are, which has these sizes.
    pub(crate) fn end(self, shape: [i32; 3]) -> Array {
        self.0.end(shape)
    }
}

impl Array {
    /// Its only element, where that is a whole number.
    pub(crate) fn single(&self) -> Option<i64> {
        self.list().filter(|numbers: &Numbers| numbers.count == 1).map(|numbers| numbers.least)
    }

    /// How many rows of so many elements it is.
    pub(crate) fn rows_of(&self, across: i32) -> Option<i64> {
        let [rows, wide, deep] = self.shape;
        (wide == across && deep == 1).then_some(i64::from(rows))
    }
}
