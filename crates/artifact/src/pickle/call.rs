//! What the machine reaches outside itself: globals, calls, instances and their state.
//!
//! Every call goes through [`Machine::call`], whichever opcode makes it, so that there is one set of rules for who
//! may be called and with what.

use super::{
    allow::{self, Usage},
    machine::Machine,
    opcode,
    value::{Element, Full, Kind, Value},
};
use crate::{rules, stream::Stop};

/// Integers above this, as the only argument of a container, are a size that reserves memory.
const LARGE: i32 = 1 << 24;

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// `callee(*args)`: runs `__init__`.
    Call,
    /// `callee.__new__(callee, *args)`: does not.
    New,
}

impl Machine<'_, '_> {
    /// The opcodes that name, call or build.
    pub(super) fn reach(&mut self, opcode: u8) -> Result<(), Stop> {
        match opcode {
            opcode::GLOBAL => {
                let global = self.global_of_lines()?;
                self.push(global)
            }
            opcode::STACK_GLOBAL => self.stack_global(),
            opcode::INST => {
                let callee = self.global_of_lines()?;
                let arguments = self.pop_mark()?;
                self.call(callee, Some(&arguments), Call::Call)
            }
            opcode::OBJ => {
                let values = self.pop_mark()?;
                match values.split_first() {
                    Some((callee, arguments)) => self.call(*callee, Some(arguments), Call::Call),
                    None => Err(self.fail(&rules::PICKLE_STACK, "an object without a class")),
                }
            }
            opcode::REDUCE => self.call_tuple(Call::Call),
            opcode::NEWOBJ => self.call_tuple(Call::New),
            opcode::NEWOBJ_EX => {
                let keywords = self.pop()?;
                if !self.heap.is(keywords, Kind::Dict) {
                    self.note(&rules::BAD_ARGUMENTS, "keyword arguments that are no dict");
                }
                self.call_tuple(Call::New)
            }
            opcode::BUILD => self.build(),
            opcode::EXT1 | opcode::EXT2 | opcode::EXT4 => {
                self.note(
                    &rules::EXTENSION,
                    "a global that the loader's own registry names; it cannot be checked",
                );
                self.push(Value::Refused)
            }
            _ => self.persistent(opcode),
        }
    }

    fn stack_global(&mut self) -> Result<(), Stop> {
        let name = self.pop()?;
        let module = self.pop()?;
        let global = if let (Value::Text(module), Value::Text(name)) = (module, name) {
            let (module, name) = (self.texts.get(module).to_owned(), self.texts.get(name).to_owned());
            self.global(&module, &name)?
        } else {
            let (module, name) = (self.describe(module), self.describe(name));
            self.note(&rules::UNRESOLVED_GLOBAL, format!("a global named by {module} and {name}"));
            Value::Refused
        };
        self.push(global)
    }

    fn call_tuple(&mut self, call: Call) -> Result<(), Stop> {
        let arguments = self.pop()?;
        let callee = self.pop()?;
        if !self.heap.is(arguments, Kind::Tuple) {
            self.note(&rules::BAD_ARGUMENTS, format!("arguments that are {}", self.describe(arguments)));
        }
        let empty = matches!(arguments, Value::Object(id) if self.heap.get(id).weight == 1);
        let values =
            if empty { Some(Vec::new()) } else { self.heap.recall(arguments).map(<[Value]>::to_vec) };
        self.call(callee, values.as_deref(), call)?;
        self.heap.release(arguments);
        Ok(())
    }

