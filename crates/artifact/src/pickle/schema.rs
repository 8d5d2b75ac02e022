//! What each kind of listed global may be called with.

use tagship_domain::addition::GlobalUse;

use super::{
    allow::{self, Usage},
    call::Call,
    machine::Machine,
    value::{Element, Kind, Value},
};

/// Integers above this, as the only argument of a container, are a size that reserves memory.
const LARGE: i32 = 1 << 24;

impl Machine<'_, '_> {
    /// Whether a listed global takes these arguments; the class of the result where it does.
    pub(super) fn accepts(
        &self,
        callee: u32,
        usage: Usage,
        arguments: Option<&[Value]>,
        call: Call,
    ) -> Option<u32> {
        if matches!(usage, Usage::Callable | Usage::Value) {
            return Some(callee);
        }
        if usage == Usage::Class && call != Call::Init {
            return Some(callee);
        }
        let arguments = arguments.filter(|_| call != Call::Named)?;
        let first = arguments.first().copied();
        let first_global = match first {
            Some(Value::Global(number)) => Some(number),
            _ => None,
        };
        let package = |number: u32| self.globals[number as usize].module.split('.').next().unwrap_or("");
        let fine = match usage {
            Usage::Class => arguments.is_empty(),
            Usage::Own(how) => self.takes(how, call, arguments),
            // Attributes come from the state alone, which is checked when it is set.
            Usage::ArrayWrapper => call == Call::New && arguments.is_empty(),
            Usage::DictLike | Usage::ListLike => arguments.iter().all(|value| self.is_literal(*value, true)),
            Usage::Literal => arguments.iter().all(|value| self.is_literal(*value, false)),
            Usage::Texts => arguments
                .iter()
                .all(|value| matches!(value, Value::Text(_) | Value::None | Value::Number | Value::Int(_))),
            Usage::Encode => self.is_latin(arguments),
            Usage::Dtype => match first {
                Some(Value::Text(text)) => is_type_text(self.texts.get(text)),
                first => first_global.is_some() && first.is_some(),
            },
            Usage::First => !arguments.is_empty(),
            Usage::Scalar => matches!(first, Some(Value::Object(id))
                if self.is_dtype(first) && matches!(self.heap.get(id).element, Element::Plain(_))),
            Usage::Random => arguments.iter().all(|value| self.is_of_random(*value)),
            Usage::SamePackage => {
                let class = first_global?;
                self.listed(class)?;
                return (package(class) == package(callee)).then_some(class);
            }
            Usage::Array => {
                let class = first_global?;
                let usage = self.globals[class as usize].usage;
                let listed = matches!(usage, Some(Usage::Reference | Usage::FileArray));
                return (listed && package(class) == "numpy" && self.is_small_shape(*arguments.get(1)?))
                    .then_some(class);
            }
            Usage::Reconstruct => return self.rebuilt(first_global?, arguments),
            Usage::NewObject => {
                let class = first_global?;
                let usage = self.globals[class as usize].usage?;
                if let Usage::Own(how) = usage {
                    return self.takes(how, Call::New, &arguments[1..]).then_some(class);
                }
                let classes = [Usage::Class, Usage::Callable, Usage::DictLike, Usage::ListLike];
                return classes.contains(&usage).then_some(class);
            }
            Usage::Partial => {
                let function = first_global?;
                let usage = self.globals[function as usize].usage;
                usage.is_some_and(|usage| usage != Usage::FileArray && !usage.needs_pickle())
            }
            Usage::Ufunc => matches!(arguments, [Value::Text(module), Value::Text(name)]
                if allow::is_ufunc(self.texts.get(*module), self.texts.get(*name))),
            Usage::Apply => {
                let [Value::Global(function), inner, state, attributes] = arguments else { return None };
                let function_usage = self.globals[*function as usize].usage?;
                let inner = self.heap.recall(*inner)?;
                let class = self.accepts(*function, function_usage, Some(inner), Call::Init)?;
                let plain = self.is_plain_state(*state) && *attributes == Value::None;
                return (function_usage == Usage::Array && plain && !self.has_dunder(*state))
                    .then_some(class);
            }
            Usage::FromType => {
                let [Value::Global(function), Value::Global(class), inner, state] = arguments else {
                    return None;
                };
                let function_usage = self.globals[*function as usize].usage?;
                self.listed(*class)?;
                let inner = self.heap.recall(*inner)?;
                matches!(function_usage, Usage::Tensor | Usage::Value)
                    && package(*function) == "torch"
                    && package(*class) == "torch"
                    && self.is_plain_state(*state)
                    && !self.has_dunder(*state)
                    && self.accepts(*function, function_usage, Some(inner), Call::Init).is_some()
            }
            Usage::Tensor => self.is_tensor(arguments).is_some(),
            Usage::Attribute => call == Call::Init && self.is_attribute(arguments),
            Usage::Zone => self.is_zone(arguments),
            Usage::ZoneFile => matches!(arguments, [Value::None, Value::Text(_)]),
            Usage::Distribution | Usage::ArrowHolder | Usage::Vectorize => {
                call == Call::New && arguments.is_empty()
            }
            Usage::ArrowType => {
                arguments.iter().all(|value| matches!(value, Value::Text(_) | Value::None | Value::Int(_)))
            }
            Usage::ArrowBuffer | Usage::ArrowArray => call == Call::Init && arguments.len() == 1,
            Usage::Callable | Usage::Value | Usage::Reference | Usage::FileArray | Usage::Storage => false,
        };
        fine.then_some(callee)
    }

