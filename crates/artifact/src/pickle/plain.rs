//! An array of objects in a joblib file, as an unpickler reads it that knows nothing of joblib.
//!
//! To joblib the array is a pickle of its own. A plain unpickler reads on into it: its memo still holds what came before, so
//! the same GET gives another value, and a name that is harmless in one reading is an attack in the other. What lies on
//! the stack differs only where a GET gave it; that much of the other reading is followed here.

use std::collections::HashSet;

use super::{
    allow::{self, Usage},
    machine::Machine,
    opcode,
    trust::Standing,
    value::{Full, Kind, Memo, Value},
};
use crate::{rules, stream::Stop};

/// The other reading of the stream in execution.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// What the array itself stores; the rest is in the memo of the stream around it.
    memo: Memo,
    /// Entries of the array that the memo around it does not have.
    added: u32,
    /// As high as the machine's own stack.
    stack: Vec<Value>,
    /// Tuples that hold other values in this reading.
    mixed: HashSet<u32>,
}

impl Plain {
    /// Whether a value so far below the top is another one than the machine's.
    fn differs(&self, own: &[Value], below: usize) -> bool {
        own.iter().nth_back(below) != self.stack.iter().nth_back(below)
    }

    fn at(&self, below: usize) -> Option<Value> {
        self.stack.iter().nth_back(below).copied()
    }
}

impl Machine<'_, '_> {
    /// Begins the other reading, where a plain unpickler gets as far as here.
    pub(super) fn read_on_plainly(&mut self) {
        if !self.plain_fails && self.outer.len() == 1 {
            self.run.plain = Some(Box::default());
        }
    }

    /// Before an opcode is executed: what a plain unpickler would name or call here, where that is something else.
    /// Whether a tuple that the opcode makes would hold something else.
    pub(super) fn check_plain(&mut self, opcode: u8) -> bool {
        let Some(plain) = &self.run.plain else { return false };
        let own = self.run.stack.as_slice();
        let mark = || self.run.marks.last().map_or(own.len(), |mark| own.len() - mark);
        let any = |count: usize| (0..count).any(|below| plain.differs(own, below));
        let reaches = match opcode {
            opcode::STACK_GLOBAL => any(2) && self.names_plainly(plain),
            opcode::REDUCE | opcode::NEWOBJ => self.calls_plainly(plain, 1),
            opcode::NEWOBJ_EX => self.calls_plainly(plain, 2),
            opcode::OBJ => self.calls_plainly(plain, mark().saturating_sub(1)) || any(mark()),
            _ => false,
        };
        let mixes = match opcode {
            opcode::TUPLE1 => any(1),
            opcode::TUPLE2 => any(2),
            opcode::TUPLE3 => any(3),
            opcode::TUPLE => any(mark()),
            _ => false,
        };
        if reaches {
            self.note(
                &rules::ARRAY_AS_OPCODES,
                "an array of objects that a plain unpickler reads differently: it names or calls something else",
            );
        }
        mixes
    }

    /// Whether the name of the other reading is one that could exist. Writers share the names of modules in an array, so
    /// another module for a name that is listed is chance, and has no such attribute.
    fn names_plainly(&self, plain: &Plain) -> bool {
        let (Some(Value::Text(module)), Some(Value::Text(name))) = (plain.at(1), plain.at(0)) else {
            return false;
        };
        let (module, name) = allow::normalise(self.texts.get(module), self.texts.get(name));
        plain.differs(&self.run.stack, 0)
            || !matches!(self.trust.standing(&module, name), Standing::Unlisted)
            || allow::is_dangerous(&module, name)
    }

    /// Whether the other reading calls something whose arguments were never checked for it.
    fn calls_plainly(&self, plain: &Plain, below: usize) -> bool {
        let usage = |number: u32| self.globals[number as usize].usage;
        let mixed =
            matches!(plain.at(below.saturating_sub(1)), Some(Value::Object(id)) if plain.mixed.contains(&id));
        let differs = plain.differs(&self.run.stack, below);
        match plain.at(below) {
            Some(Value::Global(number)) if differs => {
                let unchecked = matches!(usage(number), Some(Usage::Own(_)));
                unchecked
                    || usage(number).is_some_and(Usage::needs_pickle)
                    || matches!(
                        usage(number),
                        None | Some(Usage::Reference | Usage::FileArray | Usage::Value)
                    )
            }
            Some(Value::Global(number)) if mixed => {
                usage(number).is_some_and(Usage::needs_pickle)
                    || matches!(
                        usage(number),
                        Some(Usage::Ufunc | Usage::Random | Usage::Apply | Usage::Partial | Usage::Own(_))
                    )
            }
            Some(Value::Object(id)) if differs => match self.heap.get(id).kind {
                Kind::Instance(class) => matches!(
                    usage(class),
                    Some(
                        Usage::Ufunc
                            | Usage::Value
                            | Usage::Scalar
                            | Usage::Apply
                            | Usage::Partial
                            | Usage::Own(_)
                    )
                ),
                _ => false,
            },
            _ => false,
        }
    }

    /// After an opcode: the other stack is as high as the machine's, and what the opcode gave lies on top.
    pub(super) fn follow_plain(&mut self, opcode: u8, number: u64, mixes: bool) -> Result<(), Stop> {
        let Some(mut plain) = self.run.plain.take() else { return Ok(()) };
        let height = self.run.stack.len();
        match opcode {
            opcode::GET | opcode::BINGET | opcode::LONG_BINGET => {
                let index = self.index(opcode, number)?;
                let before = self.outer.last().and_then(|outer| outer.memo.get(index));
                // Without an entry, a plain unpickler fails here.
                let Some(value) = plain.memo.get(index).or(before) else { return Ok(()) };
                plain.stack.push(value);
            }
            opcode::PUT | opcode::BINPUT | opcode::LONG_BINPUT | opcode::MEMOIZE => {
                self.store_plainly(&mut plain, opcode, number)?;
            }
            opcode::DUP => plain.stack.extend(plain.at(0)),
            opcode::MARK
            | opcode::POP
            | opcode::POP_MARK
            | opcode::APPEND
            | opcode::APPENDS
            | opcode::SETITEM
            | opcode::SETITEMS
            | opcode::ADDITEMS
            | opcode::BUILD
            | opcode::PROTO
            | opcode::FRAME => plain.stack.truncate(height),
            _ => {
                plain.stack.truncate(height.saturating_sub(1));
                plain.stack.extend(self.run.stack.last().copied());
                if let Some(Value::Object(id)) = plain.at(0) {
                    // Places in the heap are used again.
                    if mixes {
                        plain.mixed.insert(id)
                    } else {
                        plain.mixed.remove(&id)
                    };
                }
            }
        }
        self.run.plain = Some(plain);
        Ok(())
    }

    fn store_plainly(&mut self, plain: &mut Plain, opcode: u8, number: u64) -> Result<(), Stop> {
        let around = self.outer.last().map_or(0, |outer| outer.memo.next());
        let index = if opcode == opcode::MEMOIZE {
            around.saturating_add(plain.added)
        } else {
            self.index(opcode, number)?
        };
        let known = plain.memo.get(index).is_some()
            || self.outer.last().is_some_and(|outer| outer.memo.get(index).is_some());
        plain.added = plain.added.saturating_add(u32::from(!known));
        match plain.at(0) {
            Some(value) => plain.memo.put(index, value).map_err(|Full| self.limit()),
            None => Ok(()),
        }
    }
}