    /// Checks a call and pushes its result. `arguments` is `None` where they are no longer known.
    fn call(&mut self, callee: Value, arguments: Option<&[Value]>, call: Call) -> Result<(), Stop> {
        let (callee, arguments) = match self.partial_of(callee) {
            // What the partial adds in front is not followed, so all arguments are unknown.
            Some(function) => (Value::Global(function), None),
            None => (callee, arguments),
        };
        let Value::Global(number) = callee else {
            if callee != Value::Refused {
                self.note(&rules::BAD_CALLEE, format!("a call of {}", self.describe(callee)));
            }
            return self.push(Value::Refused);
        };
        let Some(usage) = self.globals[number as usize].usage else {
            return self.push(Value::Refused);
        };
        let name = self.name(number);
        if matches!(usage, Usage::Reference | Usage::Storage) {
            self.note_about(
                &rules::REFERENCE_CALLED,
                &name,
                "this may be named in a model, and not be called",
            );
            return self.push(Value::Refused);
        }
        let Some(class) = self.accepts(number, usage, arguments, call) else {
            self.note_about(
                &rules::BAD_ARGUMENTS,
                &name,
                "this is called with arguments that its writer never uses, or that could not be followed",
            );
            return self.push(Value::Refused);
        };
        if usage == Usage::Tensor && self.is_tensor(arguments.unwrap_or_default()) == Some(false) {
            self.note_about(
                &rules::STORAGE_BOUNDS,
                &name,
                "a tensor that reaches beyond its storage; a loader would read other memory",
            );
        }
        let id = self.heap.make(Kind::Instance(class)).map_err(|Full| self.limit())?;
        for argument in arguments.unwrap_or_default() {
            let weight = self.heap.weigh(id, *argument);
            self.check_weight(weight);
        }
        if usage == Usage::Dtype {
            self.heap.get_mut(id).element = self.element(arguments.unwrap_or_default());
        }
        if usage == Usage::Partial
            && let Some([Value::Global(function), ..]) = arguments
        {
            self.heap.get_mut(id).element = Element::Partial(*function);
        }
        self.push(Value::Object(id))
    }

    /// The function that a partial calls.
    fn partial_of(&self, value: Value) -> Option<u32> {
        let Value::Object(id) = value else { return None };
        match self.heap.get(id).element {
            Element::Partial(function) => Some(function),
            _ => None,
        }
    }

