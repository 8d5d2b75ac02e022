//! joblib's arrays: after the state of a `NumpyArrayWrapper` the array's bytes stand in the stream, where the
//! next opcode would be (joblib 1.6, `numpy_pickle.py`).
//!
//! Since 1.2 a byte n in 1..=16 and n bytes 0xff come first; a plain unpickler fails on that byte. Older files have
//! no such guard, so their first array bytes are also read as opcodes, to see whether they would run something.

use super::{
    array::Reader,
    machine::Machine,
    nodes::{Layout, SET_WIDTH},
    sniff::{self, Reach},
    value::{Element, Full, Kind, Value},
};
use crate::{rules, stream::Stop};

/// Object arrays inside object arrays; joblib writes none.
const MAX_NESTED: usize = 2;

/// What the wrapper's state says of the array.
struct Description {
    element: Element,
    count: Option<u64>,
    aligned: bool,
    /// Up to three sizes.
    shape: Option<[i32; 3]>,
    /// Its numbers begin with their lowest byte.
    little: bool,
    /// Its elements are nodes of a tree.
    nodes: Option<Layout>,
    /// It may be sets of categories, so many.
    sets: Option<i32>,
}

impl Machine<'_, '_> {
    /// Passes over the array that follows a wrapper, and puts the array in the wrapper's place.
    pub(super) fn inline_array(&mut self, state: Value) -> Result<(), Stop> {
        self.joblib = true;
        let wrapper = self.pop()?;
        if self.is_spent(wrapper) {
            return Err(self.fail(&rules::ARRAY_BAD, "the state of one array wrapper is set twice"));
        }
        let Value::Global(array) = self.global("numpy", "ndarray")? else { return Ok(()) };
        let id = self.heap.make(Kind::Instance(array)).map_err(|Full| self.limit())?;
        let description = self.description(state);
        self.at = self.stream.position();
        self.push(Value::Object(id))?;
        if self.run.frame_end.is_some_and(|end| end > self.at) {
            return Err(self.fail(&rules::FRAME, "an inline array inside a frame, which loaders read ahead"));
        }
        match description {
            Some(Description { element: Element::Object, .. }) if self.outer.len() < MAX_NESTED => {
                // The array is a pickle of its own, with its own stack and memo; its result is not used.
                let outer = std::mem::take(&mut self.run);
                self.outer.push(outer);
                self.read_on_plainly();
                Ok(())
            }
            Some(Description {
                element: Element::Plain(size),
                count: Some(count),
                aligned,
                nodes,
                sets,
                shape,
                little,
            }) => {
                let sets = sets.filter(|_| size == SET_WIDTH && self.trees);
                let mut reader = self.reader(nodes, size, little).filter(|_| sets.is_none());
                self.pass_over(u128::from(size) * u128::from(count), aligned, reader.as_mut())?;
                if let Some(reader) = reader {
                    self.heap.get_mut(id).element = self.remember(reader.end(shape.unwrap_or_default()));
                } else if let Some(sets) = sets {
                    self.heap.get_mut(id).element = Element::Sets(sets);
                }
                Ok(())
            }
            _ => Err(self.fail(
                &rules::ARRAY_UNKNOWN,
                "an inline array whose type or shape is not understood; what follows was not judged",
            )),
        }
    }

    /// Whether a wrapper has had its state: what a second one leaves out, the first would still say.
    fn is_spent(&mut self, wrapper: Value) -> bool {
        let Value::Object(id) = wrapper else { return true };
        let mark = &mut self.heap.get_mut(id).element;
        std::mem::replace(mark, Element::Object) != Element::Unknown
    }

