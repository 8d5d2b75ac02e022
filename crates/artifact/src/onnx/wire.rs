//! How ONNX's messages are read from the wire, and what is said about their faults.

use super::{names::Name, parser::Parser};
pub(super) use crate::protobuf::{Messages, Wire};
use crate::{
    protobuf::Fault,
    rules,
    stream::{Stop, Stream},
};

impl<'a> Messages<'a> for Parser<'_, 'a> {
    fn stream(&mut self) -> &mut Stream<'a> {
        self.stream
    }

    fn depth(&mut self) -> &mut usize {
        &mut self.depth
    }

    fn fault(&mut self, fault: Fault, message: String) -> Stop {
        let rule = match fault {
            Fault::Nesting => &rules::NESTING,
            Fault::Wire => &rules::ONNX_WIRE,
            Fault::TooLong => &rules::ONNX_LIMIT,
        };
        self.fail(rule, message)
    }
}

impl Parser<'_, '_> {
    /// The number of a name of this many bytes that comes next.
    pub(super) fn name(&mut self, length: u64) -> Result<Name, Stop> {
        let name = self.text(length)?;
        self.number(&name)
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