    /// The class that `copyreg._reconstructor` makes an instance of, with a plain base of Python's and its state.
    fn rebuilt(&self, class: u32, arguments: &[Value]) -> Option<u32> {
        let Value::Global(base) = *arguments.get(1)? else { return None };
        if self.globals[class as usize].usage? == Usage::Own(GlobalUse::Reference) {
            return None;
        }
        let base = &self.globals[base as usize];
        let plain = arguments.get(2).is_none_or(|state| self.is_literal(*state, false));
        (base.module == "builtins" && base.usage.is_some() && plain).then_some(class)
    }

    /// Whether what the team adds takes a call: made so, and with arguments that are inert.
    fn takes(&self, how: GlobalUse, call: Call, arguments: &[Value]) -> bool {
        let least = if call == Call::Init { GlobalUse::Reduce } else { GlobalUse::Newobj };
        how >= least && arguments.iter().all(|value| self.is_literal(*value, false))
    }

    /// How a global of the list may be used; `None` for what the team adds.
    fn listed(&self, global: u32) -> Option<Usage> {
        self.globals[global as usize].usage.filter(|usage| !matches!(usage, Usage::Own(_)))
    }

    /// A number, text or container; no instance, which could generate without end, and no large size.
    fn is_literal(&self, value: Value, globals: bool) -> bool {
        match value {
            Value::Int(number) => number <= LARGE,
            Value::None
            | Value::Number
            | Value::Text(_)
            | Value::LongText
            | Value::Latin(_)
            | Value::Parser
            | Value::Bytes
            | Value::Buffer(_) => true,
            Value::Global(global) => globals && self.globals[global as usize].usage != Some(Usage::FileArray),
            Value::Object(_)
                if globals
                    && self.partial_of(value).is_some_and(|function| {
                        let usage = self.globals[function as usize].usage;
                        matches!(usage, Some(Usage::Reference | Usage::DictLike | Usage::ListLike))
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

    /// What numpy's random generators are made of: the name or class of a generator of bits, the function that makes
    /// one of it, or an instance.
    fn is_of_random(&self, value: Value) -> bool {
        match value {
            Value::Text(_) | Value::None => true,
            Value::Global(global) => self.is_random(global),
            value => self.heap.class_of(value).is_some_and(|class| self.is_random(class)),
        }
    }

    fn is_random(&self, global: u32) -> bool {
        self.listed(global).is_some() && self.globals[global as usize].module.starts_with("numpy.random")
    }

    fn is_latin(&self, arguments: &[Value]) -> bool {
        let [text, Value::Text(codec)] = arguments else { return false };
        matches!(text, Value::Text(_) | Value::LongText | Value::Latin(_) | Value::Parser)
            && matches!(self.texts.get(*codec), "latin1" | "latin-1" | "iso-8859-1" | "utf-8" | "ascii")
    }

    /// The attributes that pickles name by `getattr`: of a class those that are listed themselves, and methods that instances
    /// keep of themselves, which nothing here may call.
    fn is_attribute(&self, arguments: &[Value]) -> bool {
        let [owner, Value::Text(name)] = arguments else { return false };
        let name = self.texts.get(*name);
        if let Value::Global(class) = owner {
            let class = &self.globals[*class as usize];
            return allow::usage(&class.module, &format!("{}.{name}", class.name)).is_some();
        }
        self.heap.class_of(*owner).is_some_and(|class| {
            let class = &self.globals[class as usize];
            let instance = matches!(class.usage, Some(Usage::Class | Usage::Distribution));
            instance && allow::keeps_method(&class.module, &class.name, name)
        })
    }

    /// The name of a time zone, which is looked up as a file below folders of Python's and a package of that name.
    fn is_zone(&self, arguments: &[Value]) -> bool {
        let [Value::Text(name), Value::Number | Value::Int(0 | 1)] = arguments else { return false };
        let part = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphanumeric())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
        };
        self.texts.get(*name).split('/').all(part)
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
}

/// A numpy type text: letters, digits and byte order; not a list of fields, which numpy would parse.
fn is_type_text(text: &str) -> bool {
    text.len() <= 32
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'<' | b'>' | b'|' | b'=' | b'[' | b']' | b'?'))
}
