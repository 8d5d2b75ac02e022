//! The unpickler's stack, its marks and its memo.
//!
//! Invariants: nothing below the last mark is taken; both are bounded, and reaching a bound is never a pass.

use super::{
    literal,
    machine::Machine,
    opcode,
    value::{Full, Value},
};
use crate::{rules, stream::Stop};

/// Values on the stack, and marks.
const MAX_STACK: usize = 4_000_000;

impl Machine<'_, '_> {
    pub(super) fn stack(&mut self, opcode: u8) -> Result<(), Stop> {
        match opcode {
            opcode::MARK => {
                if self.run.marks.len() >= MAX_STACK {
                    return Err(self.limit());
                }
                self.run.marks.push(self.run.stack.len());
            }
            // An unpickler's POP on an empty part of the stack takes the mark below it.
            opcode::POP if self.run.marks.last() == Some(&self.run.stack.len()) => {
                self.run.marks.pop();
            }
            opcode::POP => {
                let value = self.pop()?;
                self.keep(&[value]);
                self.heap.release(value);
            }
            opcode::POP_MARK => {
                let values = self.pop_mark()?;
                self.keep(&values);
                for value in values {
                    self.heap.release(value);
                }
            }
            _ => {
                let value = self.top()?;
                self.heap.share(value);
                self.met(value);
                self.push(value)?;
            }
        }
        Ok(())
    }

    /// The entry of the memo that an opcode is about.
    pub(super) fn index(&mut self, opcode: u8, number: u64) -> Result<u32, Stop> {
        match opcode {
            opcode::PUT | opcode::GET => {
                let index = literal::index(&self.kept).filter(|_| self.length <= 10);
                index.ok_or_else(|| self.fail(&rules::LAX_TEXT, "a memo index that is no plain number"))
            }
            opcode::MEMOIZE => Ok(self.run.memo.next()),
            _ => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
        }
    }

    pub(super) fn memo(&mut self, opcode: u8, number: u64) -> Result<(), Stop> {
        let index = self.index(opcode, number)?;
        if matches!(opcode, opcode::GET | opcode::BINGET | opcode::LONG_BINGET) {
            let Some(value) = self.run.memo.get(index) else {
                return Err(self.fail(&rules::PICKLE_STACK, format!("memo entry {index} was never stored")));
            };
            self.met(value);
            return self.push(value);
        }
        // Memo indices count stored objects, in one pickler over several dumps too.
        if u64::from(index) > self.stream.position() {
            return Err(self.fail(
                &rules::MEMO_BOMB,
                format!(
                    "memo index {index} after {} opcodes makes a loader reserve memory",
                    self.run.opcodes
                ),
            ));
        }
        let value = self.top()?;
        self.heap.share(value);
        self.run.memo.put(index, value).map_err(|Full| self.limit())
    }

    /// What is in two places now.
    fn met(&mut self, value: Value) {
        if self.py_buffer.is_some() {
            self.meet_again(value);
        }
    }

    pub(super) fn push(&mut self, value: Value) -> Result<(), Stop> {
        if self.run.stack.len() >= MAX_STACK {
            return Err(self.limit());
        }
        self.run.stack.push(value);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Result<Value, Stop> {
        let last = self.below(1)?;
        let value = self.run.stack[last];
        self.run.stack.truncate(last);
        Ok(value)
    }

    pub(super) fn top(&mut self) -> Result<Value, Stop> {
        let last = self.below(1)?;
        Ok(self.run.stack[last])
    }

    /// Values down to the last mark, in the order they were pushed.
    pub(super) fn pop_mark(&mut self) -> Result<Vec<Value>, Stop> {
        match self.run.marks.pop() {
            Some(mark) => Ok(self.run.stack.split_off(mark)),
            None => Err(self.fail(&rules::PICKLE_STACK, "an opcode takes a mark that was never set")),
        }
    }

    /// Where the last `count` values begin, all above the last mark.
    pub(super) fn below(&mut self, count: usize) -> Result<usize, Stop> {
        let fence = self.run.marks.last().copied().unwrap_or(0);
        match self.run.stack.len().checked_sub(count) {
            Some(begin) if begin >= fence => Ok(begin),
            _ => Err(self.fail(&rules::PICKLE_STACK, "an opcode takes a value that the stack does not hold")),
        }
    }

    pub(super) fn pop_some(&mut self, count: usize) -> Result<Vec<Value>, Stop> {
        let begin = self.below(count)?;
        Ok(self.run.stack.split_off(begin))
    }
}
