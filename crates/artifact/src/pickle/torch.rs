//! What PyTorch adds to pickles: persistent ids that stand for storages, and tensors as views of them.
//!
//! A persistent id is what the loader's own code looks up, so it is only understood where the container is one that
//! PyTorch reads (torch 0.4 to 2.15, `serialization.py` and `_utils.py`), and only in the form that it writes.

use tagship_domain::addition::GlobalUse;

use super::{
    allow::{self, Usage},
    machine::Machine,
    opcode,
    value::{Kind, Value},
};
use crate::{rules, stream::Stop, torchscript};

/// Whose loader reads a pickle.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Python's: a persistent id is an error.
    #[default]
    Plain,
    /// `torch.load`.
    Torch,
    /// The interpreter of TorchScript: classes below `__torch__` are those in the archive's own code.
    Script,
    /// The mobile interpreter of TorchScript, which also looks up operators by their names.
    Bytecode,
}

impl Dialect {
    /// Whether classes below `__torch__` are those of the archive.
    pub(super) fn is_script(self) -> bool {
        matches!(self, Self::Script | Self::Bytecode)
    }
}

/// A storage that a pickle refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Storage {
    /// Its name in the container.
    pub(crate) key: String,
    /// Bytes of an element.
    pub(crate) width: u64,
    /// Elements; `None` where there are more than 2^31.
    pub(crate) count: Option<u64>,
}

impl Storage {
    /// Size in bytes, where it is known.
    pub(crate) fn size(&self) -> Option<u64> {
        self.count?.checked_mul(self.width)
    }
}

/// Elements that a view may repeat out of a smaller storage.
const MAX_REPEATED: u64 = 1 << 31;

/// Whether instances of a global may be made.
fn is_class(usage: Option<Usage>) -> bool {
    matches!(usage, Some(Usage::Class | Usage::Own(GlobalUse::Newobj | GlobalUse::Reduce)))
}

impl Machine<'_, '_> {
    /// PERSID and BINPERSID.
    pub(super) fn persistent(&mut self, opcode: u8) -> Result<(), Stop> {
        if opcode == opcode::PERSID || self.dialect == Dialect::Plain {
            if opcode == opcode::BINPERSID {
                self.pop()?;
            }
            self.note(
                &rules::PERSISTENT_ID,
                "an object that the loader's own code looks up; it cannot be checked",
            );
            return self.push(Value::Refused);
        }
        let id = self.pop()?;
        let parts =
            if self.heap.is(id, Kind::Tuple) { self.heap.recall(id).map(<[Value]>::to_vec) } else { None };
        let value = match parts.as_deref().and_then(|parts| self.looked_up(parts)) {
            Some(value) => value,
            None => {
                self.note(
                    &rules::STORAGE_SCHEMA,
                    "a persistent id that is neither a storage nor a listed class; do not load this file",
                );
                Value::Refused
            }
        };
        self.heap.release(id);
        self.push(value)
    }

    /// What `torch.load` gives for a persistent id.
    fn looked_up(&mut self, parts: &[Value]) -> Option<Value> {
        let (Value::Text(what), Value::Global(class)) = (*parts.first()?, *parts.get(1)?) else {
            return None;
        };
        let class = &self.globals[class as usize];
        let what = self.texts.get(what);
        if what == "module" {
            // A class and its source, which is compared with the installed one and never run.
            let class = parts.get(1).copied().filter(|_| is_class(class.usage) && parts.len() == 4);
            return class;
        }
        let [_, _, Value::Text(key), Value::Text(_), count, view @ ..] = parts else { return None };
        let count = match count {
            Value::Int(count) => Some(u64::try_from(*count).ok()?),
            Value::Number => None,
            _ => return None,
        };
        let whole = matches!(view, [] | [Value::None]);
        if what != "storage" || class.usage != Some(Usage::Storage) || !whole {
            return None;
        }
        let width = allow::storage_width(&class.name)?;
        let key = self.texts.get(*key).to_owned();
        let kind = class.name.trim_end_matches("Storage").trim_start_matches('_').to_owned();
        let storage = Storage { key, width, count };
        if let Some(at) = self.storage_numbers.get(&storage.key).copied() {
            if self.storages[at as usize] != storage {
                self.note_about(
                    &rules::STORAGE_SCHEMA,
                    &storage.key,
                    "one storage is described in two ways; do not load this file",
                );
            }
            return Some(Value::Storage(at));
        }
        let number = u32::try_from(self.storages.len()).ok()?;
        self.storage_numbers.insert(storage.key.clone(), number);
        self.findings.facts.tensor(&kind, storage.count);
        self.storages.push(storage);
        Some(Value::Storage(number))
    }

    /// A text that the mobile interpreter may look up as an operator (`library::name`) or a class.
    pub(super) fn looks_up(&mut self, text: &str) {
        let Some((library, operator)) = text.split_once("::") else {
            if torchscript::is_foreign_class(text) {
                let message = "a class of native code that is not known here";
                self.note_about(&rules::SCRIPT_LIBRARY, text, message);
            }
            return;
        };
        // The overload may stand behind the name.
        let operator = operator.split('.').next().unwrap_or(operator);
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !is_name(library) || !is_name(operator) {
            return;
        }
        if torchscript::reaches(operator) {
            let message = "the program calls this operator, which reaches files or other code";
            self.note_about(&rules::SCRIPT_REACHES, text, message);
        } else if !torchscript::is_library(library) {
            let message = "the program calls an operator of a library that is not known here";
            self.note_about(&rules::SCRIPT_LIBRARY, text, message);
        }
    }

    /// Whether the arguments of a tensor's rebuild function are a storage, an offset, sizes and strides. A view that
    /// reaches beyond its storage is a finding of its own.
    pub(super) fn is_tensor(&self, arguments: &[Value]) -> Option<bool> {
        let [Value::Storage(storage), Value::Int(offset @ 0..), size, stride, rest @ ..] = arguments else {
            return None;
        };
        let storage = &self.storages[*storage as usize];
        let (sizes, strides) = (self.dimensions(*size)?, self.dimensions(*stride)?);
        if sizes.len() != strides.len() {
            return None;
        }
        // Version 3 of the function counts elements of the type that it names, in a storage of bytes.
        let element = rest.iter().find_map(|value| match value {
            Value::Global(number) => allow::dtype_width(&self.globals[*number as usize].name),
            _ => None,
        });
        let count = match (storage.count, element) {
            (None, _) => return Some(true),
            (Some(count), Some(width)) if storage.width == 1 => count / width,
            (Some(count), _) => count,
        };
        if sizes.contains(&0) {
            return Some(true);
        }
        // Strides of zero repeat an element as often as a size says; whoever copies the tensor reserves all of it.
        let elements = sizes.iter().try_fold(1u64, |elements, size| elements.checked_mul(*size));
        if elements.is_none_or(|elements| elements > count.max(MAX_REPEATED)) {
            return Some(false);
        }
        let last =
            sizes.iter().zip(&strides).try_fold(u64::try_from(*offset).ok()?, |last, (size, stride)| {
                last.checked_add((size - 1).checked_mul(*stride)?)
            });
        Some(last.is_some_and(|last| last < count))
    }

    fn dimensions(&self, tuple: Value) -> Option<Vec<u64>> {
        if !self.heap.is(tuple, Kind::Tuple) && self.heap.class_of(tuple).is_none() {
            return None;
        }
        let known = self.heap.recall(tuple)?;
        known
            .iter()
            .map(|value| match value {
                Value::Int(number) => u64::try_from(*number).ok(),
                _ => None,
            })
            .collect()
    }
}
