//! What the machine knows of the values on its stack: enough to name every global and to follow what is done
//! with it, and no more. Contents of models are not kept.

use super::{arrow::Layout, booster::Library, nodes::Metric};

/// Expansion above which shared references are a bomb, in elements.
pub(super) const EXPANSION: u32 = 1_000_000_000;

/// A value on the stack or in the memo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// `None`.
    None,
    /// A boolean, a float, an integer that does not fit.
    Number,
    /// A small integer.
    Int(i32),
    /// A short text, by its number among [`super::texts::Texts`].
    Text(u32),
    /// A text that is no name, since it is too long for one or since its signs are not known.
    LongText,
    /// The same, where what bytes its signs stand for is known, by their number in the machine's table.
    Latin(u32),
    /// A text that defines how a distribution of scipy takes its arguments apart, and nothing else.
    Parser,
    /// Bytes.
    Bytes,
    /// Bytes whose content is known, by their number in the machine's table.
    Buffer(u32),
    /// A global, by its number in the machine's table.
    Global(u32),
    /// A container or an instance, by its place in the heap.
    Object(u32),
    /// A storage of PyTorch, by its number in the machine's table.
    Storage(u32),
    /// Something that was refused already.
    Refused,
}

/// What kind of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tuple,
    List,
    Dict,
    Set,
    FrozenSet,
    /// What calling this global gave.
    Instance(u32),
}

/// What an instance is for, where that matters: the element type of an array, the function of a partial, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// None of the others, or not understood.
    Unknown,
    /// A `functools.partial` of this global.
    Partial(u32),
    /// Python objects.
    Object,
    /// Plain values of this many bytes.
    Plain(u32),
    /// A type of Arrow.
    Arrow(Layout),
    /// Bytes whose content is known, by their number in the machine's table.
    Buffer(u32),
    /// An array, or its bytes, whose elements are known, by its number in the machine's table.
    Raw(u32),
    /// A sparse matrix by rows, by its number in the machine's table.
    Matrix(u32),
    /// An array of rows of eight numbers of four bytes: the sets of categories of scikit-learn's boosters.
    Sets(i32),
    /// What knows the categories of features: one more than the last feature that may hold some, or 0.
    Categories(i32),
    /// A metric, by the points that it can measure.
    Metric(Metric),
    /// A tree of scikit-learn over this many features.
    Tree(i32),
    /// Bytes that are a model of this library, and were judged.
    Model(Library),
}

/// The heap or a table is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// The memo: dense, because its indices may not exceed the number of opcodes.
#[derive(Debug, Default)]
pub(super) struct Memo {
    values: Vec<Option<Value>>,
    filled: u32,
}

/// Entries that the memo may have.
const MAX_MEMO: usize = 4_000_000;

impl Memo {
    pub(super) fn put(&mut self, index: u32, value: Value) -> Result<(), Full> {
        let index = index as usize;
        if index >= MAX_MEMO {
            return Err(Full);
        }
        if index >= self.values.len() {
            self.values.resize(index + 1, None);
        }
        if self.values[index].replace(value).is_none() {
            self.filled += 1;
        }
        Ok(())
    }

    pub(super) fn get(&self, index: u32) -> Option<Value> {
        self.values.get(index as usize).copied().flatten()
    }

    /// The index that MEMOIZE uses: how many entries there are.
    pub(super) fn next(&self) -> u32 {
        self.filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memoize_counts_entries_and_not_the_highest_index() {
        let mut memo = Memo::default();
        memo.put(7, Value::Number).unwrap();
        assert_eq!(memo.next(), 1);
        memo.put(7, Value::Bytes).unwrap();
        assert_eq!(memo.next(), 1);
        assert_eq!(memo.get(7), Some(Value::Bytes));
        assert_eq!(memo.get(0), None);
    }
}
