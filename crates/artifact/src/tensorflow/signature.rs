//! What a SavedModel says about requests and answers.

use tagship_domain::signature::{Signature, TensorSpec};

use super::{parser::Parser, tensor};
use crate::{
    protobuf::{Messages as _, Wire},
    stream::Stop,
};

impl Parser<'_, '_> {
    /// An entry of the map of signatures.
    pub(super) fn signature_entry(&mut self, length: u64) -> Result<(), Stop> {
        let mut name = String::new();
        let mut signature = Signature::default();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => name = parser.text(length)?,
                (2, Wire::Bytes(length)) => signature = parser.signature(length)?,
                _ => parser.unknown("MetaGraphDef.signature_def", number),
            }
            Ok(())
        })?;
        self.signatures.push((name, signature));
        Ok(())
    }

    /// Maps have no order; names give one.
    fn signature(&mut self, length: u64) -> Result<Signature, Stop> {
        let mut signature = Signature::default();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => signature.inputs.extend(parser.tensor_entry(length, true)?),
                (2, Wire::Bytes(length)) => signature.outputs.extend(parser.tensor_entry(length, false)?),
                (3 | 4, Wire::Bytes(_)) => {}
                _ => parser.unknown("SignatureDef", number),
            }
            Ok(())
        })?;
        signature.inputs.sort_by(|a, b| a.name.cmp(&b.name));
        signature.outputs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(signature)
    }

    fn tensor_entry(&mut self, length: u64, is_input: bool) -> Result<Option<TensorSpec>, Stop> {
        let mut name = String::new();
        let mut datatype = None;
        let mut shape = Vec::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => name = parser.text(length)?,
                (2, Wire::Bytes(length)) => parser.nested(length, |parser, number, value| {
                    match (number, value) {
                        (2, Wire::Varint(kind)) => datatype = tensor::name(kind),
                        (3, Wire::Bytes(length)) => {
                            shape = tensor::shape(parser, length)?.unwrap_or_default();
                        }
                        (1, Wire::Bytes(length)) if is_input => {
                            let tensor = parser.text(length)?;
                            parser.fed.insert(tensor.split(':').next().unwrap_or_default().to_owned());
                        }
                        (1 | 4 | 5, Wire::Bytes(_)) => {}
                        _ => parser.unknown("TensorInfo", number),
                    }
                    Ok(())
                })?,
                _ => parser.unknown("SignatureDef map", number),
            }
            Ok(())
        })?;
        Ok(datatype.map(|datatype| TensorSpec { name, datatype: datatype.to_owned(), shape }))
    }
}
