//! Containers: made from the stack, filled, and weighed.

use super::{
    allow::Usage,
    machine::Machine,
    opcode,
    value::{EXPANSION, Full, Kind, Value},
};
use crate::{rules, stream::Stop};

/// Names of this form that are no methods and that nothing calls: documentation, what a function of numpy is called, and
/// what PyTorch keeps of overloads.
const INERT: &[&str] = &["__doc__", "__name__", "__overloads__"];

impl Machine<'_, '_> {
    /// The opcodes that make a container.
    pub(super) fn make(&mut self, opcode: u8) -> Result<(), Stop> {
        let (kind, elements) = match opcode {
            opcode::EMPTY_TUPLE => (Kind::Tuple, Vec::new()),
            opcode::TUPLE => (Kind::Tuple, self.pop_mark()?),
            opcode::TUPLE1 => return self.short_tuple(1),
            opcode::TUPLE2 => return self.short_tuple(2),
            opcode::TUPLE3 => return self.short_tuple(3),
            opcode::EMPTY_LIST => (Kind::List, Vec::new()),
            opcode::LIST => (Kind::List, self.pop_mark()?),
            opcode::EMPTY_DICT => (Kind::Dict, Vec::new()),
            opcode::DICT => (Kind::Dict, self.pop_mark()?),
            opcode::EMPTY_SET => (Kind::Set, Vec::new()),
            _ => (Kind::FrozenSet, self.pop_mark()?),
        };
        let id = self.heap.make(kind).map_err(|Full| self.limit())?;
        if kind == Kind::Dict {
            self.set_items(id, &elements)?;
        } else {
            self.absorb(id, &elements);
        }
        self.push(Value::Object(id))
    }

    /// The commonest container, without a list of its own for the elements.
    fn short_tuple(&mut self, count: usize) -> Result<(), Stop> {
        let begin = self.below(count)?;
        let id = self.heap.make(Kind::Tuple).map_err(|Full| self.limit())?;
        if !self.guarded.is_empty() {
            let elements = self.run.stack[begin..].to_vec();
            self.keep(&elements);
        }
        self.heap.absorb(id, &self.run.stack[begin..]);
        self.check_weight(self.heap.get(id).weight);
        self.run.stack.truncate(begin);
        self.push(Value::Object(id))
    }

    /// The opcodes that add to one.
    pub(super) fn add(&mut self, opcode: u8) -> Result<(), Stop> {
        let elements = match opcode {
            opcode::APPEND => self.pop_some(1)?,
            opcode::SETITEM => self.pop_some(2)?,
            _ => self.pop_mark()?,
        };
        let target = self.top()?;
        let pairs = matches!(opcode, opcode::SETITEM | opcode::SETITEMS);
        let (kind, like) = match opcode {
            opcode::APPEND | opcode::APPENDS => (Kind::List, Some(Usage::ListLike)),
            opcode::ADDITEMS => (Kind::Set, None),
            _ => (Kind::Dict, Some(Usage::DictLike)),
        };
        let usage = self.heap.class_of(target).and_then(|class| self.globals[class as usize].usage);
        match target {
            Value::Object(id) if self.heap.is(target, kind) || (like.is_some() && usage == like) => {
                if self.heap.get(id).nodes.is_some() {
                    self.note(
                        &rules::BAD_ITEMS,
                        "items are added to the fields of a type that arrays may have already",
                    );
                }
                if pairs {
                    self.set_items(id, &elements)?;
                } else {
                    self.absorb(id, &elements);
                }
            }
            Value::Refused => {}
            _ => self.note(&rules::BAD_ITEMS, format!("items are added to {}", self.describe(target))),
        }
        Ok(())
    }

    fn set_items(&mut self, id: u32, elements: &[Value]) -> Result<(), Stop> {
        if !elements.len().is_multiple_of(2) {
            return Err(self.fail(&rules::PICKLE_STACK, "a dict with a key that has no value"));
        }
        for pair in elements.chunks_exact(2) {
            if let (Value::Text(key), Value::Text(version)) = (pair[0], pair[1])
                && self.texts.get(key) == "_sklearn_version"
            {
                self.findings.facts.state("scikit-learn", self.texts.get(version));
            }
        }
        for pair in elements.chunks_exact(2) {
            let number = self.is_number_value(pair[1]);
            let instance = self.heap.class_of(pair[0]).is_some();
            let keys = &mut self.heap.get_mut(id).keys;
            match pair[0] {
                Value::Text(text) => {
                    let text = self.texts.get(text);
                    let special = text.len() > 4 && text.starts_with("__") && text.ends_with("__");
                    let special = special && !INERT.contains(&text);
                    keys.dunder |= special;
                    keys.method |= special && !number;
                    keys.formula |= text == "formula" || text.starts_with("restore_");
                    keys.items |= text == "items";
                }
                _ => keys.instance |= instance,
            }
        }
        self.absorb(id, elements);
        Ok(())
    }

    /// A number of Python's or of numpy's.
    fn is_number_value(&self, value: Value) -> bool {
        match value {
            Value::Int(_) | Value::Number => true,
            Value::Object(id) => self.heap.get(id).number && !self.is_dtype(Some(value)),
            _ => false,
        }
    }

    fn absorb(&mut self, id: u32, elements: &[Value]) {
        self.keep(elements);
        if self.heap.get(id).taken && self.heap.asks(elements).any() {
            self.note_late_tree();
        }
        self.heap.absorb(id, elements);
        self.check_weight(self.heap.get(id).weight);
    }

    /// Notes a container or instance that expands without bound.
    pub(super) fn check_weight(&mut self, weight: u32) {
        if weight >= EXPANSION {
            self.note(
                &rules::EXPANSION_BOMB,
                format!("an object holds over {EXPANSION} elements when shared ones are counted each time"),
            );
        }
    }
}
