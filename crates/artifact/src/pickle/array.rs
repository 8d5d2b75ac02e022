//! Arrays whose elements native code follows without a check. The bytes of an array go by before it is told whose they are, so each run
//! of them is read in every way that may matter.

use super::{
    content::{Content, Look},
    machine::Machine,
    nodes::{self, FORMS, Form, Nodes, is_latin, latin},
    numbers::{self, Numbers},
    value::{Element, Value},
};
use crate::rules;

/// Arrays that are remembered.
const MAX_ARRAYS: usize = 1 << 16;

/// What is known of an array, or of bytes that become one.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Array {
    /// What it is as nodes of a tree, in each of their forms.
    pub(super) nodes: [Option<Nodes>; FORMS],
    /// What it is as numbers of four and of eight bytes.
    pub(super) numbers: [Option<Numbers>; 2],
    /// One of its bits is set.
    pub(super) set: bool,
    /// Its sizes, one for each that it does not have. Of bytes nothing is known.
    pub(super) shape: [i32; 3],
}

impl From<Content> for Array {
    fn from(content: Content) -> Self {
        Self { nodes: content.nodes, numbers: content.numbers(), set: content.is_set(), shape: [0; 3] }
    }
}

impl Array {
    /// Its elements as numbers, where they are some and it has one dimension.
    pub(super) fn list(&self) -> Option<Numbers> {
        let numbers = self.numbers[0]?;
        (self.shape[1..] == [1, 1] && u64::try_from(self.shape[0]) == Ok(numbers.count)).then_some(numbers)
    }

    /// How many elements it has.
    pub(crate) fn count(&self) -> i64 {
        self.shape.iter().map(|size| i64::from(*size)).fold(1, i64::saturating_mul)
    }
}

/// Reads the elements of an array of a known type.
#[derive(Debug)]
pub(super) enum Reader {
    Nodes(nodes::Reader),
    Numbers(numbers::Reader),
    /// Of others it matters whether a bit is set.
    Bits(bool),
}

impl Reader {
    pub(super) fn add(&mut self, piece: &[u8]) {
        match self {
            Self::Nodes(nodes) => nodes.add(piece),
            Self::Numbers(numbers) => numbers.add(piece),
            Self::Bits(set) => *set = *set || piece.iter().any(|byte| *byte != 0),
        }
    }

    pub(super) fn end(self, shape: [i32; 3]) -> Array {
        match self {
            Self::Nodes(nodes) => Array { nodes: [nodes.end(); FORMS], shape, ..Array::default() },
            Self::Numbers(numbers) => Array { numbers: [numbers.end(); 2], shape, ..Array::default() },
            Self::Bits(set) => Array { set, shape, ..Array::default() },
        }
    }
}

/// The place of numbers of this many bytes among those that are read.
fn place(width: u32) -> Option<usize> {
    match width {
        4 => Some(0),
        8 => Some(1),
        _ => None,
    }
}

impl Machine<'_, '_> {
    /// Whether arrays matter by what their elements are.
    pub(super) fn follows_arrays(&self) -> bool {
        self.trees || self.indices
    }

    /// What the result of a call is, where it is an array, or bytes that one is made of.
    pub(super) fn array_part(&mut self, callee: u32, arguments: &[Value]) -> Option<Element> {
        match (self.globals[callee as usize].name.as_str(), arguments) {
            // Bytes as protocol 2 and older carry them: a text whose signs they are.
            ("encode", [text, Value::Text(codec)]) if is_latin(self.texts.get(*codec)) => {
                let content = self.bytes_of(*text)?;
                Some(self.remember(content.into()))
            }
            // As protocol 2 and older carry no bytes at all.
            ("bytes", []) => Some(self.remember(Content::of(&[]).into())),
            ("_frombuffer", [bytes, kind, shape, ..]) => self.array_element(*bytes, *kind, *shape),
            // As dill writes an array.
            ("_create_array", [_, _, state, _]) => {
                let [shape, kind, bytes] = self.array_state(*state)?;
                self.array_element(bytes, kind, shape)
            }
            _ => None,
        }
    }

