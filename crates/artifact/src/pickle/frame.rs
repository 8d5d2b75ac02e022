//! The opcodes that say how a stream is read: its protocol, its frames, and buffers that lie elsewhere.

use super::{machine::Machine, opcode, value::Value};
use crate::{rules, stream::Stop};

impl Machine<'_, '_> {
    /// A frame says how much a loader reads ahead; one that reads opcodes straight ignores it.
    pub(super) fn check_frame(&mut self, opcode: u8, end: u64) {
        let position = self.stream.position();
        if position >= end {
            self.run.frame_end = None;
        }
        if position > end && self.at < end {
            self.note(&rules::FRAME, "an opcode or operand crosses the end of its frame");
        } else if opcode == opcode::FRAME && self.at < end {
            self.note(&rules::FRAME, "a frame inside a frame");
        }
    }

    pub(super) fn framing(&mut self, opcode: u8, number: u64) -> Result<(), Stop> {
        match opcode {
            opcode::PROTO if number > 5 => {
                return Err(self.fail(&rules::PROTOCOL, format!("protocol {number} does not exist")));
            }
            opcode::PROTO if self.run.opcodes > 1 => {
                self.note(&rules::PROTOCOL, "a protocol marker that is not the first opcode");
            }
            opcode::FRAME => {
                let start = self.stream.position();
                if number > self.stream.remaining() {
                    self.note(&rules::FRAME, "a frame that is longer than the file");
                }
                self.run.frame_end = Some(start.saturating_add(number)).filter(|end| *end > start);
            }
            opcode::NEXT_BUFFER => {
                self.note(&rules::OUT_OF_BAND, "the pickle expects a buffer that is not in the file");
                self.push(Value::Bytes)?;
            }
            _ => {}
        }
        Ok(())
    }
}
