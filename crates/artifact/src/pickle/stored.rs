//! The elements of an array that another format than a pickle keeps, read like those of arrays in pickles. Its type and sizes are known
//! before its bytes.

use super::{
    array::{Array, Reader},
    nodes::{self, Form, stored::Field},
    numbers::{self, Numbers},
};

/// Elements on their way through.
#[derive(Debug)]
pub(crate) struct Elements {
    reader: Reader,
    /// What they are as nodes.
    form: Option<Form>,
}

impl Elements {
    /// Of a structured type that begins with these fields and has so many bytes.
    pub(crate) fn structured(fields: &[Field<'_>], width: u32) -> Self {
        let form = nodes::stored::form(fields, width);
        let reader = form.map_or(Reader::Bits(false), |form| Reader::Nodes(nodes::Reader::new(form)));
        Self { reader, form }
    }

    /// Whole little-endian numbers of so many bytes, with a sign.
    pub(crate) fn whole(width: u32) -> Self {
        let reader = match width {
            4 | 8 => Reader::Numbers(numbers::Reader::new(width as usize)),
            _ => Reader::Bits(false),
        };
        Self { reader, form: None }
    }

    /// Others, of which it matters whether a bit is set.
    pub(crate) fn others() -> Self {
        Self { reader: Reader::Bits(false), form: None }
    }

    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.reader.add(piece);
    }

    /// The array that they are, which has these sizes.
    pub(crate) fn end(self, shape: [i32; 3]) -> Array {
        let mut array = self.reader.end(shape);
        for (form, nodes) in Form::ALL.iter().zip(&mut array.nodes) {
            *nodes = nodes.take().filter(|_| Some(*form) == self.form);
        }
        array
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
