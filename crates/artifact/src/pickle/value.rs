//! What the machine knows of the values on its stack: enough to name every global and to follow what is done
//! with it, and no more. Contents of models are not kept.
//!
//! Containers live in a [`Heap`] so that identity and sharing are those of the real unpickler. One that was
//! never put in the memo is given back as soon as another container takes it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Containers alive at a time.
const MAX_OBJECTS: usize = 2_000_000;
/// Elements of a tuple, or keys and values of a dict, that are remembered: enough for every reducer's arguments.
const REMEMBERED: usize = 20;
/// Tuples and dicts whose elements are remembered; arguments are nearly always the latest one.
const RECENT: usize = 16;
/// Bytes of distinct short texts kept.
const MAX_TEXT: usize = 16 << 20;
/// Expansion above which shared references are a bomb, in elements.
pub(super) const EXPANSION: u32 = 1_000_000_000;

/// A value on the stack or in the memo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// `None`, a boolean, a float, an integer that does not fit.
    Number,
    /// A small integer.
    Int(i32),
    /// A short text, by its number among [`Texts`].
    Text(u32),
    /// A text too long to be a name.
    LongText,
    /// Bytes.
    Bytes,
    /// A global, by its number in the machine's table.
    Global(u32),
    /// A container or an instance, by its place in the [`Heap`].
    Object(u32),
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

/// The element type of a NumPy array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// Not a dtype, or not understood.
    Unknown,
    /// Python objects.
    Object,
    /// Plain values of this many bytes.
    Plain(u32),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Object {
    pub(super) kind: Kind,
    /// For a `numpy.dtype` instance: what it describes.
    pub(super) element: Element,
    /// Elements with everything inside expanded, saturating.
    pub(super) weight: u32,
    /// In the memo or duplicated: may be referred to again.
    shared: bool,
    /// Has a key of the form `__x__`.
    pub(super) dunder: bool,
}

/// Elements of a recent tuple, or key-value pairs of a recent dict.
#[derive(Debug, Clone)]
struct Recent {
    id: u32,
    elements: Vec<Value>,
}

/// The containers alive.
#[derive(Debug, Default)]
pub(super) struct Heap {
    objects: Vec<Object>,
    free: Vec<u32>,
    recent: VecDeque<Recent>,
}

/// The heap or a table is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Heap {
    pub(super) fn make(&mut self, kind: Kind) -> Result<u32, Full> {
        let object = Object { kind, element: Element::Unknown, weight: 1, shared: false, dunder: false };
        if let Some(id) = self.free.pop() {
            self.objects[id as usize] = object;
            return Ok(id);
        }
        if self.objects.len() >= MAX_OBJECTS {
            return Err(Full);
        }
        let id = u32::try_from(self.objects.len()).map_err(|_| Full)?;
        self.objects.push(object);
        Ok(id)
    }

    pub(super) fn get(&self, id: u32) -> &Object {
        &self.objects[id as usize]
    }

    pub(super) fn get_mut(&mut self, id: u32) -> &mut Object {
        &mut self.objects[id as usize]
    }

    /// Marks a value as one that may be met again.
    pub(super) fn share(&mut self, value: Value) {
        if let Value::Object(id) = value {
            self.objects[id as usize].shared = true;
        }
    }

    /// Gives back a value that left the stack, where nothing can refer to it again.
    pub(super) fn release(&mut self, value: Value) {
        if !matches!(value, Value::Object(id) if !self.objects[id as usize].shared) {
            return;
        }
        let mut dropped = vec![value];
        while let Some(value) = dropped.pop() {
            let Value::Object(id) = value else { continue };
            if self.objects[id as usize].shared {
                continue;
            }
            if let Some(at) = self.recent.iter().position(|recent| recent.id == id) {
                dropped.extend(self.recent.remove(at).into_iter().flat_map(|recent| recent.elements));
            }
            self.free.push(id);
        }
    }

    /// Moves elements into a container. Their weights are added to its own; of a tuple or dict the first few are
    /// remembered, and stay alive for as long as they are.
    pub(super) fn absorb(&mut self, id: u32, values: &[Value]) {
        let weight = values.iter().fold(0u32, |sum, value| sum.saturating_add(self.weight(*value)));
        let object = &mut self.objects[id as usize];
        object.weight = object.weight.saturating_add(weight);
        let room = match object.kind {
            Kind::Tuple | Kind::Dict => self.remembered(id),
            _ => 0,
        };
        let (kept, dropped) = values.split_at(room.min(values.len()));
        if !kept.is_empty() {
            self.remember(id, kept);
        }
        for value in dropped {
            self.release(*value);
        }
    }

    /// Elements with everything inside expanded, saturating.
    fn weight(&self, value: Value) -> u32 {
        match value {
            Value::Object(id) => self.objects[id as usize].weight,
            _ => 1,
        }
    }

    /// How many more elements of a container may be remembered.
    fn remembered(&self, id: u32) -> usize {
        let known = self.recent.iter().find(|recent| recent.id == id);
        REMEMBERED - known.map_or(0, |recent| recent.elements.len())
    }

    fn remember(&mut self, id: u32, elements: &[Value]) {
        if let Some(recent) = self.recent.iter_mut().find(|recent| recent.id == id) {
            recent.elements.extend_from_slice(elements);
            return;
        }
        if self.recent.len() == RECENT
            && let Some(oldest) = self.recent.pop_front()
        {
            for value in oldest.elements {
                self.release(value);
            }
        }
        self.recent.push_back(Recent { id, elements: elements.to_vec() });
    }

    /// The first elements of a tuple, or keys and values of a dict, where they are still remembered.
    pub(super) fn recall(&self, value: Value) -> Option<&[Value]> {
        let Value::Object(id) = value else { return None };
        self.recent.iter().rev().find(|recent| recent.id == id).map(|recent| recent.elements.as_slice())
    }

    /// The global whose call gave this value.
    pub(super) fn class_of(&self, value: Value) -> Option<u32> {
        match value {
            Value::Object(id) => match self.get(id).kind {
                Kind::Instance(class) => Some(class),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a value is a container of this kind.
    pub(super) fn is(&self, value: Value, kind: Kind) -> bool {
        matches!(value, Value::Object(id) if self.get(id).kind == kind)
    }
}

/// Distinct short texts: names of modules, classes and attributes, and whatever else is short.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    bytes: usize,
}

impl Texts {
    pub(super) fn number(&mut self, text: &str) -> Result<u32, Full> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        self.bytes += text.len() + 64;
        if self.bytes > MAX_TEXT {
            return Err(Full);
        }
        let number = u32::try_from(self.texts.len()).map_err(|_| Full)?;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        Ok(number)
    }

    pub(super) fn get(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }
}

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

    #[test]
    fn what_cannot_be_met_again_is_given_back() {
        let mut heap = Heap::default();
        let outer = heap.make(Kind::List).unwrap();
        let inner = heap.make(Kind::Tuple).unwrap();
        heap.absorb(outer, &[Value::Object(inner), Value::Number]);
        assert_eq!(heap.get(outer).weight, 3);
        assert_eq!(heap.make(Kind::Dict).unwrap(), inner);
    }
}