    /// Whether a listed global takes these arguments; the class of the result where it does.
    fn accepts(&self, callee: u32, usage: Usage, arguments: Option<&[Value]>, call: Call) -> Option<u32> {
        if matches!(usage, Usage::Callable | Usage::Value) {
            return Some(callee);
        }
        if usage == Usage::Class && call == Call::New {
            return Some(callee);
        }
        let arguments = arguments?;
        let first = arguments.first().copied();
        let first_global = match first {
            Some(Value::Global(number)) => Some(number),
            _ => None,
        };
        let package = |number: u32| self.globals[number as usize].module.split('.').next().unwrap_or("");
        let fine = match usage {
            Usage::Class => arguments.is_empty(),
            // Attributes come from the state alone, which is checked when it is set.
            Usage::ArrayWrapper => call == Call::New && arguments.is_empty(),
            Usage::DictLike | Usage::ListLike => arguments.iter().all(|value| self.is_literal(*value, true)),
            Usage::Literal => arguments.iter().all(|value| self.is_literal(*value, false)),
            Usage::Texts => {
                arguments.iter().all(|value| matches!(value, Value::Text(_) | Value::Number | Value::Int(_)))
            }
            Usage::Encode => self.is_latin(arguments),
            Usage::Dtype => match first {
                Some(Value::Text(text)) => is_type_text(self.texts.get(text)),
                first => first_global.is_some() && first.is_some(),
            },
            Usage::Random => {
                arguments.iter().all(|value| !matches!(value, Value::Global(n) if package(*n) != "numpy"))
            }
            Usage::SamePackage => {
                let class = first_global?;
                self.globals[class as usize].usage?;
                return (package(class) == package(callee)).then_some(class);
            }
            Usage::Array => {
                let class = first_global?;
                let listed = self.globals[class as usize].usage == Some(Usage::Reference);
                return (listed && package(class) == "numpy" && self.is_small_shape(*arguments.get(1)?))
                    .then_some(class);
            }
            Usage::Reconstruct => {
                let class = first_global?;
                let Value::Global(base) = *arguments.get(1)? else { return None };
                self.globals[class as usize].usage?;
                let base = &self.globals[base as usize];
                return (base.module == "builtins" && base.usage.is_some()).then_some(class);
            }
            Usage::NewObject => {
                let class = first_global?;
                let usage = self.globals[class as usize].usage?;
                let classes = [Usage::Class, Usage::Callable, Usage::DictLike, Usage::ListLike];
                return classes.contains(&usage).then_some(class);
            }
            Usage::Partial => {
                let function = first_global?;
                self.globals[function as usize].usage.is_some()
            }
            Usage::Ufunc => matches!(arguments, [Value::Text(module), Value::Text(name)]
                if allow::is_ufunc(self.texts.get(*module), self.texts.get(*name))),
            Usage::Apply => {
                let [Value::Global(function), inner, state, attributes] = arguments else { return None };
                let function_usage = self.globals[*function as usize].usage?;
                let inner = self.heap.recall(*inner)?;
                let class = self.accepts(*function, function_usage, Some(inner), Call::Call)?;
                let plain = self.is_plain_state(*state) && *attributes == Value::Number;
                return (function_usage == Usage::Array && plain && !self.has_dunder(*state))
                    .then_some(class);
            }
            Usage::FromType => {
                let [Value::Global(function), Value::Global(class), inner, state] = arguments else {
                    return None;
                };
                let function_usage = self.globals[*function as usize].usage?;
                self.globals[*class as usize].usage?;
                let inner = self.heap.recall(*inner)?;
                matches!(function_usage, Usage::Tensor | Usage::Value)
                    && package(*function) == "torch"
                    && package(*class) == "torch"
                    && !self.has_dunder(*state)
                    && self.accepts(*function, function_usage, Some(inner), Call::Call).is_some()
            }
            Usage::Tensor => self.is_tensor(arguments).is_some(),
            Usage::Callable | Usage::Value | Usage::Reference | Usage::Storage => false,
        };
        fine.then_some(callee)
    }

    /// A number, text or container; no instance, which could generate without end, and no large size.
    fn is_literal(&self, value: Value, globals: bool) -> bool {
        match value {
            Value::Int(number) => number <= LARGE,
            Value::Number | Value::Text(_) | Value::LongText | Value::Bytes => true,
            Value::Global(_) => globals,
            Value::Object(_)
                if globals
                    && self.partial_of(value).is_some_and(|function| {
                        self.globals[function as usize].usage == Some(Usage::Reference)
                    }) =>
            {
                true
            }
            Value::Object(_) => self.heap.class_of(value).is_none_or(|class| {
                // Text that protocol 2 and older carry as bytes is made by a call.
                self.globals[class as usize].usage == Some(Usage::Encode)
            }),
            Value::Storage(_) | Value::Refused => false,
        }
    }

    fn is_latin(&self, arguments: &[Value]) -> bool {
        let [text, Value::Text(codec)] = arguments else { return false };
        matches!(text, Value::Text(_) | Value::LongText)
            && matches!(self.texts.get(*codec), "latin1" | "latin-1" | "iso-8859-1" | "utf-8" | "ascii")
    }

    fn is_small_shape(&self, shape: Value) -> bool {
        if !self.heap.is(shape, Kind::Tuple) {
            return false;
        }
        let Some(dimensions) = self.heap.recall(shape) else { return false };
        let mut count = 1i64;
        for dimension in dimensions {
            let Value::Int(size @ 0..) = dimension else { return false };
            count = count.saturating_mul(i64::from(*size));
        }
        count <= i64::from(LARGE)
    }

