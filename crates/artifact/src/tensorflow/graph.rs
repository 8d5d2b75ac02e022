//! Graphs, functions and nodes.

use super::{operators, parser::Parser, tensor};
use crate::{
    protobuf::{Messages as _, Wire},
    rules,
    stream::Stop,
};

impl Parser<'_, '_> {
    /// The fields of `GraphDef`, whether it is a file or a part of one.
    pub(super) fn graph_field(&mut self, number: u32, value: Wire) -> Result<(), Stop> {
        match (number, value) {
            (1, Wire::Bytes(length)) => self.node(length)?,
            (2, Wire::Bytes(length)) => self.library(length)?,
            (3, Wire::Varint(_)) | (4 | 5, Wire::Bytes(_)) => {}
            _ => self.unknown("GraphDef", number),
        }
        Ok(())
    }

    fn library(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.function(length)?,
                (2 | 3, Wire::Bytes(_)) => {}
                _ => parser.unknown("FunctionDefLibrary", number),
            }
            Ok(())
        })
    }

    fn function(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (3, Wire::Bytes(length)) => parser.node(length)?,
                (5, Wire::Bytes(length)) => parser.attribute(length)?,
                (1 | 4 | 6..=8, Wire::Bytes(_)) => {}
                _ => parser.unknown("FunctionDef", number),
            }
            Ok(())
        })
    }

    fn node(&mut self, length: u64) -> Result<(), Stop> {
        self.nodes += 1;
        let mut operator = String::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (2, Wire::Bytes(length)) => operator = parser.text(length)?,
                (5, Wire::Bytes(length)) => parser.attribute(length)?,
                (1 | 3 | 4 | 6 | 7, Wire::Bytes(_)) => {}
                _ => parser.unknown("NodeDef", number),
            }
            Ok(())
        })?;
        if operator.is_empty() {
            self.findings.at(&rules::TF_GRAPH, self.stream.position(), "a node without an operator");
        }
        self.operator(&operator);
        Ok(())
    }

    /// Notes an operator, or a function of that name, that does more than compute.
    fn operator(&mut self, name: &str) {
        if let Some(rule) = operators::judge(name) {
            let at = Some(self.stream.position());
            self.findings.about(rule, at, name, "running the model runs this operator");
        }
    }

    /// An entry of a map of attributes.
    fn attribute(&mut self, length: u64) -> Result<(), Stop> {
        let mut key = String::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => key = parser.text(length)?,
                (2, Wire::Bytes(length)) => parser.value(length, &key)?,
                _ => parser.unknown("NodeDef.attr", number),
            }
            Ok(())
        })
    }

    fn value(&mut self, length: u64, key: &str) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.list(length)?,
                (2, Wire::Bytes(length))
                    if matches!(key, "output_stream" | "debug_urls" | "debug_ops_spec") =>
                {
                    let stream = parser.text(length)?;
                    if stream.contains("://") {
                        let at = Some(parser.stream.position());
                        parser.findings.about(
                            &rules::TF_OUTSIDE,
                            at,
                            stream,
                            "an operator writes to this place",
                        );
                    }
                }
                (2 | 7 | 9, Wire::Bytes(_)) | (3 | 5 | 6, Wire::Varint(_)) | (4, Wire::Fixed(4)) => {}
                (8, Wire::Bytes(length)) => tensor::check(parser, length)?,
                (10, Wire::Bytes(length)) => parser.named_function(length)?,
                _ => parser.unknown("AttrValue", number),
            }
            Ok(())
        })
    }

    fn list(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (8, Wire::Bytes(length)) => tensor::check(parser, length)?,
                (9, Wire::Bytes(length)) => parser.named_function(length)?,
                (2..=7, _) => {}
                _ => parser.unknown("AttrValue.ListValue", number),
            }
            Ok(())
        })
    }

    /// A function by name is a call; TensorFlow looks among the operators too.
    fn named_function(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => {
                    let name = parser.text(length)?;
                    parser.operator(&name);
                }
                (2, Wire::Bytes(length)) => parser.attribute(length)?,
                _ => parser.unknown("NameAttrList", number),
            }
            Ok(())
        })
    }
}
