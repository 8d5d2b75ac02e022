//! `numpy.dtype`: what an array's elements are, and a state that could make numpy take raw bytes for pointers.
//!
//! `numpy.dtype.__setstate__` believes what it is given (numpy 2.5, `arraydescr_setstate`): flags that say whether
//! elements are Python objects, a size for texts and structures, fields and their offsets. Where these contradict the
//! type, the bytes of an array become pointers, and loading the file corrupts memory.

use super::{
    allow::Usage,
    machine::Machine,
    value::{Element, Kind, Value},
};

/// Flags of a type whose elements are references to Python objects: counted, pickled as a list, pointers.
const OBJECT: i32 = 0b111;

/// The places of a dtype's state: version, byte order, base and shape, names, fields, size, alignment, flags.
#[derive(Debug, Clone, Copy)]
struct State {
    little: bool,
    base: Value,
    names: Value,
    fields: Value,
    size: i32,
    flags: i32,
}

impl Machine<'_, '_> {
    /// What a `numpy.dtype` made from these arguments describes.
    pub(super) fn element(&self, arguments: &[Value]) -> Element {
        let text = match arguments.first() {
            Some(Value::Text(text)) => text,
            // A structure, whose size its state gives.
            Some(Value::Global(class)) if self.is_structure(*class) => return Element::Plain(0),
            _ => return Element::Unknown,
        };
        let text = self.texts.get(*text).trim_start_matches(['<', '>', '|', '=']);
        let Some((kind, size)) = text.split_at_checked(1) else { return Element::Unknown };
        if kind == "O" {
            return Element::Object;
        }
        let size = if size.is_empty() && kind == "?" { Some(1) } else { size.parse::<u32>().ok() };
        match (kind, size) {
            ("b" | "i" | "u" | "f" | "c" | "M" | "m" | "S" | "V" | "?", Some(size)) => Element::Plain(size),
            ("U", Some(size)) => size.checked_mul(4).map_or(Element::Unknown, Element::Plain),
            _ => Element::Unknown,
        }
    }

    /// Whether a `numpy.dtype` made from these arguments is of numbers.
    pub(super) fn is_of_numbers(&self, arguments: &[Value]) -> bool {
        let Some(Value::Text(text)) = arguments.first() else { return false };
        let text = self.texts.get(*text).trim_start_matches(['<', '>', '|', '=']);
        text.starts_with(['b', 'i', 'u', 'f', 'c', '?'])
    }

    fn is_structure(&self, class: u32) -> bool {
        let class = &self.globals[class as usize];
        class.module == "numpy" && matches!(class.name.as_str(), "record" | "void")
    }

    /// Takes over a dtype's state. An error says what is wrong with it.
    pub(super) fn set_dtype(&mut self, target: Value, state: Value) -> Result<(), &'static str> {
        let contradicts =
            "its state contradicts its type, which makes numpy take the bytes of an array for pointers";
        let Value::Object(id) = target else { return Err(contradicts) };
        let before = *self.heap.get(id);
        let Some(state) = self.dtype_state(state) else {
            let object = self.heap.get_mut(id);
            object.element = Element::Unknown;
            object.nodes = None;
            object.little = false;
            return Err(contradicts);
        };
        let objects = state.flags & OBJECT;
        let (element, sound) = match before.element {
            Element::Object => (Element::Object, objects == OBJECT),
            // A structure may hold objects; then joblib writes its array as a pickle, which is not followed.
            Element::Plain(_) if objects != 0 => (Element::Unknown, self.holds(state, true)),
            Element::Plain(known) => {
                let same = state.size == -1 || u32::try_from(state.size) == Ok(known);
                (if same { Element::Plain(known) } else { Element::Unknown }, self.holds(state, false))
            }
            element => (element, false),
        };
        let nodes = if state.little { self.node_layout(state.names, state.fields) } else { None };
        let object = self.heap.get_mut(id);
        object.element = element;
        object.nodes = nodes;
        object.built = true;
        object.little = state.little;
        if nodes.is_some()
            && let Value::Object(fields) = state.fields
        {
            self.heap.get_mut(fields).nodes = nodes;
        }
        match sound {
            false => Err(contradicts),
            true if before.built => {
                Err("it has a state already, and so do the arrays whose elements it describes")
            }
            true => Ok(()),
        }
    }

    fn dtype_state(&self, state: Value) -> Option<State> {
        let [_, order, base, names, fields, Value::Int(size), Value::Int(_), Value::Int(flags), ..] =
            *self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Tuple))?
        else {
            return None;
        };
        let little = matches!(order, Value::Text(order) if matches!(self.texts.get(order), "<" | "|" | "="));
        Some(State { little, base, names, fields, size, flags })
    }

    /// Whether the parts of a structured type are objects exactly where its flags say so. A type without parts has none.
    fn holds(&self, state: State, objects: bool) -> bool {
        let mut parts = Vec::new();
        match state.base {
            Value::None => {}
            base => match self.heap.recall(base) {
                Some([part, _]) => parts.push(*part),
                _ => return false,
            },
        }
        match state.fields {
            Value::None => {}
            fields => {
                let Some(fields) = self.heap.recall(fields) else { return false };
                for field in fields.chunks_exact(2) {
                    match self.heap.recall(field[1]) {
                        Some([part, Value::Int(offset), ..]) if self.fits(*part, *offset, state.size) => {
                            parts.push(*part);
                        }
                        _ => return false,
                    }
                }
            }
        }
        let kinds: Option<Vec<bool>> = parts.iter().map(|part| self.is_object_part(*part)).collect();
        kinds.is_some_and(|kinds| kinds.contains(&true) == objects)
    }

    /// Whether a field lies inside of its structure.
    fn fits(&self, part: Value, offset: i32, whole: i32) -> bool {
        let size = match part {
            Value::Object(id) => match self.heap.get(id).element {
                Element::Plain(size) => i64::from(size),
                _ => 0,
            },
            _ => return false,
        };
        offset >= 0 && i64::from(offset) + size <= i64::from(whole)
    }

    /// Whether a part of a structure holds objects; `None` where it is no dtype.
    fn is_object_part(&self, part: Value) -> Option<bool> {
        let Value::Object(id) = part else { return None };
        self.is_dtype(Some(part)).then(|| !matches!(self.heap.get(id).element, Element::Plain(_)))
    }

    /// Whether a value is a `numpy.dtype`.
    pub(super) fn is_dtype(&self, value: Option<Value>) -> bool {
        value
            .and_then(|value| self.heap.class_of(value))
            .is_some_and(|class| self.globals[class as usize].usage == Some(Usage::Dtype))
    }
}
