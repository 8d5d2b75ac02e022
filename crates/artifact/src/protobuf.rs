//! The protobuf wire format (protobuf.dev, "Encoding"): fields of a message, one after the other, without a schema.

use crate::stream::{Stop, Stream};

/// Messages inside each other. Protobuf's own readers stop at 100.
const MAX_DEPTH: usize = 100;
/// Bytes of a text that is kept: names, operators, paths.
const MAX_TEXT: u64 = 64 * 1024;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1 or 5: a fixed number of this many bytes, and its bits.
    Fixed(u8, u64),
    /// Wire type 2: this many bytes come next. What is not consumed is passed over.
    Bytes(u64),
}

/// What can be wrong on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Messages too deep in each other.
    Nesting,
    /// Bytes that are not protobuf.
    Wire,
    /// A name longer than is kept.
    TooLong,
}

/// A reader of messages of one schema. It knows where it reads and by which rules it reports.
pub(crate) trait Messages<'a>: Sized {
    /// Where the bytes come from.
    fn stream(&mut self) -> &mut Stream<'a>;
    /// How many messages are open.
    fn depth(&mut self) -> &mut usize;
    /// Reports a fault after which reading cannot go on.
    fn fault(&mut self, fault: Fault, message: String) -> Stop;

    /// Reads the fields of a message that ends at `end`, each with `field(self, number, value)`.
    fn message(
        &mut self,
        end: u64,
        mut field: impl FnMut(&mut Self, u32, Wire) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if *self.depth() >= MAX_DEPTH {
            let message = format!("messages lie more than {MAX_DEPTH} deep in each other");
            return Err(self.fault(Fault::Nesting, message));
        }
        *self.depth() += 1;
        while self.stream().position() < end {
            let (number, value) = self.tag(end)?;
            let after = match value {
                Wire::Bytes(length) => self.stream().position() + length,
                _ => self.stream().position(),
            };
            field(self, number, value)?;
            let position = self.stream().position();
            if position > after {
                return Err(self.fault(Fault::Wire, "a field reaches beyond its length".to_owned()));
            }
            self.stream().skip(after - position)?;
        }
        *self.depth() -= 1;
        Ok(())
    }

    /// Reads a message of this many bytes that comes next.
    fn nested(
        &mut self,
        length: u64,
        field: impl FnMut(&mut Self, u32, Wire) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let end = self.stream().position() + length;
        self.message(end, field)
    }

    /// The number and value of the next field of a message that ends at `end`.
    fn tag(&mut self, end: u64) -> Result<(u32, Wire), Stop> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(0);
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed(8, self.stream().little_endian(8)?),
            2 => Wire::Bytes(self.varint()?),
            5 => Wire::Fixed(4, self.stream().little_endian(4)?),
            other => {
                return Err(self.fault(Fault::Wire, format!("wire type {other} is not used by this format")));
            }
        };
        let needed = match value {
            Wire::Bytes(length) => length,
            _ => 0,
        };
        let position = self.stream().position();
        if number == 0 || position > end || needed > end - position {
            let message = "a field reaches beyond the message that holds it";
            return Err(self.fault(Fault::Wire, message.to_owned()));
        }
        Ok((number, value))
    }

    /// A base-128 number.
    fn varint(&mut self) -> Result<u64, Stop> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.stream().u8()?;
            if shift == 63 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.fault(Fault::Wire, "a number of more than 64 bits".to_owned()))
    }

    /// A text of this many bytes that comes next.
    fn text(&mut self, length: u64) -> Result<String, Stop> {
        if length > MAX_TEXT {
            let message = format!("a name of {length} bytes; the rest was not judged");
            return Err(self.fault(Fault::TooLong, message));
        }
        let mut bytes = Vec::new();
        self.stream().take(length, usize::MAX, &mut bytes)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => Err(self.fault(Fault::Wire, format!("a name that is no UTF-8: {error}"))),
        }
    }

    /// The numbers of a repeated varint field, packed or not; `each` gets them one by one.
    fn varints(&mut self, value: Wire, mut each: impl FnMut(u64)) -> Result<u64, Stop> {
        match value {
            Wire::Varint(number) => {
                each(number);
                Ok(1)
            }
            Wire::Fixed(..) => {
                Err(self.fault(Fault::Wire, "a fixed number where a list of numbers belongs".to_owned()))
            }
            Wire::Bytes(length) => {
                let end = self.stream().position() + length;
                let mut count = 0;
                while self.stream().position() < end {
                    each(self.varint()?);
                    count += 1;
                }
                Ok(count)
            }
        }
    }
}
