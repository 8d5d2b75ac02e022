//! The objects of a SavedModel: what Keras keeps about its layers (`saved_object_graph.proto`, TensorFlow 2.0 to 2.21;
//! `saved_metadata.proto` of Keras 2.5 to 2.15).
//!
//! Keras builds the layers again from texts beside the graph: in the object graph up to TensorFlow 2.4, in
//! `keras_metadata.pb` since. A `Lambda` among them holds byte code that runs when the model is loaded, whatever the graph is.

use super::parser::Parser;
use crate::{
    findings::Findings,
    keras,
    protobuf::{Messages as _, Wire},
    rules,
    stream::{Section, Stop, Stream},
};

/// Judges `keras_metadata.pb`.
pub(crate) fn scan_keras_metadata(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut parser = super::model::parser(stream, findings);
    let end = parser.stream.size();
    let mut layers = 0u64;
    parser.message(end, |parser, number, value| {
        match (number, value) {
            (1, Wire::Bytes(length)) => {
                layers += 1;
                parser.layer(length)?;
            }
            _ => parser.unknown("SavedMetadata", number),
        }
        Ok(())
    })?;
    if layers == 0 {
        parser.findings.whole(&rules::TF_GRAPH, "the description of layers has none");
    }
    Ok(())
}

impl Parser<'_, '_> {
    /// One object of `keras_metadata.pb`.
    fn layer(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (5, Wire::Bytes(length)) => parser.keras(length)?,
                (2, Wire::Varint(_)) | (3 | 4 | 6, Wire::Bytes(_)) => {}
                _ => parser.unknown("keras.SavedObject", number),
            }
            Ok(())
        })
    }

    /// `SavedObjectGraph` of a meta graph.
    pub(super) fn objects(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.object(length)?,
                (2, Wire::Bytes(_)) => {}
                _ => parser.unknown("SavedObjectGraph", number),
            }
            Ok(())
        })
    }

    fn object(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (4, Wire::Bytes(length)) => parser.user_object(length)?,
                (1 | 3 | 5..=16, Wire::Bytes(_)) => {}
                _ => parser.unknown("SavedObject", number),
            }
            Ok(())
        })
    }

    fn user_object(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (3, Wire::Bytes(length)) => parser.keras(length)?,
                (1 | 2, Wire::Bytes(_)) => {}
                _ => parser.unknown("SavedUserObject", number),
            }
            Ok(())
        })
    }

    /// What Keras needs to build one layer again.
    fn keras(&mut self, length: u64) -> Result<(), Stop> {
        if length == 0 {
            return Ok(());
        }
        keras::scan_layer(Section::new(self.stream, length), self.findings)
    }
}
