//! What the machine reaches outside itself: globals, calls, instances and their state.
//!
//! Every call goes through [`Machine::call`], whichever opcode makes it, so that there is one set of rules for who
//! may be called and with what.

use tagship_domain::addition::GlobalUse;

use super::{
    allow::{self, Usage},
    heap::Keys,
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
        if usage == Usage::DictLike {
            self.heap.get_mut(id).keys = self.keys_of_items(arguments.unwrap_or_default());
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
    pub(super) fn partial_of(&self, value: Value) -> Option<u32> {
        let Value::Object(id) = value else { return None };
        match self.heap.get(id).element {
            Element::Partial(function) => Some(function),
            _ => None,
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
        if !takes || !(self.is_plain_state(state) || self.is_own_state(target, state)) {
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
        if name.starts_with("statsmodels.") && self.has_key(state, |keys| keys.formula) {
            let message = "its state makes the loader evaluate a formula, which may be any code";
            self.note_about(&rules::BAD_BUILD, &name, message);
        }
        if self.has_dunder(state) || self.offers_method(target) {
            self.note_about(&rules::DUNDER_STATE, &name, "its state replaces a special method");
        }
        if let Value::Object(id) = target {
            let weight = self.heap.weigh(id, state);
            self.check_weight(weight);
        }
        if usage == Some(Usage::Dtype) && !self.set_dtype(target, state) {
            let message =
                "its state contradicts its type, which makes numpy take the bytes of an array for pointers";
            self.note_about(&rules::BAD_BUILD, &name, message);
        }
        if usage == Some(Usage::ArrayWrapper) {
            self.inline_array(state)?;
        }
        self.heap.release(state);
        Ok(())
    }

    /// State that cannot smuggle attribute names in, as an instance of a mapping class could.
    pub(super) fn is_plain_state(&self, state: Value) -> bool {
        if !self.heap.is(state, Kind::Tuple) {
            return self.heap.class_of(state).is_none();
        }
        self.heap
            .recall(state)
            .is_some_and(|elements| !elements.iter().any(|element| self.is_mapping(*element)))
    }

    /// A mapping whose attributes are its items is its own state. What it gives when asked for them must not be an item.
    fn is_own_state(&self, target: Value, state: Value) -> bool {
        let Value::Object(id) = target else { return false };
        let keys = self.heap.get(id).keys;
        let known = !keys.items && !keys.instance;
        target == state && known && self.is_mapping(target) && !self.is_of_python(target)
    }

    fn is_of_python(&self, value: Value) -> bool {
        self.heap.class_of(value).is_none_or(|class| allow::is_standard(&self.globals[class as usize].module))
    }

    /// An instance that gives keys and values of its own choice when asked for items.
    fn is_mapping(&self, value: Value) -> bool {
        self.heap.class_of(value).is_some_and(|class| {
            let class = &self.globals[class as usize];
            class.usage == Some(Usage::DictLike)
                || (class.module == "builtins" && class.name == "dict")
                || matches!(class.name.as_str(), "DataFrame" | "Series")
        })
    }

    /// Whether a state names a special method, or could in a way that is not followed.
    pub(super) fn has_dunder(&self, state: Value) -> bool {
        let parts = self.heap.is(state, Kind::Tuple);
        let whole = matches!(state, Value::Object(id) if self.heap.get(id).keys.instance);
        self.has_key(state, |keys| keys.dunder || (parts && keys.instance)) || whole
    }

    /// What is known of the items that a mapping is made of.
    fn keys_of_items(&self, arguments: &[Value]) -> Keys {
        let mut all = Keys::default();
        for argument in arguments {
            let Value::Object(id) = argument else { continue };
            let object = self.heap.get(*id);
            all.dunder |= object.keys.dunder;
            all.items |= object.keys.items;
            // Keys of pairs in a list are not followed.
            let followed = object.kind == Kind::Dict || self.partial_of(*argument).is_some();
            all.instance |= object.keys.instance || !followed;
        }
        all
    }

    /// Whether the items of an instance could be taken for its methods: classes that offer items as attributes are
    /// asked for `__setstate__` before they get their state.
    fn offers_method(&self, target: Value) -> bool {
        let Value::Object(id) = target else { return false };
        let object = self.heap.get(id);
        let Kind::Instance(class) = object.kind else { return false };
        let class = &self.globals[class as usize];
        class.usage == Some(Usage::DictLike)
            && class.module != "collections"
            && (object.keys.dunder || object.keys.instance)
    }

    /// Whether keys of a state, or of a part of it, are of a kind.
    fn has_key(&self, state: Value, kind: impl Fn(Keys) -> bool) -> bool {
        let marked = |value: &Value| matches!(value, Value::Object(id) if kind(self.heap.get(*id).keys));
        marked(&state) || self.heap.recall(state).is_some_and(|elements| elements.iter().any(marked))
    }
}
