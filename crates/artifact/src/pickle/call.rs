//! What the machine reaches outside itself: globals, calls and instances.
//!
//! Every call goes through [`Machine::call`], whichever opcode makes it, so that there is one set of rules for who
//! may be called and with what.

use tagship_domain::addition::GlobalUse;

use super::{
    allow::Usage,
    machine::Machine,
    opcode,
    value::{Element, Full, Kind, Value},
};
use crate::{rules, stream::Stop};

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// `callee(*args)`: runs `__init__`.
    Init,
    /// `callee.__new__(callee, *args)`: does not.
    New,
    /// The same with keywords, which are not followed.
    Named,
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
                self.call(callee, Some(&arguments), Call::Init)
            }
            opcode::OBJ => {
                let values = self.pop_mark()?;
                match values.split_first() {
                    Some((callee, arguments)) => self.call(*callee, Some(arguments), Call::Init),
                    None => Err(self.fail(&rules::PICKLE_STACK, "an object without a class")),
                }
            }
            opcode::REDUCE => self.call_tuple(Call::Init),
            opcode::NEWOBJ => self.call_tuple(Call::New),
            opcode::NEWOBJ_EX => {
                let keywords = self.pop()?;
                if !self.heap.is(keywords, Kind::Dict) {
                    self.note(&rules::BAD_ARGUMENTS, "keyword arguments that are no dict");
                }
                let named = !matches!(keywords, Value::Object(id) if self.heap.get(id).weight == 1);
                self.call_tuple(if named { Call::Named } else { Call::New })
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
        let named_only =
            [Usage::Reference, Usage::FileArray, Usage::Storage, Usage::Own(GlobalUse::Reference)];
        if named_only.contains(&usage) {
            self.note_about(
                &rules::REFERENCE_CALLED,
                &name,
                "this may be named in a model, and not be called",
            );
            return self.push(Value::Refused);
        }
        let Some(class) = self.accepts(number, usage, arguments, call) else {
            if usage == Usage::Attribute {
                let message = "loading the file reaches an attribute that no writer names so; do not load it";
                self.note_about(&rules::DANGEROUS_GLOBAL, &name, message);
                return self.push(Value::Refused);
            }
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
        self.keep(arguments.unwrap_or_default());
        if let (Usage::Attribute, Some([Value::Global(class), Value::Text(attribute)])) = (usage, arguments) {
            let class = &self.globals[*class as usize];
            let (module, dotted) =
                (class.module.clone(), format!("{}.{}", class.name, self.texts.get(*attribute)));
            let attribute = self.global(&module, &dotted)?;
            return self.push(attribute);
        }
        self.unfinished += u32::from(usage == Usage::Vectorize);
        self.rootless += u32::from(self.is_neighbours(class));
        if usage == Usage::ArrowArray {
            self.check_arrow(arguments.unwrap_or_default());
        }
        if let (Usage::First, Some([first, ..])) = (usage, arguments) {
            // It outlives the arguments that it came in.
            self.heap.share(*first);
            return self.push(*first);
        }
        let id = self.heap.make(Kind::Instance(class)).map_err(|Full| self.limit())?;
        for argument in arguments.unwrap_or_default() {
            let weight = self.heap.weigh(id, *argument);
            self.check_weight(weight);
        }
        self.keep_result(id, number, usage, arguments.unwrap_or_default());
        self.push(Value::Object(id))
    }

    /// Notes what the result of a call is, where that matters.
    fn keep_result(&mut self, id: u32, callee: u32, usage: Usage, arguments: &[Value]) {
        if usage == Usage::DictLike {
            self.heap.get_mut(id).keys = self.keys_of_items(arguments);
        }
        if usage == Usage::Dtype {
            self.heap.get_mut(id).element = self.element(arguments);
            self.heap.get_mut(id).number = self.is_of_numbers(arguments);
        }
        if let (Usage::Scalar, [Value::Object(kind), ..]) = (usage, arguments) {
            self.heap.get_mut(id).number = self.heap.get(*kind).number;
        }
        if matches!(usage, Usage::ArrowType | Usage::ArrowBuffer | Usage::Literal) {
            let element = self.arrow_element(callee, usage, arguments);
            self.heap.get_mut(id).element = element;
        }
        // An array of its texts is written as one of objects.
        let class = &self.globals[callee as usize];
        if (class.module.as_str(), class.name.as_str())
            == ("numpy._core._internal", "_convert_to_stringdtype_kwargs")
        {
            self.heap.get_mut(id).element = Element::Object;
        }
        if self.follows_arrays() {
            let part = self.tree_part(callee, arguments).or_else(|| self.array_part(callee, arguments));
            if let Some(element) = part {
                self.heap.get_mut(id).element = element;
            }
        }
        if self.boosters
            && let Some(model) = self.model_part(callee, arguments)
        {
            self.heap.get_mut(id).element = model;
        }
        if let (Usage::Partial, [Value::Global(function), ..]) = (usage, arguments) {
            self.heap.get_mut(id).element = Element::Partial(*function);
        }
    }

    /// The function that a partial calls.
    pub(super) fn partial_of(&self, value: Value) -> Option<u32> {
        let Value::Object(id) = value else { return None };
        match self.heap.get(id).element {
            Element::Partial(function) => Some(function),
            _ => None,
        }
    }
}
