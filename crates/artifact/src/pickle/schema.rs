//! What each kind of listed global may be called with.

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
    pub(super) fn element(&self, arguments: &[Value]) -> Element {
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
}

/// A numpy type text: letters, digits and byte order; not a list of fields, which numpy would parse.
fn is_type_text(text: &str) -> bool {
    text.len() <= 32
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'<' | b'>' | b'|' | b'=' | b'[' | b']' | b'?'))
}
