//! The containers and instances alive, with the identity and sharing that they have in the real unpickler.
//!
//! One that was never put in the memo is given back when another container takes it, so that a long pickle needs
//! little memory. Of tuples and dicts the first elements are remembered for a while: they are what calls get.

use std::collections::VecDeque;

use super::{
    nodes::{Asks, Layout},
    value::{Element, Full, Kind, Value},
};

/// Containers alive at a time.
const MAX_OBJECTS: usize = 2_000_000;
/// Elements of a tuple, or keys and values of a dict, that are remembered: enough for every reducer's arguments, for the
/// fields of most structured types, and for the attributes of scikit-learn's boosters.
const REMEMBERED: usize = 128;
/// Tuples and dicts whose elements are remembered; arguments are nearly always the latest one.
const RECENT: usize = 128;

/// What the keys of a dict give away about its use as an object's state.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    /// One has the form `__x__`.
    pub(super) dunder: bool,
    /// The same, where its value is no number, as it is for a word of a vocabulary.
    pub(super) method: bool,
    /// One is an instance, which may equal any text: numpy has such texts.
    pub(super) instance: bool,
    /// One makes statsmodels evaluate a formula.
    pub(super) formula: bool,
    /// One is `items`, which a mapping whose items are its attributes is asked for when it is a state.
    pub(super) items: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Object {
    pub(super) kind: Kind,
    /// For a `numpy.dtype` instance: what it describes.
    pub(super) element: Element,
    /// Elements with everything inside expanded, saturating.
    pub(super) weight: u32,
    /// Elements that were put in, saturating.
    count: u32,
    /// In the memo or duplicated: may be referred to again.
    shared: bool,
    /// Part of another object already.
    pub(super) taken: bool,
    /// What trees of scikit-learn in it ask for.
    pub(super) asks: Asks,
    /// What its keys give away.
    pub(super) keys: Keys,
    /// For a `numpy.dtype` instance: it is a node of a tree, with its parts where they belong. For a dict: it is the fields of one.
    pub(super) nodes: Option<Layout>,
    /// For a `numpy.dtype` instance, a model of support vectors or a tree of neighbours: it has its state.
    pub(super) built: bool,
    /// For a `numpy.dtype` instance: its numbers begin with their lowest byte.
    pub(super) little: bool,
    /// For a `numpy.dtype` instance: it is of numbers. For a scalar of numpy's: it is one.
    pub(super) number: bool,
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
    /// Emptied element lists, to be used again.
    spare: Vec<Vec<Value>>,
}

impl Heap {
    pub(super) fn make(&mut self, kind: Kind) -> Result<u32, Full> {
        let object = Object {
            kind,
            element: Element::Unknown,
            weight: 1,
            count: 0,
            shared: false,
            taken: false,
            asks: Asks::default(),
            keys: Keys::default(),
            nodes: None,
            built: false,
            little: false,
            number: false,
        };
        if let Some(id) = self.free.pop() {
            self.objects[id as usize] = object;
            return Ok(id);
        }
        if self.objects.len() >= MAX_OBJECTS {
            return Err(Full);
        }
        let id = u32::try_from(self.objects.len()).ok().ok_or(Full)?;
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
        let mut dropped = self.spare.pop().unwrap_or_default();
        dropped.push(value);
        while let Some(value) = dropped.pop() {
            let Value::Object(id) = value else { continue };
            if self.objects[id as usize].shared {
                continue;
            }
            if self.objects[id as usize].count > 0
                && let Some(at) = self.position(id)
                && let Some(mut recent) = self.recent.remove(at)
            {
                dropped.append(&mut recent.elements);
                self.spare.push(recent.elements);
            }
            self.free.push(id);
        }
        self.spare.push(dropped);
    }

    /// Moves elements into a container. Their weights are added to its own; of a tuple or dict the first few are
    /// remembered, and stay alive for as long as they are.
    pub(super) fn absorb(&mut self, id: u32, values: &[Value]) {
        let mut weight = 0u32;
        for value in values {
            weight = weight.saturating_add(self.weight(*value));
            self.take(id, *value);
        }
        let object = &mut self.objects[id as usize];
        object.weight = object.weight.saturating_add(weight);
        let before = object.count as usize;
        object.count = object.count.saturating_add(u32::try_from(values.len()).unwrap_or(u32::MAX));
        // Only from the first element on: a part from the middle would read as the whole.
        let kind = object.kind;
        let room = match kind {
            Kind::Tuple | Kind::Dict if before == 0 || self.position(id).is_some() => {
                REMEMBERED.saturating_sub(before)
            }
            Kind::List if before == 0 && self.are_buffers(values) => REMEMBERED,
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

    /// Whether these are the buffers of an Arrow array, which come in a list: three at most, and not all absent.
    fn are_buffers(&self, values: &[Value]) -> bool {
        let is_buffer = |value: &Value| matches!(value, Value::Object(id) if matches!(self.get(*id).element, Element::Buffer(_)));
        values.len() <= 3 && values.iter().any(is_buffer)
    }

    /// Counts what went into an instance, as arguments or state, to its weight.
    pub(super) fn weigh(&mut self, id: u32, part: Value) -> u32 {
        self.take(id, part);
        let part = self.weight(part);
        let object = &mut self.objects[id as usize];
        object.weight = object.weight.saturating_add(part);
        object.weight
    }

    /// Notes that a value has become part of an object, which asks for whatever it does.
    fn take(&mut self, id: u32, part: Value) {
        if let Value::Object(part) = part {
            let part = &mut self.objects[part as usize];
            part.taken = true;
            let asks = part.asks;
            let object = &mut self.objects[id as usize];
            object.asks = object.asks.and(asks);
        }
    }

    /// Notes that an array has elements that were read by themselves.
    pub(super) fn hold(&mut self, array: Value, elements: Value) {
        if let Value::Object(id) = array {
            self.take(id, elements);
        }
    }

    /// What trees in one of these ask for.
    pub(super) fn asks(&self, values: &[Value]) -> Asks {
        let asks = |value: &Value| match value {
            Value::Object(id) => self.get(*id).asks,
            _ => Asks::default(),
        };
        values.iter().map(asks).fold(Asks::default(), Asks::and)
    }

    /// Elements with everything inside expanded, saturating.
    fn weight(&self, value: Value) -> u32 {
        match value {
            Value::Object(id) => self.objects[id as usize].weight,
            _ => 1,
        }
    }

    /// Where a container is among the recent ones.
    fn position(&self, id: u32) -> Option<usize> {
        self.recent.iter().rposition(|recent| recent.id == id)
    }

    fn remember(&mut self, id: u32, elements: &[Value]) {
        if self.objects[id as usize].count as usize > elements.len()
            && let Some(at) = self.position(id)
        {
            self.recent[at].elements.extend_from_slice(elements);
            return;
        }
        if self.recent.len() == RECENT
            && let Some(mut oldest) = self.recent.pop_front()
        {
            while let Some(value) = oldest.elements.pop() {
                self.release(value);
            }
            self.spare.push(oldest.elements);
        }
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.extend_from_slice(elements);
        self.recent.push_back(Recent { id, elements: kept });
    }

    /// All elements of a tuple, or keys and values of a dict, where they are still known.
    pub(super) fn recall(&self, value: Value) -> Option<&[Value]> {
        let Value::Object(id) = value else { return None };
        let count = self.get(id).count as usize;
        if count == 0 {
            return Some(&[]);
        }
        let elements = self.recent[self.position(id)?].elements.as_slice();
        (elements.len() == count).then_some(elements)
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

#[cfg(test)]
mod tests {
    use super::*;

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