    fn pass_over(&mut self, bytes: u128, aligned: bool, nodes: Option<&mut Reader>) -> Result<(), Stop> {
        if aligned {
            let padding = self.stream.u8()?;
            let mut filler = Vec::new();
            if (1..=16).contains(&padding) {
                self.stream.take(u64::from(padding), usize::from(padding), &mut filler)?;
            }
            if filler.is_empty() || filler.iter().any(|byte| *byte != 0xff) {
                return Err(
                    self.fail(&rules::ARRAY_BAD, "the padding before an inline array is not joblib's")
                );
            }
        }
        let Some(length) = u64::try_from(bytes).ok().filter(|length| *length <= self.stream.remaining())
        else {
            // Beyond what any model holds it is not the file that was cut.
            let rule = if bytes < 1 << 40 { &rules::PICKLE_TRUNCATED } else { &rules::ARRAY_BAD };
            return Err(self.fail(
                rule,
                format!(
                    "an inline array of {bytes} bytes, of which the file has {}",
                    self.stream.remaining()
                ),
            ));
        };
        if aligned || self.plain_fails {
            self.plain_fails = true;
            return self.look_over(length, &mut Vec::new(), 0, nodes);
        }
        let mut head = Vec::new();
        self.look_over(length, &mut head, sniff::LOOK, nodes)?;
        match sniff::reach(&head, self.stream.remaining() + length - head.len() as u64) {
            Reach::Nothing => self.plain_fails = true,
            Reach::Perhaps => self.note(
                &rules::ARRAY_UNKNOWN,
                "array bytes that a plain unpickler reads as opcodes, and goes on; write the model again with joblib 1.2 or later",
            ),
            Reach::Global => self.note(
                &rules::ARRAY_AS_OPCODES,
                "array bytes that name a global when a plain unpickler reads them",
            ),
        }
        Ok(())
    }

    /// Keeps the first of these bytes in `head`, and reads all of them as nodes where they are some.
    fn look_over(
        &mut self,
        length: u64,
        head: &mut Vec<u8>,
        room: usize,
        nodes: Option<&mut Reader>,
    ) -> Result<(), Stop> {
        let Some(nodes) = nodes else { return self.stream.take(length, room, head) };
        self.stream.pass(length, |chunk| {
            let wanted = (room - head.len()).min(chunk.len());
            head.extend_from_slice(&chunk[..wanted]);
            nodes.add(chunk);
        })
    }

    /// Reads the wrapper's state: a dict with exactly what joblib writes.
    fn description(&self, state: Value) -> Option<Description> {
        if !self.heap.is(state, Kind::Dict) {
            return None;
        }
        let state = self.heap.recall(state)?;
        let mut description = Description {
            element: Element::Unknown,
            count: None,
            aligned: false,
            nodes: None,
            sets: None,
            shape: None,
            little: false,
        };
        for pair in state.chunks_exact(2) {
            let (Value::Text(key), value) = (pair[0], pair[1]) else { return None };
            match self.texts.get(key) {
                "dtype" => {
                    let Value::Object(id) = value else { return None };
                    description.element = self.heap.get(id).element;
                    description.nodes = self.heap.get(id).nodes;
                    description.little = self.heap.get(id).little;
                }
                "shape" => {
                    description.count = self.count(value);
                    description.sets = self.sets(value);
                    description.shape = self.shape(value);
                }
                "numpy_array_alignment_bytes" => match value {
                    Value::Int(16) => description.aligned = true,
                    Value::None => description.aligned = false,
                    _ => return None,
                },
                "subclass" => {
                    let Value::Global(class) = value else { return None };
                    if self.globals[class as usize].module.split('.').next() != Some("numpy") {
                        return None;
                    }
                }
                "order" | "allow_mmap" => {}
                _ => return None,
            }
        }
        Some(description)
    }

    fn count(&self, shape: Value) -> Option<u64> {
        if !self.heap.is(shape, Kind::Tuple) {
            return None;
        }
        let known = self.heap.recall(shape)?;
        known.iter().try_fold(1u64, |count, size| match size {
            Value::Int(size) => count.checked_mul(u64::try_from(*size).ok()?),
            _ => None,
        })
    }
}