    /// What a `numpy.dtype` made from these arguments describes.
    fn element(&self, arguments: &[Value]) -> Element {
        let Some(Value::Text(text)) = arguments.first() else { return Element::Unknown };
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

    fn build(&mut self) -> Result<(), Stop> {
        let state = self.pop()?;
        let target = self.top()?;
        let Some(class) = self.heap.class_of(target) else {
            if target != Value::Refused {
                self.note(&rules::BAD_BUILD, format!("state is set on {}", self.describe(target)));
            }
            return Ok(());
        };
        let name = self.name(class);
        let usage = self.globals[class as usize].usage;
        let takes = !matches!(
            usage,
            None | Some(
                Usage::Literal
                    | Usage::Value
                    | Usage::Encode
                    | Usage::Texts
                    | Usage::Reconstruct
                    | Usage::NewObject
                    | Usage::Tensor
            )
        );
        if !takes || !self.is_plain_state(state) {
            self.note_about(&rules::BAD_BUILD, &name, format!("its state is {}", self.describe(state)));
        }
        // The state of a partial names its function again.
        if usage == Some(Usage::Partial) {
            let named = self.heap.recall(state).and_then(|parts| match parts.first() {
                Some(Value::Global(function)) => Some(*function),
                _ => None,
            });
            if named.is_none() || named != self.partial_of(target) {
                self.note_about(
                    &rules::BAD_BUILD,
                    &name,
                    "its state names another function than it was made with",
                );
            }
        }
        if self.has_dunder(state) {
            self.note_about(&rules::DUNDER_STATE, &name, "its state replaces a special method");
        }
        if let Value::Object(id) = target {
            let weight = self.heap.weigh(id, state);
            self.check_weight(weight);
        }
        if usage == Some(Usage::Dtype) {
            self.set_dtype(target, state);
        }
        if usage == Some(Usage::ArrayWrapper) {
            self.inline_array(state)?;
        }
        self.heap.release(state);
        Ok(())
    }

    /// State that cannot smuggle attribute names in, as an instance of a mapping class could.
    fn is_plain_state(&self, state: Value) -> bool {
        if !self.heap.is(state, Kind::Tuple) {
            return self.heap.class_of(state).is_none();
        }
        self.heap
            .recall(state)
            .is_some_and(|elements| !elements.iter().any(|element| self.is_mapping(*element)))
    }

    /// An instance that gives keys and values of its own choice when asked for items.
    fn is_mapping(&self, value: Value) -> bool {
        self.heap.class_of(value).is_some_and(|class| {
            let class = &self.globals[class as usize];
            class.usage == Some(Usage::DictLike) || matches!(class.name.as_str(), "DataFrame" | "Series")
        })
    }

    fn has_dunder(&self, state: Value) -> bool {
        let marked = |value: &Value| matches!(value, Value::Object(id) if self.heap.get(*id).dunder);
        marked(&state) || self.heap.recall(state).is_some_and(|elements| elements.iter().any(marked))
    }

    /// `numpy.dtype.__setstate__` may set the size of a text or structured type; it must be the one its name says.
    fn set_dtype(&mut self, target: Value, state: Value) {
        let Value::Object(id) = target else { return };
        let state = self.heap.recall(state).unwrap_or_default();
        let size = state.get(5).copied();
        // The lowest bit of the flags says that Python objects are inside.
        let objects = !matches!(state.get(7), Some(Value::Int(flags)) if flags & 1 == 0);
        let element = &mut self.heap.get_mut(id).element;
        *element = match (*element, size) {
            (Element::Plain(known), Some(Value::Int(size)))
                if !objects && (size == -1 || u32::try_from(size) == Ok(known)) =>
            {
                Element::Plain(known)
            }
            (Element::Object, Some(Value::Int(_))) => Element::Object,
            _ => Element::Unknown,
        };
    }
}

/// A numpy type text: letters, digits and byte order; not a list of fields, which numpy would parse.
fn is_type_text(text: &str) -> bool {
    text.len() <= 32
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'<' | b'>' | b'|' | b'=' | b'[' | b']' | b'?'))
}
