//! The globals that a stream names, held against the allow-list and the team's policy.

use super::{
    allow::{self, Usage},
    machine::Machine,
    operand::KEPT,
    torch::Dialect,
    trust::{Standing, added, left_out},
    value::Value,
};
use crate::{rules, stream::Stop, torchscript};

/// Distinct globals.
const MAX_GLOBALS: usize = 50_000;

/// One global that the stream names.
#[derive(Debug)]
pub(super) struct Global {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) usage: Option<Usage>,
}

impl Machine<'_, '_> {
    /// A named global, checked against the allow-list. A push alone imports its module already.
    pub(super) fn global(&mut self, module: &str, name: &str) -> Result<Value, Stop> {
        let (module, name) = allow::normalise(module, name);
        let key = (module, name.to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return Ok(Value::Global(*number));
        }
        if self.globals.len() >= MAX_GLOBALS {
            return Err(self.limit());
        }
        self.expect_nodes(&key.0, &key.1);
        self.expect_models(&key.0, &key.1);
        self.expect_indices(&key.0, &key.1);
        let (module, name) = (&key.0, &key.1);
        let own = self.dialect.is_script() && (module == "__torch__" || module.starts_with("__torch__."));
        if own && torchscript::is_foreign_class(&format!("{module}.{name}")) {
            let message = "a class of native code that is not known here";
            self.note_about(&rules::SCRIPT_LIBRARY, &format!("{module}.{name}"), message);
        }
        let usage = if own { Some(Usage::Class) } else { self.usage(module, name) };
        let number = u32::try_from(self.globals.len()).unwrap_or(u32::MAX);
        self.globals.push(Global { module: module.clone(), name: name.clone(), usage });
        if usage == Some(Usage::ArrowBuffer) {
            self.py_buffer = Some(number);
        }
        if usage.is_some_and(Usage::needs_pickle) {
            self.guarded.push(number);
        }
        self.numbers.insert(key, number);
        Ok(Value::Global(number))
    }

    /// How a global may be used; notes where it may not, and where only the team's policy lets it through.
    fn usage(&mut self, module: &str, name: &str) -> Option<Usage> {
        let standing = self.trust.standing(module, name);
        match standing {
            Standing::Listed(usage) => return Some(usage),
            Standing::Added(usage, addition) => {
                self.note_about(&rules::ADDED_GLOBAL, &format!("{module}.{name}"), added(addition));
                return Some(usage);
            }
            Standing::LeftOut(bundle) => {
                self.note_about(&rules::BUNDLE_REFUSED, &format!("{module}.{name}"), left_out(bundle));
            }
            Standing::Ended(_) | Standing::Unlisted => self.refuse(module, name, standing),
        }
        None
    }

    /// Notes a global that is not on the allow-list, by what is known of it.
    fn refuse(&mut self, module: &str, name: &str, standing: Standing<'_>) {
        let (rule, message) = if allow::is_dangerous(module, name) {
            let message = "loading the file reaches a function that runs code, or reads, writes or connects; do not load it";
            (&rules::DANGEROUS_GLOBAL, message)
        } else if name.contains('.') {
            let message =
                "loading the file walks through attributes of a module to reach this; do not load it";
            (&rules::DOTTED_GLOBAL, message)
        } else if self.dialect == Dialect::Torch && module.split('.').next() == Some("__torch__") {
            let message = "a class of TorchScript, whose code is not in the archive";
            (&rules::TORCH_LAYOUT, message)
        } else {
            let message = "loading the file imports this, which is not on the allow-list; \
                           export the model as ONNX or safetensors";
            (&rules::UNLISTED_GLOBAL, message)
        };
        let ended = match standing {
            Standing::Ended(day) => format!(" (its addition ended on {day})"),
            _ => String::new(),
        };
        self.note_about(rule, &format!("{module}.{name}"), format!("{message}{ended}"));
    }

    /// Notes globals that are called where they are named, and of which every call is checked: whoever keeps one as data
    /// could call it with anything.
    pub(super) fn keep(&mut self, values: &[Value]) {
        if self.guarded.is_empty() {
            return;
        }
        for value in values {
            let Value::Global(number) = value else { continue };
            if self.guarded.contains(number) {
                let global = &self.globals[*number as usize];
                let dangerous = allow::is_dangerous(&global.module, &global.name);
                let rule = if dangerous { &rules::DANGEROUS_GLOBAL } else { &rules::UNLISTED_GLOBAL };
                let message = "loading the file keeps this as data, which no writer does; do not load it";
                self.note_about(rule, &self.name(*number), message);
            }
        }
    }

    /// The global that GLOBAL and INST name in two lines.
    pub(super) fn global_of_lines(&mut self) -> Result<Value, Stop> {
        let names = (String::from_utf8(self.first.clone()), String::from_utf8(self.kept.clone()));
        match names {
            (Ok(module), Ok(name)) if self.length <= KEPT as u64 => self.global(&module, &name),
            _ => {
                self.note(&rules::UNRESOLVED_GLOBAL, "a global whose name is no readable text");
                Ok(Value::Refused)
            }
        }
    }
}
