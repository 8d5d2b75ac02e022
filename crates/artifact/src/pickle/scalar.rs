//! Values that an opcode carries in itself: numbers, texts, bytes.

use super::{
    content::Content,
    distribution, literal,
    machine::Machine,
    opcode,
    operand::{KEPT, LINE},
    torch::Dialect,
    utf8,
    value::{Full, Value},
};
use crate::{rules, stream::Stop};

impl Machine<'_, '_> {
    /// The value that an opcode pushes from its operand alone.
    pub(super) fn scalar(&mut self, opcode: u8) -> Result<Value, Stop> {
        Ok(match opcode {
            opcode::INT | opcode::LONG => match literal::integer(&self.kept) {
                Some(literal::Integer::Small(number)) => Value::Int(number),
                Some(literal::Integer::Large) => Value::Number,
                None => {
                    self.note(&rules::LAX_TEXT, "an integer that is not plain decimal digits");
                    Value::Number
                }
            },
            opcode::FLOAT => {
                if !literal::is_float(&self.kept) {
                    self.note(&rules::LAX_TEXT, "a float that is not written as Python writes one");
                }
                Value::Number
            }
            opcode::LONG1 | opcode::LONG4 => match i32_from(&self.kept, self.length) {
                Some(number) => Value::Int(number),
                None => Value::Number,
            },
            opcode::STRING | opcode::UNICODE => return self.escaped(opcode),
            opcode::BINSTRING | opcode::SHORT_BINSTRING => {
                // Python 2's, which are bytes: what signs others than ASCII's are is up to who loads them.
                let kept = std::mem::take(&mut self.kept);
                let value = match std::str::from_utf8(&kept) {
                    Ok(text) if text.is_ascii() => self.text(text)?,
                    _ => self.long_value(),
                };
                self.kept = kept;
                return Ok(value);
            }
            opcode::BINUNICODE | opcode::SHORT_BINUNICODE | opcode::BINUNICODE8 => {
                let kept = std::mem::take(&mut self.kept);
                let text = std::str::from_utf8(&kept).ok();
                let value = match text {
                    // Python lets lone surrogates pass; no name holds one.
                    None if self.length > KEPT as u64 => self.long_value(),
                    None if utf8::is_text(&kept) => Value::LongText,
                    None => return Err(self.fail(&rules::PICKLE_OPERAND, "a text that is no UTF-8")),
                    Some(text) if self.length > KEPT as u64 && distribution::is_parser(text) => Value::Parser,
                    Some(text) => self.text(text)?,
                };
                self.kept = kept;
                return Ok(value);
            }
            opcode::BINBYTES | opcode::SHORT_BINBYTES | opcode::BINBYTES8 | opcode::BYTEARRAY8 => {
                self.bytes(opcode == opcode::BYTEARRAY8)
            }
            opcode::NONE => Value::None,
            opcode::NEWTRUE | opcode::NEWFALSE | opcode::BINFLOAT => Value::Number,
            _ => Value::Refused,
        })
    }

    /// Bytes, of which the content is known where Arrow gets them, or where they are the same object everywhere.
    fn bytes(&mut self, mutable: bool) -> Value {
        match self.content.take() {
            Some(content) => self.buffer(content.changeable(mutable)),
            None if self.length < 2 && !mutable => {
                let content = Content::of(&self.kept);
                self.buffer(content)
            }
            None => Value::Bytes,
        }
    }

    fn escaped(&mut self, opcode: u8) -> Result<Value, Stop> {
        if self.length > LINE as u64 {
            return Ok(Value::LongText);
        }
        let text = if opcode == opcode::STRING {
            literal::unquote(&self.kept)
        } else {
            literal::raw_unicode(&self.kept)
        };
        match text {
            Some(text) => self.text(&text),
            None => Err(self.fail(&rules::PICKLE_OPERAND, "a text whose quotes or escapes are broken")),
        }
    }

    /// A text that is no name, since it is too long for one or since its signs are not known.
    fn long_value(&mut self) -> Value {
        match self.content.take().map(|content| self.buffer(content)) {
            Some(Value::Buffer(number)) => Value::Latin(number),
            _ => Value::LongText,
        }
    }

    fn text(&mut self, text: &str) -> Result<Value, Stop> {
        if self.length > KEPT as u64 {
            return Ok(self.long_value());
        }
        if self.dialect == Dialect::Bytecode {
            self.looks_up(text);
        }
        self.texts.number(text).map(Value::Text).map_err(|Full| self.limit())
    }
}

/// A little-endian two's complement number, where it is short enough.
fn i32_from(bytes: &[u8], length: u64) -> Option<i32> {
    if length > 4 {
        return None;
    }
    let sign = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut wide = [sign; 4];
    wide[..bytes.len()].copy_from_slice(bytes);
    Some(i32::from_le_bytes(wide))
}
