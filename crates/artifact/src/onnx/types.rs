//! Types of inputs and outputs, in the words of the Open Inference Protocol.

use tagship_domain::signature::TensorSpec;

use super::{
    kind,
    names::Name,
    parser::Parser,
    wire::{Messages as _, Wire},
};
use crate::stream::Stop;

/// Dimensions that a shape may have.
const MAX_RANK: usize = 64;

impl Parser<'_, '_> {
    /// Reads a value's name and type; `None` where there is no type that is known here.
    pub(super) fn value_info(&mut self, length: u64) -> Result<(Name, Option<TensorSpec>), Stop> {
        let mut name = String::new();
        let mut kind = None;
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => name = parser.text(length)?,
                (2, Wire::Bytes(length)) => kind = parser.value_type(length)?,
                (3 | 4, Wire::Bytes(_)) => {}
                _ => parser.unknown("ValueInfoProto", number),
            }
            Ok(())
        })?;
        let number = self.number(&name)?;
        Ok((number, kind.map(|(datatype, shape)| TensorSpec { name, datatype, shape })))
    }

    /// Element type and shape. A sequence, map or optional has no shape, and its kind for a type.
    fn value_type(&mut self, length: u64) -> Result<Option<(String, Vec<i64>)>, Stop> {
        let mut kind = None;
        self.nested(length, |parser, number, value| {
            let composite = |name: &str| Some((name.to_owned(), Vec::new()));
            match (number, value) {
                (1, Wire::Bytes(length)) => kind = parser.tensor_type(length)?,
                (4, Wire::Bytes(_)) => kind = composite("SEQUENCE"),
                (5, Wire::Bytes(_)) => kind = composite("MAP"),
                (8, Wire::Bytes(_)) => kind = composite("SPARSE"),
                (9, Wire::Bytes(_)) => kind = composite("OPTIONAL"),
                (6, Wire::Bytes(_)) => {}
                _ => parser.unknown("TypeProto", number),
            }
            Ok(())
        })?;
        Ok(kind)
    }

    fn tensor_type(&mut self, length: u64) -> Result<Option<(String, Vec<i64>)>, Stop> {
        let mut element = None;
        let mut shape = Vec::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Varint(kind)) => element = kind::kind_name(kind),
                (2, Wire::Bytes(length)) => parser.shape(length, &mut shape)?,
                _ => parser.unknown("TypeProto.Tensor", number),
            }
            Ok(())
        })?;
        Ok(element.map(|element| (element.to_owned(), shape)))
    }

    /// One number per axis; a name, or nothing, is a free size.
    fn shape(&mut self, length: u64, shape: &mut Vec<i64>) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            let (1, Wire::Bytes(length)) = (number, value) else {
                parser.unknown("TensorShapeProto", number);
                return Ok(());
            };
            let mut size = -1;
            parser.nested(length, |parser, number, value| {
                match (number, value) {
                    (1, Wire::Varint(value)) => size = value.cast_signed().max(-1),
                    (2 | 3, Wire::Bytes(_)) => {}
                    _ => parser.unknown("TensorShapeProto.Dimension", number),
                }
                Ok(())
            })?;
            if shape.len() < MAX_RANK {
                shape.push(size);
            }
            Ok(())
        })
    }
}
