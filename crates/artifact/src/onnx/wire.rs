//! The protobuf wire format (protobuf.dev, "Encoding"): fields of a message, one after the other, without a schema.

use super::{names::Name, parser::Parser};
use crate::{rules, stream::Stop};

/// Messages inside each other. Protobuf's own readers stop at 100.
const MAX_DEPTH: usize = 100;
/// Bytes of a text that is kept: names, operators, paths.
const MAX_TEXT: u64 = 64 * 1024;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1 or 5: a fixed number of this many bytes, passed over already.
    Fixed(u8),
    /// Wire type 2: this many bytes come next. What is not consumed is passed over.
    Bytes(u64),
}

impl Parser<'_, '_> {
    /// Reads the fields of a message that ends at `end`, each with `field(self, number, value)`.
    pub(super) fn message(
        &mut self,
        end: u64,
        mut field: impl FnMut(&mut Self, u32, Wire) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.depth >= MAX_DEPTH {
            return Err(
                self.fail(&rules::NESTING, format!("messages lie more than {MAX_DEPTH} deep in each other"))
            );
        }
        self.depth += 1;
        while self.stream.position() < end {
            let (number, value) = self.tag(end)?;
            let after = match value {
                Wire::Bytes(length) => self.stream.position() + length,
                _ => self.stream.position(),
            };
            field(self, number, value)?;
            let position = self.stream.position();
            if position > after {
                return Err(self.fail(&rules::ONNX_WIRE, "a field reaches beyond its length"));
            }
            self.stream.skip(after - position)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a message of this many bytes that comes next.
    pub(super) fn nested(
        &mut self,
        length: u64,
        field: impl FnMut(&mut Self, u32, Wire) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.message(self.stream.position() + length, field)
    }

    fn tag(&mut self, end: u64) -> Result<(u32, Wire), Stop> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => {
                self.stream.skip(8)?;
                Wire::Fixed(8)
            }
            2 => Wire::Bytes(self.varint()?),
            5 => {
                self.stream.skip(4)?;
                Wire::Fixed(4)
            }
            other => {
                return Err(self.fail(&rules::ONNX_WIRE, format!("wire type {other} is not used by ONNX")));
            }
        };
        let needed = match value {
            Wire::Bytes(length) => length,
            _ => 0,
        };
        let position = self.stream.position();
        if number == 0 || position > end || needed > end - position {
            return Err(self.fail(&rules::ONNX_WIRE, "a field reaches beyond the message that holds it"));
        }
        Ok((number, value))
    }

    /// A base-128 number.
    pub(super) fn varint(&mut self) -> Result<u64, Stop> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.stream.u8()?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.fail(&rules::ONNX_WIRE, "a number of more than 64 bits"))
    }

    /// A text of this many bytes that comes next.
    pub(super) fn text(&mut self, length: u64) -> Result<String, Stop> {
        if length > MAX_TEXT {
            return Err(
                self.fail(&rules::ONNX_LIMIT, format!("a name of {length} bytes; the rest was not judged"))
            );
        }
        let mut bytes = Vec::new();
        self.stream.take(length, usize::MAX, &mut bytes)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => Err(self.fail(&rules::ONNX_WIRE, format!("a name that is no UTF-8: {error}"))),
        }
    }

    /// The number of a name of this many bytes that comes next.
    pub(super) fn name(&mut self, length: u64) -> Result<Name, Stop> {
        let name = self.text(length)?;
        self.number(&name)
    }

    /// The numbers of a repeated varint field, packed or not; `each` gets them one by one.
    pub(super) fn varints(&mut self, value: Wire, mut each: impl FnMut(u64)) -> Result<u64, Stop> {
        match value {
            Wire::Varint(number) => {
                each(number);
                Ok(1)
            }
            Wire::Fixed(_) => {
                Err(self.fail(&rules::ONNX_WIRE, "a fixed number where a list of numbers belongs"))
            }
            Wire::Bytes(length) => {
                let end = self.stream.position() + length;
                let mut count = 0;
                while self.stream.position() < end {
                    each(self.varint()?);
                    count += 1;
                }
                Ok(count)
            }
        }
    }

    /// Notes a field that the format does not define, or defines with another type.
    pub(super) fn unknown(&mut self, message: &str, number: u32) {
        let at = Some(self.stream.position());
        self.findings.about(
            &rules::ONNX_FIELD,
            at,
            format!("{message} field {number}"),
            "the format does not define this field, or not with this type; what it holds was not judged",
        );
    }
}