    /// Shape, type and bytes of an array in its state, `(version, shape, dtype, order, bytes)`.
    fn array_state(&self, state: Value) -> Option<[Value; 3]> {
        match self.heap.recall(state)? {
            [_, shape, kind, _, bytes] => Some([*shape, *kind, *bytes]),
            _ => None,
        }
    }

    /// Notes what an array gets for its bytes.
    pub(super) fn keep_array(&mut self, target: Value, state: Value) {
        let Value::Object(id) = target else { return };
        let element =
            self.array_state(state).and_then(|[shape, kind, bytes]| self.array_element(bytes, kind, shape));
        // Whoever holds it was checked with what it had before.
        if self.heap.get(id).taken {
            self.note(
                &rules::PICKLE_LIMIT,
                "numbers of an array that others hold already, which is not followed",
            );
        }
        self.heap.get_mut(id).element = element.unwrap_or(Element::Unknown);
    }

    /// What an array of these bytes, type and shape is, where that matters.
    fn array_element(&mut self, bytes: Value, kind: Value, shape: Value) -> Option<Element> {
        self.sets_of(kind, shape).or_else(|| self.array_of(bytes, kind, shape))
    }

    fn array_of(&mut self, bytes: Value, kind: Value, shape: Value) -> Option<Element> {
        let Value::Object(kind) = kind else { return None };
        let kind = *self.heap.get(kind);
        let Element::Plain(width) = kind.element else { return None };
        let form = kind.nodes.and_then(|layout| layout.form(width));
        let raw = match bytes {
            _ if form.is_none() && !self.indices => return None,
            Value::Object(id) => match self.heap.get(id).element {
                Element::Raw(number) => *self.arrays.get(number as usize)?,
                _ => return None,
            },
            bytes => self.bytes_of(bytes)?.into(),
        };
        let shape = self.shape(shape).unwrap_or_default();
        let nodes =
            Form::ALL.iter().zip(raw.nodes).find_map(|(one, nodes)| nodes.filter(|_| Some(*one) == form));
        let numbers = place(width).filter(|_| kind.little).and_then(|place| raw.numbers[place]);
        Some(self.remember(Array { nodes: [nodes; FORMS], numbers: [numbers; 2], shape, ..raw }))
    }

    /// Reads an array that stands in the stream; `None` where nothing of it matters.
    pub(super) fn reader(&self, layout: Option<nodes::Layout>, width: u32, little: bool) -> Option<Reader> {
        if let Some(form) = layout.and_then(|layout| layout.form(width)) {
            return Some(Reader::Nodes(nodes::Reader::new(form)));
        }
        self.indices.then(|| match place(width).filter(|_| little) {
            Some(_) => Reader::Numbers(numbers::Reader::new(width as usize)),
            None => Reader::Bits(false),
        })
    }

    /// Up to three sizes of an array, with one for each that it does not have.
    pub(super) fn shape(&self, shape: Value) -> Option<[i32; 3]> {
        let mut sizes = [1; 3];
        let known = self.heap.recall(shape).filter(|known| known.len() <= sizes.len())?;
        for (size, value) in sizes.iter_mut().zip(known) {
            let Value::Int(known @ 0..) = value else { return None };
            *size = *known;
        }
        Some(sizes)
    }

    /// The content of bytes, or of a text each of whose signs is a byte.
    fn bytes_of(&self, value: Value) -> Option<Content> {
        match value {
            Value::Buffer(number) | Value::Latin(number) => self.buffers.get(number as usize).copied(),
            Value::Text(number) => {
                let mut look = Look::default();
                latin(self.texts.get(number).as_bytes(), &mut 0, |bytes| look.add(bytes));
                Some(look.end())
            }
            _ => None,
        }
    }

    /// Remembers what an array is.
    pub(super) fn remember(&mut self, array: Array) -> Element {
        if self.arrays.len() < MAX_ARRAYS {
            self.arrays.push(array);
            return Element::Raw(u32::try_from(self.arrays.len() - 1).unwrap_or(u32::MAX));
        }
        // One that is not remembered is none whose elements are known.
        Element::Unknown
    }

    /// What is known of a value that is an array.
    pub(super) fn array(&self, value: Value) -> Option<&Array> {
        let Value::Object(id) = value else { return None };
        match self.heap.get(id).element {
            Element::Raw(number) => self.arrays.get(number as usize),
            _ => None,
        }
    }
}
